//! The request to make one file, with all the input that this needs, in a form that can be sent to another process.

use crate::docx_writer::docx;
use crate::kind::FileKind;
use crate::manuscript::Manuscript;
use crate::markdown_writer::markdown;
use crate::origin::{Origin, Publication};
use crate::paper::Paper;
use crate::pdf::{Attachment, Press, PressError};
use accord_document::release::canonical::Released;
use accord_signing::Statement;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;

/// A request to make one file, with all the input that this needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct FileJob<'a> {
    /// The kind of file to make.
    pub kind: FileKind,
    /// The time of the text, in milliseconds since the Unix epoch: when a release was frozen, or when a draft was read.
    pub time: u64,
    /// The text of the file: a release, or a draft in the form of a release.
    pub text: Cow<'a, Released>,
    /// The origin of the text: a draft or a release.
    pub origin: JobOrigin<'a>,
    /// The changes to show in a DOCX, and the names of their authors. `None` if no changes are to be shown.
    pub changes: Option<(Manuscript, Vec<String>)>,
    /// The folder with the operator's own fonts, if there is one.
    pub fonts: Option<PathBuf>,
}

/// The origin of a text, like [`Origin`], but in a form that can be sent to another process.
#[derive(Debug, Serialize, Deserialize)]
pub enum JobOrigin<'a> {
    /// The draft of a commitment.
    Draft {
        /// The title of the plan that the commitment belongs to.
        plan_title: String,
    },
    /// A release.
    Release {
        /// The signed statement of the release.
        statement: Box<Cow<'a, Statement>>,
        /// The publication of the release, or `None` if it is not public.
        public: Option<Publication>,
        /// The address of the installation, with which the address of the release begins.
        base: String,
    },
}

impl FileJob<'_> {
    /// Returns the typesetter for a PDF, or `None` for the other kinds of file, which need none.
    ///
    /// # Errors
    /// Returns an error if the operator's fonts can't be read.
    pub fn press(&self) -> std::io::Result<Option<Press>> {
        match self.kind {
            FileKind::Pdf => Press::new(self.fonts.as_deref()).map(Some),
            FileKind::Docx | FileKind::Html | FileKind::Markdown => Ok(None),
        }
    }

    /// Makes the file. `attached` is the signed file of a release, which its PDF contains as an attachment. `html`
    /// renders a paper as a web page.
    ///
    /// # Errors
    /// Returns an error if the job is for a PDF, and the PDF can't be typeset or `press` is `None`.
    pub fn make(
        &self,
        press: Option<&Press>,
        attached: &[u8],
        html: impl FnOnce(&Paper) -> String,
    ) -> Result<Vec<u8>, PressError> {
        let (text, time) = (&*self.text, self.time);
        let (origin, is_release) = match &self.origin {
            JobOrigin::Draft { plan_title } => (Origin::Draft { plan_title, time }, false),
            JobOrigin::Release { statement, public, base } => {
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
