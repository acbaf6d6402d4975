//! Releases: the path of a text to its signatures, what is signed, and what can't be.
//!
//! [`lifecycle`](Releases) is the path, as the steps in a ledger make it; [`canonical`] is the form whose digest both
//! sides sign; `unreleasable` names content that nobody may sign, because readers can't see it; [`outline`] is the
//! order in which a release is shown. Nothing here appends to a ledger: [`crate::state`] does.

pub mod canonical;
mod lifecycle;
pub mod outline;
mod proposal;
mod step_error;
#[cfg(feature = "readable")]
pub mod unreleasable;

pub use lifecycle::Releases;
pub use proposal::{Mark, Proposal, ProposalStatus, Release};
pub use step_error::StepError;
