//! A commitment as files for other programs. All are made of the same [`Paper`], which is made of the same
//! blocks as the pages are.

mod docx;
mod fonts;
mod manuscript;
mod markdown;
mod paper;
mod pdf;
#[cfg(test)]
pub(crate) mod samples;

pub(crate) use docx::ABOUT;
#[cfg(test)]
pub(crate) use docx::docx;
pub(crate) use manuscript::Manuscript;
pub(crate) use paper::{Paper, Piece};
pub(crate) use pdf::PressError;

use crate::kept::Kept;
use crate::releases::Frozen;
use crate::seal::Statement;
use accord_document::ids::Digest;
use accord_document::model::release::Released;
use pdf::{Attachment, Press};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many files are made at the same time: more would only take the processors from those who write.
const AT_ONCE: usize = 2;

/// What all files of releases kept in memory may take together, in bytes.
const BUDGET: usize = 32 * 1024 * 1024;

/// Of how many releases it is remembered whether they can be set.
const TOLD: usize = 1_000;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Public {
    /// Milliseconds since the Unix epoch.
    pub(crate) since: u64,
    /// The time zone of its launch (IANA).
    pub(crate) zone: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Makes files, a few at a time, and keeps those of releases for a while. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    press: Press,
    turns: Semaphore,
    kept: Kept<Made, Arc<Vec<u8>>>,
    /// Whether a text, by its digest, can be set.
    has_fonts: Kept<Digest, bool>,
}

/// What a file is made of: the digest of its text, since when that is public, and the kind.
type Made = (Digest, Option<Public>, Kind);

impl Printer {
    /// With the fonts inside, and those of a folder.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(crate) fn new(fonts: Option<&Path>) -> std::io::Result<Self> {
        let press = Press::new(fonts)?;
        let turns = Semaphore::new(AT_ONCE);
        let (kept, has_fonts) = (Kept::new(BUDGET), Kept::new(TOLD));
        Ok(Self { shared: Arc::new(Shared { press, turns, kept, has_fonts }) })
    }

    /// The kinds of file that can be made of a release: looked for once, since every look at its page asks.
    pub(crate) fn kinds(&self, frozen: &Frozen) -> Vec<Kind> {
        let (digest, shared) = (frozen.statement.digest, &self.shared);
        let has_fonts = shared.has_fonts.get(&digest).unwrap_or_else(|| {
            let has_fonts = shared.press.has_fonts_for(&frozen.released);
            shared.has_fonts.put(digest, has_fonts, 1);
            has_fonts
        });
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Pdf || has_fonts).collect()
    }

    /// A release as a file.
    ///
    /// # Errors
    /// When there are no fonts for it.
    pub(crate) async fn release(
        &self,
        frozen: Arc<Frozen>,
        public: Option<Public>,
        base: String,
        kind: Kind,
    ) -> Result<Arc<Vec<u8>>, PressError> {
        let key = (frozen.statement.digest, public.clone(), kind);
        if let Some(known) = self.shared.kept.get(&key) {
            return Ok(known);
        }
        let turn = self.turn().await?;
        // Whoever was before may have made it.
        if let Some(known) = self.shared.kept.get(&key) {
            return Ok(known);
        }
        let make = move |press: &Press| {
            let statement = &frozen.statement;
            let origin = Origin::Release { statement, public: public.as_ref(), base: &base };
            let paper = Paper::of(&frozen.released, &origin);
            let signed = Attachment { name: "release.json", bytes: &frozen.file };
            let text = &frozen.released;
            print(press, (&paper, text), kind, statement.frozen, Some(signed))
        };
        let bytes = Arc::new(self.print(turn, make).await?);
        self.shared.kept.put(key, bytes.clone(), bytes.len());
        Ok(bytes)
    }

    /// A draft as a file. `time` is now, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When there are no fonts for it.
    pub(crate) async fn draft(
        &self,
        released: Released,
        plan_title: String,
        time: u64,
        kind: Kind,
    ) -> Result<Vec<u8>, PressError> {
        let make = move |press: &Press| {
            let paper = Paper::of(&released, &Origin::Draft { plan_title: &plan_title, time });
            print(press, (&paper, &released), kind, time, None)
        };
        self.print(self.turn().await?, make).await
    }

    /// A draft as DOCX, with what changed in it. `authors` are the names behind its traces.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) async fn tracked(
        &self,
        (released, manuscript): (Released, Manuscript),
        authors: Vec<String>,
        plan_title: String,
        time: u64,
    ) -> Result<Vec<u8>, PressError> {
        let make = move |_: &Press| {
            let paper = Paper::of(&released, &Origin::Draft { plan_title: &plan_title, time });
            Ok(docx::docx(&paper, &manuscript, &authors, time))
        };
        self.print(self.turn().await?, make).await
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, PressError> {
        self.shared.turns.acquire().await.map_err(|closed| PressError::Failed(closed.to_string()))
    }

    async fn print<T: Send + 'static>(
        &self,
        turn: SemaphorePermit<'_>,
        make: impl FnOnce(&Press) -> Result<T, PressError> + Send + 'static,
    ) -> Result<T, PressError> {
        let shared = self.shared.clone();
        let made = tokio::task::spawn_blocking(move || make(&shared.press)).await;
        drop(turn);
        made.map_err(|panicked| PressError::Failed(panicked.to_string()))?
    }
}

fn print(
    press: &Press,
    (paper, released): (&Paper, &Released),
    kind: Kind,
    time: u64,
    attachment: Option<Attachment<'_>>,
) -> Result<Vec<u8>, PressError> {
    Ok(match kind {
        Kind::Pdf => press.pdf(paper, time, attachment)?,
        Kind::Docx => docx::docx(paper, &Manuscript::of(released), &[], time),
        Kind::Html => crate::pages::paper(paper).html().into_bytes(),
        Kind::Markdown => markdown::markdown(paper).into_bytes(),
    })
}
