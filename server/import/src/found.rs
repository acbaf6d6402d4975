//! The parts of a file in the order in which they were found, before each is put into a field.

use crate::budget::TextBudget;
use crate::error::ImportError;
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::LineKind;

/// A piece of text whose characters have the same marks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) marks: Attributes,
}

/// The role of a paragraph in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Title,
    /// A block. The level of a heading starts at 1, the highest. In a text of a commitment, the level is relative to
    /// the heading above that text.
    Block(LineKind),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paragraph {
    pub(crate) role: Role,
    pub(crate) pieces: Vec<Piece>,
}

impl Paragraph {
    /// Returns a plain paragraph of text without marks.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        let pieces = vec![Piece { text: text.into(), marks: Attributes::new() }];
        Self { role: Role::Block(LineKind::Plain), pieces }
    }

    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| piece.text.trim().is_empty())
    }
}

pub(crate) type Cell = Vec<Paragraph>;

/// A part of a file, in a form that Word and Markdown share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Paragraph(Paragraph),
    /// A table: its rows, each with its cells.
    Table(Vec<Vec<Cell>>),
    /// A paragraph outside the running text, such as a footnote. It goes into the notes.
    OutsideText(Paragraph),
}

/// All parts of a file, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) all: Vec<Found>,
    /// Number of pictures in the file. They are left out, because a commitment can't contain pictures.
    pub(crate) pictures: usize,
}

/// Splits the pieces of a line at its newlines into paragraphs of the same role.
pub(crate) fn cut(pieces: Vec<Piece>, role: Role) -> Vec<Paragraph> {
    let mut all = vec![Paragraph { role, pieces: Vec::new() }];
    for piece in pieces {
        for (at, text) in piece.text.split('\n').enumerate() {
            if at > 0 {
                all.push(Paragraph { role, pieces: Vec::new() });
            }
            if let Some(last) = all.last_mut() {
                push(&mut last.pieces, text, &piece.marks);
            }
        }
    }
    all
}

/// Adds characters to a line that is being read, and counts them.
pub(crate) fn add(
    budget: &mut TextBudget,
    pieces: &mut Vec<Piece>,
    text: &str,
    marks: &Attributes,
) -> Result<(), ImportError> {
    let begins = pieces.last().is_none_or(|last| last.marks != *marks);
    budget.text(text, marks, begins && !text.is_empty())?;
    push(pieces, text, marks);
    Ok(())
}

/// Adds characters to a line. Does nothing if the text is empty.
pub(crate) fn push(pieces: &mut Vec<Piece>, text: &str, marks: &Attributes) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.marks == *marks => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), marks: marks.clone() }),
    }
}

/// Returns the pieces after the first colon, without the blanks that directly follow the colon.
pub(crate) fn after_colon(pieces: &[Piece]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut is_past = false;
    for piece in pieces {
        let text = match piece.text.split_once(':') {
            _ if is_past => piece.text.as_str(),
            Some((_, rest)) => {
                is_past = true;
                rest
            }
            None => continue,
        };
        let text = if out.is_empty() { text.trim_start() } else { text };
        push(&mut out, text, &piece.marks);
    }
    out
}
