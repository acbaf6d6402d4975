//! What was committed and is not in sled yet.

use crate::log::Position;
use crate::staging::{RecordKey, Resolved};
use crate::{Append, Record};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::collections::BTreeMap;

/// Estimated memory of an entry or record beside its bytes.
const OVERHEAD_BYTES: usize = 64;

/// Appended entries and changed records, in memory.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    ledgers: BTreeMap<LedgerId, Tail>,
    pub(super) records: BTreeMap<RecordKey, RecordChange>,
    /// Estimated size in memory, in bytes.
    pub(super) bytes: usize,
    /// The place in the log behind the last batch of the layer.
    pub(super) upto: Position,
}

/// The newest entries of a ledger: their numbers follow each other from `first` on.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    pub(super) first: u64,
    pub(super) entries: Vec<Vec<u8>>,
}

/// A changed record.
#[derive(Debug, Clone)]
pub(super) struct RecordChange {
    /// The record before the first change of this layer.
    pub(super) old: Option<Record>,
    pub(super) new: Option<Record>,
}

impl Layer {
    pub(super) fn new(upto: Position) -> Self {
        Self { ledgers: BTreeMap::new(), records: BTreeMap::new(), bytes: 0, upto }
    }

    /// Adds the appended entries and changed records of a batch.
    pub(super) fn add(&mut self, change: Resolved) {
        match change {
            Resolved::Append(append) => {
                self.bytes += append.bytes.len() + OVERHEAD_BYTES;
                let Append { ledger, seq, bytes } = append;
                let tail = self.ledgers.entry(ledger);
                tail.or_insert(Tail { first: seq.0, entries: Vec::new() }).entries.push(bytes);
            }
            Resolved::Record { key, old, new } => {
                let value = new.as_ref().map_or(0, |record| record.value.len());
                self.bytes += key.0.len() + key.1.len() + value + OVERHEAD_BYTES;
                let change = self.records.entry(key).or_insert(RecordChange { old, new: None });
                change.new = new;
            }
            Resolved::Rewrite(_) | Resolved::Erase(_) => {}
        }
    }

    pub(super) fn ledgers(&self) -> impl Iterator<Item = (&LedgerId, &Tail)> {
        self.ledgers.iter()
    }

    pub(super) fn tail(&self, ledger: &LedgerId) -> Option<&Tail> {
        self.ledgers.get(ledger)
    }

    pub(super) fn documents(&self) -> impl Iterator<Item = &DocumentId> {
        self.ledgers.keys().filter_map(|ledger| match ledger {
            LedgerId::Document(id) => Some(id),
            _ => None,
        })
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &PlanId> {
        self.ledgers.keys().filter_map(|ledger| match ledger {
            LedgerId::Plan(id) => Some(id),
            _ => None,
        })
    }

    /// Returns the entries as they are to be written to sled.
    pub(super) fn appends(&self) -> impl Iterator<Item = Append> {
        self.ledgers.iter().flat_map(|(ledger, tail)| {
            (tail.first..).zip(&tail.entries).map(|(seq, bytes)| Append {
                ledger: ledger.clone(),
                seq: Seq(seq),
                bytes: bytes.clone(),
            })
        })
    }
}

impl Tail {
    /// Returns the number after the last entry.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Returns the entries from a number on.
    pub(super) fn from(&self, seq: u64) -> &[Vec<u8>] {
        let known = usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.entries.get(known..).unwrap_or_default()
    }
}
