//! The request to read one file, and its result, both in a form that can be sent to another process.

use crate::error::ImportError;
use crate::import::import;
use crate::place::Placed;
use accord_document::model::Draft;
use accord_document::model::MilestoneDraft;
use accord_document::model::delta::Op;
use accord_document::template::{FIELDS, NOTES};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A request to read one file. The bytes of the file are sent separately.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportJob<'a> {
    /// The name of the file. Its extension selects the format.
    pub name: Cow<'a, str>,
    /// The language of the text (BCP 47).
    pub language: Cow<'a, str>,
}

impl ImportJob<'_> {
    /// Reads the file and makes a commitment from it.
    ///
    /// # Errors
    /// Returns an error if the file is not Word or Markdown, is damaged, contains no text, or exceeds a limit.
    pub fn read(&self, file: &[u8]) -> Result<PlacedFile, ImportError> {
        import(&self.name, file, &self.language).map(PlacedFile::from)
    }
}

/// A commitment made from a file, in a form that can be sent to another process.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlacedFile {
    texts: Vec<(String, Vec<Op>)>,
    milestones: Vec<MilestoneDraft>,
    facts: Vec<(String, String)>,
    pictures: usize,
}

impl From<Placed> for PlacedFile {
    fn from(Placed { draft, pictures, .. }: Placed) -> Self {
        Self {
            texts: draft.texts.into_iter().map(|(key, ops)| (key.to_owned(), ops)).collect(),
            milestones: draft.milestones,
            facts: draft.facts,
            pictures,
        }
    }
}

impl From<PlacedFile> for Placed {
    /// Rebuilds the placed draft from the answer of the child process. Leaves out texts under keys that the template
    /// lacks; the child never sends any.
    fn from(file: PlacedFile) -> Self {
        let known = |(key, ops): (String, Vec<Op>)| {
            FIELDS.iter().find(|field| field.key == key).map(|field| (field.key, ops))
        };
        let draft = Draft {
            texts: file.texts.into_iter().filter_map(known).collect(),
            milestones: file.milestones,
            facts: file.facts,
        };
        let says = |key: &str| draft.texts.iter().any(|(known, _)| *known == key);
        let fields = FIELDS.iter().map(|field| field.key);
        let fields = fields.filter(|key| *key != NOTES && says(key)).collect();
        let has_notes = says(NOTES);
        Self { draft, fields, has_notes, pictures: file.pictures }
    }
}
