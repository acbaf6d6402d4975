//! A flat text divided into blocks, as readers see it: paragraphs, headings, quotations, and lists that nest.
//!
//! The pages, printed texts and files that show a text are all made from these blocks.

use crate::model::attributes::Attributes;
use crate::model::delta::{Op, normalise};
use crate::readable::address::{destination, is_safe, words_name_destination};
use serde::Serialize;
use serde_json::Value;

/// A run of characters with the same formatting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The characters of the span.
    pub text: String,
    /// Whether the characters are bold.
    pub bold: bool,
    /// Whether the characters are italic.
    pub italic: bool,
    /// The address of the link, or `None` if there is no link or its address can't be followed safely.
    pub link: Option<String>,
    /// The destination of the link, which is shown after the span. It is `None` except in the last visible span of a
    /// link whose words do not say where the link leads.
    pub leads_to: Option<String>,
}

/// The spans of a line, without the newline that ends it.
pub type Line = Vec<Span>;

/// A block of a text: a paragraph, a heading, a quotation or a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph of one line.
    Paragraph(Line),
    /// A heading with its level, from 1 (the highest of its text) to 6, as the author chose it.
    Heading(u8, Line),
    /// A quotation: one or more lines, each of which is a paragraph.
    Quote(Vec<Line>),
    /// A list, with the lists nested in it.
    List(List),
}

/// A list whose items are either all numbered or all bulleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct List {
    /// Whether the items are numbered.
    pub ordered: bool,
    /// The items, in order.
    pub items: Vec<Item>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The line of the item itself.
    pub line: Line,
    /// The lists nested in the item.
    pub within: Vec<List>,
}

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A line of a paragraph.
    Plain,
    /// A heading with its level, from 1 to 6.
    Heading(u8),
    /// A line of a quotation.
    Quote,
    /// An item of a list.
    Item {
        /// Whether the list is numbered.
        ordered: bool,
        /// The depth of the item, from 0 (outermost) to 8.
        indent: u8,
    },
}

/// Divides a text into blocks. An empty line separates blocks and is no block itself, unless it is an item of a list.
#[must_use]
pub fn blocks(ops: &[Op]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    // The list items since the last line that is no list item: whether the list of the item is numbered, the depth of
    // the item from 0 (outermost), and its line.
    let mut items: Vec<(bool, u8, Line)> = Vec::new();
    let mut parted = true;
    for (line, kind) in lines(ops) {
        if !matches!(kind, LineKind::Item { .. }) {
            out.extend(lists(std::mem::take(&mut items)).into_iter().map(Block::List));
        }
        let is_empty = line.iter().all(|span| span.text.trim().is_empty());
        match kind {
            LineKind::Item { ordered, indent } => items.push((ordered, indent, line)),
            _ if is_empty => {
                parted = true;
                continue;
            }
            LineKind::Plain => out.push(Block::Paragraph(line)),
            LineKind::Heading(level) => out.push(Block::Heading(level, line)),
            LineKind::Quote => match out.last_mut() {
                Some(Block::Quote(lines)) if !parted => lines.push(line),
                _ => out.push(Block::Quote(vec![line])),
            },
        }
        parted = false;
    }
    out.extend(lists(items).into_iter().map(Block::List));
    out
}

fn lines(ops: &[Op]) -> Vec<(Line, LineKind)> {
    let mut all = Vec::new();
    let mut line = Line::new();
    for op in normalise(ops) {
        let Op::Insert { insert: Value::String(text), attributes } = op else { continue };
        for part in text.split_inclusive('\n') {
            let text = part.trim_end_matches('\n');
            if !text.is_empty() {
                line.push(span(text, &attributes));
            }
            if part.ends_with('\n') {
                set_destinations(&mut line);
                all.push((std::mem::take(&mut line), kind(&attributes)));
            }
        }
    }
    all
}

/// Converts characters and their attributes to a span. A link that can't be followed safely is left out.
#[must_use]
pub fn span(text: &str, attributes: &Attributes) -> Span {
    let is_on = |name| attributes.get(name).is_some_and(|value| *value == Value::Bool(true));
    let link = attributes.get("link").and_then(Value::as_str).filter(|address| is_safe(address));
    Span {
        text: text.to_owned(),
        bold: is_on("bold"),
        italic: is_on("italic"),
        link: link.map(|address| address.trim_matches(' ').to_owned()),
        leads_to: None,
    }
}

/// Sets `leads_to` for each link of a line, in the last span of the link that is not blank. It stays `None` for a link
/// whose words say where the link leads. A link that covers only blanks is removed, because nobody sees it.
pub fn set_destinations<'a>(line: impl IntoIterator<Item = &'a mut Span>) {
    let mut line: Vec<&mut Span> = line.into_iter().collect();
    for link in line.chunk_by_mut(|a, b| a.link == b.link) {
        let words: String = link.iter().map(|span| span.text.as_str()).collect();
        if words.trim().is_empty() {
            link.iter_mut().for_each(|span| span.link = None);
        }
        let mut spans = link.iter_mut().rev();
        let Some(last) = spans.find(|span| !span.text.trim().is_empty()) else { continue };
        last.leads_to = last
            .link
            .as_deref()
            .filter(|link| !words_name_destination(&words, link))
            .map(destination);
    }
}

