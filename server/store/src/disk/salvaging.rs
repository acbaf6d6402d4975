//! Saves what can be saved of a damaged data folder. Nothing in the folder is changed: a copy is read.
//!
//! sled, the log and the witness are read independently of each other, each as far as it can be read. A redacted text never
//! comes back: an entry that the witness or the log has rewritten counts only with its new hash, and a ledger that was
//! erased is left out.

use super::DiskStore;
use super::changes::decode;
use super::merging::{Certainty, KnownLedger, Merged, RecordChange, SalvagedLedger, merge};
use super::noted::{self, Noted};
use super::paths::{LOG, SLED};
use super::witness::{self, RecordSum, Witness};
use crate::log::Position;
use crate::log::salvaging::{Hints, salvage};
use crate::sled::salvaging::ReadableEntries;
use crate::sled::{Form, SledStore};
use crate::staging::RecordKey;
use crate::{Record, StoreError};
use accord_document::ids::LedgerId;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What can be saved of a damaged data folder. Ledgers are read one after the other, so that few of them are in memory at
/// the same time.
#[derive(Debug)]
pub struct Salvage {
    /// The database of the copy, if it can be opened.
    sled: Option<SledStore>,
    known: BTreeMap<LedgerId, KnownLedger>,
    records: BTreeMap<RecordKey, Record>,
    notes: Vec<String>,
}

impl DiskStore {
    /// Reads what can be read of a damaged data folder that no server uses. `scratch` is an empty folder for a copy, which
    /// must exist as long as the salvage.
    ///
    /// # Errors
    /// Returns an error if a server uses the folder, or if the folder can't be copied. All damage is in the salvage instead.
    pub fn salvage(folder: &Path, scratch: &Path) -> Result<Salvage, StoreError> {
        Self::copy_all_parts(folder, scratch)?;
        let mut notes = Vec::new();
        let witness = Witness::read(scratch);
        let is_used = match &witness {
            Ok(witness) => witness.as_ref().is_some_and(Witness::is_used),
            Err(_) => true,
        };
        let sled = open_sled(scratch, is_used, &mut notes);
        let is_before = sled.as_ref().is_some_and(|sled| sled.form() == Form::Before);
        let fault = match &witness {
            Ok(Some(_)) => None,
            Ok(None) => (!is_before).then_some("missing"),
            Err(_) => Some("damaged"),
        };
        notes.extend(fault.map(|fault| {
            format!(
                "{} is {fault}: nobody can tell whether entries are missing at the ends of ledgers, or whether text that was redacted or erased is back",
                scratch.join(witness::FILE).display()
            )
        }));
        let witness = witness.ok().flatten();
        let merged = read_log(scratch, witness.as_ref(), &mut notes);
        let salvage = put_together(sled, witness.is_some(), merged, notes);
        // The messages name places in the copy.
        Ok(salvage.in_folder(scratch, folder))
    }
}

impl Salvage {
    /// Returns the ledgers that must be there or of which something is left.
    pub fn ledgers(&self) -> impl Iterator<Item = &LedgerId> {
        self.known.keys()
    }

    /// Returns what can be saved of a ledger.
    #[must_use]
    pub fn ledger(&self, ledger: &LedgerId) -> SalvagedLedger {
        let Some(known) = self.known.get(ledger) else { return SalvagedLedger::default() };
        let Some(sled) = &self.sled else { return known.put_together(0, |_| None) };
        let mut stored = ReadableEntries::new(sled, ledger);
        known.put_together(sled.readable_end(ledger), |seq| stored.get(seq))
    }

    /// Returns the records that can be saved, each with its kind, its key and its value.
    pub fn records(&self) -> impl Iterator<Item = (&str, &str, &[u8])> {
        let all = self.records.iter();
        all.map(|((kind, key), record)| (kind.as_str(), key.as_str(), record.value.as_slice()))
    }

    /// Returns one sentence for each damage that is not the damage of one ledger.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn in_folder(mut self, scratch: &Path, folder: &Path) -> Self {
        let (from, to) = (scratch.display().to_string(), folder.display().to_string());
        self.notes.iter_mut().for_each(|note| *note = note.replace(&from, &to));
        self
    }
}

impl Drop for Salvage {
    fn drop(&mut self) {
        // sled flushes when it is dropped, and panics at some kinds of damage.
        let sled = self.sled.take();
        drop(catch_unwind(AssertUnwindSafe(|| drop(sled))));
    }
}

