//! Imports: files that contain too much are refused early, and uploads that nobody completes end.

use super::{Colleague, MAX_KEYSTROKE, MAX_PEAK_MIB, import, until};
use accord_tests::{Server, Watch, children};
use anyhow::{Result, ensure};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::time::{Duration, Instant};

/// Encodes a ZIP archive of deflated entries (APPNOTE 6.3.10).
fn archive(entries: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(content)?;
        let packed = deflate.finish()?;
        let at = u32::try_from(out.len())?;
        let mut header = Vec::new();
        header.extend([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0]);
        header.extend(crc32fast::hash(content).to_le_bytes());
        header.extend(u32::try_from(packed.len())?.to_le_bytes());
        header.extend(u32::try_from(content.len())?.to_le_bytes());
        header.extend(u16::try_from(name.len())?.to_le_bytes());
        header.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&header);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(header);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, size) = (u32::try_from(out.len())?, u32::try_from(directory.len())?);
    let count = u16::try_from(entries.len())?.to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    Ok(out)
}

fn docx(body: &str) -> Result<Vec<u8>> {
    const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let document = format!("<w:document xmlns:w=\"{W}\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", document.as_bytes())])
}

#[test]
fn what_a_word_or_markdown_file_may_hold_is_counted_before_it_is_read() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    let namespaces: String = (0..3_000).map(|n| format!("<w:p xmlns:n{n}=\"u{n}\">")).collect();
    let runs = "<w:r><w:rPr><w:b/></w:rPr><w:t>a</w:t></w:r><w:r><w:t>a</w:t></w:r>";
    let notes = "<w:p><w:r><w:footnoteReference w:id=\"1\"/></w:r></w:p>";
    let many: Vec<(String, &[u8])> = (0..5_000).map(|n| (format!("p{n}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, part)| (&**name, *part)).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a.docx", docx(&format!("<w:p{attributes}/>"))?, "attributes of one XML element"),
        ("a.docx", docx(&namespaces)?, "XML"),
        ("a.docx", docx(&"<a/>".repeat(15_500_000))?, "48 MiB of unpacked XML"),
        ("a.docx", docx(&"<w:p><w:r><w:t>a</w:t></w:r></w:p>".repeat(300_000))?, ""),
        ("a.docx", docx(&"<w:p><w:r><w:t>a</w:t></w:r></w:p>".repeat(30_000))?, "20000 paragraphs"),
        ("a.docx", docx(&format!("<w:p>{}</w:p>", runs.repeat(60_000)))?, "changes of formatting"),
        ("a.docx", docx(&notes.repeat(20_000))?, ""),
        ("a.docx", archive(&many)?, "4096 parts"),
        ("a.md", "a\\\n".repeat(80_000).into_bytes(), "20000 paragraphs"),
        ("a.md", "a\n\n".repeat(130_000).into_bytes(), "20000 paragraphs"),
        ("a.md", "**a**b".repeat(60_000).into_bytes(), "changes of formatting"),
        ("a.md", "## Milestone\n\na\n\n".repeat(2_000).into_bytes(), "500 milestones"),
        ("a.md", "a".repeat(4_000_000).into_bytes(), "3 MiB of Markdown"),
        ("a.md", ">".repeat(3_000_000).into_bytes(), "could be markup"),
        ("a.md", "[".repeat(3_000_000).into_bytes(), "could be markup"),
        ("a.md", "*a_ ".repeat(700_000).into_bytes(), "could be markup"),
        (
            "a.md",
            format!("[a]: https://{}\n\n{}", "b".repeat(90_000), "[a] *x* ".repeat(40_000))
                .into_bytes(),
            "",
        ),
        ("a.md", format!("|a|b|\n|-|-|\n{}", "|c|d|\n".repeat(9_000)).into_bytes(), "-"),
        ("a.md", "a\\\n".repeat(19_000).into_bytes(), "-"),
        ("a.md", "- a\n".repeat(14_000).into_bytes(), "-"),
        ("a.md", "- a\n".repeat(19_000).into_bytes(), "pieces of text"),
        ("a.md", "**a** b ".repeat(9_000).into_bytes(), "-"),
    ];
    // Each case has words of the expected refusal. `-` means that the import succeeds, and an empty string that it may
    // succeed or be refused.
    let mut lines = Vec::new();
    for (number, (name, file, words)) in cases.iter().enumerate() {
        let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
        let begun = Instant::now();
        let (status, answer) = import(&ana, name, file)?;
        let waited = colleague.longest_wait()?;
        let (peak, took) = (watch.peak_mib(), begun.elapsed());
        let message = answer["message"].as_str().unwrap_or_default();
        lines.push(format!(
            "{number} {name} of {}: {status} {message:.70}; {peak} MiB, {took:?}, others {waited:?}",
            file.len()
        ));
        let fits = match *words {
            "" => status == 201 || status == 422,
            "-" => status == 201,
            words => status == 422 && message.contains(words),
        };
        ensure!(fits && peak <= MAX_PEAK_MIB && waited < MAX_KEYSTROKE, "{}", lines.join("\n"));
    }
    Ok(())
}

#[test]
fn an_import_that_nobody_waits_for_ends() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    // Only part of the announced file arrives. The server starts no child for it and frees the person's place.
    for _ in 0..8 {
        let path = "/api/v1/plans/demo/imports?name=a.md";
        ana.begin_upload(path, 1_000_000)?.send(b"# Half")?;
    }
    until("places do not come back", || {
        import(&ana, "a.md", b"# T\n\ntext").is_ok_and(|(status, _)| status == 201)
    })?;
    ensure!(children(server.id()).is_empty());
    Ok(())
}

#[test]
fn a_file_that_is_too_large_keeps_no_upload_from_anybody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let mut upload = ana.begin_upload("/api/v1/plans/demo/imports?name=a.md", 60_000_000)?;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..18 {
        upload.send(&piece)?;
    }
    // The server would wait half a minute for the rest of the file that is too large. Each person can have one upload
    // at a time, and the refused upload must not keep its person from the next.
    let began = Instant::now();
    let (status, made) = import(&ana, "a.md", b"# T\n\ntext")?;
    ensure!(status == 201 && began.elapsed() < Duration::from_secs(15), "{status} {made}");
    upload.send(&piece)?;
    Ok(())
}
