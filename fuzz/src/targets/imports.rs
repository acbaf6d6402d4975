//! Files that become drafts.

use crate::actors::{actor, genesis};
use accord_document::model::content::Content;
use accord_document::model::{delta, seed};
use accord_document::people::Seat;
use accord_document::state::DocumentState;
use accord_import::{ImportJob, Placed, PlacedFile};
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Maximum number of characters of all texts: a character reference of one Markdown byte
/// sequence never yields more than two characters, and a list item of Word repeats nothing.
const MAX_CHARACTERS: usize = 400_000;

/// Imports the input as the kind of file that its first byte chooses: Markdown, a Word file, or the main part of a Word
/// file. A draft must be bounded, survive the way from the child process, and be taken by a new document.
pub(crate) fn run(data: &[u8]) {
    let Some((&kind, file)) = data.split_first() else { return };
    let (name, file) = match kind % 4 {
        0 => ("draft.md", file.to_vec()),
        1 => ("draft.docx", file.to_vec()),
        2 => ("draft.docx", word(file, &[])),
        _ => {
            let at = file.iter().position(|&byte| byte == 0).unwrap_or(file.len());
            ("draft.docx", word(&file[..at], file.get(at + 1..).unwrap_or_default()))
        }
    };
    let language = if kind & 4 == 0 { "en" } else { "es" };
    let job = ImportJob { name: name.into(), language: language.into() };
    let Ok(placed) = job.read(&file) else { return };
    let sent = serde_json::to_vec(&placed).expect("a draft is plain strings and numbers");
    let received: PlacedFile = serde_json::from_slice(&sent).expect("what was sent is read");
    let again = serde_json::to_vec(&received).expect("a draft is plain strings and numbers");
    assert_eq!(again, sent, "the child process sends all of a draft");
    becomes_a_document(&Placed::from(received));
}

fn becomes_a_document(placed: &Placed) {
    let mut state = DocumentState::begin(&genesis("ogp-commitment/1")).expect("it is valid");
    let update = seed(1, &placed.draft);
    let entry = state.edit(&actor("ana", Seat::Author), 1, [1; 16], &update);
    assert!(matches!(entry, Ok(Some(_))), "a document takes the draft: {entry:?}");
    let content = Content::read(state.doc());
    let texts = content.texts.values();
    let of_milestones =
        content.milestones.iter().flat_map(|one| [&one.what, &one.outputs, &one.who]);
    let characters = |ops: &Vec<delta::Op>| delta::plain(ops).chars().count();
    let count: usize = texts.chain(of_milestones).map(characters).sum();
    // Each field ends with a newline, and so does each paragraph.
    assert!(count <= 2 * MAX_CHARACTERS, "{count} characters");
    assert_eq!(content.milestones.len(), placed.draft.milestones.len());
    for (key, ops) in &placed.draft.texts {
        let said = delta::plain(ops);
        assert!(content.plain(key).starts_with(said.trim_end_matches('\n')), "{key} is written");
    }
}

/// Returns a Word file whose main part is `document`. If `styles` is not empty, the file has them as its styles.
fn word(document: &[u8], styles: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in [("word/document.xml", document), ("word/styles.xml", styles)] {
        if !part.is_empty() {
            zip.start_file(name, stored).expect("the name is valid");
            zip.write_all(part).expect("a vector takes all bytes");
        }
    }
    zip.finish().expect("a vector takes all bytes").into_inner()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    const MARKDOWN: &str = "# The problem\n\nWords *and* **more** [link](https://example.org).\n\n\
        - one\n  - two\n\n> quoted\n\n## Milestones\n\n\
        | Milestone | Expected outputs | Date |\n|-|-|-|\n| A register | Open | 2027-05-01 |\n\n\
        **Lead institution:** Ministry\n\n![picture](x.png) `code` &amp; <b>html</b>\n";
    const DOCUMENT: &str = r#"<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>The problem</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:ins><w:r><w:rPr><w:b/></w:rPr><w:t>Words</w:t><w:tab/><w:br/></w:r></w:ins><w:del><w:r><w:delText>no</w:delText></w:r></w:del></w:p><w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>HYPERLINK "https://example.org"</w:instrText><w:fldChar w:fldCharType="separate"/><w:t>link</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>Lead institution</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Ministry</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"#;
    const STYLES: &str = r#"<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="N"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style><w:style w:styleId="N"><w:rPr><w:i/></w:rPr></w:style></w:styles>"#;
    let document = DOCUMENT.as_bytes();
    vec![
        [b"\0", MARKDOWN.as_bytes()].concat(),
        [&b"\x01"[..], &word(document, STYLES.as_bytes())].concat(),
        [b"\x02", document].concat(),
        [b"\x03", document, b"\0", STYLES.as_bytes()].concat(),
    ]
}
