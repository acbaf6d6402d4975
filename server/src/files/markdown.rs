//! Markdown (CommonMark 0.31).

use crate::pages::{Words, wire};
use accord_document::model::blocks::{Block, Line, List, Span, blocks};
use accord_document::model::delta::Op;
use accord_document::model::outline::{Part, has_words, outline};
use accord_document::model::release::{Released, ReleasedMilestone};

/// A release as Markdown: a heading for each section, each text and each milestone.
pub(crate) fn markdown(released: &Released) -> String {
    let words = Words::of(&released.language);
    let mut out = Writer::default();
    out.heading(1, &escaped(&released.title()));
    for chapter in outline(released) {
        out.heading(2, &escaped(&words.say(&format!("section.{}", wire(&chapter.section)))));
        for part in chapter.parts {
            match part {
                Part::Text { key, ops } => {
                    out.heading(3, &escaped(&words.say(&format!("field.{key}"))));
                    out.text(ops);
                }
                Part::Date { key, day } => {
                    let name = words.say(&format!("field.{key}"));
                    out.paragraph(&format!("**{}:** {day}", escaped(&name)));
                }
                Part::Milestone { number, milestone } => out.milestone(&words, number, milestone),
            }
        }
    }
    out.0
}

#[derive(Default)]
struct Writer(String);

impl Writer {
    /// Something that stands by itself.
    fn paragraph(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.paragraph(&format!("{} {text}", "#".repeat(level)));
    }

    fn milestone(&mut self, words: &Words, number: usize, one: &ReleasedMilestone) {
        let number = number.to_string();
        self.heading(3, &escaped(&words.fill("milestones.number", &[("number", &number)])));
        self.text(&one.what);
        for (key, ops) in [("outputs", &one.outputs), ("who", &one.who)] {
            if has_words(ops) {
                self.heading(4, &escaped(&words.say(&format!("field.{key}"))));
                self.text(ops);
            }
        }
        let due: Vec<_> =
            [&one.due, &one.due_text].into_iter().filter(|due| !due.is_empty()).collect();
        if !due.is_empty() {
            let due: Vec<_> = due.into_iter().map(|due| escaped(due)).collect();
            let name = escaped(&words.say("field.due"));
            self.paragraph(&format!("**{name}:** {}", due.join(" · ")));
        }
    }

    fn text(&mut self, ops: &[Op]) {
        for block in blocks(ops) {
            match block {
                Block::Paragraph(line) => self.paragraph(&inline(&line)),
                // Below the name of the text.
                Block::Heading(level, line) => {
                    self.heading(usize::from((3 + level).min(6)), &inline(&line));
                }
                Block::Quote(lines) => {
                    let lines: Vec<_> =
                        lines.iter().map(|line| format!("> {}", inline(line))).collect();
                    self.paragraph(&lines.join("\n>\n"));
                }
                Block::List(list) => {
                    let mut lines = Vec::new();
                    items(&list, "", &mut lines);
                    self.paragraph(&lines.join("\n"));
                }
            }
        }
    }
}

fn items(list: &List, indent: &str, out: &mut Vec<String>) {
    for (index, item) in list.items.iter().enumerate() {
        let mark = if list.ordered { format!("{}. ", index + 1) } else { "- ".to_owned() };
        out.push(format!("{indent}{mark}{}", inline(&item.line)));
        let deeper = format!("{indent}{}", " ".repeat(mark.len()));
        item.within.iter().for_each(|within| items(within, &deeper, out));
    }
}

fn inline(line: &Line) -> String {
    line.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    let text = span.text.as_str();
    // A mark directly beside a space is none: spaces go outside.
    let said = text.trim();
    if said.is_empty() {
        return text.to_owned();
    }
    let (before, after) =
        (&text[..text.len() - text.trim_start().len()], &text[text.trim_end().len()..]);
    let mut out = escaped(said);
    if span.italic {
        out = format!("*{out}*");
    }
    if span.bold {
        out = format!("**{out}**");
    }
    if let Some(address) = &span.link {
        let address = address.replace('\\', "%5C").replace('<', "%3C").replace('>', "%3E");
        out = format!("[{out}](<{address}>)");
    }
    format!("{before}{out}{after}")
}

/// A text in which nothing is taken for markup: every ASCII character that could be is escaped, and also what
/// would begin a block.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let begins = at == 0 || text[..at].chars().all(|c| c.is_ascii_digit());
        let is_markup = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '~' | '|' | '!'
        ) || (begins && matches!(c, '-' | '+' | '=' | '.' | ')'));
        if is_markup {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(ops: serde_json::Value, expect: &str) {
        let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
        let mut out = Writer::default();
        out.text(&ops);
        assert_eq!(out.0, expect);
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
            "#### Title\n\nplain **bold** [*link*](<https://example.org/a_(b)>)\n\n1. one\n   - deep\n\n> said\n",
        );
    }
}
