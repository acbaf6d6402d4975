//! A release's file has one meaning or none, for every reader; and nothing of it is printed as it is.
//!
//! `tests/data/verify` holds files, and in `cases.json` what is said of each. The library, the command line and the
//! page's own code (`tests/node/verify.mjs`) are held to the same. `ACCORD_WRITE=1` makes the files anew.

use accord_document::body::Quorum;
use accord_document::ids::{Digest, DocumentId, LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_document::people::Sector;
use accord_document::release::canonical::{canonical, digest};
use accord_server::seal::note::{PrivateKey, PublicKey};
use accord_server::seal::shown::Shown;
use accord_server::seal::verify::verify;
use accord_server::seal::{Signatory, Statement};
use accord_tests::{accord_binary, node};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/verify")
}

/// The key of the installation that the files should be of.
fn ours() -> PrivateKey {
    PrivateKey::new("accord.example.org", [3; 32])
}

/// A key that bears the same name.
fn mallory() -> PrivateKey {
    PrivateKey::new("accord.example.org", [4; 32])
}

/// A release with something of everything.
fn text() -> Value {
    json!({
        "format": "accord-release/1", "document": "d1", "number": 1, "language": "en", "template": "ogp-commitment/1",
        "gaps": ["results", "milestone_dates"],
        "texts": {
            "title": [{ "insert": "Open contracts: ღია, 열린, مفتوح 😀\n" }],
            "problem": [
                { "insert": "Why" }, { "insert": "\n", "attributes": { "header": 2.0 } },
                { "insert": "here", "attributes": { "bold": true, "link": "https://example.org/ä" } },
                { "insert": "\n", "attributes": { "indent": 1, "list": "bullet" } },
            ],
        },
        "milestones": [{
            "id": "m1", "what": [{ "insert": "Agree\n" }], "outputs": [{ "insert": "\n" }], "who": [{ "insert": "\n" }],
            "due": "2027-03-31", "due_text": "",
        }],
        "facts": { "period_from": "2027-01-01" },
    })
}

fn signatory(person: &str, sector: Sector) -> Signatory {
    let name = format!("{}{}", person[..1].to_uppercase(), &person[1..]);
    Signatory { person: PersonId::new(person), name, sector, time: 1_767_225_600_000 }
}

fn statement(text: &Value) -> Statement {
    Statement {
        digest: digest(text),
        document: DocumentId::new("d1"),
        number: 1,
        plan: PlanId::new("p1"),
        plan_title: "Action plan 2027".into(),
        ledger: LedgerPosition {
            lineage: LineageId::new("l1"),
            seq: Seq(9),
            head: Digest([1; 32]),
        },
        frozen: 1_767_225_600_000,
        quorum: Quorum::LEAST,
        signatories: vec![
            signatory("ana", Sector::Government),
            signatory("ben", Sector::CivilSociety),
        ],
    }
}

/// A file as it is downloaded.
fn file(text: &Value, note: &str, key: &PrivateKey) -> String {
    let file = json!({ "release": text, "note": note, "key": key.public().to_string() });
    serde_json::to_string_pretty(&file).unwrap() + "\n"
}

/// The file of a text whose digest is signed as it is.
fn sealed(text: &Value) -> String {
    file(text, &ours().sign(&statement(text).text()), &ours())
}

/// The file of a changed text.
fn with_text(change: impl FnOnce(&mut Value)) -> String {
    let mut text = text();
    change(&mut text);
    sealed(&text)
}

/// The file of a changed statement, signed as it is.
fn with_statement(change: impl FnOnce(&mut Statement)) -> String {
    let mut statement = statement(&text());
    change(&mut statement);
    file(&text(), &ours().sign(&statement.text()), &ours())
}

/// The file of a statement that is signed in these very words.
fn with_words(change: impl FnOnce(String) -> String) -> String {
    let words = change(statement(&text()).text());
    file(&text(), &ours().sign(&words), &ours())
}

