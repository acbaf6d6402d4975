//! Reading a backup, with every ledger in it verified.

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

/// How much a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupContents {
    /// Plans.
    pub plans: usize,
    /// Documents.
    pub documents: usize,
    /// Entries of all ledgers.
    pub entries: usize,
    /// Records: people, sessions, seals and the like.
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

/// Reads a backup to its end, verifies every ledger in it, and hands each item to `take`.
///
/// # Errors
/// When the file can't be opened, or is not a whole backup; with what `take` gives.
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

/// Whether a ledger is what was written; with what is wrong with it.
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

/// The audit record as these entries make it.
pub(super) fn audit_state(entries: &[Vec<u8>]) -> Result<AuditState, BackupError> {
    let decoded: Result<Vec<_>, _> = entries.iter().map(|bytes| Entry::decode(bytes)).collect();
    let decoded = decoded.map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(follow_audit(&decoded)?)
}
