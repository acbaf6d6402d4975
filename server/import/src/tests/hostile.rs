//! Tests with files that are not drafts, or that are built to harm the server.

use super::word::word;
use crate::error::ImportError;
use crate::import::import;

#[test]
fn what_is_no_draft_is_refused_in_words() {
    assert_eq!(import("a.pdf", b"%PDF-1.7", "en").unwrap_err(), ImportError::Kind);
    assert_eq!(import("a.md", b"\xff\xfe", "en").unwrap_err(), ImportError::Kind);
    assert_eq!(import("a.md", b" \n\n", "en").unwrap_err(), ImportError::Empty);
    assert!(matches!(import("a.docx", b"no archive", "en"), Err(ImportError::Damaged(_))));
    let long = "word ".repeat(100_000);
    assert_eq!(import("a.md", long.as_bytes(), "en").unwrap_err(), ImportError::Long);
}

#[test]
fn hostile_word_documents_are_refused_or_read_as_text() {
    // Each entity contains ten of the one before, so the last one would expand to 10^11 characters.
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\">");
    for at in 0..10 {
        let (name, before) = ((b'b' + at) as char, (b'a' + at) as char);
        bomb.push_str(&format!("<!ENTITY {name} \"{}\">", format!("&{before};").repeat(10)));
    }
    bomb.push_str("]><d>&k;</d>");
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bomb.as_bytes()).unwrap();
    let file = zip.finish().unwrap().into_inner();
    assert!(matches!(import("a.docx", &file, "en"), Err(ImportError::Damaged(_))));
    // Elements nest 10,000 deep.
    let deep = format!(
        "{}{}",
        "<w:sdt><w:sdtContent>".repeat(5_000),
        "</w:sdtContent></w:sdt>".repeat(5_000)
    );
    assert!(import("a.docx", &word(&deep), "en").is_err());
    // The archive unpacks to far more bytes than it contains.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..80 {
        zip.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let file = zip.finish().unwrap().into_inner();
    assert!(file.len() < 1024 * 1024);
    let error = import("a.docx", &file, "en").unwrap_err();
    assert!(error.to_string().contains("more than 48 MiB of unpacked XML"), "{error}");
}
