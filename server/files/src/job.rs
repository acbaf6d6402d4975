//! One file to be made, with all that it is made of, as it is handed to another process.

use crate::docx::docx;
use crate::kind::FileKind;
use crate::manuscript::Manuscript;
use crate::markdown::markdown;
use crate::origin::{Origin, Publication};
use crate::paper::Paper;
use crate::pdf::{Attachment, Press, PressError};
use accord_document::release::canonical::Released;
use accord_signing::Statement;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;

/// The order to make one file.
#[derive(Debug, Serialize, Deserialize)]
pub struct FileJob<'a> {
    /// What it is to be.
    pub kind: FileKind,
    /// Of the text, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The text.
    pub text: Cow<'a, Released>,
    /// Where the text comes from.
    pub source: Source<'a>,
    /// What changed in it, for a DOCX that shows that, and the names behind its traces.
    pub changes: Option<(Manuscript, Vec<String>)>,
    /// The folder of the operator's fonts.
    pub fonts: Option<PathBuf>,
}

/// Where a text comes from.
#[derive(Debug, Serialize, Deserialize)]
pub enum Source<'a> {
    /// A draft of a plan.
    Draft {
        /// The title of the plan.
        plan_title: String,
    },
    /// A release.
    Release {
        /// What was signed.
        statement: Box<Cow<'a, Statement>>,
        /// Where it is public, if it is.
        public: Option<Publication>,
        /// The address of the installation.
        base: String,
    },
}

impl FileJob<'_> {
    /// What PDF is set with; other files need nothing.
    ///
    /// # Errors
    /// When the operator's fonts can't be read.
    pub fn press(&self) -> std::io::Result<Option<Press>> {
        match self.kind {
            FileKind::Pdf => Press::new(self.fonts.as_deref()).map(Some),
            FileKind::Docx | FileKind::Html | FileKind::Markdown => Ok(None),
        }
    }

    /// The file. `attached` is the signed file of a release, which its PDF holds. `html` renders a paper as a page.
    ///
    /// # Errors
    /// When it can't be set.
    pub fn make(
        &self,
        press: Option<&Press>,
        attached: &[u8],
        html: impl FnOnce(&Paper) -> String,
    ) -> Result<Vec<u8>, PressError> {
        let (text, time) = (&*self.text, self.time);
        let (origin, is_release) = match &self.source {
            Source::Draft { plan_title } => (Origin::Draft { plan_title, time }, false),
            Source::Release { statement, public, base } => {
                (Origin::Release { statement, public: public.as_ref(), base }, true)
            }
        };
        let paper = Paper::of(text, &origin);
        Ok(match (self.kind, press) {
            (FileKind::Pdf, Some(press)) => {
                let signed = Attachment { name: "release.json", bytes: attached };
                press.pdf(paper, time, is_release.then_some(signed))?
            }
            (FileKind::Pdf, None) => return Err(PressError::Failed("no fonts were loaded".into())),
            (FileKind::Docx, _) => match &self.changes {
                Some((manuscript, authors)) => docx(&paper, manuscript, authors, time),
                None => docx(&paper, &Manuscript::of(text), &[], time),
            },
            (FileKind::Html, _) => html(&paper).into_bytes(),
            (FileKind::Markdown, _) => markdown(&paper).into_bytes(),
        })
    }
}
