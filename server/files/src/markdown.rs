//! Markdown (CommonMark 0.31).

mod inline;
#[cfg(test)]
mod tests;

use crate::paper::{Paper, Piece};
use accord_document::model::blocks::{Block, List};
use inline::{address, escaped};

/// A paper as Markdown: a heading for each section, each text and each milestone.
#[must_use]
pub fn markdown(paper: &Paper) -> String {
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
    out.out
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Whether the last block is a list, and whether it counts and has the other marks.
    last_list: Option<(bool, bool)>,
}

impl Writer {
    /// Something that stands by itself.
    fn paragraph(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(text);
        self.out.push('\n');
        self.last_list = None;
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
            Block::Paragraph(line) => self.paragraph(&inline::line(line)),
            Block::Heading(level, line) => self.heading((*level).into(), &inline::line(line)),
            Block::Quote(lines) => {
                let lines: Vec<_> =
                    lines.iter().map(|line| format!("> {}", inline::line(line))).collect();
                self.paragraph(&lines.join("\n>\n"));
            }
            Block::List(list) => {
                // A list directly behind one of its kind goes on with it, unless its marks are others.
                let differs = self.last_list.is_some_and(|last| last == (list.ordered, false));
                let mut lines = Vec::new();
                items(list, "", differs, &mut lines);
                self.paragraph(&lines.join("\n"));
                self.last_list = Some((list.ordered, differs));
            }
        }
    }
}

/// `differs`: with the other one of the two marks that a list may have.
fn items(list: &List, indent: &str, differs: bool, out: &mut Vec<String>) {
    for (index, item) in list.items.iter().enumerate() {
        let mark = match (list.ordered, differs) {
            (true, false) => format!("{}. ", index + 1),
            (true, true) => format!("{}) ", index + 1),
            (false, false) => "- ".to_owned(),
            (false, true) => "+ ".to_owned(),
        };
        out.push(format!("{indent}{mark}{}", inline::line(&item.line)));
        // Without words, an item can't follow a paragraph directly: it would be part of it, or make a heading of it.
        let is_empty = |list: &List| list.items.first().is_some_and(|first| first.line.is_empty());
        if !item.line.is_empty() && item.within.first().is_some_and(is_empty) {
            out.push(String::new());
        }
        let deeper = format!("{indent}{}", " ".repeat(mark.len()));
        item.within.iter().for_each(|within| items(within, &deeper, false, out));
    }
}
