//! Writes files again at another place of the disk after a sync failed.
//!
//! After a failed sync, Linux forgets which pages did not reach the disk. They stay in memory, can be read, and look
//! saved, and the next sync succeeds although it writes nothing. So what is read must be written again to a new file
//! before it counts as saved.

use super::errors::failed;
use super::locking::lock_sled;
use super::paths::{LOG, sled_file};
use crate::StoreError;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The name of the file that says that a sync failed.
const MARK: &str = "unsynced";
/// The extension of a copy that is not finished. An opening removes such files.
const MAKING: &str = "making";

/// Number of bytes that are copied at once.
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
    let is_whole = |path: &PathBuf| path.exists() && path.extension().is_none_or(|e| e != MAKING);
    files.into_iter().filter(is_whole).try_for_each(|path| write_elsewhere(&path))?;
    fs::remove_file(folder.join(MARK))?;
    sync_dir(folder)
}

/// Replaces a file by a copy of itself, which is on disk when this returns.
pub(super) fn write_elsewhere(path: &Path) -> io::Result<()> {
    let copy = path.with_extension(MAKING);
    let written = write_copy(path, &copy).and_then(|()| fs::rename(&copy, path));
    if let Err(error) = written {
        drop(fs::remove_file(&copy));
        return Err(error);
    }
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes a copy of a file. `fs::copy` can let the copy share the old places of the disk, so the bytes are read and written
/// here.
fn write_copy(path: &Path, copy: &Path) -> io::Result<()> {
    let (mut from, mut to) = (File::open(path)?, File::create(copy)?);
    let mut bytes = vec![0; BYTES_AT_ONCE];
    loop {
        match from.read(&mut bytes)? {
            0 => break,
            read => to.write_all(&bytes[..read])?,
        }
    }
    to.sync_all()
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
