//! The kinds of file, with their extensions and media types.

use serde::{Deserialize, Serialize};

/// What a file is.
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
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Docx, Self::Html, Self::Markdown];

    /// By the extension of a file's name.
    pub fn of(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.extension() == extension)
    }

    /// As a page's words call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            other => other.extension(),
        }
    }

    /// The end of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Markdown => "md",
        }
    }

    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}
