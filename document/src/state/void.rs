//! Why an entry changes nothing: each kind of entry keeps its own reason.

use crate::body::{MAX_REASON_CHARS, VersionError};
use crate::release::StepError;
use crate::update::Refusal;
use thiserror::Error;

/// Why an entry that stands in a ledger is void. It is known in memory alone: the ledger's bytes are the same for
/// entries that were applied and for void ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VoidReason {
    /// The update of an edit may not be integrated.
    #[error(transparent)]
    Update(#[from] Refusal),
    /// The passage may not be taken out.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// The moment may not be named.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The step may not be taken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Only the installation itself, as its administrator, begins another lineage.
    #[error("only the installation's administrator restores a backup")]
    NotAdministrator,
}

/// Why a passage is not taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RedactionError {
    /// The seat does not permit it.
    #[error("this seat may not take a passage out")]
    Seat,
    /// There is no reason, or it is too long.
    #[error("a redaction needs a reason of 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// The deletion may not be integrated.
    #[error(transparent)]
    Update(#[from] Refusal),
}
