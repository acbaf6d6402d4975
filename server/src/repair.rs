//! `accord repair`: saves what can be saved of a damaged data folder into a new one. The damaged folder is not changed.
//!
//! Each ledger is verified as it is saved, and ends before its first entry that can't be read or does not follow. Devices
//! can have edits that the repaired ledgers lack, so each document begins a new lineage, as it does after a restore.

mod ledgers;

use crate::backup::{BackupError, NewFolder, audit_of_restoring, new_lineage, put_ledger};
use crate::check::{Report, check};
use crate::releases::release_of_record;
use crate::signing::keys::FOLDER;
use crate::store::{DiskStore, Salvage, SalvagedLedger, Store as _, StoreError};
use accord_document::ids::{DocumentId, LedgerId};
use accord_document::plan::PlanState;
use ledgers::{announce_blanked, audit, document, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};
use thiserror::Error;

/// What was saved of a damaged data folder.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Number of plans that were saved, also in part.
    pub plans: usize,
    /// Number of documents that were saved, also in part.
    pub documents: usize,
    /// Number of entries that were saved.
    pub entries: usize,
    /// Number of records that were saved, such as people, sessions and the signed notes of releases.
    pub records: usize,
    /// What is lost or can be lost, one sentence each.
    pub lost: Vec<String>,
    /// The result of checking the new folder.
    pub report: Report,
}

impl Repaired {
    /// Whether everything was saved.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.report.faults.is_empty()
    }
}

/// The reason why nothing was saved.
#[derive(Debug, Error)]
pub enum RepairError {
    /// A folder can't be read or written.
    #[error(transparent)]
    Folder(#[from] BackupError),
    /// Nothing is left.
    #[error("nothing in {} can be saved{}", .from.display(), .notes.iter().map(|note| format!("\n{note}")).collect::<String>())]
    Nothing {
        /// The damaged folder.
        from: PathBuf,
        /// What is wrong with the folder, one sentence each.
        notes: Vec<String>,
    },
}

impl From<StoreError> for RepairError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// Saves what can be saved of the data folder `from`, which no server uses, into the folder `to`, which is new or empty,
/// and checks it. `now` is the current time, in milliseconds since the Unix epoch. Blocks.
///
/// # Errors
/// Returns an error if `to` is not empty, if a folder can't be read or written, or if nothing can be saved. `to` is then
/// left as it was.
pub fn repair(from: &Path, to: &Path, now: u64) -> Result<Repaired, RepairError> {
    let new = NewFolder::begin(to, ".repairing")?;
    let scratch = tempfile::tempdir().map_err(|error| StoreError::Failed(error.to_string()))?;
    let salvage = DiskStore::salvage(from, scratch.path())?;
    let mut notes = salvage.notes().to_vec();
    if salvage.ledgers().next().is_none() && salvage.records().next().is_none() {
        return Err(RepairError::Nothing { from: from.to_owned(), notes });
    }
    let store = DiskStore::open(new.path(), 0)?;
    let mut saving = Saving { store, now, saved: Saved::default(), repaired: Repaired::default() };
    saving.repaired.lost.append(&mut notes);
    for ledger in salvage.ledgers() {
        saving.ledger(ledger, salvage.ledger(ledger))?;
    }
    saving.name_orphans();
    saving.records(&salvage)?;
    let Saving { store, mut repaired, .. } = saving;
    drop(store);
    match copy_keys(&from.join(FOLDER), &new.path().join(FOLDER)) {
        Ok(0) => repaired.lost.push(
            "the key that signs releases is missing: the server will make a new one, and can't show the releases that the old key signed".into(),
        ),
        Ok(_) => {}
        Err(error) => {
            repaired.lost.push(format!("a file in {} can't be copied: {error}", from.join(FOLDER).display()));
        }
    }
    new.finish()?;
    repaired.report = check(to)?;
    Ok(repaired)
}

/// What is saved so far.
#[derive(Default)]
struct Saved {
    plans: Vec<PlanState>,
    /// Each document with its number of releases.
    documents: BTreeMap<DocumentId, usize>,
}

struct Saving {
    store: DiskStore,
    now: u64,
    saved: Saved,
    repaired: Repaired,
}

impl Saving {
    /// Verifies a ledger, and saves it up to its first entry that can't be used.
    fn ledger(&mut self, ledger: &LedgerId, salvaged: SalvagedLedger) -> Result<(), StoreError> {
        let SalvagedLedger { mut entries, total, mut fault } = salvaged;
        let mut new = Vec::new();
        let verified = match ledger {
            LedgerId::Plan(_) => plan(&entries).map(|state| {
                self.repaired.plans += 1;
                self.saved.plans.push(state);
            }),
            LedgerId::Audit => audit(&entries).map(|mut state| {
                new.push(audit_of_restoring(&mut state, self.now));
            }),
            LedgerId::Document(id) => document(&entries).map(|mut state| {
                self.repaired.documents += 1;
                self.saved.documents.insert(id.clone(), state.releases().all().len());
                let announced = announce_blanked(&mut state, self.now);
                if announced.is_some() {
                    let what = "a redaction is lost. What it had removed stays removed";
                    self.repaired.lost.push(format!("{ledger}: {what}"));
                }
                new.extend(announced);
                new.extend(new_lineage(&mut state, self.now));
            }),
        };
        if let Some(error) = verified.error {
            fault = Some(format!("entry {} does not verify ({error})", verified.count));
        }
        entries.truncate(verified.count);
        let count = entries.len();
        if let Some(fault) = fault {
            let lost = format!("{ledger}: {count} of {total} entries are saved: {fault}");
            self.repaired.lost.push(lost);
        }
        self.repaired.entries += count;
        if count > 0 { put_ledger(&self.store, ledger, entries, new) } else { Ok(()) }
    }

    /// Names the documents that no plan contains any more, if anything is lost.
    fn name_orphans(&mut self) {
        if self.repaired.lost.is_empty() {
            return;
        }
        let mut named = BTreeSet::new();
        for plan in &self.saved.plans {
            named.extend(plan.documents().into_iter().map(|(id, _)| id));
            named.extend(plan.deleted().map(|(id, _)| id));
        }
        let orphans = self.saved.documents.keys().filter(|id| !named.contains(id));
        let sentence = |id| format!("document {id} is saved, but no saved plan contains it");
        self.repaired.lost.extend(orphans.map(sentence));
    }

    /// Saves the records. The note of a release that its ledger has lost would stand in the way of a new release with its
    /// number, so it is left out.
    fn records(&mut self, salvage: &Salvage) -> Result<(), StoreError> {
        let mut lost = BTreeSet::new();
        for (kind, key, value) in salvage.records() {
            if let Some((document, number)) = release_of_record(kind, key)
                && let Some(releases) = self.saved.documents.get(&document)
                && number as usize > *releases
            {
                lost.insert((document, number));
                continue;
            }
            self.store.put(kind, key, value)?;
            self.repaired.records += 1;
        }
        let sentence =
            |(document, number)| format!("document {document}: release {number} is lost");
        self.repaired.lost.extend(lost.into_iter().map(sentence));
        Ok(())
    }
}

/// Copies the files of the keys' folder with their permissions. Returns their number.
fn copy_keys(from: &Path, to: &Path) -> io::Result<usize> {
    let files = match fs::read_dir(from) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    let mut count = 0;
    for file in files {
        let file = file?;
        let copy = to.join(file.file_name());
        fs::copy(file.path(), &copy)?;
        fs::File::open(copy)?.sync_all()?;
        count += 1;
    }
    fs::File::open(to)?.sync_all()?;
    Ok(count)
}
