//! A commitment as files for other programs. All are made of the same [`Paper`], which is made of the same
//! blocks as the pages are.

mod coverage;
mod docx;
mod fonts;
mod job;
mod making;
mod manuscript;
mod markdown;
mod paper;
mod pdf;
mod printer;
mod runs;
#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
pub(crate) use docx::docx;
pub(crate) use docx::{ABOUT, DESTINATION};
pub(crate) use job::FileJob;
pub(crate) use manuscript::Manuscript;
#[cfg(test)]
pub(crate) use markdown::markdown;
pub(crate) use paper::{Paper, Piece};
pub(crate) use pdf::PressError;
pub(crate) use printer::{FileError, HEAVY, Printer};

use crate::seal::Statement;
use serde::{Deserialize, Serialize};

/// Where a text comes from: what a file says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Draft {
        plan_title: &'a str,
        /// The moment, in milliseconds since the Unix epoch.
        time: u64,
    },
    Release {
        statement: &'a Statement,
        public: Option<&'a Public>,
        /// Where browsers find this server.
        base: &'a str,
    },
}

/// Since when everybody may read a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Public {
    /// Milliseconds since the Unix epoch.
    pub(crate) since: u64,
    /// The time zone of its launch (IANA).
    pub(crate) zone: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    Pdf,
    Docx,
    Html,
    Markdown,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Pdf, Self::Docx, Self::Html, Self::Markdown];

    /// By the extension of a file's name.
    pub(crate) fn of(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.extension() == extension)
    }

    /// As a page's words call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            other => other.extension(),
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Markdown => "md",
        }
    }

    /// Its media type.
    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}
