//! The rest of a frame that one turn could not handle: the parts of a large edit, and the messages after the edit
//! (rule C8).

use crate::state::{CheckedEdit, LargeEdit};
use crate::update::{Claim, UpdatePart};

/// A piece of a connection's frame that is left for later turns.
#[derive(Debug)]
pub(super) enum Unfinished {
    Edit(UnfinishedEdit),
    /// Whole messages, one after the other, in their encoded form.
    Messages(Vec<u8>),
}

/// An edit, or a part of one, that is left for later turns.
#[derive(Debug)]
pub(super) struct UnfinishedEdit {
    pub(super) number: Option<u64>,
    /// Whether nothing of the edit is left after this piece.
    pub(super) is_last: bool,
    pub(super) rest: EditRest,
}

/// The next piece of an edit.
#[derive(Debug)]
pub(super) enum EditRest {
    /// A large edit that is not checked yet.
    Large(LargeEdit),
    /// A large edit that is being checked outside the room.
    BeingChecked,
    Part(UpdatePart),
}

/// The piece of an edit that is taken in one turn.
pub(super) enum EditStep<'a> {
    /// An update as it was sent, and the claims about its characters.
    Update(&'a [u8], Vec<Claim>),
    /// A part of a large edit.
    Part(UpdatePart),
    /// A large edit that was checked as a whole.
    Checked(CheckedEdit),
}
