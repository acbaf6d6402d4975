//! Releases: the path of a text to its signatures, the form that is signed, and content that can't be signed.
//!
//! - [`Releases`] is the path of a document to its releases, made by applying the steps in its ledger.
//! - [`canonical`] is the form whose digest both sides sign.
//! - `unreleasable` finds content that nobody may sign, because readers can't see it.
//! - [`outline`] is the order in which a release is shown.
//!
//! Nothing in this module appends to a ledger. That is the task of [`crate::state`].

pub mod canonical;
mod lifecycle;
pub mod outline;
mod proposal;
#[cfg(feature = "digest")]
mod release_digest;
mod step_error;
#[cfg(feature = "readable")]
pub mod unreleasable;

pub use lifecycle::Releases;
pub use proposal::{Mark, Proposal, ProposalStatus, Release};
pub use step_error::StepError;
