//! Tests that another implementation (pulldown-cmark) reads in the Markdown everything that the text says, and nothing
//! else.

use super::*;
use crate::samples;
use accord_document::model::blocks::{Line, blocks};
use accord_document::model::delta::Op;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

fn check(ops: serde_json::Value, expect: &str) {
    let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
    let mut out = Writer::default();
    blocks(&ops).iter().for_each(|block| out.block(block));
    assert_eq!(out.out, expect);
}

#[test]
fn a_commitment_has_its_sections_in_order() {
    let released = samples::released("en", |_| {});
    let text = markdown(&Paper::of(&released, &samples::draft()));
    let headings: Vec<_> = text.lines().filter(|line| line.starts_with('#')).collect();
    let expect = [
        "# Open contracting",
        "## The promise",
        "### Brief description",
        "## Who",
        "### Lead institution",
    ];
    assert_eq!(headings[..5], expect);
    assert!(headings.contains(&"#### Steps"), "{headings:?}");
    assert!(text.contains("### Milestone 1\n\nA register that everybody can read\n"), "{text}");
}

#[test]
fn text_is_never_taken_for_markup() {
    check(
        json!([{"insert": "# 1. *a* [b](c) <b>\n- no list\n12. neither\n"}]),
        "\\# 1. \\*a\\* \\[b\\](c) \\<b\\>\n\n\\- no list\n\n12\\. neither\n",
    );
}

#[test]
fn blocks_and_marks_are_markdowns_own() {
    check(
        json!([
            {"insert": "Title"}, {"insert": "\n", "attributes": {"header": 1}},
            {"insert": "plain "}, {"insert": "bold ", "attributes": {"bold": true}},
            {"insert": "link", "attributes": {"link": "https://example.org/a_(b)", "italic": true}}, {"insert": "\n"},
            {"insert": "one"}, {"insert": "\n", "attributes": {"list": "ordered"}},
            {"insert": "deep"}, {"insert": "\n", "attributes": {"list": "bullet", "indent": 1}},
            {"insert": "said"}, {"insert": "\n", "attributes": {"blockquote": true}},
        ]),
        "# Title\n\nplain **bold** [*link*](<https://example.org/a_(b)> \"example.org\") (example.org)\n\n1. one\n   - deep\n\n> said\n",
    );
}

/// A line of a text: its kind, and its characters, each with whether it is bold, whether it is italic, and the address
/// of its link. Blanks have no marks, because nobody sees marks on blanks.
type Said = (String, Vec<(char, bool, bool, Option<String>)>);

fn said(kind: String, line: &Line) -> Said {
    let mut all = Vec::new();
    for span in line {
        let marked = |c: char| match c.is_whitespace() {
            true => (c, false, false, None),
            false => (c, span.bold, span.italic, span.link.clone()),
        };
        let (words, blanks) = span.text.split_at(span.text.trim_end().len());
        all.extend(words.chars().map(marked));
        if let Some(leads_to) = &span.leads_to {
            all.extend(format!(" ({leads_to})").chars().map(|c| (c, false, false, None)));
        }
        all.extend(blanks.chars().map(marked));
    }
    (kind, all)
}

fn said_of(blocks: &[Block]) -> Vec<Said> {
    fn list_of(list: &List, depth: usize, out: &mut Vec<Said>) {
        for (at, item) in list.items.iter().enumerate() {
            let kind =
                if list.ordered { format!("{depth} {}.", at + 1) } else { format!("{depth} -") };
            out.push(said(kind, &item.line));
            item.within.iter().for_each(|within| list_of(within, depth + 1, out));
        }
    }
    let mut out = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(line) => out.push(said("p".into(), line)),
            Block::Heading(level, line) => out.push(said(format!("h{level}"), line)),
            Block::Quote(lines) => out.extend(lines.iter().map(|line| said(">".into(), line))),
            Block::List(list) => list_of(list, 1, &mut out),
        }
    }
    out
}

/// The state of reading Markdown with pulldown-cmark: the lines so far, and the marks and blocks that are open.
#[derive(Default)]
struct Reading {
    out: Vec<Said>,
    line: Option<Said>,
    lists: Vec<Option<u64>>,
    quotes: usize,
    bold: usize,
    italic: usize,
    link: Option<String>,
}

