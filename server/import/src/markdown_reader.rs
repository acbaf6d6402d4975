//! Reads Markdown (CommonMark 0.31, with tables as on GitHub). Code and thematic breaks lose their markup, because a
//! commitment can't contain them. Markup of extensions other than tables stays in the text as characters. HTML is never
//! interpreted: its tags stay in the text as characters, too.

use crate::budget::TextBudget;
use crate::error::ImportError;
use crate::found::{Cell, Findings, Found, Paragraph, Piece, Role, add, cut};
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::LineKind;
use accord_document::readable::address;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};

pub(super) fn read(text: &str) -> Result<Findings, ImportError> {
    let mut reader = Reader::default();
    // Consecutive text is merged into one event. The parser splits text at each escaped character.
    for event in TextMergeStream::new(Parser::new_ext(text, Options::ENABLE_TABLES)) {
        reader.take(event)?;
    }
    reader.end_line()?;
    Ok(reader.out)
}

#[derive(Default)]
struct Reader {
    out: Findings,
    budget: TextBudget,
    line: Vec<Piece>,
    marks: Attributes,
    heading: Option<u8>,
    quotes: usize,
    /// Whether each open list is numbered, the outermost list first.
    lists: Vec<bool>,
    /// Whether the next line is the first line of an item.
    begins_item: bool,
    table: Option<Vec<Vec<Cell>>>,
    /// The destination of the link that is being read, if the link has the title that Accord's Markdown writer gives
    /// links.
    destination: Option<String>,
    /// The destination in brackets that can follow the link that was just read. It is not an author's text.
    shown_destination: Option<String>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), ImportError> {
        let event = match (self.shown_destination.take(), event) {
            (Some(shown_destination), Event::Text(text)) => {
                match text.strip_prefix(&*shown_destination) {
                    Some(rest) => Event::Text(rest.to_owned().into()),
                    None => Event::Text(text),
                }
            }
            (_, event) => event,
        };
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.text(&text),
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Rule => self.end_line(),
            // These events do not occur, because their extensions are not switched on.
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text)
            }
            Event::TaskListMarker(_) => Ok(()),
        }
    }

    fn start(&mut self, tag: Tag<'_>) -> Result<(), ImportError> {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_line()?;
                self.heading = Some(level_of(level));
            }
            Tag::BlockQuote(_) => {
                self.end_line()?;
                self.quotes += 1;
            }
            Tag::List(first) => {
                self.end_line()?;
                self.lists.push(first.is_some());
            }
            Tag::Item => {
                self.end_line()?;
                self.begins_item = true;
            }
            Tag::Table(_) => {
                self.end_line()?;
                self.table = Some(Vec::new());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.push(Vec::new());
                }
            }
            Tag::Strong => self.mark("bold", true.into()),
            Tag::Emphasis => self.mark("italic", true.into()),
            Tag::Link { dest_url, title, .. } => {
                self.destination = Some(title.into_string())
                    .filter(|title| *title == address::destination(&dest_url));
                if let Some(address) = address::clean(&dest_url) {
                    self.mark("link", address.into());
                }
            }
            Tag::Image { .. } => self.out.pictures += 1,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ImportError> {
        match tag {
            TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Item => {
                self.end_line()?;
            }
            TagEnd::Heading(_) => {
                self.end_line()?;
                self.heading = None;
            }
            TagEnd::BlockQuote(_) => {
                self.end_line()?;
                self.quotes -= 1;
            }
            TagEnd::List(_) => {
                self.end_line()?;
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let cell = self.lines()?;
                if let Some(row) = self.table.as_mut().and_then(|table| table.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                self.out.all.extend(self.table.take().map(Found::Table));
            }
            TagEnd::Strong => self.unmark("bold"),
            TagEnd::Emphasis => self.unmark("italic"),
            TagEnd::Link => {
                self.unmark("link");
                self.shown_destination =
                    self.destination.take().map(|destination| format!(" ({destination})"));
            }
            _ => {}
        }
        Ok(())
    }

    fn mark(&mut self, name: &str, value: serde_json::Value) {
        self.marks.insert(name, value);
    }

    fn unmark(&mut self, name: &str) {
        self.marks.remove(name);
    }

    fn text(&mut self, text: &str) -> Result<(), ImportError> {
        add(&mut self.budget, &mut self.line, text, &self.marks)
    }

    /// Returns the text that was read since the last call, as paragraphs split at line breaks.
    fn lines(&mut self) -> Result<Vec<Paragraph>, ImportError> {
        let role = Role::Block(match (self.heading, self.lists.last()) {
            (Some(level), _) => LineKind::Heading(level),
            (_, Some(ordered)) if self.begins_item => {
                let indent = self.lists.len().min(9) as u8 - 1;
                LineKind::Item { ordered: *ordered, indent }
            }
            _ if self.quotes > 0 => LineKind::Quote,
            _ => LineKind::Plain,
        });
        let mut all = cut(std::mem::take(&mut self.line), role);
        all.retain(|paragraph| !paragraph.is_empty());
        self.budget.paragraphs(all.len())?;
        Ok(all)
    }

    fn end_line(&mut self) -> Result<(), ImportError> {
        if self.line.is_empty() {
            return Ok(());
        }
        let lines = self.lines()?;
        self.begins_item = false;
        self.out.all.extend(lines.into_iter().map(Found::Paragraph));
        Ok(())
    }
}

fn level_of(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
