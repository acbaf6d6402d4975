//! Drafts and releases become files that other programs can open, and files of other programs become drafts.

use crate::release::freeze;
use accord_tests::{Server, SyncClient, Visitor, accord_binary};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program and returns its output, or an error if the program fails.
fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&std::ffi::OsStr]) -> Result<String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let done = Command::new(program).args(args).output();
    let done =
        done.with_context(|| format!("{name} can't be run: `cargo xtask test` installs it"))?;
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    ensure!(done.status.success(), "{name}: {printed}{}", String::from_utf8_lossy(&done.stderr));
    Ok(printed)
}

/// Returns the properties of a PDF file, and the findings of a checker of PDF/UA-1, as `pdf.py` reports them.
fn pdf_report(pdf: &Path) -> Result<Value> {
    let python =
        std::env::var_os("ACCORD_PYTHON").context("`cargo xtask test` names ACCORD_PYTHON")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/pdf.py");
    Ok(serde_json::from_str(&run(python, &[script.as_ref(), pdf.as_ref()])?)?)
}

/// Converts a file with LibreOffice into the folder `converted` beside it. Returns the path of the new file.
fn convert(file: &Path, to: &str) -> Result<PathBuf> {
    let folder = file.parent().context("it is in a folder")?;
    let out = folder.join("converted");
    let profile = format!("-env:UserInstallation=file://{}", folder.join("profile").display());
    run(
        "soffice",
        &[
            profile.as_ref(),
            "--headless".as_ref(),
            "--convert-to".as_ref(),
            to.as_ref(),
            "--outdir".as_ref(),
            out.as_ref(),
            file.as_ref(),
        ],
    )?;
    let made = out.join(file.with_extension(to).file_name().context("it has a name")?);
    ensure!(made.exists(), "LibreOffice could not open {}", file.display());
    Ok(made)
}

/// Copies a file into the folder that `ACCORD_SHOTS` names, if it is set, so that a person can look at it.
fn keep(name: &str, file: &Path) -> Result<()> {
    if let Some(shots) = std::env::var_os("ACCORD_SHOTS") {
        std::fs::copy(file, Path::new(&shots).join(name))?;
    }
    Ok(())
}

fn import(by: &Visitor, name: &str, language: &str, file: &[u8]) -> Result<Value> {
    let path = format!("/api/v1/plans/demo/imports?name={name}&language={language}");
    let (status, made) = by.upload(&path, file)?;
    ensure!(status == 201, "{name}: {status} {made}");
    Ok(made)
}

fn content(by: &Visitor, document: &str) -> Result<Value> {
    let (status, mut content) = by.get(&format!("/api/v1/documents/{document}/content"))?;
    ensure!(status == 200, "{status}");
    // The value `order` of a milestone is left out, because two equal commitments can have different values there.
    for milestone in content["milestones"].as_array_mut().into_iter().flatten() {
        milestone["order"].take();
    }
    Ok(content)
}

struct Sample {
    language: &'static str,
    title: &'static str,
    /// Words that the text contains exactly once each.
    words: [&'static str; 3],
    /// The draft as Markdown.
    text: &'static str,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        language: "ko",
        title: "주민과 함께하는 예산",
        words: ["아무도 예산을 읽을 수 없다", "예산안 공개 포털", "서울특별시"],
        text: "# 주민과 함께하는 예산\n\n## 어떤 문제를 다룹니까?\n\n아무도 예산을 읽을 수 없다.\n\n## 어떤 해결책을 제안합니까?\n\n\
            **예산안 공개 포털**을 만든다. [더 보기](https://example.org/예산)\n\n- 첫째\n- 둘째\n\n## 주관 기관\n\n서울특별시\n",
    },
    Sample {
        language: "ka",
        title: "ღია ბიუჯეტი ყველასთვის",
        words: ["ბიუჯეტს ვერავინ კითხულობს", "საჯარო რეესტრი", "თბილისის მერია"],
        text: "# ღია ბიუჯეტი ყველასთვის\n\n## პრობლემა\n\nბიუჯეტს ვერავინ კითხულობს.\n\n## გადაწყვეტა\n\n1. საჯარო რეესტრი\n\
            2. ყოველთვიური ანგარიში\n\n## პასუხისმგებელი უწყება\n\nთბილისის მერია\n",
    },
    Sample {
        language: "pt",
        title: "Orçamento aberto à cidadania — já",
        words: ["Ninguém lê o orçamento", "São Paulo", "até às eleições"],
        text: "# Orçamento aberto à cidadania — já\n\n## O problema\n\nNinguém lê o orçamento: è, ã, ç, õ, ü, ñ.\n\n\
            ## A solução\n\n> “Tudo à vista”, até às eleições.\n\n## Instituição responsável\n\nSão Paulo\n",
    },
];

