//! DOCX: WordprocessingML (ISO/IEC 29500-1), with headings, lists, tables, links and tracked changes as Word has
//! them.

use super::manuscript::{Manuscript, Row, Stretch, Stretches, Trace, has_words};
use super::paper::{Paper, level_of};
use crate::pages::{Words, wire};
use accord_document::model::blocks::{Kind, Span, kind, span};
use accord_document::model::template::{FIELDS, Section};
use jiff::Timestamp;
use maud::{Markup, PreEscaped, html};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

const STYLES: &str = include_str!("docx/styles.xml");
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

/// The style of what the form adds around the text: whoever brings the file in again leaves it out.
pub(crate) const ABOUT: &str = "AccordAbout";
/// The depths that a list may have.
const DEPTHS: usize = 9;
/// The width of the text, in twentieths of a point: A4 without its margins.
const WIDTH: usize = 9_026;

/// A commitment as DOCX. `authors` are the names behind its traces; `time` is that of the text, in milliseconds
/// since the Unix epoch.
pub(crate) fn docx(
    paper: &Paper,
    manuscript: &Manuscript,
    authors: &[String],
    time: u64,
) -> Vec<u8> {
    let words = Words::of(&paper.language);
    let mut writer = Writer { words, authors, links: Vec::new(), lists: 0, changes: 0 };
    let body = writer.body(paper, manuscript);
    let document = part(html! {
        w:document xmlns:w=(MAIN) xmlns:r=(OFFICE) { w:body {
            (body)
            w:sectPr {
                w:footerReference w:type="default" r:id="footer" {}
                w:pgSz w:w="11906" w:h="16838" {}
                w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="708" w:footer="708" w:gutter="0" {}
            }
        } }
    });
    let parts = [
        ("[Content_Types].xml", content_types()),
        ("_rels/.rels", relations(&package_relations())),
        ("docProps/core.xml", properties(paper, time)),
        ("word/document.xml", document),
        ("word/_rels/document.xml.rels", relations(&document_relations(&writer.links))),
        ("word/styles.xml", STYLES.replace("{language}", &escaped(&paper.language))),
        ("word/numbering.xml", numbering(writer.lists)),
        ("word/footer.xml", footer()),
    ];
    zipped(&parts).expect("memory takes what is written")
}

