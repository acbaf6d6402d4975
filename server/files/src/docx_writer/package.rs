//! The parts of a Word document other than its text, and the archive of all parts (ISO/IEC 29500-2).

use crate::paper::Paper;
use accord_words::styles::ABOUT_STYLE;
use jiff::Timestamp;
use maud::{Markup, html};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

const STYLES: &str = include_str!("styles.xml");
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
pub(super) const MAIN: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
pub(super) const OFFICE: &str =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
/// Number of levels of a list in Word.
const LIST_LEVELS: usize = 9;

/// Returns the archive of a document. `document` is its main part, `links` the targets of its links, and `lists` the
/// number of its lists.
pub(super) fn package(
    paper: &Paper,
    time: u64,
    document: String,
    links: &[String],
    lists: usize,
) -> Vec<u8> {
    let parts = [
        ("[Content_Types].xml", content_types()),
        ("_rels/.rels", relationships(&package_relationships())),
        ("docProps/core.xml", properties(paper, time)),
        ("word/document.xml", document),
        ("word/_rels/document.xml.rels", relationships(&document_relationships(links))),
        ("word/styles.xml", STYLES.replace("{language}", &escaped(&paper.language))),
        ("word/numbering.xml", numbering(lists)),
        ("word/footer.xml", footer()),
        ("word/settings.xml", settings()),
    ];
    zipped(&parts).expect("memory takes what is written")
}

/// Returns the parts as a ZIP archive. The archive contains no time, so that equal parts give equal bytes.
fn zipped(parts: &[(&str, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
        zip.start_file(*name, options)?;
        zip.write_all(content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Removes the characters that XML 1.0 does not allow (section 2.2), because no program could read a file with them.
pub(super) fn clean(text: &str) -> String {
    let is_char = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_char).collect()
}

fn escaped(text: &str) -> String {
    html! { (clean(text)) }.into_string()
}

pub(super) fn part(inside: Markup) -> String {
    format!("{HEAD}{}", inside.into_string())
}

pub(super) fn instant(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn content_types() -> String {
    let kinds = [
        ("/word/document.xml", "wordprocessingml.document.main+xml"),
        ("/word/styles.xml", "wordprocessingml.styles+xml"),
        ("/word/numbering.xml", "wordprocessingml.numbering+xml"),
        ("/word/footer.xml", "wordprocessingml.footer+xml"),
        ("/word/settings.xml", "wordprocessingml.settings+xml"),
    ];
    part(html! { Types xmlns={ (PACKAGE) "/content-types" } {
        Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" {}
        Default Extension="xml" ContentType="application/xml" {}
        @for (name, kind) in kinds {
            Override PartName=(name) ContentType={ "application/vnd.openxmlformats-officedocument." (kind) } {}
        }
        Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml" {}
    } })
}

/// A relationship of a part to another part, or to an address outside the archive.
struct Relationship {
    id: String,
    kind: String,
    target: String,
    is_outside: bool,
}

fn relationship(id: &str, kind: &str, target: &str) -> Relationship {
    let kind = format!("{OFFICE}/{kind}");
    Relationship { id: id.into(), kind, target: target.into(), is_outside: false }
}

fn package_relationships() -> Vec<Relationship> {
    let properties = format!("{PACKAGE}/relationships/metadata/core-properties");
    vec![
        relationship("document", "officeDocument", "word/document.xml"),
        Relationship { kind: properties, ..relationship("properties", "", "docProps/core.xml") },
    ]
}

fn document_relationships(links: &[String]) -> Vec<Relationship> {
    let link = |(at, address): (usize, &String)| Relationship {
        is_outside: true,
        ..relationship(&format!("link{at}"), "hyperlink", address)
    };
    let own = ["styles", "numbering", "footer", "settings"];
    let own = own.into_iter().map(|kind| relationship(kind, kind, &format!("{kind}.xml")));
    own.chain(links.iter().enumerate().map(link)).collect()
}

fn relationships(all: &[Relationship]) -> String {
    part(html! { Relationships xmlns={ (PACKAGE) "/relationships" } {
        @for one in all {
            Relationship Id=(one.id) Type=(one.kind) Target=(clean(&one.target)) TargetMode=[one.is_outside.then_some("External")] {}
        }
    } })
}

fn properties(paper: &Paper, time: u64) -> String {
    let time = instant(time);
    part(html! {
        cp:coreProperties xmlns:cp={ (PACKAGE) "/metadata/core-properties" } xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {
            dc:title { (clean(&paper.title)) }
            dc:subject { (clean(&paper.about.join(" · "))) }
            dc:creator { "Accord" }
            dc:language { (paper.language) }
            dcterms:created xsi:type="dcterms:W3CDTF" { (time) }
            dcterms:modified xsi:type="dcterms:W3CDTF" { (time) }
        }
    })
}

/// Writes the part with the numberings: one for all lists with bullets, and one for each of the `lists` lists with
/// numbers.
fn numbering(lists: usize) -> String {
    let bullets = ["•", "–", "▪"];
    let formats = ["decimal", "lowerLetter", "lowerRoman"];
    let level = |depth: usize, format: &str, text: &str| {
        html! { w:lvl w:ilvl=(depth) {
            w:start w:val="1" {} w:numFmt w:val=(format) {} w:lvlText w:val=(text) {} w:lvlJc w:val="left" {}
            w:pPr { w:ind w:left=(425 * (depth + 1)) w:hanging="340" {} }
        } }
    };
    part(html! { w:numbering xmlns:w=(MAIN) {
        w:abstractNum w:abstractNumId="0" {
            w:multiLevelType w:val="hybridMultilevel" {}
            @for depth in 0..LIST_LEVELS { (level(depth, "bullet", bullets[depth % 3])) }
        }
        w:abstractNum w:abstractNumId="1" {
            w:multiLevelType w:val="hybridMultilevel" {}
            @for depth in 0..LIST_LEVELS { (level(depth, formats[depth % 3], &format!("%{}.", depth + 1))) }
        }
        w:num w:numId="1" { w:abstractNumId w:val="0" {} }
        @for list in 0..lists {
            w:num w:numId=(list + 2) {
                w:abstractNumId w:val="1" {}
                @for depth in 0..LIST_LEVELS { w:lvlOverride w:ilvl=(depth) { w:startOverride w:val="1" {} } }
            }
        }
    } })
}

fn footer() -> String {
    let field = |name: &str| {
        html! { w:fldSimple w:instr=(name) { w:r { w:t { "1" } } } }
    };
    part(html! { w:ftr xmlns:w=(MAIN) {
        w:p {
            w:pPr { w:pStyle w:val=(ABOUT_STYLE) {} w:jc w:val="right" {} }
            (field("PAGE")) w:r { w:t xml:space="preserve" { " / " } } (field("NUMPAGES"))
        }
    } })
}

/// Writes the part with the settings. Without this part, Word treats the file as a file of Word 2007, and shows that in
/// the window's title.
fn settings() -> String {
    part(html! { w:settings xmlns:w=(MAIN) {
        w:compat {
            w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15" {}
        }
    } })
}
