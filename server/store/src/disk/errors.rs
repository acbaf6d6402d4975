//! Turns errors of the disk and of the log, and panics of sled, into errors of the store.

use crate::StoreError;
use crate::log::LogError;
use std::any::Any;
use std::io::{self, ErrorKind};

impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Damaged(what) => Self::Damaged(what),
            LogError::NoSegment(error) if error.kind() == ErrorKind::StorageFull => Self::Full,
            LogError::NoSegment(error) | LogError::Io(error) => {
                Self::Failed(format!("the log: {error}"))
            }
        }
    }
}

/// Returns the error of the store for an error of the disk.
pub(super) fn failed(error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::StorageFull {
        StoreError::Full
    } else {
        StoreError::Failed(error.to_string())
    }
}

/// Returns the message of a panic.
pub(super) fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}
