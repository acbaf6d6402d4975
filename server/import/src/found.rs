//! What is found in a file, before it is known where it belongs.

use crate::budget::TextBudget;
use crate::error::ImportError;
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::LineKind;

/// Characters with the same marks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) marks: Attributes,
}

/// What a paragraph is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Title,
    /// From 1 on: the highest. In a text of a commitment, it is counted from the heading of that text.
    Block(LineKind),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paragraph {
    pub(crate) role: Role,
    pub(crate) pieces: Vec<Piece>,
}

impl Paragraph {
    /// Words without marks.
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

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Paragraph(Paragraph),
    /// By rows.
    Table(Vec<Vec<Cell>>),
    /// What is not part of the text that runs through the file: it goes to the notes.
    Aside(Paragraph),
}

/// All that was found in a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) all: Vec<Found>,
    /// Pictures, which a commitment can't hold.
    pub(crate) pictures: usize,
}

/// What was read of a line, cut where it breaks.
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

/// Adds characters to a line that is read from a file, and counts them.
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

/// Adds characters to a line, unless there are none.
pub(crate) fn push(pieces: &mut Vec<Piece>, text: &str, marks: &Attributes) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.marks == *marks => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), marks: marks.clone() }),
    }
}

/// What stands behind the first colon.
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
