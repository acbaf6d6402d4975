//! A commitment as files for other programs: PDF, Word, HTML and Markdown.
//!
//! - [`Paper`] is a release or a draft, ready to be written in any kind of file. It is made of the same blocks as pages.
//! - [`Manuscript`] adds what changed since a moment, for a Word file with tracked changes.
//! - [`FileJob`] is one file to be made, with all that it is made of, as it is handed to another process.
//! - [`Coverage`] tells whether the fonts have the characters of a text, without setting it.
//!
//! Nothing in here knows routes, rooms, stores or processes, and nothing reaches the network or the fonts of the machine.
//! The caller bounds the time and memory of a job, and renders HTML, because it has the style of its pages.

mod coverage;
mod docx;
mod fonts;
mod job;
mod manuscript;
mod markdown;
mod paper;
mod pdf;
mod runs;
pub mod samples;

pub use coverage::Coverage;
pub use docx::docx;
pub use job::{FileJob, Source};
pub use manuscript::Manuscript;
pub use markdown::markdown;
pub use paper::{Check, Paper, Piece, Signature, Signed};
pub use pdf::{Press, PressError};

use accord_signing::Statement;
use serde::{Deserialize, Serialize};

/// Where a text comes from: what a file says of itself.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    Draft {
        plan_title: &'a str,
        /// The moment, in milliseconds since the Unix epoch.
        time: u64,
    },
    Release {
        statement: &'a Statement,
        public: Option<&'a Publication>,
        /// Where browsers find this server.
        base: &'a str,
    },
}

/// Since when everybody may read a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Publication {
    /// Milliseconds since the Unix epoch.
    pub since: u64,
    /// The time zone of its launch (IANA).
    pub zone: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileKind {
    Pdf,
    Docx,
    Html,
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
