//! What becomes of an edit that others must not wait for (rule C8).

use crate::ledger::Entry;
use crate::update::{Claim, Splits, UpdatePart};
use std::fmt;

/// What became of an edit that may be taken in parts.
#[derive(Debug)]
pub enum EditOutcome {
    /// It was integrated. There is no entry when it adds nothing.
    Taken(Option<Entry>),
    /// It costs more than one turn may. Pass it to [`crate::state::DocumentState::continue_edit`] in its next turn.
    GoesOn(LargeEdit),
    /// It costs more than one turn may. Nothing of it is integrated yet: its parts are to be handed in one after the other.
    InParts(Vec<UpdatePart>),
}

/// An update that takes further turns: two in which the whole of it is checked, and one in which it is cut.
pub struct LargeEdit {
    pub(super) update: Vec<u8>,
    pub(super) claims: Vec<Claim>,
    pub(super) next: NextTurn,
}

/// What a large edit's next turn is for.
pub(super) enum NextTurn {
    /// To look how much integrating it costs.
    Costs,
    /// To look whether its elements can have been written where they say. Integrating it splits so much.
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

    /// The whole update.
    #[must_use]
    pub fn update(&self) -> &[u8] {
        &self.update
    }
}
