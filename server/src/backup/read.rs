//! Reading a backup and verifying every ledger in it.

use super::error::BackupError;
use super::format::{Item, Reader};
use crate::plans::{follow_audit, follow_plan};
use crate::replay::replay;
use crate::store::StoreError;
use accord_document::audit::AuditState;
use accord_document::ids::LedgerId;
use accord_document::ledger::Entry;
use std::fs::File;
use std::path::Path;

/// The number of items in a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupContents {
    /// Number of plans.
    pub plans: usize,
    /// Number of documents.
    pub documents: usize,
    /// Number of entries in all ledgers.
    pub entries: usize,
    /// Number of records, such as people, sessions and the signed notes of releases.
    pub records: usize,
}

impl BackupContents {
    fn count(&mut self, item: &Item) {
        match item {
            Item::Ledger(ledger, entries) => {
                self.entries += entries.len();
                match ledger {
                    LedgerId::Plan(_) => self.plans += 1,
                    LedgerId::Document(_) => self.documents += 1,
                    LedgerId::Audit => {}
                }
            }
            Item::Record { .. } => self.records += 1,
            Item::Key { .. } => {}
        }
    }
}

/// Reads a backup to its end, verifies every ledger in it, and passes each item to `take`.
///
/// # Errors
/// Returns an error if the file can't be opened or is not a complete backup, or the error of `take`.
pub(super) fn read(
    path: &Path,
    mut take: impl FnMut(Item) -> Result<(), BackupError>,
) -> Result<BackupContents, BackupError> {
    let file =
        File::open(path).map_err(|error| BackupError::File { path: path.to_owned(), error })?;
    let damaged = |reason: String| BackupError::Damaged { path: path.to_owned(), reason };
    let mut input = Reader::new(file).map_err(|error| damaged(error.to_string()))?;
    let mut contents = BackupContents::default();
    while let Some(item) = input.item().map_err(|error| damaged(error.to_string()))? {
        if let Item::Ledger(ledger, entries) = &item {
            verify(ledger, entries).map_err(damaged)?;
        }
        contents.count(&item);
        take(item)?;
    }
    Ok(contents)
}

/// Verifies a ledger. The error says what is wrong with it.
fn verify(ledger: &LedgerId, entries: &[Vec<u8>]) -> Result<(), String> {
    match ledger {
        LedgerId::Document(_) => {
            replay(entries).map(drop).map_err(|error| format!("{ledger}: {error}"))
        }
        LedgerId::Plan(_) => {
            follow_plan(entries).map(drop).map_err(|error| format!("{ledger}: {error}"))
        }
        LedgerId::Audit if entries.is_empty() => Ok(()),
        LedgerId::Audit => audit_state(entries).map(drop).map_err(|error| error.to_string()),
    }
}

/// Returns the state of the audit record after these entries.
pub(super) fn audit_state(entries: &[Vec<u8>]) -> Result<AuditState, BackupError> {
    let decoded: Result<Vec<_>, _> = entries.iter().map(|bytes| Entry::decode(bytes)).collect();
    let decoded = decoded.map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(follow_audit(&decoded)?)
}
