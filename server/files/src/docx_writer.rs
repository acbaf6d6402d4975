//! Writes a commitment as DOCX: WordprocessingML (ISO/IEC 29500-1), with Word's own headings, lists, tables, links and
//! tracked changes.

mod package;
#[cfg(test)]
mod tests;

use super::manuscript::{Manuscript, Row, Stretch, Stretches, Trace, has_words};
use super::paper::{Paper, level_of};
use accord_document::model::blocks::{LineKind, Span, kind, set_destinations, span};
use accord_document::readable::is_right_to_left_line;
use accord_document::template::{FIELDS, Section};
use accord_words::styles::{ABOUT_STYLE, DESTINATION_STYLE, ESCAPED_IN_TARGETS};
use accord_words::{Words, wire_name};
use maud::{Markup, PreEscaped, html};
use package::{MAIN, OFFICE, clean, instant, part};
use std::collections::HashMap;

/// Width of the text in twentieths of a point: A4 without its margins.
const TEXT_WIDTH_TWIPS: usize = 9_026;

/// Returns a commitment as DOCX. Each change in `manuscript` names its author by an index into `authors`. `time` says
/// when a release was frozen, or when a draft was read, in milliseconds since the Unix epoch.
#[must_use]
pub fn docx(paper: &Paper, manuscript: &Manuscript, authors: &[String], time: u64) -> Vec<u8> {
    let words = Words::of(&paper.language);
    let mut writer = Writer {
        words,
        authors,
        links: Vec::new(),
        link_numbers: HashMap::new(),
        lists: 0,
        changes: 0,
    };
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
    package::package(paper, time, document, &writer.links, writer.lists)
}

/// A paragraph before it is written as XML.
struct Paragraph {
    kind: LineKind,
    runs: Vec<(Span, Option<Trace>)>,
    /// The change that inserted or deleted the paragraph's end, if one did. A deleted end joins the paragraph to the
    /// next.
    end: Option<Trace>,
}

impl Paragraph {
    /// Whether the paragraph is read from right to left. Word reads a paragraph from left to right unless the file says
    /// otherwise.
    fn is_right_to_left(&self) -> bool {
        let line: String = self.runs.iter().map(|(span, _)| span.text.as_str()).collect();
        is_right_to_left_line(&line)
    }
}

