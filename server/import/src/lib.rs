//! Commitments from Word and Markdown files. [`docx`] and [`markdown`] find what a file says, and [`place`] puts each part
//! of it where it belongs. No part of the text is left out: what has no place goes to the notes.
//!
//! [`ImportJob`] is one file to be read, as it is handed to another process, and [`PlacedFile`] is the answer. Files come
//! from strangers: [`limits`] says how much of one is read, and all of it is counted before anything is built of it.
//!
//! Nothing in here knows routes, rooms, stores or processes. The caller bounds the time and memory of a job.

mod docx;
mod job;
mod limits;
mod markdown;
mod names;
mod place;
mod xml;

pub use job::{ImportJob, PlacedFile};
pub use limits::{Excess, MAX_IMPORT_BYTES};
pub use place::Placed;

use accord_document::model::blocks::LineKind;
use accord_document::model::delta::Attributes;
use limits::{MAX_CHARACTERS, MAX_MARKDOWN_BYTES, MAX_MARKUP_CHARACTERS, TextBudget, at_most};
use serde::{Deserialize, Serialize};

/// Why a file can't be imported. Each is a sentence for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ImportError {
    #[error(
        "This is neither a Word document (.docx) nor Markdown (.md). Save it as one of these, and try again."
    )]
    Kind,
    #[error("The file is damaged, or no Word document: {0}.")]
    Damaged(String),
    #[error(
        "The text is too long: at most {MAX_CHARACTERS} characters can be imported. Split the file, and try again."
    )]
    Long,
    #[error("The file has more than {0}. Split it or save it in a simpler form, and try again.")]
    Much(Excess),
    #[error("There is no text in this file.")]
    Empty,
}

/// Characters with the same marks.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    marks: Attributes,
}

/// What a paragraph is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Title,
    /// From 1 on: the highest. In a text of a commitment, it is counted from the heading of that text.
    Block(LineKind),
}

#[derive(Debug, Clone, PartialEq)]
struct Paragraph {
    role: Role,
    pieces: Vec<Piece>,
}

impl Paragraph {
    /// Words without marks.
    fn of(text: impl Into<String>) -> Self {
        let pieces = vec![Piece { text: text.into(), marks: Attributes::new() }];
        Self { role: Role::Block(LineKind::Plain), pieces }
    }

    fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| piece.text.trim().is_empty())
    }
}

type Cell = Vec<Paragraph>;

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Paragraph(Paragraph),
    /// By rows.
    Table(Vec<Vec<Cell>>),
    /// What is not part of the text that runs through the file: it goes to the notes.
    Aside(Paragraph),
}

/// All that was found in a file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Findings {
    all: Vec<Found>,
    /// Pictures, which a commitment can't hold.
    pictures: usize,
}

/// Makes a commitment of a file. `language` (BCP 47) is that of its text.
///
/// # Errors
/// When it is no file that can be read, or holds no text, or too much of it.
pub fn import(name: &str, bytes: &[u8], language: &str) -> Result<Placed, ImportError> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let findings = match extension.to_ascii_lowercase().as_str() {
        "docx" => docx::read(bytes)?,
        "md" | "markdown" | "txt" => {
            at_most(bytes.len(), MAX_MARKDOWN_BYTES, Excess::MarkdownBytes)?;
            let text = std::str::from_utf8(bytes).map_err(|_| ImportError::Kind)?;
            let markup = text.bytes().filter(|byte| b"\\`*_[]<>&#~|!\n".contains(byte)).count();
            at_most(markup, MAX_MARKUP_CHARACTERS, Excess::MarkupCharacters)?;
            markdown::read(text.trim_start_matches('\u{feff}'))?
        }
        _ => return Err(ImportError::Kind),
    };
    let says = |paragraph: &Paragraph| paragraph.pieces.iter().any(|piece| !piece.text.is_empty());
    let is_said = findings.all.iter().any(|found| match found {
        Found::Paragraph(one) | Found::Aside(one) => says(one),
        Found::Table(rows) => rows.iter().flatten().flatten().any(says),
    });
    if is_said { place::place(findings, stem, language) } else { Err(ImportError::Empty) }
}

/// What was read of a line, cut where it breaks.
fn cut(pieces: Vec<Piece>, role: Role) -> Vec<Paragraph> {
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
fn add(
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
fn push(pieces: &mut Vec<Piece>, text: &str, marks: &Attributes) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.marks == *marks => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), marks: marks.clone() }),
    }
}

#[cfg(test)]
mod tests;
