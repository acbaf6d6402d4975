//! The reasons for which an update is refused.

use super::scan_error::ScanError;
use crate::limits;
use thiserror::Error;

/// The reason why an update, or a part of one, is not integrated. Nothing of what is refused enters the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The error messages describe the variants.
pub enum Refusal {
    #[error(transparent)]
    Scan(ScanError),
    #[error("the update skips clocks of client {client}: {expected} comes next")]
    Gap { client: u64, expected: u32 },
    #[error("the update refers to content that is not here")]
    Unknown,
    #[error("the update deletes content that does not exist yet")]
    DeleteAhead,
    #[error("the update leaves several values under one key")]
    SeveralValues,
    #[error("client id {client} belongs to somebody else")]
    Forged { client: u64 },
    #[error("the update puts content in a place where nobody could have written it")]
    Misplaced,
    #[error("the update inserts content between two points that are too far apart")]
    TooManyBetween,
    #[error("the update splits the text into too many pieces")]
    Fragmented,
    #[error("the text would have too much formatting, or too long links")]
    TooMuchFormatting,
    #[error("the update contains more than {} items", limits::MAX_ITEMS_PER_UPDATE)]
    TooManyItems,
    #[error("shared types are nested more than {} levels deep", limits::MAX_NESTING_DEPTH)]
    TooDeep,
    #[error("the update contains content of more than {} clients", limits::MAX_CLIENTS_PER_UPDATE)]
    TooManyClients,
    #[error("the document would exceed {} MiB", limits::MAX_STATE_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("your role allows you to read this text, but not to change it")]
    ReadOnly,
    #[error("this text is frozen: both sides have signed it, and it can't be changed")]
    Frozen,
    #[error("this was written before the text was frozen, so it is not part of the next draft")]
    EarlierDraft,
}

impl Refusal {
    /// Returns whether the update may be right, and only content that it builds on may be missing here. The sender is
    /// then asked to sync again from the start. After any other refusal, it learns that its update is refused.
    #[must_use]
    pub fn asks_for_resync(self) -> bool {
        matches!(
            self,
            Self::Scan(ScanError::Pending)
                | Self::Gap { .. }
                | Self::Unknown
                | Self::DeleteAhead
                | Self::SeveralValues
        )
    }

    /// Returns a stable name of the refusal for metrics, logs and the note `refused`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Scan(ScanError::Read(_) | ScanError::Malformed(_)) => "malformed",
            Self::Scan(ScanError::TooDeep) | Self::TooDeep => "too_deep",
            Self::Scan(ScanError::Pending) => "pending",
            Self::Gap { .. } => "gap",
            Self::Unknown => "unknown_content",
            Self::DeleteAhead => "delete_ahead",
            Self::SeveralValues => "several_values",
            Self::Forged { .. } => "forged_client",
            Self::Misplaced => "misplaced",
            Self::TooManyBetween => "tangled",
            Self::Fragmented => "fragmented",
            Self::TooManyItems => "too_many_items",
            Self::TooMuchFormatting => "too_much_formatting",
            Self::TooManyClients => "too_many_clients",
            Self::TooLarge => "too_large",
            Self::ReadOnly => "read_only",
            Self::Frozen => "frozen",
            Self::EarlierDraft => "earlier_draft",
        }
    }
}

impl From<ScanError> for Refusal {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}
