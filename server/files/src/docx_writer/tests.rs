//! Tests of Word files: their parts are well-formed, and changes and links are those of Word.

use super::*;
use crate::samples;
use accord_document::model::attributes::Attributes;
use std::io::{Cursor, Read};

fn made(language: &str, manuscript: Option<Manuscript>) -> Vec<u8> {
    let released = samples::released(language, |_| {});
    let paper = Paper::of(&released, &samples::draft());
    let manuscript = manuscript.unwrap_or_else(|| Manuscript::of(&released));
    docx(&paper, &manuscript, &["Ana & <Co> (Government)".into()], 1_795_440_000_000)
}

fn read(bytes: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut content = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut content).unwrap();
    content
}

/// Checks that every part is well-formed XML: tags match, and entities are known.
fn check_xml(bytes: &[u8]) {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for at in 0..zip.len() {
        let mut content = String::new();
        let mut part = zip.by_index(at).unwrap();
        part.read_to_string(&mut content).unwrap();
        if let Err(error) = roxmltree::Document::parse(&content) {
            panic!("part {at}: {error}");
        }
    }
}

#[test]
fn every_part_is_xml_and_the_same_text_gives_the_same_bytes() {
    for language in ["en", "ko", "ka", "cs"] {
        let bytes = made(language, None);
        if let Some(folder) = std::env::var_os("ACCORD_SHOTS") {
            let path = std::path::Path::new(&folder).join(format!("{language}.docx"));
            std::fs::write(path, &bytes).unwrap();
        }
        check_xml(&bytes);
        assert_eq!(bytes, made(language, None));
        assert!(read(&bytes, "word/styles.xml").contains(&format!("w:lang w:val=\"{language}\"")));
    }
}

#[test]
fn what_xml_can_not_hold_is_left_out_and_markup_is_text() {
    let stretch =
        |text: &str| Stretch { text: text.into(), attributes: Attributes::new(), trace: None };
    let texts = [("brief".to_owned(), vec![stretch("a\u{1}\u{fffe}b <w:p> & \"c\"\n")])];
    let bytes = made("en", Some(Manuscript { texts: texts.into(), ..Manuscript::default() }));
    check_xml(&bytes);
    let document = read(&bytes, "word/document.xml");
    assert!(document.contains(">ab &lt;w:p&gt; &amp; &quot;c&quot;</w:t>"), "{document}");
}

#[test]
fn changes_are_words_own_with_their_author_and_date() {
    let change = |text: &str, is_new| Stretch {
        text: text.into(),
        attributes: Attributes::new(),
        trace: Some(Trace { is_new, author: 0, time: 1_795_440_000_000 }),
    };
    let kept = Stretch { trace: None, ..change("kept ", true) };
    let brief = vec![
        kept.clone(),
        change("old", false),
        change("new\n", true),
        Stretch { text: "\n".into(), ..kept },
    ];
    let row = Row { trace: Some(Trace { is_new: false, author: 0, time: 0 }), ..Row::default() };
    let manuscript = Manuscript {
        texts: [("brief".to_owned(), brief)].into(),
        milestones: vec![row],
        ..Manuscript::default()
    };
    let bytes = made("en", Some(manuscript));
    check_xml(&bytes);
    let document = read(&bytes, "word/document.xml");
    let by = "w:author=\"Ana &amp; &lt;Co&gt; (Government)\" w:date=\"2026-11-23T13:20:00Z\"";
    for expect in [
        format!("{by}><w:r><w:delText xml:space=\"preserve\">old</w:delText></w:r></w:del>"),
        format!("{by}><w:r><w:t xml:space=\"preserve\">new</w:t></w:r></w:ins>"),
        // The change also marks the end of the paragraph as inserted, and the row as deleted.
        "<w:pPr><w:rPr><w:ins ".to_owned(),
        "<w:tr><w:trPr><w:del ".to_owned(),
    ] {
        assert!(document.contains(&expect), "{expect} in {document}");
    }
}

#[test]
fn a_link_is_a_whole_address_or_none() {
    for (address, expect) in [
        ("https://example.org/예산?a=b&c", Some("https://example.org/예산?a=b&c")),
        ("https://a/b c\"<x>\\{|}", Some("https://a/b%20c%22%3Cx%3E%5C%7B%7C%7D")),
        ("mailto:a@b.org", Some("mailto:a@b.org")),
        ("https://", None),
        ("/here", None),
    ] {
        assert_eq!(target(address).as_deref(), expect, "{address}");
    }
}
