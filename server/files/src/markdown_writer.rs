//! Writes a paper as Markdown (CommonMark 0.31).

mod inline;
#[cfg(test)]
mod tests;

use crate::paper::{Paper, Piece};
use accord_document::model::blocks::{Block, List};
use inline::{address, escaped};

/// Returns a paper as Markdown, with a heading for each section, each text and each milestone.
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
            Piece::Date(name, value) => {
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
    /// If the last block is a list: whether it is numbered, and whether it has the alternative markers (`+` and `1)`).
    /// `None` if the last block is not a list.
    last_list: Option<(bool, bool)>,
}

impl Writer {
    /// Appends a block of its own, separated by an empty line from the block before.
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
                // In CommonMark, a list directly after one of the same kind continues that list, unless its marker
                // differs.
                let differs = self.last_list.is_some_and(|last| last == (list.ordered, false));
                let mut lines = Vec::new();
                items(list, "", differs, &mut lines);
                self.paragraph(&lines.join("\n"));
                self.last_list = Some((list.ordered, differs));
            }
        }
    }
}

/// Appends the lines of a list to `out`. `differs` selects the alternative markers: `+` instead of `-`, `1)` instead of
/// `1.`.
fn items(list: &List, indent: &str, differs: bool, out: &mut Vec<String>) {
    for (index, item) in list.items.iter().enumerate() {
        let mark = match (list.ordered, differs) {
            (true, false) => format!("{}. ", index + 1),
            (true, true) => format!("{}) ", index + 1),
            (false, false) => "- ".to_owned(),
            (false, true) => "+ ".to_owned(),
        };
        out.push(format!("{indent}{mark}{}", inline::line(&item.line)));
        // An item without words can't directly follow a paragraph: it would become part of the paragraph, or turn the
        // paragraph into a heading.
        let is_empty = |list: &List| list.items.first().is_some_and(|first| first.line.is_empty());
        if !item.line.is_empty() && item.within.first().is_some_and(is_empty) {
            out.push(String::new());
        }
        let deeper = format!("{indent}{}", " ".repeat(mark.len()));
        item.within.iter().for_each(|within| items(within, &deeper, false, out));
    }
}
