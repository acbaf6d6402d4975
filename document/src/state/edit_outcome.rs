//! The outcome of an edit whose cost could delay others (rule C8).

use crate::ledger::Entry;
use crate::update::{Claim, Splits, UpdatePart};
use std::fmt;

/// The outcome of an edit that can be integrated in parts.
#[derive(Debug)]
pub enum EditOutcome {
    /// The edit was integrated. The value is the entry to append, or `None` if the edit added nothing.
    Taken(Option<Entry>),
    /// The edit costs more than one turn allows. Pass the value to [`crate::state::DocumentState::continue_edit`] in
    /// the edit's next turn.
    NeedsMoreTurns(LargeEdit),
    /// The edit costs more than one turn allows, and nothing of it is integrated yet. Integrate these parts in their
    /// order, one in each turn.
    InParts(Vec<UpdatePart>),
}

/// An update that needs three further turns: two to check it as a whole, and one to cut it into parts.
pub struct LargeEdit {
    pub(super) update: Vec<u8>,
    pub(super) claims: Vec<Claim>,
    pub(super) next: NextTurn,
}

/// The task of a large edit's next turn.
pub(super) enum NextTurn {
    /// Check the cost of integrating the update.
    Costs,
    /// Check that the origins of the update's elements are possible. The value is the estimate of the splits that the
    /// update causes.
    Places(Splits),
    Cut,
}

impl fmt::Debug for LargeEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeEdit").field("bytes", &self.update.len()).finish_non_exhaustive()
    }
}

impl LargeEdit {
    pub(super) fn new(update: Vec<u8>, claims: Vec<Claim>) -> Self {
        Self { update, claims, next: NextTurn::Costs }
    }

    /// Returns the whole update.
    #[must_use]
    pub fn update(&self) -> &[u8] {
        &self.update
    }
}
