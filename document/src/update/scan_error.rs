//! The errors of scanning the bytes of an update.

use crate::lib0::ReadError;
use crate::limits;
use thiserror::Error;

/// The reason why bytes are not an update that the server integrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The error messages describe the variants.
pub enum ScanError {
    #[error("the update is malformed: {0}")]
    Read(#[from] ReadError),
    #[error("the update is malformed: {0}")]
    Malformed(&'static str),
    #[error("the update nests values more than {} levels deep", limits::MAX_NESTING_DEPTH)]
    TooDeep,
    #[error("the update is incomplete")]
    Pending,
}
