//! Making an installation from a backup.

use super::error::BackupError;
use super::format::Item;
use super::read::{BackupContents, audit_state, read};
use crate::check::{Report, check};
use crate::people::fresh_id;
use crate::plans::installation;
use crate::replay::replay;
use crate::signing::keys::FOLDER;
use crate::store::{Append, DiskStore, Ledger as _, Store as _, StoreError};
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{LedgerId, LineageId, Seq};
use accord_document::ledger::Entry;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Number of entries that are restored in one commit.
const ENTRIES_PER_COMMIT: usize = 512;

/// Makes an installation from a backup in a new or empty folder, and checks it. `now` is the current time, in
/// milliseconds since the Unix epoch. Returns what the backup contained, and the report of the check. Blocks.
///
/// # Errors
/// Returns an error if the folder is not empty, if the backup is damaged, or if something can't be read or written. In
/// the first two cases the folder is left as it was.
pub fn restore(
    file: &Path,
    data: &Path,
    now: u64,
) -> Result<(BackupContents, Report), BackupError> {
    let in_data = |error| BackupError::File { path: data.to_owned(), error };
    if fs::read_dir(data).is_ok_and(|mut found| found.next().is_some()) {
        return Err(BackupError::Exists(data.to_owned()));
    }
    let mut making = data.as_os_str().to_owned();
    making.push(".restoring");
    let making = PathBuf::from(making);
    if making.exists() {
        fs::remove_dir_all(&making).map_err(in_data)?;
    }
    let store = DiskStore::open(&making, 0)?;
    let contents = read(file, |item| {
        match item {
            Item::Ledger(ledger, entries) => put_ledger(&store, &ledger, entries, now)?,
            Item::Record { kind, key, value } => store.put(&kind, &key, &value)?,
            Item::Key { name, content } => {
                put_key(&making.join(FOLDER), &name, &content).map_err(in_data)?;
            }
        }
        Ok(())
    })?;
    drop(store);
    // An empty folder can exist at this path. It is removed, so that the new folder can have its name.
    let _ = fs::remove_dir(data);
    fs::rename(&making, data).map_err(in_data)?;
    Ok((contents, check(data)?))
}

/// Writes a file to the keys' folder, readable only by the server's user.
fn put_key(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let path = folder.join(name);
    fs::write(&path, content)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))
}

/// Writes a ledger to a store. The ledger of a document and the audit record also get an entry about the restore.
fn put_ledger(
    store: &DiskStore,
    ledger: &LedgerId,
    entries: Vec<Vec<u8>>,
    now: u64,
) -> Result<(), BackupError> {
    let last = entry_of_restoring(ledger, &entries, now)?;
    let appends = (0..).map(Seq).zip(entries);
    let appends = appends.map(|(seq, bytes)| Append { ledger: ledger.clone(), seq, bytes });
    let last =
        last.map(|entry| Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() });
    let all: Vec<_> = appends.chain(last).collect();
    for batch in all.chunks(ENTRIES_PER_COMMIT) {
        store.append(batch)?;
    }
    store.pack(ledger)?;
    Ok(())
}

/// Returns the entry to append to a restored ledger, if it needs one. A document begins a new lineage, and the audit
/// record names the restore. A plan gets no entry.
fn entry_of_restoring(
    ledger: &LedgerId,
    entries: &[Vec<u8>],
    now: u64,
) -> Result<Option<Entry>, BackupError> {
    match ledger {
        LedgerId::Document(_) => {
            let mut state =
                replay(entries).map_err(|error| StoreError::Damaged(error.to_string()))?.state;
            let lineage = LineageId::new(fresh_id());
            Ok(state.begin_lineage(&installation(), now, rand::random(), lineage).ok())
        }
        LedgerId::Audit if entries.is_empty() => Ok(None),
        LedgerId::Audit => {
            let event = AuditEvent { action: AuditAction::Restore, from: None };
            let mut state = audit_state(entries)?;
            Ok(Some(state.record(&installation(), now, rand::random(), event)))
        }
        LedgerId::Plan(_) => Ok(None),
    }
}