impl Reading {
    fn of(text: &str, options: Options) -> Result<Vec<Said>, String> {
        let mut reading = Self::default();
        for event in Parser::new_ext(text, options) {
            reading.take(event)?;
        }
        reading.end();
        Ok(reading.out)
    }

    fn end(&mut self) {
        self.out.extend(self.line.take());
    }

    fn begin(&mut self, kind: String) {
        self.end();
        self.line = Some((kind, Vec::new()));
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Text(text) => {
                let (bold, italic, link) = (self.bold > 0, self.italic > 0, self.link.clone());
                let Some((_, line)) = &mut self.line else {
                    return Err(format!("{text:?} outside"));
                };
                line.extend(text.chars().map(|c| match c.is_whitespace() {
                    true => (c, false, false, None),
                    false => (c, bold, italic, link.clone()),
                }));
            }
            Event::Start(tag) => match tag {
                Tag::Paragraph if self.lists.is_empty() => {
                    self.begin(if self.quotes > 0 { ">" } else { "p" }.to_owned());
                }
                // In a list, the item begins the line, not the paragraph within the item.
                Tag::Paragraph => {}
                Tag::Heading { level, .. } => self.begin(format!("h{}", level as u8)),
                Tag::BlockQuote(None) => self.quotes += 1,
                Tag::List(first) => self.lists.push(first),
                Tag::Item => {
                    let depth = self.lists.len();
                    let kind = match self.lists.last_mut() {
                        Some(Some(number)) => {
                            *number += 1;
                            format!("{depth} {}.", *number - 1)
                        }
                        _ => format!("{depth} -"),
                    };
                    self.begin(kind);
                }
                Tag::Strong => self.bold += 1,
                Tag::Emphasis => self.italic += 1,
                Tag::Link { dest_url, .. } => self.link = Some(dest_url.into_string()),
                other => return Err(format!("{other:?}")),
            },
            Event::End(tag) => match tag {
                TagEnd::BlockQuote(_) => {
                    self.end();
                    self.quotes -= 1;
                }
                TagEnd::List(_) => {
                    self.end();
                    self.lists.pop();
                }
                TagEnd::Strong => self.bold -= 1,
                TagEnd::Emphasis => self.italic -= 1,
                TagEnd::Link => self.link = None,
                _ => {}
            },
            other => return Err(format!("{other:?}")),
        }
        Ok(())
    }
}

/// Returns the options to read with: plain CommonMark, CommonMark with tables, and every extension but smart
/// punctuation.
fn readers() -> [Options; 3] {
    let all = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    [Options::empty(), Options::ENABLE_TABLES, all]
}

fn check_read(ops: &[Op]) {
    let blocks = blocks(ops);
    let mut out = Writer::default();
    out.paragraph("# T");
    blocks.iter().for_each(|block| out.block(block));
    let mut expect = vec![("h1".to_owned(), vec![('T', false, false, None)])];
    expect.extend(said_of(&blocks));
    for options in readers() {
        let read = Reading::of(&out.out, options)
            .unwrap_or_else(|error| panic!("{options:?}: {error}\n{}\n{ops:?}", out.out));
        for (read, expect) in read.iter().zip(&expect) {
            assert_eq!(read, expect, "{options:?}\n{}\n{ops:?}", out.out);
        }
        assert_eq!(read.len(), expect.len(), "{options:?}\n{}\n{ops:?}", out.out);
    }
}

fn plain(text: &str) -> Vec<Op> {
    serde_json::from_value(json!([{"insert": text}, {"insert": "\n"}])).unwrap()
}

