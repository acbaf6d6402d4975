//! Copies a data folder that no server uses, so that the copy can be opened and the folder stays as it is.

use super::errors::failed;
use super::opening::{LOG, SLED, refuse_a_remainder};
use super::{DiskStore, noted, witness};
use crate::StoreError;
use crate::sled::LOCK_TIMEOUT;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

impl DiskStore {
    /// Copies what belongs to the store from one folder to another, which is empty. Nothing in the first is changed.
    /// Opening a store repairs it, so a check opens a copy.
    ///
    /// # Errors
    /// Returns an error if a server uses the folder, or if it can't be copied.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        refuse_a_remainder(from)?;
        let _locked = lock(from)?;
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

/// Locks sled's database file as sled does, so that no server can open the folder meanwhile.
fn lock(data: &Path) -> Result<Option<File>, StoreError> {
    let file = match File::open(data.join(SLED).join("db")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let since = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) if since.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(StoreError::InUse(data.to_owned())),
            Err(error) => return Err(failed(&error.into())),
        }
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
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