/// Checks that a PDF file follows the standards for assistive programs (PDF/UA-1) and archives (PDF/A-3).
fn is_accessible(pdf: &Path, language: &str, title: &str) -> Result<()> {
    let report = pdf_report(pdf)?;
    ensure!(report["findings"] == json!([]), "{report}");
    for (name, expect) in [
        ("title", json!(title)),
        ("language", json!(language)),
        ("ua", json!("1")),
        ("archival", json!("3")),
        ("shows_title", json!(true)),
        ("marked", json!(true)),
        ("fonts_inside", json!(true)),
        ("links_told", json!(true)),
    ] {
        ensure!(report[name] == expect, "{language}: {name} is {}", report[name]);
    }
    Ok(())
}

#[test]
fn drafts_open_in_other_programs_in_every_script() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    for Sample { language, title, words, text } in SAMPLES {
        let made = import(&ana, "draft.md", language, text.as_bytes())?;
        ensure!(made["notes"] == false, "{language}: {made}");
        let document = made["id"].as_str().context("an id")?;
        let dir = tempfile::tempdir()?;
        let file = |kind: &str| -> Result<(PathBuf, String)> {
            let path = format!("/api/v1/documents/{document}/draft/{kind}");
            let (bytes, media) = ana.download(&path)?;
            let saved = dir.path().join(format!("draft.{kind}"));
            std::fs::write(&saved, bytes)?;
            Ok((saved, media))
        };

        let (pdf, media) = file("pdf")?;
        ensure!(media == "application/pdf");
        keep(&format!("draft-{language}.pdf"), &pdf)?;
        let info = run("pdfinfo", &[pdf.as_ref()])?;
        ensure!(info.contains(title) && info.contains("Tagged:          yes"), "{info}");
        let printed = run("pdftotext", &[pdf.as_ref(), "-".as_ref()])?;
        for word in words.iter().chain([&title]) {
            ensure!(printed.contains(word), "{language}: no {word} in {printed}");
        }
        is_accessible(&pdf, language, title)?;

        let (docx, _) = file("docx")?;
        let opened = convert(&docx, "pdf")?;
        keep(&format!("word-{language}.pdf"), &opened)?;
        let printed = run("pdftotext", &[opened.as_ref(), "-".as_ref()])?;
        for word in words.iter().chain([&title]) {
            ensure!(printed.contains(word), "{language}: LibreOffice shows no {word} in {printed}");
        }
        // The DOCX file is imported again, once unchanged and once as LibreOffice saves it. Both imports have the
        // content of the draft.
        let before = content(&ana, document)?;
        for file in [docx.clone(), convert(&docx, "docx")?] {
            let made = import(&ana, "back.docx", language, &std::fs::read(&file)?)?;
            let after = content(&ana, made["id"].as_str().context("an id")?)?;
            ensure!(after == before, "{}: {after} is not {before}", file.display());
        }

        for (kind, media, mark) in [
            ("html", "text/html; charset=utf-8", format!("<html lang=\"{language}\">")),
            ("md", "text/markdown; charset=utf-8", format!("# {title}\n")),
            ("json", "application/json", format!("\"language\":\"{language}\"")),
        ] {
            let (saved, found_media) = file(kind)?;
            let printed = std::fs::read_to_string(saved)?;
            ensure!(
                found_media == media && printed.contains(&mark),
                "{kind} ({found_media}): {printed}"
            );
            ensure!(words.iter().all(|word| printed.contains(word)), "{kind}: {printed}");
        }
    }
    Ok(())
}

