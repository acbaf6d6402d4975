//! Markdown (CommonMark 0.31).

use super::Paper;
use super::paper::Piece;
use accord_document::model::blocks::{Block, Line, List, Span};

/// A paper as Markdown: a heading for each section, each text and each milestone.
pub(crate) fn markdown(paper: &Paper) -> String {
    let mut out = Writer::default();
    out.heading(1, &escaped(&paper.title));
    out.paragraph(&escaped(&paper.about.join(" · ")));
    if let Some(signed) = &paper.signed {
        out.paragraph(&format!("**{}:**", escaped(&signed.heading)));
        out.list(signed.people.iter().map(|one| escaped(&format!("{}, {}", one.name, one.about))));
    }
    if let Some((label, needs)) = &paper.gaps {
        out.paragraph(&escaped(label));
        out.list(needs.iter().map(|need| escaped(need)));
    }
    for piece in &paper.pieces {
        match piece {
            Piece::Heading(level, text) => out.heading((*level).into(), &escaped(text)),
            Piece::Fact(name, value) => {
                out.paragraph(&format!("**{}:** {}", escaped(name), escaped(value)));
            }
            Piece::Text(block) => out.block(block),
        }
    }
    if let Some(check) = &paper.check {
        out.paragraph("---");
        out.paragraph(&format!("{} {}", escaped(&check.hint), address(&check.address)));
        out.paragraph(&format!("SHA-256 {}", check.digest));
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

    fn list(&mut self, items: impl Iterator<Item = String>) {
        let lines: Vec<_> = items.map(|item| format!("- {item}")).collect();
        self.paragraph(&lines.join("\n"));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(line) => self.paragraph(&inline(line)),
            Block::Heading(level, line) => self.heading((*level).into(), &inline(line)),
            Block::Quote(lines) => {
                let lines: Vec<_> =
                    lines.iter().map(|line| format!("> {}", inline(line))).collect();
                self.paragraph(&lines.join("\n>\n"));
            }
            Block::List(list) => {
                let mut lines = Vec::new();
                items(list, "", &mut lines);
                self.paragraph(&lines.join("\n"));
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
        out = format!("[{out}]({})", self::address(address));
    }
    format!("{before}{out}{after}")
}

/// An address between angle brackets: of a link, or a link by itself.
fn address(address: &str) -> String {
    format!("<{}>", address.replace('\\', "%5C").replace('<', "%3C").replace('>', "%3E"))
}

/// A text in which nothing is taken for markup: every ASCII character that could be is escaped, and also what
/// would begin a block.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Whether nothing but digits stands before.
    let mut begins = true;
    for c in text.chars() {
        let is_markup = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '~' | '|' | '!'
        ) || (begins && matches!(c, '-' | '+' | '=' | '.' | ')'));
        if is_markup {
            out.push('\\');
        }
        out.push(c);
        begins &= c.is_ascii_digit();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use accord_document::model::blocks::blocks;
    use accord_document::model::delta::Op;
    use serde_json::json;

    fn check(ops: serde_json::Value, expect: &str) {
        let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
        let mut out = Writer::default();
        blocks(&ops).iter().for_each(|block| out.block(block));
        assert_eq!(out.0, expect);
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
            "# Title\n\nplain **bold** [*link*](<https://example.org/a_(b)>)\n\n1. one\n   - deep\n\n> said\n",
        );
    }
}