/// Returns the kind of a line, from the attributes of its newline.
#[must_use]
pub fn kind(attributes: &Attributes) -> LineKind {
    let number = |name: &str, most: f64| {
        let value = attributes.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        value.clamp(0.0, most) as u8
    };
    match number("header", 6.0) {
        0 => {}
        level => return LineKind::Heading(level),
    }
    if let Some(list) = attributes.get("list") {
        return LineKind::Item { ordered: list == "ordered", indent: number("indent", 8.0) };
    }
    if attributes.contains("blockquote") { LineKind::Quote } else { LineKind::Plain }
}

/// Nests the lines of a list by depth. A skipped depth adds no level: an item that is several levels deeper than the
/// one before it nests one level deeper.
fn lists(items: Vec<(bool, u8, Line)>) -> Vec<List> {
    let mut out: Vec<List> = Vec::new();
    let mut rest = items.into_iter().peekable();
    while let Some((ordered, indent, line)) = rest.next() {
        let mut deeper = Vec::new();
        while let Some(next) = rest.next_if(|(_, depth, _)| *depth > indent) {
            deeper.push(next);
        }
        let item = Item { line, within: lists(deeper) };
        match out.last_mut() {
            Some(list) if list.ordered == ordered => list.items.push(item),
            _ => out.push(List { ordered, items: vec![item] }),
        }
    }
    out
}

/// Returns the characters of a line, without formatting.
#[must_use]
pub fn plain(line: &Line) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Formats blocks as short lines, such as `h2 Title`, `p text`, `> quote`, `1. item` and `- item`.
    fn formatted(ops: Value) -> Vec<String> {
        fn list_all(list: &List, depth: usize, out: &mut Vec<String>) {
            for (index, item) in list.items.iter().enumerate() {
                let mark = if list.ordered { format!("{}.", index + 1) } else { "-".into() };
                out.push(format!("{}{mark} {}", "  ".repeat(depth), plain(&item.line)));
                item.within.iter().for_each(|within| list_all(within, depth + 1, out));
            }
        }
        let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
        let mut out = Vec::new();
        for block in blocks(&ops) {
            match block {
                Block::Paragraph(line) => out.push(format!("p {}", plain(&line))),
                Block::Heading(level, line) => out.push(format!("h{level} {}", plain(&line))),
                Block::Quote(lines) => out
                    .push(format!("> {}", lines.iter().map(plain).collect::<Vec<_>>().join(" / "))),
                Block::List(all) => list_all(&all, 0, &mut out),
            }
        }
        out
    }

    #[test]
    fn lists_nest_by_their_indent_and_neighbours_are_joined() {
        let item = |text: &str, list: &str, indent: u8| {
            [
                json!({"insert": text}),
                json!({"insert": "\n", "attributes": {"list": list, "indent": indent}}),
            ]
        };
        let ops = [
            item("one", "ordered", 0),
            item("a", "bullet", 1),
            item("deep", "bullet", 3),
            item("b", "bullet", 1),
            item("two", "ordered", 0),
            item("other", "bullet", 0),
        ]
        .concat();
        assert_eq!(
            formatted(json!(ops)),
            ["1. one", "  - a", "    - deep", "  - b", "2. two", "- other"]
        );
    }

    #[test]
    fn empty_lines_part_and_are_not_shown() {
        let quote = json!({"blockquote": true});
        let ops = json!([
            {"insert": "one\n\n  \ntwo\n"}, {"insert": "Title"}, {"insert": "\n", "attributes": {"header": 2}},
            {"insert": "said"}, {"insert": "\n", "attributes": quote},
            {"insert": "more"}, {"insert": "\n", "attributes": quote},
            {"insert": "\n"}, {"insert": "else"}, {"insert": "\n", "attributes": quote},
        ]);
        assert_eq!(formatted(ops), ["p one", "p two", "h2 Title", "> said / more", "> else"]);
    }

    #[test]
    fn a_text_is_parted_as_the_release_page_parts_it() {
        let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/blocks.json"));
        let cases: Vec<Value> = serde_json::from_str(file).unwrap();
        assert!(cases.len() >= 19);
        for case in cases {
            let ops: Vec<Op> = serde_json::from_value(case["delta"].clone()).unwrap();
            let mut found = serde_json::to_value(blocks(&ops)).unwrap();
            // The release page shows the destination beside each link, and its blocks have no `leads_to`.
            remove_all("leads_to", &mut found);
            assert_eq!(found, case["blocks"], "{}", case["name"]);
        }
    }

    fn remove_all(member: &str, value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove(member);
                members.values_mut().for_each(|value| remove_all(member, value));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| remove_all(member, value)),
            _ => {}
        }
    }

    #[test]
    fn a_link_that_can_not_be_followed_is_none() {
        let ops: Vec<Op> = serde_json::from_value(json!([
            {"insert": "a", "attributes": {"link": "javascript:alert(1)", "bold": true}},
            {"insert": "b", "attributes": {"link": " https://example.org "}},
        ]))
        .unwrap();
        let all = blocks(&ops);
        let [Block::Paragraph(line)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((line[0].link.as_deref(), line[0].bold), (None, true));
        assert_eq!(line[1].link.as_deref(), Some("https://example.org"));
    }
}
