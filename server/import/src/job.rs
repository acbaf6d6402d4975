//! One file to be read, as it is handed to another process, and the answer.

use crate::error::ImportError;
use crate::import::import;
use crate::place::Placed;
use accord_document::model::Draft;
use accord_document::model::MilestoneDraft;
use accord_document::model::delta::Op;
use accord_document::template::{FIELDS, NOTES};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One file. Its bytes come beside it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportJob<'a> {
    /// Its name tells what it is.
    pub name: Cow<'a, str>,
    /// Of its text (BCP 47).
    pub language: Cow<'a, str>,
}

impl ImportJob<'_> {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is no file that can be read, or holds no text, or too much.
    pub fn read(&self, file: &[u8]) -> Result<PlacedFile, ImportError> {
        import(&self.name, file, &self.language).map(PlacedFile::from)
    }
}

/// A commitment made of a file, to be handed from one process to another.
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
    /// What belongs to no field of the template is left out: a child that answers so is not one of ours.
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