struct Writer<'a> {
    words: Words,
    authors: &'a [String],
    /// Targets of links. The relationship of the target at index N has the id `linkN`.
    links: Vec<String>,
    /// The index in `links` of each target.
    link_numbers: HashMap<String, usize>,
    /// Number of lists written so far. Each has a numbering of its own, which starts at 1.
    lists: usize,
    /// Number of tracked changes written so far. Each gets an id from this number.
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
        let name = self.words.say(&format!("section.{}", wire_name(&section)));
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
                w:r { w:rPr { w:b {} } (text_element(&format!("{name}: "))) }
                (date)
            } });
        }
        all
    }

    /// Writes the table of milestones: a header row with the names of fields, then one row for each milestone.
    fn milestones(&mut self, rows: &[Row]) -> Markup {
        let names = ["what", "outputs", "due", "who"];
        let names = names.map(|key| self.words.say(&format!("field.{key}")));
        let rows: Vec<_> = rows.iter().map(|row| self.row(row)).collect();
        html! { w:tbl {
            w:tblPr { w:tblStyle w:val="TableGrid" {} w:tblW w:w="5000" w:type="pct" {} w:tblLook w:firstRow="1" {} }
            w:tblGrid { @for _ in &names { w:gridCol w:w=(TEXT_WIDTH_TWIPS / names.len()) {} } }
            w:tr {
                w:trPr { w:cantSplit {} w:tblHeader {} }
                @for name in &names {
                    (cell(html! { w:p { w:r { w:rPr { w:b {} } (text_element(name)) } } }))
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

    /// Returns dates as people write them, in the words of the text's language.
    fn dated(&self, said: &[Stretch]) -> Stretches {
        let day = |one: &Stretch| Stretch { text: self.words.day(&one.text), ..one.clone() };
        said.iter().map(day).collect()
    }

    /// Writes a text, paragraph by paragraph. There is at least one paragraph, because Word requires one in each table
    /// cell.
    fn text(&mut self, stretches: &[Stretch]) -> Markup {
        let all = paragraphs(stretches);
        let (mut last, mut counts) = (2, false);
        let mut out = Vec::new();
        for paragraph in &all {
            let is_item = matches!(paragraph.kind, LineKind::Item { .. });
            if is_item && !counts {
                self.lists += 1;
            }
            counts = is_item;
            if let LineKind::Heading(level) = paragraph.kind {
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
                    LineKind::Plain => {}
                    LineKind::Heading(_) => { w:pStyle w:val={ "Heading" (level) } {} }
                    LineKind::Quote => { w:pStyle w:val="Quote" {} }
                    LineKind::Item { ordered, indent } => {
                        w:pStyle w:val="ListParagraph" {}
                        w:numPr { w:ilvl w:val=(indent) {} w:numId w:val=(if ordered { list + 1 } else { 1 }) {} }
                    }
                }
                @if paragraph.is_right_to_left() { w:bidi {} }
                @if let Some(end) = end { w:rPr { (end) } }
            }
            (runs)
        } }
    }

    /// Writes a text as one paragraph in a style.
    fn styled(&mut self, style: &str, stretches: &[Stretch]) -> Markup {
        let line = self.line(stretches);
        html! { w:p { w:pPr { w:pStyle w:val=(style) {} } (line) } }
    }

    /// Writes the runs of a text as one line, without the ends of its paragraphs.
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
            let address = span.link.as_deref().and_then(target);
            out.push(match address {
                Some(address) => {
                    let id = self.link(&address);
                    html! { w:hyperlink r:id=(id) w:history="1" { (run) } }
                }
                None => run,
            });
            if let Some(leads_to) = &span.leads_to {
                let run = destination(leads_to, trace.is_some_and(|trace| !trace.is_new));
                out.push(match trace {
                    Some(trace) => self.mark(*trace, Some(run)),
                    None => run,
                });
            }
        }
        html! { @for run in out { (run) } }
    }

    fn link(&mut self, address: &str) -> String {
        let at = *self.link_numbers.entry(address.to_owned()).or_insert_with(|| {
            self.links.push(address.to_owned());
            self.links.len() - 1
        });
        format!("link{at}")
    }

    /// Writes the mark of a tracked change around the content `inside`. Without `inside`, the mark is about the
    /// paragraph end or the table row that contains it.
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

/// Splits a text into paragraphs. A deleted paragraph is a paragraph as well, so that Word shows its deletion.
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
                set_destinations(runs.iter_mut().map(|(span, _)| span));
                let runs = std::mem::take(&mut runs);
                out.push(Paragraph { kind: kind(attributes), runs, end: *trace });
            }
        }
    }
    if !runs.is_empty() {
        set_destinations(runs.iter_mut().map(|(span, _)| span));
        out.push(Paragraph { kind: LineKind::Plain, runs, end: None });
    }
    let is_empty = |one: &Paragraph| one.runs.is_empty() && one.end.is_none();
    out.retain(|one| !is_empty(one) || matches!(one.kind, LineKind::Item { .. }));
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
        @if is_deleted { w:delText xml:space="preserve" { (clean(&span.text)) } } @else { (text_element(&span.text)) }
    } }
}

/// Writes the destination of a link, which is shown after the link's words.
fn destination(leads_to: &str, is_deleted: bool) -> Markup {
    let text = format!(" ({leads_to})");
    html! { w:r {
        w:rPr { w:rStyle w:val=(DESTINATION_STYLE) {} }
        @if is_deleted { w:delText xml:space="preserve" { (clean(&text)) } } @else { (text_element(&text)) }
    } }
}

/// Returns an address as the target of a relationship, or `None` if it is not an absolute URL: Word treats a file with
/// any other target as damaged.
fn target(address: &str) -> Option<String> {
    url::Url::parse(address).ok()?;
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_ascii_control() || ESCAPED_IN_TARGETS.contains(c) {
            out.push_str(&format!("%{:02X}", c as u32));
        } else {
            out.push(c);
        }
    }
    Some(out)
}

fn text_element(text: &str) -> Markup {
    html! { w:t xml:space="preserve" { (clean(text)) } }
}

fn about(inside: Markup) -> Markup {
    let inside = clean(&inside.0);
    html! { w:p { w:pPr { w:pStyle w:val=(ABOUT_STYLE) {} } w:r { w:t xml:space="preserve" { (PreEscaped(inside)) } } } }
}

fn heading(level: u8, name: &str) -> Markup {
    html! { w:p { w:pPr { w:pStyle w:val={ "Heading" (level) } {} } w:r { (text_element(name)) } } }
}

fn cell(inside: Markup) -> Markup {
    html! { w:tc { w:tcPr { w:tcW w:w=(TEXT_WIDTH_TWIPS / 4) w:type="dxa" {} } (inside) } }
}
