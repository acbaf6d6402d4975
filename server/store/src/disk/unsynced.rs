//! Writes files again after a sync failed.
//!
//! After a failed sync, Linux forgets which pages did not reach the disk. They stay in memory, can be read, and look
//! saved, and the next sync succeeds although it writes nothing. So what is read must be written again before it counts as
//! saved.

use super::errors::failed;
use super::locking::lock_sled;
use super::paths::{LOG, sled_file};
use crate::StoreError;
use crate::sled::sync_dir;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The name of the file that says that a sync failed.
const MARK: &str = "unsynced";

/// Number of bytes that are written at once.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// Marks a data folder as one in which a sync failed, for the next opening.
pub(super) fn mark_as_unsynced(folder: &Path) {
    // On a failing disk, this can fail as well. Nothing more can be done then.
    let marked = File::create(folder.join(MARK)).and_then(|file| file.sync_all());
    if let Err(error) = marked.and_then(|()| sync_dir(folder)) {
        tracing::error!(%error, "it can't be noted that a sync failed");
    }
}

/// Writes sled's file and the log again if a sync failed before this opening. When this returns, they are on disk.
///
/// # Errors
/// Returns an error if the disk fails or is full. The mark is still there then.
pub(super) fn write_unsynced_again(folder: &Path) -> Result<(), StoreError> {
    if !folder.join(MARK).exists() {
        return Ok(());
    }
    // A server of an earlier version locks only sled's file.
    let _locked = lock_sled(folder)?;
    write_all_again(folder).map_err(|error| failed(&error))
}

fn write_all_again(folder: &Path) -> io::Result<()> {
    tracing::warn!("a sync of the store failed before, so its files are written again");
    let mut files = vec![sled_file(folder)];
    if folder.join(LOG).exists() {
        for entry in fs::read_dir(folder.join(LOG))? {
            files.push(entry?.path());
        }
    }
    files.into_iter().filter(|path| path.exists()).try_for_each(|path| write_again(&path))?;
    fs::remove_file(folder.join(MARK))?;
    sync_dir(folder)
}

/// Writes the content of a file over itself, and syncs it. No space is needed, and a stop in the middle changes nothing.
/// Nobody else may write to the file meanwhile.
pub(super) fn write_again(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = vec![0; BYTES_AT_ONCE];
    let mut at = 0;
    loop {
        match file.read_at(&mut bytes, at)? {
            0 => break,
            read => {
                file.write_all_at(&bytes[..read], at)?;
                at += read as u64;
            }
        }
    }
    file.sync_all()
}
