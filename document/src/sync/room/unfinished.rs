//! What is left of a frame after its turn: the parts of a large edit, and the messages behind it (rule C8).

use crate::state::LargeEdit;
use crate::update::{Claim, UpdatePart};

/// What is left of the frame of a connection.
#[derive(Debug)]
pub(super) enum Unfinished {
    Edit(UnfinishedEdit),
    /// Whole messages, one behind the other.
    Messages(Vec<u8>),
}

/// An edit that is taken in several turns.
#[derive(Debug)]
pub(super) struct UnfinishedEdit {
    pub(super) number: Option<u64>,
    /// Whether nothing of the edit is left after this.
    pub(super) is_last: bool,
    pub(super) rest: EditRest,
}

/// What is taken next of an edit.
#[derive(Debug)]
pub(super) enum EditRest {
    /// The whole of it has to be checked further.
    Large(LargeEdit),
    Part(UpdatePart),
}

/// What of an edit is taken in a turn.
pub(super) enum EditStep<'a> {
    /// The whole of it or a part, with what is claimed of it.
    Update(&'a [u8], Vec<Claim>),
    Large(LargeEdit),
}

impl EditStep<'_> {
    pub(super) fn update(&self) -> &[u8] {
        match self {
            Self::Update(update, _) => update,
            Self::Large(large) => large.update(),
        }
    }
}
