//! A turn that may take long, and waits until nothing else waits for the disk.

use super::event::RoomEvent;
use super::turns::Turn;

pub(super) struct Postponed {
    pub(super) turn: Turn<RoomEvent>,
    /// Whether turns of others come before it.
    pub(super) others_pass: bool,
}