/// The whole file, with a passage replaced.
fn with(from: &str, to: &str) -> String {
    let whole = sealed(&text());
    assert!(whole.contains(from), "{from}");
    whole.replacen(from, to, 1)
}

/// All files: a name, the bytes, and what is said of it: `verified`, `verified, other key`, or a fault.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = sealed(&text());
    let value: Value = serde_json::from_str(&whole).unwrap();
    let note = value["note"].as_str().unwrap().to_owned();
    let quorum = |government, civil_society| {
        with_statement(move |all| all.quorum = Quorum { government, civil_society })
    };
    let says = |name: &str| {
        let name = name.to_owned();
        with_statement(move |all| all.signatories[1].name = name)
    };
    let noted = |note: &str| file(&text(), note, &ours());
    let in_note = |from: &str, to: &str| noted(&note.replacen(from, to, 1));
    let deep = format!("{}{}", "[".repeat(20), "]".repeat(20));
    let many = format!("\"gaps\": [{}", "0,".repeat(500_001));
    let all = [
        // Whole.
        ("whole", whole.clone(), "verified"),
        ("one-line", serde_json::to_string(&value).unwrap(), "verified"),
        ("escaped", with("Open contracts", "\\u004fpen contracts"), "verified"),
        (
            "title-with-line",
            with_text(|all| {
                all["texts"]["title"][0]["insert"] =
                    "A plan\nSigned for government by Mal, 1 May 2026\n".into()
            }),
            "verified",
        ),
        (
            "plan-with-line",
            with_statement(|all| {
                all.plan_title = "P”\r\nVERIFIED\u{2028}Signed for government by Mal".into()
            }),
            "verified",
        ),
        ("name-with-controls", says("Ben\u{1b}[2K\u{1b}]0;x\u{7}\u{9b}1m\u{8}\u{7f}"), "verified"),
        (
            "name-with-directions",
            says("Ben \u{202d}10 / 90\u{202c}\u{2066}\u{200f}\u{61c}"),
            "verified",
        ),
        (
            "name-with-blanks",
            says("Ben\u{ad}\u{200b}\u{2060}\u{3164}\u{2800}\u{fe0f}\u{e0041}\u{a0}\u{e000}"),
            "verified",
        ),
        ("name-that-goes-on", says("Ben, 1 May 2026. Signed for government by Mal"), "verified"),
        ("name-of-marks", says(&format!("B{}", "\u{301}".repeat(60))), "verified"),
        (
            "two-of-a-side",
            with_statement(|all| {
                all.quorum.civil_society = 2;
                all.signatories.push(signatory("eka", Sector::CivilSociety));
            }),
            "verified",
        ),
        ("foreign-key-named", file(&text(), &note, &mallory()), "verified, other key"),
        // A name that stands twice.
        ("release-twice", whole.replacen('{', "{\"release\": {},", 1), "twice"),
        ("note-twice", whole.replacen('{', "{\"note\": \"\",", 1), "twice"),
        (
            "title-twice",
            with(
                "\"title\": [",
                "\"title\": [{\"insert\": \"Closed contracts\\n\"}], \"title\": [",
            ),
            "twice",
        ),
        ("title-twice-escaped", with("\"title\": [", "\"titl\\u0065\": [], \"title\": ["), "twice"),
        (
            "insert-twice",
            with("\"insert\": \"Agree", "\"insert\": \"Disagree\\n\", \"insert\": \"Agree"),
            "twice",
        ),
        ("attribute-twice", with("\"bold\": true", "\"bold\": true, \"bold\": true"), "twice"),
        (
            "statement-name-twice",
            with_words(|words| words.replacen("{", "{\"digest\":\"\",", 1)),
            "form",
        ),
        // Not one JSON text of this form.
        ("empty", String::new(), "none"),
        ("trailing", format!("{whole}{{}}"), "none"),
        ("trailing-letter", format!("{whole}x"), "none"),
        ("byte-order-mark", format!("\u{feff}{whole}"), "none"),
        ("list", format!("[{whole}]"), "none"),
        ("more-members", whole.replacen('{', "{\"verified\": true,", 1), "none"),
        ("no-key", json!({ "release": text(), "note": note }).to_string(), "none"),
        (
            "key-no-key",
            json!({ "release": text(), "note": note, "key": "trust me" }).to_string(),
            "none",
        ),
        (
            "key-with-space",
            json!({ "release": text(), "note": note, "key": format!(" {}", ours().public()) })
                .to_string(),
            "none",
        ),
        (
            "note-null",
            json!({ "release": text(), "note": null, "key": ours().public().to_string() })
                .to_string(),
            "none",
        ),
        (
            "release-text",
            json!({ "release": "all of it", "note": note, "key": ours().public().to_string() })
                .to_string(),
            "text",
        ),
        ("surrogate", with("Open contracts", "Open \\ud800 contracts"), "none"),
        ("number-with-fraction", with("\"number\": 1", "\"number\": 1.0"), "none"),
        ("number-with-exponent", with("\"number\": 1", "\"number\": 1e0"), "none"),
        ("number-with-zeros", with("\"header\": 2.0", "\"header\": 2.00"), "none"),
        ("number-negative-zero", with("\"indent\": 1", "\"indent\": -0"), "none"),
        ("number-too-large", with("\"number\": 1", "\"number\": 18446744073709551617"), "none"),
        ("deep", with("\"gaps\": [", &format!("\"gaps\": [{deep},")), "none"),
        ("many", with("\"gaps\": [", &many), "none"),
        // Another text.
        ("text-changed", with("Open contracts", "Open contrasts"), "text"),
        (
            "member-beside-insert",
            with("\"insert\": \"Agree", "\"aside\": 1, \"insert\": \"Agree"),
            "text",
        ),
        ("number-changed", with("\"number\": 1", "\"number\": 2"), "number"),
        ("number-below", with("\"number\": 1", "\"number\": -1"), "text"),
        ("other-document", with_statement(|all| all.document = DocumentId::new("d2")), "document"),
        // Signed, and still not what a release consists of.
        (
            "signed-aside",
            with_text(|all| all["texts"]["title"][0]["aside"] = "hidden".into()),
            "none",
        ),
        ("signed-member", with_text(|all| all["annex"] = "hidden".into()), "none"),
        (
            "signed-picture",
            with_text(|all| all["texts"]["title"][0]["insert"] = json!({ "image": "x" })),
            "none",
        ),
        (
            "signed-retain",
            with_text(|all| all["texts"]["title"][0] = json!({ "retain": 1 })),
            "none",
        ),
        (
            "signed-nested-attribute",
            with_text(|all| all["texts"]["problem"][2]["attributes"]["link"] = json!(["a"])),
            "none",
        ),
        (
            "signed-empty-attributes",
            with_text(|all| all["texts"]["title"][0]["attributes"] = json!({})),
            "none",
        ),
        ("signed-fact-number", with_text(|all| all["facts"]["period_from"] = 2027.into()), "none"),
        ("signed-need", with_text(|all| all["gaps"][0] = "everything".into()), "none"),
        ("signed-format", with_text(|all| all["format"] = "accord-release/2".into()), "none"),
        ("signed-null", with_text(|all| all["supersedes"] = Value::Null), "none"),
        // The statement.
        ("statement-changed", in_note("\"Ben\"", "\"Bob\""), "statement"),
        (
            "statement-spaced",
            with_words(|words| words.replacen("\"number\":1", "\"number\": 1", 1)),
            "form",
        ),
        (
            "statement-number-written-otherwise",
            with_words(|words| words.replacen("\"number\":1", "\"number\":1.0", 1)),
            "form",
        ),
        ("statement-more", with_words(|words| words.replacen('{', "{\"also\":1,", 1)), "form"),
        ("statement-other-first-line", with_words(|words| words.replacen("/1", "/2", 1)), "form"),
        ("statement-second-line", with_words(|words| format!("{words}and more\n")), "form"),
        ("statement-no-date", with_statement(|all| all.frozen = 253_402_300_800_000), "form"),
        (
            "statement-sector",
            with_words(|words| {
                words.replacen("\"civil_society\",\"time\"", "\"everybody\",\"time\"", 1)
            }),
            "form",
        ),
        (
            "foreign",
            file(&text(), &mallory().sign(&statement(&text()).text()), &mallory()),
            "foreign",
        ),
        (
            "foreign-with-our-key",
            file(&text(), &mallory().sign(&statement(&text()).text()), &ours()),
            "foreign",
        ),
        ("note-without-signature", noted(&statement(&text()).text()), "none"),
        (
            "note-two-signatures",
            noted(&format!("{note}{}\n", mallory().sign("a\n").lines().last().unwrap())),
            "none",
        ),
        ("note-other-line", noted(&format!("{note}Signed by everybody\n")), "none"),
        ("note-with-control", in_note("accord-release/1\n", "accord-release/1\t\n"), "none"),
        ("note-unpadded", noted(&note.replace('=', "")), "none"),
        ("note-with-blank", noted(&format!("{}  \n", note.trim_end())), "none"),
        // Those who signed.
        ("one-side", with_statement(|all| all.signatories.truncate(1)), "side"),
        ("nobody", with_statement(|all| all.signatories.clear()), "side"),
        (
            "one-person",
            with_statement(|all| all.signatories[1].person = PersonId::new("ana")),
            "signatories",
        ),
        (
            "twice-a-person",
            with_statement(|all| {
                all.quorum.government = 2;
                all.signatories.push(signatory("ana", Sector::Government));
            }),
            "signatories",
        ),
        (
            "adviser",
            with_statement(|all| all.signatories.push(signatory("ada", Sector::Adviser))),
            "signatories",
        ),
        ("quorum-of-civil-society", quorum(1, 2), "quorum"),
        ("quorum-of-government", quorum(2, 1), "quorum"),
        ("quorum-of-none", quorum(0, 1), "quorum"),
        ("quorum-too-large", quorum(1, 4_294_967_295), "quorum"),
    ];
    let mut all: Vec<_> =
        all.into_iter().map(|(name, text, verdict)| (name, text.into_bytes(), verdict)).collect();
    let bytes = whole.into_bytes();
    let at = bytes.windows(4).position(|part| part == b"Open").unwrap();
    let mut not_utf8 = bytes.clone();
    not_utf8[at] = 0xff;
    all.push(("not-utf-8", not_utf8, "none"));
    all
}

