//! Merges what is left of the log with what the witness says, for a salvage: what each ledger must contain, and which of
//! its entries the log has.

use super::changes::Logged;
use super::witness::{EntryHash, RecordSum, Witness, entry_hash, record_hash};
use crate::staging::RecordKey;
use crate::{Append, Record};
use accord_document::ids::LedgerId;
use std::collections::{BTreeMap, BTreeSet};

/// What the log and the witness say about a ledger.
#[derive(Debug, Default)]
pub(super) struct KnownLedger {
    /// Number of entries that there must be.
    pub(super) len: u64,
    /// The entries that the log has.
    logged: BTreeMap<u64, Vec<u8>>,
    /// The hashes of entries, as far as they are known. An entry with another hash was rewritten or is damaged.
    hashes: BTreeMap<u64, EntryHash>,
    /// Whether the ledger was begun anew after an erasure, so that sled's entries do not belong to it.
    is_new: bool,
}

/// What the log and the witness say about everything.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) ledgers: BTreeMap<LedgerId, KnownLedger>,
    /// The ledgers that the log erases.
    pub(super) erased: BTreeSet<LedgerId>,
    /// Changes of records, in order. Each says whether later changes are missing, so that sled's record can be newer.
    pub(super) records: Vec<RecordChange>,
    /// The sum of all records, if no change of one is missing.
    pub(super) sum: Option<RecordSum>,
}

/// A change of a record that the log has.
#[derive(Debug)]
pub(super) struct RecordChange {
    pub(super) key: RecordKey,
    pub(super) new: Option<Record>,
    pub(super) certainty: Certainty,
}

/// How certain it is that no later change of a record is missing in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The log has all later batches.
    Last,
    /// The log lacks later batches. sled can have them.
    Unsettled,
    /// The log lacks later batches, and sled had this one when the witness was written.
    Settled,
}

/// Merges the changes of batches, each with its number and in order, with the witness, if it can be read. `last` is the
/// number of the last batch that there was, as far as it is known.
pub(super) fn merge(
    witness: Option<&Witness>,
    batches: Vec<(u64, Vec<Logged>)>,
    last: u64,
) -> Merged {
    let mut merged = Merged::default();
    for (ledger, head) in witness.iter().flat_map(|witness| &witness.ledgers) {
        let mut hashes = head.rewritten.clone();
        if let Some(last) = head.len.checked_sub(1) {
            hashes.insert(last, head.last);
        }
        let known = KnownLedger { len: head.len, hashes, ..KnownLedger::default() };
        merged.ledgers.insert(ledger.clone(), known);
    }
    let settled = witness.map_or(0, |witness| witness.settled.batch);
    let numbers: BTreeSet<u64> = batches.iter().map(|(number, _)| *number).collect();
    let is_missing = |number: &u64| !numbers.contains(number);
    let lowest = numbers.first().copied().unwrap_or(last);
    let last_gap = (lowest..=last).rev().find(is_missing).unwrap_or(0);
    let is_complete = (settled + 1..=last).all(|number| !is_missing(&number));
    merged.sum = witness.map(|witness| witness.records).filter(|_| is_complete);
    for (number, changes) in batches {
        let is_settled = number <= settled;
        let certainty = match (number > last_gap, is_settled) {
            (true, _) => Certainty::Last,
            (false, true) => Certainty::Settled,
            (false, false) => Certainty::Unsettled,
        };
        changes.into_iter().for_each(|change| merged.take(change, is_settled, certainty));
    }
    merged
}

impl Merged {
    fn take(&mut self, change: Logged, is_settled: bool, certainty: Certainty) {
        match change {
            Logged::Append(append) => self.take_entry(append, is_settled),
            Logged::Rewrite(append) => self.take_entry(append, is_settled),
            // The witness already lacks a ledger whose erasure is settled.
            Logged::Erase(_) if is_settled => {}
            Logged::Erase(ledger) => {
                self.ledgers.remove(&ledger);
                self.erased.insert(ledger);
            }
            Logged::Record { kind, key, old_hash, new } => {
                if let Some(sum) = self.sum.as_mut().filter(|_| !is_settled) {
                    let new = new.as_ref().map_or(0, |new| record_hash(&kind, &key, new));
                    sum.replace(old_hash, new);
                }
                self.records.push(RecordChange { key: (kind, key), new, certainty });
            }
        }
    }

    fn take_entry(&mut self, Append { ledger, seq, bytes }: Append, is_settled: bool) {
        let hash = entry_hash(&bytes);
        if is_settled {
            // A ledger that the witness does not have was erased later.
            let Some(known) = self.ledgers.get_mut(&ledger) else { return };
            known.hashes.entry(seq.0).or_insert(hash);
            known.logged.insert(seq.0, bytes);
            return;
        }
        let is_new = self.erased.contains(&ledger);
        let known = self.ledgers.entry(ledger).or_default();
        known.is_new |= is_new;
        known.len = known.len.max(seq.0 + 1);
        known.hashes.insert(seq.0, hash);
        known.logged.insert(seq.0, bytes);
    }
}

/// The entries of a ledger that can be saved, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvagedLedger {
    /// The entries from number 0 on, without gaps.
    pub entries: Vec<Vec<u8>>,
    /// Number of entries that the ledger had, as far as this is known.
    pub total: u64,
    /// What is wrong with the ledger, in words that fit after a colon, or `None` if it is whole.
    pub fault: Option<String>,
}

impl KnownLedger {
    /// Puts a ledger together from the entries that the log has and those of sled, which `read` reads by their numbers.
    /// sled has entries before the number `end`. The ledger ends before its first entry that is in neither.
    pub(super) fn put_together(
        &self,
        end: u64,
        mut read: impl FnMut(u64) -> Option<Vec<u8>>,
    ) -> SalvagedLedger {
        let end = if self.is_new { 0 } else { end };
        let logged_end = self.logged.last_key_value().map_or(0, |(last, _)| last + 1);
        let total = self.len.max(end).max(logged_end);
        let mut salvaged = SalvagedLedger { total, ..SalvagedLedger::default() };
        for seq in 0..total {
            let is_right = |bytes: &Vec<u8>| {
                self.hashes.get(&seq).is_none_or(|hash| *hash == entry_hash(bytes))
            };
            let logged = self.logged.get(&seq).filter(|bytes| is_right(bytes)).cloned();
            let stored = if logged.is_none() && !self.is_new { read(seq) } else { None };
            let is_changed = stored.is_some();
            match logged.or_else(|| stored.filter(is_right)) {
                Some(bytes) => salvaged.entries.push(bytes),
                None => {
                    let what =
                        if is_changed { "not as it was written" } else { "damaged or missing" };
                    salvaged.fault = Some(format!("entry {seq} is {what}"));
                    break;
                }
            }
        }
        salvaged
    }
}
