//! Making an installation from a backup.

use super::error::BackupError;
use super::format::Item;
use super::new_folder::{NewFolder, audit_of_restoring, new_lineage, put_ledger};
use super::read::{BackupContents, audit_state, read};
use crate::check::{Report, check};
use crate::replay::replay;
use crate::signing::keys::FOLDER;
use crate::store::{DiskStore, Store as _, StoreError};
use accord_document::ids::LedgerId;
use accord_document::ledger::Entry;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
    let new = NewFolder::begin(data, ".restoring")?;
    let store = DiskStore::open(new.path(), 0)?;
    let contents = read(file, |item| {
        match item {
            Item::Ledger(ledger, entries) => {
                let last = entry_of_restoring(&ledger, &entries, now)?;
                put_ledger(&store, &ledger, entries, last)?;
            }
            Item::Record { kind, key, value } => store.put(&kind, &key, &value)?,
            Item::Key { name, content } => {
                put_key(&new.path().join(FOLDER), &name, &content).map_err(in_data)?;
            }
        }
        Ok(())
    })?;
    drop(store);
    new.finish()?;
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
            Ok(new_lineage(&mut state, now))
        }
        LedgerId::Audit if entries.is_empty() => Ok(None),
        LedgerId::Audit => Ok(Some(audit_of_restoring(&mut audit_state(entries)?, now))),
        LedgerId::Plan(_) => Ok(None),
    }
}
