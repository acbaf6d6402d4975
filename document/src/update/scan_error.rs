//! Why bytes are no update that may be decoded.

use crate::lib0::ReadError;
use crate::limits;
use thiserror::Error;

/// Why bytes are not an update that this server integrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum ScanError {
    #[error("the update is malformed: {0}")]
    Read(#[from] ReadError),
    #[error("the update is malformed: {0}")]
    Malformed(&'static str),
    #[error("the update nests values more than {} deep", limits::MAX_NESTING_DEPTH)]
    TooDeep,
    #[error("the update is incomplete")]
    Pending,
}