#[test]
fn what_looks_like_markup_is_read_as_it_is_written() {
    for text in [
        "    four blanks",
        "\ttab",
        "a    ",
        "a  \\",
        "1. a",
        "1) a",
        "123456789. a",
        "- a",
        "+ a",
        "* a",
        "# a",
        "#",
        "> a",
        "===",
        "---",
        "***",
        "___",
        "~~~",
        "```",
        "`a`",
        "| a | b |",
        "|-|-|",
        "<b>a</b>",
        "<!-- a -->",
        "<https://example.org>",
        "https://example.org",
        "www.example.org",
        "ana@example.org",
        "&nbsp; &amp; &#32; &lt",
        "[a](b)",
        "![a](b)",
        "[a]: b",
        "[^1]: note",
        "[^1]",
        "- [ ] task",
        "a\\",
        "\\*a\\*",
        "snake_case_name",
        "2*3*4",
        "$a$ $$b$$",
        "~a~ ^b^",
        "# a {#id .class}",
        ": definition",
        "::: box",
        "+++",
        "[[wiki]]",
        ":smile:",
        "a\u{a0}",
        "\u{a0}a",
        "\u{3000}a",
        "a\rb",
        "\u{b}a\u{c}",
        "a\u{1}b",
        "\u{2028}a",
        "<",
        ">",
        "&",
        "*",
        "_",
        "   ",
        "a\tb\t",
        "4 = 4",
        "=",
        "|",
        "a | b",
        "http:",
        "a:b",
        "\u{feff}a",
    ] {
        check_read(&plain(text));
    }
}

#[test]
fn marks_stay_where_they_are_whatever_stands_beside_them() {
    let parts = [
        "a",
        "(a)",
        " ",
        "a ",
        " a",
        "\u{d55c}",
        "*",
        "\u{201c}a\u{201d}",
        "\u{301}",
        "\u{200b}",
        "1.",
        "_",
        "😀",
    ];
    let marks = [
        json!({}),
        json!({"bold": true}),
        json!({"italic": true}),
        json!({"bold": true, "italic": true}),
        json!({"link": "https://example.org/a_b*c(d)?x=1&amp=2"}),
        json!({"link": "mailto:a_b@example.org", "bold": true}),
    ];
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..20_000 {
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..random.random_range(1..6) {
            let marks =
                serde_json::from_value(marks[random.random_range(0..marks.len())].clone()).unwrap();
            ops.push(Op::insert(parts[random.random_range(0..parts.len())], marks));
        }
        ops.push(Op::text("\n"));
        check_read(&ops);
    }
}

#[test]
fn any_text_is_read_as_it_is_written() {
    let pieces: Vec<&str> = "# |## |- |+ |1. |12) |> |    |\t| |  |\\|`|```|~~~|*|**|***|_|__|[|]|(|)|<|>|<b>|&amp;|&|#|\
        ~|!|=|---|===|a|b c|word|한국어|ა|é|\u{a0}|\u{3000}|\u{301}|\u{200d}|😀|1|23|.|:|://|www.|@|$|^|{|}|\"|'|%|\r|\
        \u{b}|\u{85}|\u{2028}|\u{7f}|🏴|,|;|?|/"
        .split('|').chain(["|", "|-|-|"]).collect();
    let lines = [
        json!({}),
        json!({}),
        json!({"header": 1}),
        json!({"header": 6}),
        json!({"blockquote": true}),
        json!({"list": "bullet"}),
        json!({"list": "ordered"}),
        json!({"list": "bullet", "indent": 1}),
        json!({"list": "ordered", "indent": 2}),
        json!({"list": "ordered", "indent": 1}),
    ];
    let marks = [
        json!({}),
        json!({}),
        json!({"bold": true}),
        json!({"italic": true}),
        json!({"bold": true, "italic": true}),
        json!({"link": "https://example.org/"}),
        json!({"link": "tel:+1-2", "italic": true}),
    ];
    for seed in 0..20_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..random.random_range(1..7) {
            for _ in 0..random.random_range(0..4) {
                let text: String = (0..random.random_range(1..5))
                    .map(|_| pieces[random.random_range(0..pieces.len())])
                    .collect();
                let marks =
                    serde_json::from_value(marks[random.random_range(0..marks.len())].clone())
                        .unwrap();
                ops.push(Op::insert(text.as_str(), marks));
            }
            let line =
                serde_json::from_value(lines[random.random_range(0..lines.len())].clone()).unwrap();
            ops.push(Op::insert("\n", line));
        }
        check_read(&ops);
    }
}
