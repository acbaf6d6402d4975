//! The authors' text in the form in which the Typst template reads it: each line with its direction.
//!
//! The direction depends on the line as its author wrote it, by the same rule as in Word files. It is decided before
//! code points replace characters that can't be set, because code points are read from left to right.

use crate::paper::Piece;
use accord_document::model::blocks::{Block, Line, List};
use accord_document::readable::is_right_to_left_line;
use serde::Serialize;

/// Maximum number of characters of a heading. A longer heading is set as a paragraph.
const MAX_HEADING_CHARACTERS: usize = 1_000;

/// A piece of a paper, as the template reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SetPiece {
    /// A heading of the form.
    Heading(u8, String),
    /// The name of a date field, then the date in words.
    Date(String, String),
    /// A block that the authors wrote.
    Text(SetBlock),
}

/// A block of a text, as the template reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SetBlock {
    Paragraph(SetLine),
    Heading(u8, SetLine),
    Quote(Vec<SetLine>),
    List(SetList),
}

/// A line with its direction.
#[derive(Debug, Serialize)]
pub(super) struct SetLine {
    spans: Line,
    right_to_left: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct SetList {
    ordered: bool,
    items: Vec<SetItem>,
}

#[derive(Debug, Serialize)]
struct SetItem {
    line: SetLine,
    within: Vec<SetList>,
}

impl From<Piece> for SetPiece {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Heading(level, name) => Self::Heading(level, name),
            Piece::Date(name, value) => Self::Date(name, value),
            Piece::Text(block) => Self::Text(block.into()),
        }
    }
}

impl From<Block> for SetBlock {
    fn from(block: Block) -> Self {
        match block {
            Block::Paragraph(line) => Self::Paragraph(line.into()),
            Block::Heading(level, line) => Self::Heading(level, line.into()),
            Block::Quote(lines) => Self::Quote(lines.into_iter().map(SetLine::from).collect()),
            Block::List(list) => Self::List(list.into()),
        }
    }
}

impl From<Line> for SetLine {
    fn from(spans: Line) -> Self {
        let line: String = spans.iter().map(|span| span.text.as_str()).collect();
        Self { spans, right_to_left: is_right_to_left_line(&line) }
    }
}

impl From<List> for SetList {
    fn from(List { ordered, items }: List) -> Self {
        let item = |item: accord_document::model::blocks::Item| SetItem {
            line: item.line.into(),
            within: item.within.into_iter().map(Self::from).collect(),
        };
        Self { ordered, items: items.into_iter().map(item).collect() }
    }
}

impl SetPiece {
    /// Calls `visit` with each line of an authors' block.
    pub(super) fn each_line(&mut self, visit: &mut dyn FnMut(&mut Line)) {
        match self {
            Self::Heading(..) | Self::Date(..) => {}
            Self::Text(SetBlock::Paragraph(line) | SetBlock::Heading(_, line)) => {
                visit(&mut line.spans);
            }
            Self::Text(SetBlock::Quote(lines)) => {
                lines.iter_mut().for_each(|line| visit(&mut line.spans));
            }
            Self::Text(SetBlock::List(list)) => list.each_line(visit),
        }
    }

    /// Turns a heading that is too long into a bold paragraph, because every heading is also a bookmark of the PDF.
    pub(super) fn level_long_heading(self) -> Self {
        let Self::Text(SetBlock::Heading(level, mut line)) = self else { return self };
        let characters: usize = line.spans.iter().map(|span| span.text.chars().count()).sum();
        if characters <= MAX_HEADING_CHARACTERS {
            return Self::Text(SetBlock::Heading(level, line));
        }
        line.spans.iter_mut().for_each(|span| span.bold = true);
        Self::Text(SetBlock::Paragraph(line))
    }
}

impl SetList {
    fn each_line(&mut self, visit: &mut dyn FnMut(&mut Line)) {
        for item in &mut self.items {
            visit(&mut item.line.spans);
            item.within.iter_mut().for_each(|within| within.each_line(visit));
        }
    }
}
