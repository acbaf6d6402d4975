//! Locks a data folder, so that only one process uses it.

use super::errors::failed;
use super::paths::sled_file;
use crate::StoreError;
use crate::sled::{LOCK_TIMEOUT, unusable};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// The lock of a data folder. Dropping it unlocks the folder.
///
/// sled has a lock of its own, but it is open while sled is opened again.
#[derive(Debug)]
pub(super) struct FolderLock {
    _folder: File,
}

impl FolderLock {
    /// Locks a folder. Waits for up to [`LOCK_TIMEOUT`] while another process uses it.
    ///
    /// # Errors
    /// Returns [`StoreError::InUse`] if another process uses the folder.
    pub(super) fn take(data: &Path) -> Result<Self, StoreError> {
        let folder = File::open(data).map_err(|error| unusable(data, &error))?;
        lock(&folder, data)?;
        Ok(Self { _folder: folder })
    }
}

/// Locks sled's database file as sled does. Returns `None` if there is no such file.
///
/// # Errors
/// Returns [`StoreError::InUse`] if another process uses the file.
pub(super) fn lock_sled(data: &Path) -> Result<Option<File>, StoreError> {
    let file = match File::open(sled_file(data)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    lock(&file, data)?;
    Ok(Some(file))
}

fn lock(file: &File, data: &Path) -> Result<(), StoreError> {
    let since = Instant::now();
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if since.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(Errno::WOULDBLOCK) => return Err(StoreError::InUse(data.to_owned())),
            Err(error) => return Err(failed(&error.into())),
        }
    }
}
