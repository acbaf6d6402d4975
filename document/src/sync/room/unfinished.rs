//! What is left of a frame after its turn: the parts of a large edit, and the messages behind it (rule C8).

use crate::update::UpdatePart;

/// What is left of the frame of a connection.
#[derive(Debug)]
pub(super) enum Unfinished {
    Part(EditPart),
    /// Whole messages, one behind the other.
    Messages(Vec<u8>),
}

/// A part of an edit that is taken in several turns.
#[derive(Debug)]
pub(super) struct EditPart {
    pub(super) number: Option<u64>,
    pub(super) is_last: bool,
    pub(super) part: UpdatePart,
}
