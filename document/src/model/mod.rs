//! The content of a commitment: the texts, milestones and dates of a document.
//!
//! - [`delta`] is the flat text of a field, and [`Target`] names one text of a document.
//! - [`content`] is the whole visible content of a document; `blocks` divides a text into paragraphs, as readers see
//!   it.
//! - [`completeness`] lists what a commitment still needs before it is frozen; `cleaning` removes hidden characters,
//!   which nobody may sign.
//! - [`Replica`] is the editor's own copy of a document, with undo and a log of changes.

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
