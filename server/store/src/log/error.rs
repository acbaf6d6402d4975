//! Why a log can't be read or written.

use std::io;
use thiserror::Error;

/// The reason why a log can't be read or written.
#[derive(Debug, Error)]
pub(crate) enum LogError {
    /// The log is not as it was written. The text says where.
    #[error("{0}")]
    Damaged(String),
    /// No file for the next batch could be made. Nothing of the batch was written.
    #[error("no file for the log can be made: {0}")]
    NoSegment(io::Error),
    /// The disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