/// Opens sled, if that is possible. `is_used` is whether it had content, or can have had.
fn open_sled(folder: &Path, is_used: bool, notes: &mut Vec<String>) -> Option<SledStore> {
    let place = folder.join(SLED);
    let exists = place.exists();
    match SledStore::open_what_is_left(folder) {
        Ok(sled) => {
            let is_remainder = folder.join(LOG).exists() || witness::path_of(folder).exists();
            if is_remainder && !exists {
                notes.push(format!("the database {} is missing", place.display()));
            } else if is_used && sled.is_bare() {
                notes.push(format!("nothing is left in the database {}", place.display()));
            }
            Some(sled)
        }
        Err(error) => {
            notes.push(format!("nothing in the database {} can be read: {error}", place.display()));
            None
        }
    }
}

/// Reads the log, and merges it with the witness.
fn read_log(folder: &Path, witness: Option<&Witness>, notes: &mut Vec<String>) -> Merged {
    let noted = Noted::open(folder).map(|(_, last)| last).unwrap_or_else(|_| {
        let what = "is damaged: nobody can tell whether the end of the log is missing";
        notes.push(format!("{} {what}", folder.join(noted::FILE).display()));
        Position::START
    });
    let settled = witness.map(|witness| (witness.settled, witness.epoch));
    let found = salvage(&folder.join(LOG), Hints { settled, noted: Some(noted) });
    notes.extend(found.damage);
    let mut last = noted.batch.max(settled.map_or(0, |(settled, _)| settled.batch));
    let mut batches = Vec::new();
    for batch in found.batches {
        let number = batch.position.batch;
        last = last.max(number);
        match decode(number, &batch.body) {
            Ok(changes) => batches.push((number, changes)),
            Err(error) => notes.push(error.to_string()),
        }
    }
    merge(witness, batches, last)
}

/// Puts together what sled, the log and the witness have.
fn put_together(
    sled: Option<SledStore>,
    has_witness: bool,
    merged: Merged,
    mut notes: Vec<String>,
) -> Salvage {
    let Merged { ledgers: mut known, erased, records: changes, sum } = merged;
    let stored = sled.as_ref().map(SledStore::readable_ledgers).unwrap_or_default();
    for ledger in stored.into_iter().filter(|ledger| !erased.contains(ledger)) {
        if known.contains_key(&ledger) {
            continue;
        }
        if has_witness {
            notes.push(format!("{ledger} was erased and is back, so it is left out"));
        } else {
            known.insert(ledger, KnownLedger::default());
        }
    }
    let (stored, damaged) = sled.as_ref().map(SledStore::readable_records).unwrap_or_default();
    let is_bare = stored.is_empty();
    let mut records: BTreeMap<RecordKey, Record> =
        stored.into_iter().map(|(kind, key, record)| ((kind, key), record)).collect();
    changes.into_iter().for_each(|change| apply(&mut records, change, is_bare));
    if damaged > 0 {
        notes.push(format!("{damaged} records are damaged"));
    }
    notes.extend(sum.and_then(|sum| difference(&records, sum)));
    Salvage { sled, known, records, notes }
}

/// Makes a change of a record again. If the log lacks later changes, what sled has can be newer. `is_bare` is whether sled
/// has no records.
fn apply(records: &mut BTreeMap<RecordKey, Record>, change: RecordChange, is_bare: bool) {
    let RecordChange { key, new, certainty } = change;
    let stored = records.get(&key).map_or(0, |record| record.revision);
    let is_newer = match certainty {
        Certainty::Last => true,
        Certainty::Unsettled => new.as_ref().is_none_or(|new| new.revision >= stored),
        Certainty::Settled => is_bare,
    };
    if !is_newer {
        return;
    }
    match new {
        Some(record) => drop(records.insert(key, record)),
        None => drop(records.remove(&key)),
    }
}

/// Returns a sentence if the records are not those that there must be.
fn difference(records: &BTreeMap<RecordKey, Record>, expected: RecordSum) -> Option<String> {
    let each = records.iter().map(|((kind, key), record)| (kind.as_str(), key.as_str(), record));
    let found = RecordSum::of(each);
    let (count, wanted) = (found.count, expected.count);
    match found == expected {
        true => None,
        false if count == wanted => Some(format!(
            "some of the {count} records (accounts, sessions, notes of releases and others) are not the newest"
        )),
        false => Some(format!(
            "{count} records (accounts, sessions, notes of releases and others) can be read, and {wanted} were written"
        )),
    }
}
