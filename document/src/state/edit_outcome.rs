//! The outcome of an edit whose cost could delay others (rule C8).

use crate::ledger::Entry;
use crate::update::{Claim, UpdatePart};
use std::fmt;

/// The outcome of an edit that can be integrated in parts.
#[derive(Debug)]
pub enum EditOutcome {
    /// The edit was integrated. The value is the entry to append, or `None` if the edit added nothing.
    Taken(Option<Entry>),
    /// The edit is so large that it can cost more than one turn allows, and nothing of it is integrated yet. Check it as a
    /// whole with
    /// [`crate::state::DocumentState::begin_check`].
    NeedsCheck(LargeEdit),
    /// The edit costs more than one turn allows, and nothing of it is integrated yet. Integrate these parts in their
    /// order, one in each turn, with [`crate::state::DocumentState::edit_part`].
    InParts(Vec<UpdatePart>),
}

/// An update that is checked as a whole before its first part is integrated.
pub struct LargeEdit {
    pub(super) update: Vec<u8>,
    pub(super) claims: Vec<Claim>,
}

impl fmt::Debug for LargeEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeEdit").field("bytes", &self.update.len()).finish_non_exhaustive()
    }
}

impl LargeEdit {
    /// Creates a large edit from an update that nobody has checked, and the claims about the characters that it inserts.
    #[must_use]
    pub fn new(update: Vec<u8>, claims: Vec<Claim>) -> Self {
        Self { update, claims }
    }
}
