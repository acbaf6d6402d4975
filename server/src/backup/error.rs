//! The errors of writing and restoring a backup.

use crate::store::StoreError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// An error of writing or restoring a backup. Each message is a sentence for the operator.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder can't be read or written.
    #[error("{} can't be read or written: {error}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file to create already exists, or the folder to create exists and is not empty.
    #[error("{} already exists, and nothing was overwritten: choose another name", .0.display())]
    Exists(PathBuf),
    /// The file is not a complete backup.
    #[error("{} is not an Accord backup, or it is incomplete or damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The defect that was found in the file.
        reason: String,
    },
}
