//! The commitment itself.
//!
//! [`delta`] is the flat text each field holds, [`content`] what a
//! document says at a moment, `blocks` how its readers are shown it, [`completeness`] whether it is ready to freeze, `strange` what in it
//! can't be frozen and `cleaning` how it can go, [`release`] what is and [`outline`] how that is arranged, and [`Replica`] the editor's own copy, with undo and change
//! events.

#[cfg(feature = "readable")]
pub mod blocks;
#[cfg(feature = "readable")]
pub mod cleaning;
pub mod completeness;
pub mod content;
pub mod delta;
mod draft;
mod locate;
mod milestone;
pub mod order;
mod replica;

pub use draft::{Draft, seed};
pub use locate::locate;
#[cfg(feature = "readable")]
pub(crate) use milestone::{MAX_MILESTONE_ID_CHARS, is_milestone_id};
pub use milestone::{Milestone, MilestoneDraft};
pub use replica::{ApplyError, Replica, ReplicaChange, Target};