/// As an archive, in which nothing depends on the moment.
fn zipped(parts: &[(&str, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
        zip.start_file(*name, options)?;
        zip.write_all(content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A paragraph in the making.
struct Paragraph {
    kind: Kind,
    runs: Vec<(Span, Option<Trace>)>,
    /// What became of its end: without it, it is one with the next.
    end: Option<Trace>,
}

struct Writer<'a> {
    words: Words,
    authors: &'a [String],
    /// Where links lead: the relations `link0`, `link1`, …
    links: Vec<String>,
    /// Lists that count, each from 1 on.
    lists: usize,
    changes: usize,
}

impl Writer<'_> {
    fn body(&mut self, paper: &Paper, manuscript: &Manuscript) -> Markup {
        let none = Stretches::new();
        let title = manuscript.texts.get("title").unwrap_or(&none);
        let title = self.styled("Title", title);
        let sections: Vec<_> =
            Section::ALL.into_iter().map(|section| self.section(section, manuscript)).collect();
        html! {
            (title)
            @for line in &paper.about { (about(html! { (line) })) }
            @if let Some(signed) = &paper.signed {
                (about(html! { (signed.heading) ":" }))
                @for one in &signed.people { (about(html! { (one.name) ", " (one.about) })) }
            }
            @if let Some((label, needs)) = &paper.gaps {
                (about(html! { (label) }))
                @for need in needs { (about(html! { "– " (need) })) }
            }
            @for section in sections { (section) }
            @if let Some(check) = &paper.check {
                (about(html! { (check.heading) ": " (check.hint) }))
                (about(html! { (check.address) }))
                (about(html! { "SHA-256 " (check.digest) }))
            }
        }
    }

    fn section(&mut self, section: Section, manuscript: &Manuscript) -> Markup {
        let name = self.words.say(&format!("section.{}", wire(&section)));
        let inside = match section {
            Section::When => self.dates(manuscript),
            Section::Milestones if manuscript.milestones.is_empty() => Vec::new(),
            Section::Milestones => vec![self.milestones(&manuscript.milestones)],
            _ => self.fields(section, manuscript),
        };
        html! { @if !inside.is_empty() {
            (heading(1, &name))
            @for one in inside { (one) }
        } }
    }

    fn fields(&mut self, section: Section, manuscript: &Manuscript) -> Vec<Markup> {
        let fields = FIELDS.iter().filter(|field| field.section == Some(section));
        let said = fields.filter_map(|field| Some((field.key, manuscript.texts.get(field.key)?)));
        let mut all = Vec::new();
        for (key, stretches) in said.filter(|(_, stretches)| has_words(stretches)) {
            all.push(heading(2, &self.words.say(&format!("field.{key}"))));
            all.push(self.text(stretches));
        }
        all
    }

    fn dates(&mut self, manuscript: &Manuscript) -> Vec<Markup> {
        let mut all = Vec::new();
        for key in ["period_from", "period_to"] {
            let Some(said) = manuscript.dates.get(key).filter(|said| has_words(said)) else {
                continue;
            };
            let name = self.words.say(&format!("field.{key}"));
            let date = self.line(&self.dated(said));
            all.push(html! { w:p {
                w:r { w:rPr { w:b {} } (told(&format!("{name}: "))) }
                (date)
            } });
        }
        all
    }

    /// One row for each, below a row of names.
    fn milestones(&mut self, rows: &[Row]) -> Markup {
        let names = ["what", "outputs", "due", "who"];
        let names = names.map(|key| self.words.say(&format!("field.{key}")));
        let rows: Vec<_> = rows.iter().map(|row| self.row(row)).collect();
        html! { w:tbl {
            w:tblPr { w:tblStyle w:val="TableGrid" {} w:tblW w:w="5000" w:type="pct" {} w:tblLook w:firstRow="1" {} }
            w:tblGrid { @for _ in &names { w:gridCol w:w=(WIDTH / names.len()) {} } }
            w:tr {
                w:trPr { w:cantSplit {} w:tblHeader {} }
                @for name in &names {
                    (cell(html! { w:p { w:r { w:rPr { w:b {} } (told(name)) } } }))
                }
            }
            @for row in rows { (row) }
        } w:p {} }
    }

    fn row(&mut self, row: &Row) -> Markup {
        let trace = row.trace.map(|trace| self.mark(trace, None));
        let mut due = Vec::new();
        for said in [self.dated(&row.due), row.due_text.clone()] {
            if !said.is_empty() {
                let line = self.line(&said);
                due.push(html! { w:p { (line) } });
            }
        }
        let due = html! { @for line in &due { (line) } @if due.is_empty() { w:p {} } };
        let (what, outputs, who) =
            (self.text(&row.what), self.text(&row.outputs), self.text(&row.who));
        html! { w:tr {
            @if let Some(trace) = trace { w:trPr { (trace) } }
            @for inside in [what, outputs, due, who] { (cell(inside)) }
        } }
    }

    /// Dates as people write them.
    fn dated(&self, said: &[Stretch]) -> Stretches {
        let day = |one: &Stretch| Stretch { text: self.words.day(&one.text), ..one.clone() };
        said.iter().map(day).collect()
    }

    /// A text, paragraph by paragraph: at least one, as a cell needs it.
    fn text(&mut self, stretches: &[Stretch]) -> Markup {
        let all = paragraphs(stretches);
        let (mut last, mut counts) = (2, false);
        let mut out = Vec::new();
        for paragraph in &all {
            let is_item = matches!(paragraph.kind, Kind::Item { .. });
            if is_item && !counts {
                self.lists += 1;
            }
            counts = is_item;
            if let Kind::Heading(level) = paragraph.kind {
                last = level_of(2, level, last);
            }
            out.push(self.paragraph(paragraph, last));
        }
        html! { @for one in &out { (one) } @if out.is_empty() { w:p {} } }
    }

    fn paragraph(&mut self, paragraph: &Paragraph, level: u8) -> Markup {
        let runs = self.runs(&paragraph.runs);
        let end = paragraph.end.map(|trace| self.mark(trace, None));
        let list = self.lists;
        html! { w:p {
            w:pPr {
                @match paragraph.kind {
                    Kind::Plain => {}
                    Kind::Heading(_) => { w:pStyle w:val={ "Heading" (level) } {} }
                    Kind::Quote => { w:pStyle w:val="Quote" {} }
                    Kind::Item { ordered, indent } => {
                        w:pStyle w:val="ListParagraph" {}
                        w:numPr { w:ilvl w:val=(indent) {} w:numId w:val=(if ordered { list + 1 } else { 1 }) {} }
                    }
                }
                @if let Some(end) = end { w:rPr { (end) } }
            }
            (runs)
        } }
    }

    /// A text of one line, in a style.
    fn styled(&mut self, style: &str, stretches: &[Stretch]) -> Markup {
        let line = self.line(stretches);
        html! { w:p { w:pPr { w:pStyle w:val=(style) {} } (line) } }
    }

    /// A text as if it were one line.
    fn line(&mut self, stretches: &[Stretch]) -> Markup {
        let all = paragraphs(stretches);
        let runs: Vec<_> = all.into_iter().flat_map(|paragraph| paragraph.runs).collect();
        self.runs(&runs)
    }

    fn runs(&mut self, runs: &[(Span, Option<Trace>)]) -> Markup {
        let mut out = Vec::new();
        for (span, trace) in runs {
            let run = run(span, trace.is_some_and(|trace| !trace.is_new));
            let run = match trace {
                Some(trace) => self.mark(*trace, Some(run)),
                None => run,
            };
            out.push(match &span.link {
                Some(address) => {
                    let id = self.link(address);
                    html! { w:hyperlink r:id=(id) w:history="1" { (run) } }
                }
                None => run,
            });
        }
        html! { @for run in out { (run) } }
    }

    fn link(&mut self, address: &str) -> String {
        let known = self.links.iter().position(|known| known == address);
        let at = known.unwrap_or_else(|| {
            self.links.push(address.to_owned());
            self.links.len() - 1
        });
        format!("link{at}")
    }

    /// A tracked change: of what is in it, or of the paragraph or row that it stands in.
    fn mark(&mut self, trace: Trace, inside: Option<Markup>) -> Markup {
        self.changes += 1;
        let author = self.authors.get(trace.author as usize).map_or("", String::as_str);
        let (id, date, inside) = (self.changes, instant(trace.time), inside.unwrap_or_default());
        html! {
            @if trace.is_new {
                w:ins w:id=(id) w:author=(clean(author)) w:date=(date) { (inside) }
            } @else {
                w:del w:id=(id) w:author=(clean(author)) w:date=(date) { (inside) }
            }
        }
    }
}

/// The paragraphs of a text. What stood in a paragraph of its own and was taken out is one, too.
fn paragraphs(stretches: &[Stretch]) -> Vec<Paragraph> {
    let mut out = Vec::new();
    let mut runs = Vec::new();
    for Stretch { text, attributes, trace } in stretches {
        for piece in text.split_inclusive('\n') {
            let said = piece.trim_end_matches('\n');
            if !said.is_empty() {
                runs.push((span(said, attributes), *trace));
            }
            if piece.ends_with('\n') {
                let runs = std::mem::take(&mut runs);
                out.push(Paragraph { kind: kind(attributes), runs, end: *trace });
            }
        }
    }
    if !runs.is_empty() {
        out.push(Paragraph { kind: Kind::Plain, runs, end: None });
    }
    let is_empty = |one: &Paragraph| one.runs.is_empty() && one.end.is_none();
    out.retain(|one| !is_empty(one) || matches!(one.kind, Kind::Item { .. }));
    out
}

fn run(span: &Span, is_deleted: bool) -> Markup {
    html! { w:r {
        @if span.bold || span.italic || span.link.is_some() {
            w:rPr {
                @if span.link.is_some() { w:rStyle w:val="Hyperlink" {} }
                @if span.bold { w:b {} }
                @if span.italic { w:i {} }
            }
        }
        @if is_deleted { w:delText xml:space="preserve" { (clean(&span.text)) } } @else { (told(&span.text)) }
    } }
}

fn told(text: &str) -> Markup {
    html! { w:t xml:space="preserve" { (clean(text)) } }
}

fn about(inside: Markup) -> Markup {
    let inside = clean(&inside.0);
    html! { w:p { w:pPr { w:pStyle w:val=(ABOUT) {} } w:r { w:t xml:space="preserve" { (PreEscaped(inside)) } } } }
}

fn heading(level: u8, name: &str) -> Markup {
    html! { w:p { w:pPr { w:pStyle w:val={ "Heading" (level) } {} } w:r { (told(name)) } } }
}

fn cell(inside: Markup) -> Markup {
    html! { w:tc { w:tcPr { w:tcW w:w=(WIDTH / 4) w:type="dxa" {} } (inside) } }
}

/// What XML 1.0 can hold (section 2.2): other characters are left out, as no program could read the file.
fn clean(text: &str) -> String {
    let is_char = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_char).collect()
}

fn escaped(text: &str) -> String {
    html! { (clean(text)) }.into_string()
}

fn part(inside: Markup) -> String {
    format!("{HEAD}{}", inside.into_string())
}

fn instant(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn content_types() -> String {
    let kinds = [
        ("/word/document.xml", "wordprocessingml.document.main+xml"),
        ("/word/styles.xml", "wordprocessingml.styles+xml"),
        ("/word/numbering.xml", "wordprocessingml.numbering+xml"),
        ("/word/footer.xml", "wordprocessingml.footer+xml"),
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

/// A relation to another part, or to an address.
struct Relation {
    id: String,
    kind: String,
    target: String,
    is_outside: bool,
}

fn relation(id: &str, kind: &str, target: &str) -> Relation {
    let kind = format!("{OFFICE}/{kind}");
    Relation { id: id.into(), kind, target: target.into(), is_outside: false }
}

fn package_relations() -> Vec<Relation> {
    let properties = format!("{PACKAGE}/relationships/metadata/core-properties");
    vec![
        relation("document", "officeDocument", "word/document.xml"),
        Relation { kind: properties, ..relation("properties", "", "docProps/core.xml") },
    ]
}

fn document_relations(links: &[String]) -> Vec<Relation> {
    let link = |(at, address): (usize, &String)| Relation {
        is_outside: true,
        ..relation(&format!("link{at}"), "hyperlink", address)
    };
    let own = [("styles", "styles.xml"), ("numbering", "numbering.xml"), ("footer", "footer.xml")];
    let own = own.into_iter().map(|(kind, target)| relation(kind, kind, target));
    own.chain(links.iter().enumerate().map(link)).collect()
}

fn relations(all: &[Relation]) -> String {
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

/// The list with bullets, and as many that count.
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
            @for depth in 0..DEPTHS { (level(depth, "bullet", bullets[depth % 3])) }
        }
        w:abstractNum w:abstractNumId="1" {
            w:multiLevelType w:val="hybridMultilevel" {}
            @for depth in 0..DEPTHS { (level(depth, formats[depth % 3], &format!("%{}.", depth + 1))) }
        }
        w:num w:numId="1" { w:abstractNumId w:val="0" {} }
        @for list in 0..lists {
            w:num w:numId=(list + 2) {
                w:abstractNumId w:val="1" {}
                @for depth in 0..DEPTHS { w:lvlOverride w:ilvl=(depth) { w:startOverride w:val="1" {} } }
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
            w:pPr { w:pStyle w:val=(ABOUT) {} w:jc w:val="right" {} }
            (field("PAGE")) w:r { w:t xml:space="preserve" { " / " } } (field("NUMPAGES"))
        }
    } })
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use accord_document::model::delta::Attributes;
    use std::io::Read;

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

    /// Every part is well-formed: names match, and entities are known.
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
            assert!(
                read(&bytes, "word/styles.xml").contains(&format!("w:lang w:val=\"{language}\""))
            );
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
        let row =
            Row { trace: Some(Trace { is_new: false, author: 0, time: 0 }), ..Row::default() };
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
            // The end of the paragraph was inserted, too, and the row deleted.
            "<w:pPr><w:rPr><w:ins ".to_owned(),
            "<w:tr><w:trPr><w:del ".to_owned(),
        ] {
            assert!(document.contains(&expect), "{expect} in {document}");
        }
    }
}
