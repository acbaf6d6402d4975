//! The store of what is settled: sled 0.34, hardened. [`DiskStore`](crate::DiskStore) has a log in front of it.
//!
//! This module adds what sled does not do by itself:
//!
//! - sled's flush does not fsync on Linux, so `sync` here syncs the database file.
//! - sled writes leaves above a quarter of one of its segments (64 KiB here, 128 KiB by default) to files that it never
//!   syncs, so large values are split into pieces.
//! - A leftover `snap.*.generating` file keeps sled from opening, so it is removed first.
//! - sled takes a segment of its file that can't be read for an empty one, and writes over it. So its whole file is read
//!   before sled opens it, and what sled reads then is in memory.
//! - sled's own checksums do not cover that a value belongs to its key, so each value here has a checksum over both.

mod ledger;
mod pieces;
mod records;
pub(crate) mod salvaging;
mod segments;
#[cfg(test)]
mod tests;

pub(crate) use pieces::missing_entry;
pub(crate) use segments::MIN_PACKED_ENTRIES;

use super::staging::RecordKey;
use super::{Append, Record, StoreError};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::{Duration, Instant};

/// Size of a segment of sled's file, in bytes. sled reuses the space of its file one segment at a time. The size is
/// half of sled's default, so that less space is unused.
const SLED_SEGMENT_BYTES: usize = 256 * 1024;

/// The version of the layout, stored in the default tree: a log and a witness beside sled.
const FORMAT: [u8; 1] = [4];
/// The version before: the same keys and values, without a log and a witness.
const FORMAT_BEFORE: [u8; 1] = [3];
const FORMAT_KEY: &[u8] = b"format";

/// Maximum time to wait for a folder that another process uses.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The name of sled's file in its folder.
pub(crate) const FILE: &str = "db";

/// Size of sled's cache, in bytes. It is small, because a ledger is read once, when its document is opened, and the
/// operating system caches the file as well.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// The form in which a data folder was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing was stored yet.
    New,
    /// The form of the version before, without a log and a witness.
    Before,
    /// The form of this version.
    Present,
}

/// The database in a data folder.
#[derive(Debug)]
pub(crate) struct SledStore {
    path: PathBuf,
    db: sled::Db,
    ledger: sled::Tree,
    /// Segments of packed entries, by their ledger and the number of their first entry.
    segments: sled::Tree,
    /// The checkpoint of each ledger.
    checkpoints: sled::Tree,
    records: sled::Tree,
    /// A lock, held for writing while entries are moved or changed, and for reading while they are read. Appending does
    /// not take the lock.
    move_lock: RwLock<()>,
    /// The database file, opened a second time only to sync it. This works, because the page cache belongs to the file,
    /// not to the descriptor that wrote.
    file: File,
    /// The form in which the folder was found.
    form: Form,
}

