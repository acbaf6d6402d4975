//! The free space of the disk.

use super::errors::failed;
use crate::StoreError;
use std::path::{Path, PathBuf};

/// Number of bytes that stay free whatever the reserve is. sled must not run out of space: it would have to be opened again,
/// and opening it needs some space, too.
const MIN_FREE_BYTES: u64 = 4 * 1024 * 1024;

/// The disk of a data folder, and how much of it must stay free.
#[derive(Debug)]
pub(super) struct FreeSpace {
    path: PathBuf,
    /// Number of bytes that must stay free.
    reserve: u64,
}

impl FreeSpace {
    pub(super) fn new(path: &Path, reserve: u64) -> Self {
        Self { path: path.to_owned(), reserve: reserve.max(MIN_FREE_BYTES) }
    }

    /// Returns the number of free bytes.
    pub(super) fn free(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.path).map_err(|error| failed(&error.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Returns `Ok` if sled has room for a removal, which frees space in the end. The reserve is for such things.
    pub(super) fn check_least(&self) -> Result<(), StoreError> {
        if self.free()? < MIN_FREE_BYTES { Err(StoreError::Full) } else { Ok(()) }
    }

    /// Returns `Ok` if more of the disk is free than must stay free. Commits, settlements, packing and checkpoints ask for
    /// this before.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.free()? < self.reserve { Err(StoreError::Full) } else { Ok(()) }
    }
}
