//! Copies a data folder that no server uses, so that the copy can be opened and the folder stays as it is.

use super::errors::failed;
use super::locking::{FolderLock, lock_sled};
use super::opening::refuse_a_remainder;
use super::paths::{LOG, SLED};
use super::{DiskStore, noted, witness};
use crate::StoreError;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

impl DiskStore {
    /// Copies what belongs to the store from one folder to another, which is empty. Nothing in the first is changed.
    /// Opening a store repairs it, so a check opens a copy.
    ///
    /// # Errors
    /// Returns an error if a server uses the folder, or if it can't be copied.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        refuse_a_remainder(from)?;
        Self::copy_all_parts(from, to)
    }

    /// Copies what belongs to the store, like [`copy`](Self::copy), but also if a part of it is missing.
    ///
    /// # Errors
    /// Returns the errors of [`copy`](Self::copy).
    pub(super) fn copy_all_parts(from: &Path, to: &Path) -> Result<(), StoreError> {
        let _locked = (FolderLock::take(from)?, lock_sled(from)?);
        let copied = [SLED, LOG, witness::FILE, noted::FILE].into_iter().try_for_each(|name| {
            let (from, to) = (from.join(name), to.join(name));
            if from.exists() { copy_all(&from, &to) } else { Ok(()) }
        });
        copied.map_err(|error| match error.kind() {
            ErrorKind::StorageFull => StoreError::Unusable {
                path: to.to_owned(),
                reason: "a copy of the data does not fit: set TMPDIR to a folder with more room"
                    .into(),
            },
            _ => failed(&error),
        })
    }
}

/// Copies a file, or a folder with everything in it.
pub(super) fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
