//! The label of an invitation: the words with which its author described the person for whom it is meant.
//!
//! The label is kept outside the plan's ledger, which contains only the digests of invitations. It is removed once the
//! invitation is used or withdrawn.

use super::{People, Result, get};
use crate::store::{StoreError, Swap};
use accord_document::ids::Digest;
use serde::{Deserialize, Serialize};

const INVITED: &str = "invited";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invited {
    /// A name, an office, or any other text that distinguishes the invitation from others.
    pub label: String,
}

impl People {
    pub(crate) fn note_invited(&self, all: &[(Digest, Invited)]) -> Result<()> {
        let swaps: Result<Vec<Swap>> = all
            .iter()
            .map(|(digest, invited)| super::new(INVITED, &digest.to_string(), invited))
            .collect();
        self.store.swap_all(&swaps?)
    }

    pub(crate) fn invited(&self, digest: &Digest) -> Result<Option<Invited>> {
        get(&*self.store, INVITED, &digest.to_string())
    }

    pub(crate) fn forget_invited(&self, digest: &Digest) -> Result<()> {
        let key = digest.to_string();
        let Some(record) = self.store.get(INVITED, &key)? else { return Ok(()) };
        match self.store.swap(INVITED, &key, Some(record.revision), None) {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }
}
