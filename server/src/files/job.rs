//! A file to be made, as a child process is told: all that it is made of.

use super::pdf::{Attachment, Press, PressError};
use super::{Kind, Manuscript, Origin, Paper, Public, docx, markdown};
use crate::seal::Statement;
use accord_document::release::canonical::Released;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;

/// One file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileJob<'a> {
    pub(super) kind: Kind,
    /// Of the text, in milliseconds since the Unix epoch.
    pub(super) time: u64,
    pub(super) text: Cow<'a, Released>,
    pub(super) source: Source<'a>,
    /// What changed in it, for a DOCX that shows that, and the names behind its traces.
    pub(super) changes: Option<(Manuscript, Vec<String>)>,
    /// The folder of the operator's fonts.
    pub(super) fonts: Option<PathBuf>,
}

/// Where a text comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Source<'a> {
    Draft { plan_title: String },
    Release { statement: Box<Cow<'a, Statement>>, public: Option<Public>, base: String },
}

impl FileJob<'_> {
    /// What PDF is set with; other files need nothing.
    ///
    /// # Errors
    /// When the operator's fonts can't be read.
    pub(crate) fn press(&self) -> std::io::Result<Option<Press>> {
        match self.kind {
            Kind::Pdf => Press::new(self.fonts.as_deref()).map(Some),
            Kind::Docx | Kind::Html | Kind::Markdown => Ok(None),
        }
    }

    /// The file. `attached` is the signed file of a release, which its PDF holds.
    ///
    /// # Errors
    /// When it can't be set.
    pub(crate) fn make(
        &self,
        press: Option<&Press>,
        attached: &[u8],
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
            (Kind::Pdf, Some(press)) => {
                let signed = Attachment { name: "release.json", bytes: attached };
                press.pdf(paper, time, is_release.then_some(signed))?
            }
            (Kind::Pdf, None) => return Err(PressError::Failed("no fonts were loaded".into())),
            (Kind::Docx, _) => match &self.changes {
                Some((manuscript, authors)) => docx::docx(&paper, manuscript, authors, time),
                None => docx::docx(&paper, &Manuscript::of(text), &[], time),
            },
            (Kind::Html, _) => crate::pages::paper(&paper).html().into_bytes(),
            (Kind::Markdown, _) => markdown::markdown(&paper).into_bytes(),
        })
    }
}