impl SledStore {
    /// Opens or creates the database in a folder.
    ///
    /// # Errors
    /// Returns an error if another process uses the folder, or if the folder can't be used or is damaged.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_trees(path)?;
        let form = store.find_form()?;
        let store = Self { form, ..store };
        store.sync()?;
        let home = path.join("store");
        sync_dir(&home).and_then(|()| sync_dir(path)).map_err(|error| unusable(path, &error))?;
        Ok(store)
    }

    /// Opens or creates the database, and does not look for its form.
    fn open_trees(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let home = path.join("store");
        remove_leftovers(&home).map_err(|error| unusable(path, &error))?;
        read_whole(&home.join(FILE)).map_err(|error| {
            StoreError::Failed(format!("the database in {} can't be read: {error}", home.display()))
        })?;
        let db = open_when_free(&home).map_err(|error| match error {
            sled::Error::Io(io) if is_lock(&io) => StoreError::InUse(path.to_owned()),
            sled::Error::Corruption { .. } => {
                StoreError::Damaged(format!("the database in {} can't be opened", home.display()))
            }
            sled::Error::Io(io) if io.kind() == io::ErrorKind::PermissionDenied => {
                unusable(path, &io)
            }
            sled::Error::Io(_) => failed(error),
            other => unusable(path, &io::Error::other(other)),
        })?;
        let ledger = db.open_tree("ledger").map_err(failed)?;
        let segments = db.open_tree("segments").map_err(failed)?;
        let checkpoints = db.open_tree("checkpoints").map_err(failed)?;
        let records = db.open_tree("records").map_err(failed)?;
        let file = File::open(home.join(FILE)).map_err(|error| unusable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            db,
            ledger,
            segments,
            checkpoints,
            records,
            move_lock: RwLock::default(),
            file,
            form: Form::New,
        })
    }

    /// Returns the form in which the folder was found.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Returns the form of the folder.
    ///
    /// # Errors
    /// Returns an error if another version of Accord wrote the folder.
    fn find_form(&self) -> Result<Form, StoreError> {
        match self.db.get(FORMAT_KEY).map_err(failed)? {
            Some(found) if *found == FORMAT => Ok(Form::Present),
            Some(found) if *found == FORMAT_BEFORE => Ok(Form::Before),
            None if self.ledger.is_empty() && self.records.is_empty() => Ok(Form::New),
            _ => Err(self.other_version()),
        }
    }

    fn other_version(&self) -> StoreError {
        StoreError::Unusable {
            path: self.path.clone(),
            reason:
                "another version of Accord wrote it in a form that this version can't read: use that version, or choose another folder"
                    .into(),
        }
    }

    /// Marks the folder as one of the form of this version. The mark is on disk when this returns.
    pub(crate) fn mark_as_present(&self) -> Result<(), StoreError> {
        self.db.insert(FORMAT_KEY, &FORMAT).map_err(failed)?;
        self.sync()
    }

    #[cfg(test)]
    pub(crate) fn mark_as_before(&self) {
        self.db.insert(FORMAT_KEY, &FORMAT_BEFORE).unwrap();
        self.sync().unwrap();
    }

    /// Writes entries and records, and replaces those that are stored. They are on disk after the next [`sync`](Self::sync).
    pub(crate) fn write<'r>(
        &self,
        entries: impl Iterator<Item = Append>,
        records: impl Iterator<Item = (&'r RecordKey, &'r Option<Record>)>,
    ) -> Result<(), StoreError> {
        self.write_entries(entries)?;
        self.write_records(records)
    }

    /// Syncs the store: everything written so far is on disk when this returns.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.file.sync_data().map_err(|error| StoreError::SyncFailed(error.to_string()))
    }
}

/// Returns the error for a data folder that can't be used.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> StoreError {
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "this user is not allowed to read and write it: run Accord as its owner".into()
        }
        _ => error.to_string(),
    };
    StoreError::Unusable { path: path.to_owned(), reason }
}

/// Opens sled's folder, and waits for up to [`LOCK_TIMEOUT`] while another process uses it. Such a process may be about
/// to end: sled's threads live a little longer than their store.
fn open_when_free(home: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new()
        .path(home)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SLED_SEGMENT_BYTES)
        // Each settlement flushes. A background flush would only compete with it.
        .flush_every_ms(None);
    let since = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(io)) if is_lock(&io) && since.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}

/// Removes unfinished snapshots. A crash while sled writes a snapshot leaves such a file, and sled takes it for corruption.
fn remove_leftovers(home: &Path) -> io::Result<()> {
    if !home.exists() {
        return Ok(());
    }
    let mut removed = false;
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    if removed { sync_dir(home) } else { Ok(()) }
}

/// Reads a file, if there is one, so that the system has it in memory.
fn read_whole(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(mut file) => io::copy(&mut file, &mut io::sink()).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Syncs the list of a folder, so that new names in it are on disk.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn is_lock(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("lock")
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(io) if io.kind() == io::ErrorKind::StorageFull => StoreError::Full,
        sled::Error::Corruption { .. } => StoreError::Damaged(error.to_string()),
        other => StoreError::Failed(other.to_string()),
    }
}

impl SledStore {
    /// Returns the number of bytes that the database uses.
    pub(crate) fn size(&self) -> Result<u64, StoreError> {
        self.db.size_on_disk().map_err(failed)
    }
}
