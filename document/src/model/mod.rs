//! The commitment itself: the texts, milestones and dates of a document.
//!
//! - [`delta`] is the flat text of a field; `target` says which text is meant.
//! - [`content`] is all that a document says at a moment; `blocks` are its paragraphs as readers see them.
//! - [`completeness`] says whether it is ready to be frozen; `cleaning` takes out what can't be frozen.
//! - [`Replica`] is the editor's own copy, with undo and events of changes.

pub mod attributes;
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
mod target;

pub use draft::{Draft, seed};
pub use locate::locate;
#[cfg(feature = "readable")]
pub(crate) use milestone::{MAX_MILESTONE_ID_CHARS, is_milestone_id};
pub use milestone::{Milestone, MilestoneDraft};
pub use replica::{ApplyError, Replica, ReplicaChange};
pub use target::Target;
