//! The free space of the disk.

use super::errors::failed;
use crate::StoreError;
use std::path::{Path, PathBuf};

/// The disk of a data folder, and how much of it must stay free.
#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
    /// Number of bytes that must stay free.
    reserve: u64,
}

impl Room {
    pub(super) fn new(path: &Path, reserve: u64) -> Self {
        Self { path: path.to_owned(), reserve }
    }

    /// Returns the number of free bytes.
    pub(super) fn free(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.path).map_err(|error| failed(&error.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Returns `Ok` if more of the disk is free than the reserve.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.free()? < self.reserve { Err(StoreError::Full) } else { Ok(()) }
    }
}
