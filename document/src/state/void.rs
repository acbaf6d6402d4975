//! The reasons why an entry changes nothing, for each kind of entry.

use crate::body::{MAX_REDACTION_REASON_CHARS, VersionError};
use crate::release::StepError;
use crate::update::Refusal;
use thiserror::Error;

/// The reason why a stored entry is void. The reason is kept only in memory: nothing in a ledger marks an entry as
/// applied or as void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VoidReason {
    /// The update of an edit is refused.
    #[error(transparent)]
    Update(#[from] Refusal),
    /// The redaction is refused.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// The version can't be named.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The step is not allowed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The actor is not an administrator, so they can't begin a new lineage for the installation.
    #[error("only an administrator can restore a backup")]
    NotAdministrator,
}

/// The reason why a redaction is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RedactionError {
    /// The seat does not permit redactions.
    #[error("this role may not redact a passage")]
    Seat,
    /// The redaction's own reason is empty or too long.
    #[error("a redaction needs a reason of 1 to {MAX_REDACTION_REASON_CHARS} characters")]
    Reason,
    /// The deletion can't be integrated.
    #[error(transparent)]
    Update(#[from] Refusal),
}