/// Checks that the signed file inside a release's PDF file verifies with a key.
fn its_attachment_verifies(pdf: &Path, key: &str, folder: &Path) -> Result<()> {
    let saved = folder.join("release.json");
    let detach = ["-savefile".as_ref(), "release.json".as_ref(), "-o".as_ref(), saved.as_ref()];
    run("pdfdetach", &[&detach[..], &[pdf.as_ref()]].concat())?;
    let verify = ["verify".as_ref(), saved.as_ref(), "--key".as_ref(), key.as_ref()];
    let verdict = run(accord_binary(), &verify)?;
    ensure!(verdict.contains("VERIFIED"), "{verdict}");
    Ok(())
}

#[test]
fn a_release_as_pdf_holds_the_signed_file_and_is_the_same_for_everybody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let of = |rest: &str| format!("/api/v1/documents/demo/{rest}");
    let (_, path) = fay.get(&of("release"))?;
    freeze(&fay, &ana, &ben, "demo")?;
    // The authors can download the release before it is public.
    let (before, _) = ben.download(&of("releases/1/pdf"))?;
    let launch = json!({ "documents": ["demo"], "zone": "Europe/Paris" });
    let (status, answer) = fay.post("/api/v1/plans/demo/launches", launch)?;
    ensure!(status == 200, "{answer}");
    let nobody = Visitor::nobody(&server.address);
    let (public, media) = nobody.download("/r/demo/1/release.pdf")?;
    ensure!(media == "application/pdf" && public != before, "the public one says since when");
    ensure!(public == nobody.download("/r/demo/1/release.pdf")?.0);
    ensure!(public == ben.download(&of("releases/1/pdf"))?.0);

    let dir = tempfile::tempdir()?;
    let pdf = dir.path().join("release.pdf");
    std::fs::write(&pdf, &public)?;
    keep("release.pdf", &pdf)?;
    let report = pdf_report(&pdf)?;
    ensure!(report["findings"] == json!([]) && report["ua"] == "1", "{report}");
    let printed = run("pdftotext", &[pdf.as_ref(), "-".as_ref()])?;
    let digest = path["digest"].as_str().context("a digest")?;
    for words in ["Release 1", "Signed by both sides", "Ben Okafor", "Europe/Paris", digest] {
        ensure!(printed.contains(words), "no {words} in {printed}");
    }
    let (signed, _) = nobody.download("/r/demo/1/release.json")?;
    ensure!(report["attached"]["release.json"] == json!(String::from_utf8(signed)?));
    let keys = String::from_utf8(nobody.download("/keys.txt")?.0)?;
    its_attachment_verifies(&pdf, keys.trim(), dir.path())?;

    for kind in ["docx", "html", "md"] {
        let (bytes, _) = nobody.download(&format!("/r/demo/1/release.{kind}"))?;
        let saved = dir.path().join(format!("release.{kind}"));
        std::fs::write(&saved, bytes)?;
        keep(&format!("release.{kind}"), &saved)?;
    }
    let (status, page) =
        (nobody.page("/r/demo/1", "content-type")?.0, nobody.page("/r/demo/1", "etag")?.1);
    ensure!(
        status == 200 && page.contains("release.pdf") && page.contains("release.docx"),
        "{status} {page}"
    );
    for missing in ["/r/demo/1/release.exe", "/r/demo/1/other.pdf", "/r/demo/2/release.pdf"] {
        ensure!(nobody.page(missing, "cache-control")?.0 == 404, "{missing}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn word_shows_who_changed_what_since_a_version() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (ana, ben, obi) = (server.visit("ana")?, server.visit("ben")?, server.visit("obi")?);
    let made = import(
        &ana,
        "draft.md",
        "en",
        b"# Water\n\n## The problem\n\nPipes are old.\n\nNobody knows.\n",
    )?;
    let document = made["id"].as_str().context("an id")?;
    let (_, version) =
        ana.post(&format!("/api/v1/documents/{document}/versions"), json!({ "name": "First" }))?;
    let since = version["seq"].as_u64().context("a version")?;
    let mut a = SyncClient::connect(&server, &ana, document, 21).await?;
    a.fetch().await?;
    a.edit("problem", 10, 3, "broken").await?;
    a.settled().await?;
    let mut b = SyncClient::connect(&server, &ben, document, 22).await?;
    b.fetch().await?;
    b.edit("problem", 18, 14, "").await?;
    b.settled().await?;

    let path = format!("/api/v1/documents/{document}/draft/docx?since={since}");
    let (file, _) = ana.download(&path)?;
    let dir = tempfile::tempdir()?;
    let saved = dir.path().join("changes.docx");
    std::fs::write(&saved, &file)?;
    keep("changes.docx", &saved)?;
    let text = run("unzip", &["-p".as_ref(), saved.as_ref(), "word/document.xml".as_ref()])?;
    let change = |tag: &str, author: &str| {
        text.contains(&format!("<w:{tag} w:id=\"")) && text.contains(author)
    };
    ensure!(change("ins", "w:author=\"Ana") && change("del", "w:author=\"Ben"), "{text}");
    ensure!(text.contains(">broken</w:t>") && text.contains(">old</w:delText>"), "{text}");
    // LibreOffice shows both changes. An import reads the text as if both were accepted.
    let opened = run("pdftotext", &[convert(&saved, "pdf")?.as_ref(), "-".as_ref()])?;
    ensure!(opened.contains("broken") && opened.contains("old"), "{opened}");
    let back = import(&ana, "changes.docx", "en", &file)?;
    let back = back["id"].as_str().context("an id")?;
    ensure!(
        ana.text(back, "problem")? == ana.text(document, "problem")?,
        "{}",
        ana.text(back, "problem")?
    );

    // A file with changes shows deleted text, which belongs to the history. Observers are not allowed to read the
    // history.
    ensure!(obi.page(&path, "content-type")?.0 == 403);
    ensure!(
        ana.page(&format!("/api/v1/documents/{document}/draft/pdf?since=1"), "content-type")?.0
            == 422
    );
    ensure!(ana.page(&format!("/api/v1/documents/{document}/draft/exe"), "content-type")?.0 == 404);
    Ok(())
}

#[test]
fn what_can_not_be_brought_in_is_refused_in_words_and_makes_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let count = || -> Result<usize> {
        Ok(ana.get("/api/v1/plans/demo")?.1["documents"].as_array().map_or(0, Vec::len))
    };
    let before = count()?;
    let large = vec![b'a'; 17 * 1024 * 1024];
    // The limit counts every piece of formatted text as if it had the longest link of the file.
    let formatted =
        format!("[a](https://example.org/{}) {}", "x".repeat(5_000), "**b** c ".repeat(9_000));
    let cases: [(&str, &[u8], u16, &str); 7] = [
        ("a.pdf", b"%PDF-1.7", 422, "neither a Word document"),
        ("a.docx", b"no archive", 422, "damaged"),
        ("a.md", b"\n", 422, "no text"),
        ("a.md", b"\xff", 422, "neither a Word document"),
        ("a.md", &large[..500_000], 422, "too long"),
        ("a.md", &large, 413, "16 MiB"),
        ("a.md", formatted.as_bytes(), 422, "more than a commitment can hold"),
    ];
    for (name, file, status, words) in cases {
        let path = format!("/api/v1/plans/demo/imports?name={name}");
        let (got, answer) = ana.upload(&path, file)?;
        let message = answer["message"].as_str().unwrap_or_default();
        ensure!(got == status && message.contains(words), "{name}: {got} {answer}");
    }
    let (status, _) =
        ana.upload("/api/v1/plans/demo/imports?name=a.md&language=English!", b"# T")?;
    ensure!(status == 422 && count()? == before);
    Ok(())
}
