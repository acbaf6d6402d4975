//! The errors of opening a document or reading its ledger.

use crate::fair_queue::Busy;
use crate::store::StoreError;
use accord_document::ledger::LedgerError;
use accord_document::sync::Denied;
use accord_document::update::ScanError;
use thiserror::Error;

/// The reason why a document can't be opened, or its ledger can't be read.
#[derive(Debug, Clone, Error)]
pub(crate) enum OpenError {
    #[error("there is no such document")]
    Missing,
    /// The person's session has ended, or the person may not read the document. Either can have happened after the
    /// server accepted the connection, so both are checked again when the connection joins the room.
    #[error("the document is not shared with this person")]
    Denied(Denied),
    /// While a change waited for its turn, the person's role in the plan changed, or the document or its plan was closed to
    /// changes.
    #[error("what this person may do in the document has changed")]
    RoleChanged,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the document's ledger is damaged: {0}")]
    Ledger(#[from] LedgerError),
    #[error("the document's history is too long to be shown")]
    TooLong,
    /// There are too many requests of this requester, or of all requesters together.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The documents that this person has open take too much memory together.
    #[error(
        "You have too many large commitments open. Close some of them, then open this one again."
    )]
    TooMuchOpen,
    #[error("the server is stopping")]
    Stopping,
}

impl OpenError {
    /// Whether the stored data of a document that its plan names is damaged or lost. Other errors are about the caller
    /// or about the length of a history, or they can pass.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Missing | Self::Store(StoreError::Damaged(_)) | Self::Ledger(_))
    }
}

impl From<ScanError> for OpenError {
    fn from(error: ScanError) -> Self {
        StoreError::Damaged(error.to_string()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of documents in a plan calls a document damaged only if `is_damage` is true. Only such a document can
    /// be deleted although nobody can tell whether it has a release.
    #[test]
    fn a_failure_that_can_pass_is_no_damage() {
        assert!(OpenError::Missing.is_damage());
        assert!(OpenError::from(StoreError::Damaged("a hash".into())).is_damage());
        for passing in [StoreError::Failed("once".into()), StoreError::Full, StoreError::Conflict] {
            assert!(!OpenError::from(passing).is_damage());
        }
        for busy in [OpenError::Busy(Busy::Server), OpenError::Stopping, OpenError::TooMuchOpen] {
            assert!(!busy.is_damage());
        }
    }
}
