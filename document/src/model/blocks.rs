//! A flat text as its readers are shown it: paragraphs, headings, quotations, and lists that nest.
//!
//! Every form in which a text leaves the editor (page, print, file) is made from this.

use crate::model::attributes::Attributes;
use crate::model::delta::{Op, normalise};
use crate::readable::address::{destination, is_safe, says};
use serde::Serialize;
use serde_json::Value;

/// Characters that are shown alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The characters.
    pub text: String,
    /// Whether they are bold.
    pub bold: bool,
    /// Whether they are italic.
    pub italic: bool,
    /// Where it leads, if that can be followed safely.
    pub link: Option<String>,
    /// What is shown behind it: where its link leads, if it ends one whose words don't say so.
    pub leads_to: Option<String>,
}

/// The spans of a line, without its newline.
pub type Line = Vec<Span>;

/// A block of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph of one line.
    Paragraph(Line),
    /// From 1 on, as the author chose: the highest in its text.
    Heading(u8, Line),
    /// One paragraph after the other.
    Quote(Vec<Line>),
    /// A list, with the lists within it.
    List(List),
}

/// A list of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct List {
    /// Whether its items are numbered.
    pub ordered: bool,
    /// Its items, in order.
    pub items: Vec<Item>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its own line.
    pub line: Line,
    /// Lists within it.
    pub within: Vec<List>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A line of a paragraph.
    Plain,
    /// A heading of a level from 1 on.
    Heading(u8),
    /// A line of a quotation.
    Quote,
    /// Of a list, as deep as its indent says: 0 is the outermost.
    Item {
        /// Whether the list is numbered.
        ordered: bool,
        /// The depth, from 0 to 8.
        indent: u8,
    },
}

/// The blocks of a text. Empty lines part paragraphs and are none themselves.
#[must_use]
pub fn blocks(ops: &[Op]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    // The lines of the list that is being read.
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
            let said = part.trim_end_matches('\n');
            if !said.is_empty() {
                line.push(span(said, &attributes));
            }
            if part.ends_with('\n') {
                tell_destinations(&mut line);
                all.push((std::mem::take(&mut line), kind(&attributes)));
            }
        }
    }
    all
}

/// Characters with their marks.
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

/// Sets where each link of a line leads, behind its last words, unless its words say it. A link of blanks alone, which nobody
/// sees, is none.
pub fn tell_destinations<'a>(line: impl IntoIterator<Item = &'a mut Span>) {
    let mut line: Vec<&mut Span> = line.into_iter().collect();
    for link in line.chunk_by_mut(|a, b| a.link == b.link) {
        let said: String = link.iter().map(|span| span.text.as_str()).collect();
        if said.trim().is_empty() {
            link.iter_mut().for_each(|span| span.link = None);
        }
        let mut words = link.iter_mut().rev();
        let Some(last) = words.find(|span| !span.text.trim().is_empty()) else { continue };
        last.leads_to = last.link.as_deref().filter(|link| !says(&said, link)).map(destination);
    }
}

/// What the attributes of its newline make of a line.
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

/// Lists from lines with their depths. A depth that is skipped is none.
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

/// The characters of a line.
#[must_use]
pub fn plain(line: &Line) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Blocks in a short form: `h2`, `p`, `>` and lists by their marks.
    fn told(ops: Value) -> Vec<String> {
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
            told(json!(ops)),
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
        assert_eq!(told(ops), ["p one", "p two", "h2 Title", "> said / more", "> else"]);
    }

    #[test]
    fn a_text_is_parted_as_the_release_page_parts_it() {
        let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/blocks.json"));
        let cases: Vec<Value> = serde_json::from_str(file).unwrap();
        assert!(cases.len() >= 19);
        for case in cases {
            let ops: Vec<Op> = serde_json::from_value(case["delta"].clone()).unwrap();
            let mut found = serde_json::to_value(blocks(&ops)).unwrap();
            // The page says beside each link where it leads, and has it in no span.
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
