//! A new data folder that is filled from elsewhere: from a backup, or from what was saved of a damaged folder.
//!
//! Devices can have edits that the new ledgers lack. So each document begins a new lineage, and the audit record gets an
//! entry.

use super::error::BackupError;
use crate::people::fresh_id;
use crate::plans::installation;
use crate::store::{Append, DiskStore, Ledger as _, Store as _, StoreError};
use accord_document::audit::AuditState;
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{LedgerId, LineageId, Seq};
use accord_document::ledger::Entry;
use accord_document::state::DocumentState;
use std::fs;
use std::path::{Path, PathBuf};

/// Number of entries that are written in one commit.
const ENTRIES_PER_COMMIT: usize = 512;

/// A folder that has a temporary name until it is complete.
pub(crate) struct NewFolder {
    data: PathBuf,
    making: PathBuf,
}

impl NewFolder {
    /// Chooses a temporary name for a new data folder, `data` with an extension. What an interrupted attempt left there
    /// is removed.
    ///
    /// # Errors
    /// Returns an error if `data` exists and is not empty, or if what was left can't be removed.
    pub(crate) fn begin(data: &Path, extension: &str) -> Result<Self, BackupError> {
        let in_data = |error| BackupError::File { path: data.to_owned(), error };
        if fs::read_dir(data).is_ok_and(|mut found| found.next().is_some()) {
            return Err(BackupError::Exists(data.to_owned()));
        }
        let mut making = data.as_os_str().to_owned();
        making.push(extension);
        let making = PathBuf::from(making);
        if making.exists() {
            fs::remove_dir_all(&making).map_err(in_data)?;
        }
        Ok(Self { data: data.to_owned(), making })
    }

    /// Returns the folder under its temporary name.
    pub(crate) fn path(&self) -> &Path {
        &self.making
    }

    /// Gives the complete folder its name.
    ///
    /// # Errors
    /// Returns an error if the folder can't be renamed.
    pub(crate) fn finish(self) -> Result<(), BackupError> {
        // An empty folder can exist at this path. It is removed, so that the new folder can have its name.
        let _ = fs::remove_dir(&self.data);
        fs::rename(&self.making, &self.data)
            .map_err(|error| BackupError::File { path: self.data, error })
    }
}

/// Writes a ledger to a store, with the entries that are new in it.
pub(crate) fn put_ledger(
    store: &DiskStore,
    ledger: &LedgerId,
    entries: Vec<Vec<u8>>,
    new: impl IntoIterator<Item = Entry>,
) -> Result<(), StoreError> {
    let entries = entries.into_iter().chain(new.into_iter().map(|entry| entry.encode()));
    let numbered = (0..).map(Seq).zip(entries);
    let all: Vec<_> =
        numbered.map(|(seq, bytes)| Append { ledger: ledger.clone(), seq, bytes }).collect();
    for batch in all.chunks(ENTRIES_PER_COMMIT) {
        store.append(batch)?;
    }
    store.pack(ledger)?;
    Ok(())
}

/// Lets a document begin a new lineage. Returns the entry to append.
pub(crate) fn new_lineage(state: &mut DocumentState, now: u64) -> Option<Entry> {
    let lineage = LineageId::new(fresh_id());
    state.begin_lineage(&installation(), now, rand::random(), lineage).ok()
}

/// Returns the entry to append to an audit record that was restored.
pub(crate) fn audit_of_restoring(state: &mut AuditState, now: u64) -> Entry {
    let event = AuditEvent { action: AuditAction::Restore, from: None };
    state.record(&installation(), now, rand::random(), event)
}
