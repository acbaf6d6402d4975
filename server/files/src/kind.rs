//! The kinds of file that a commitment can be written as, with their extensions and media types.

use serde::{Deserialize, Serialize};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileKind {
    /// A PDF (PDF/A-3a and PDF/UA).
    Pdf,
    /// A Word file (Office Open XML).
    Docx,
    /// A web page.
    Html,
    /// Markdown.
    Markdown,
}

impl FileKind {
    /// All kinds, in the order in which pages list them.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Docx, Self::Html, Self::Markdown];

    /// Returns the kind whose files have this extension, or `None` if no kind has it.
    pub fn of(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.extension() == extension)
    }

    /// Returns the name of the kind in the keys of message catalogues: `markdown` in `release.file.markdown`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            other => other.extension(),
        }
    }

    /// Returns the extension of a file of this kind, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Markdown => "md",
        }
    }

    /// Returns the media type of a file of this kind.
    pub fn media(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}