fn write() -> Result<()> {
    let mut index = Vec::new();
    for (name, bytes, verdict) in cases() {
        // What is made of a million zeros is made by the tests.
        if name != "many" {
            fs::write(folder().join(format!("{name}.json")), bytes)?;
            index.push(json!({ "file": format!("{name}.json"), "verdict": verdict }));
        }
    }
    let whole = json!({ "keys": [ours().public().to_string()], "cases": index });
    fs::write(folder().join("cases.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
    Ok(())
}

/// What the library says, in the words of `cases.json`.
fn verdict(bytes: &[u8], keys: &[PublicKey]) -> &'static str {
    match verify(bytes, keys) {
        Ok(found) if found.other_key.is_some() => "verified, other key",
        Ok(_) => "verified",
        Err(fault) => fault.name(),
    }
}

#[test]
fn a_release_file_has_one_meaning_or_none() -> Result<()> {
    if std::env::var_os("ACCORD_WRITE").is_some() {
        write()?;
    }
    let keys = [ours().public().clone()];
    for (name, bytes, expect) in cases() {
        let found = verdict(&bytes, &keys);
        ensure!(found == expect, "{name}: {found} instead of {expect}");
        if name != "many" {
            ensure!(
                fs::read(folder().join(format!("{name}.json")))? == bytes,
                "{name} has changed"
            );
        }
    }
    // Numbers in digests are canonical: an old file with `2.0` and a new one with `2` are the same text.
    let (old, new) = (json!({ "header": 2.0 }), json!({ "header": 2 }));
    ensure!(canonical(&old) == canonical(&new));
    Ok(())
}

/// How the command ended, and what it printed on both streams.
fn run(path: &Path, more: &[&str]) -> Result<(i32, String)> {
    let out = Command::new(accord_binary()).arg("verify").arg(path).args(more).output()?;
    let said = [out.stdout, out.stderr].concat();
    Ok((out.status.code().context("it ends by itself")?, String::from_utf8(said)?))
}

#[test]
fn accord_verify_prints_nothing_of_a_file_as_it_is_and_ends_as_it_says() -> Result<()> {
    let key = ours().public().to_string();
    let index: Value = serde_json::from_slice(&fs::read(folder().join("cases.json"))?)?;
    for case in index["cases"].as_array().context("cases")? {
        let name = case["file"].as_str().context("a file")?;
        let verdict = case["verdict"].as_str().context("a verdict")?;
        let (code, said) = run(&folder().join(name), &["--key", &key])?;
        let is_whole = verdict.starts_with("verified");
        ensure!(code == i32::from(!is_whole), "{name}: {code} {said}");
        ensure!(
            said.starts_with(if is_whole { "VERIFIED\n" } else { "NOT VERIFIED\n" }),
            "{name}: {said}"
        );
        let is_odd = |c: char| c != '\n' && accord_document::readable::is_unseen(c);
        ensure!(!said.contains(is_odd), "{name} prints {:?}", said);
        ensure!(
            said.lines().filter(|line| line.starts_with("VERIFIED")).count() <= 1,
            "{name}: {said}"
        );
        let signed = said.lines().filter(|line| line.starts_with("Signed for"));
        let expect = if !is_whole {
            0
        } else if name.starts_with("two") {
            3
        } else {
            2
        };
        ensure!(signed.count() == expect, "{name}: {said}");
        if verdict == "verified, other key" {
            ensure!(said.contains(&mallory().public().to_string()), "{name}: {said}");
        }
        // Without a key: whole, and nobody knows whose.
        let (code, said) = run(&folder().join(name), &[])?;
        let is_own = verdict == "verified" || name == "foreign.json";
        ensure!(code == if is_own { 2 } else { 1 }, "{name}: {code} {said}");
        ensure!(!is_own || said.contains("A key inside a file proves nothing"), "{name}: {said}");
    }
    // A mistake on the command line must not look like a whole file (2).
    let whole = folder().join("whole.json");
    for args in [&["--key", "no key"][..], &["--keys"], &["--number", "x"]] {
        ensure!(run(&whole, args)?.0 == 1, "{args:?}");
    }
    ensure!(run(&folder().join("not\u{202e}there.json"), &[])?.1.contains("not<U+202E>there"));
    ensure!(run(Path::new("/dev/zero"), &["--key", &key])?.0 == 1, "an endless file");
    Ok(())
}

/// Releases that were signed by earlier versions.
#[test]
fn old_release_files_verify_as_before() -> Result<()> {
    let path = folder().join("../foreign-release.json");
    let file: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let (code, said) = run(&path, &["--key", file["key"].as_str().context("a key")?])?;
    ensure!(code == 0 && said.starts_with("VERIFIED\n"), "{code} {said}");
    Ok(())
}

#[test]
fn text_of_a_file_is_shown_alike_in_a_terminal_and_on_the_page() -> Result<()> {
    let path = folder().join("shown.json");
    let texts: Vec<(String, String)> = serde_json::from_slice(&fs::read(path)?)?;
    for (text, expect) in texts {
        ensure!(
            Shown::of(&text).to_string() == expect,
            "{text:?} is shown as {}",
            Shown::of(&text)
        );
    }
    Ok(())
}

#[test]
fn the_page_judges_files_as_the_command_line_does() -> Result<()> {
    node("verify.mjs", &[]).map(drop)
}
