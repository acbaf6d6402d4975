//! Reads ledgers and records: what is not settled yet comes from the layers, and everything else from sled.
//!
//! A reader looks at the layers first. What it does not find there is in sled, because a layer is dropped only after sled
//! has taken it in.

use super::layer::Layer;
use super::{DiskStore, Shared};
use crate::sled::{MIN_PACKED_ENTRIES, SledStore, missing_entry};
use crate::{Ledger, Record, Records, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Maximum number of unsettled entries that `read_some` returns.
const MAX_ENTRIES_READ: usize = 64;
/// Time between two tries to read a ledger of which entries are being rewritten or erased.
const BETWEEN_READS: Duration = Duration::from_millis(1);

/// The unsettled entries of a ledger that a reader asked for.
struct Unsettled {
    /// The number of the ledger's first unsettled entry. All entries before it are in sled.
    first: u64,
    /// The entries from the number on that was asked for.
    entries: Vec<Vec<u8>>,
}

impl Shared {
    /// Calls `look` with each layer, the oldest first.
    fn with_layers(&self, mut look: impl FnMut(&Layer)) {
        let layers = self.layers();
        if let Some(settling) = &layers.settling {
            look(settling);
        }
        look(&layers.newest);
    }

    /// Returns the unsettled entries of a ledger from `from` on, at most `at_most` of them.
    fn unsettled(&self, ledger: &LedgerId, from: u64, at_most: usize) -> Unsettled {
        let mut found = Unsettled { first: u64::MAX, entries: Vec::new() };
        self.with_layers(|layer| {
            let Some(tail) = layer.tail(ledger) else { return };
            found.first = found.first.min(tail.first);
            let room = at_most - found.entries.len();
            found.entries.extend(tail.from(from).iter().take(room).cloned());
        });
        found
    }

    pub(super) fn record(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        let id = (kind.to_owned(), key.to_owned());
        let mut found = None;
        self.with_layers(|layer| {
            if let Some(change) = layer.records.get(&id) {
                found = Some(change.new.clone());
            }
        });
        match found {
            Some(record) => Ok(record),
            None => self.sled.with(|sled| sled.get(kind, key)),
        }
    }

    /// Reads something of a ledger. A read during a rewrite or an erasure can find only a part of the entries. Then it
    /// fails, and is repeated once the entries are rewritten or erased.
    fn reading<T>(
        &self,
        ledger: &LedgerId,
        read: impl Fn() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(what) = self.damaged.get(ledger) {
            return Err(StoreError::Damaged(what.clone()));
        }
        loop {
            let removals = self.removals.load(Ordering::Acquire);
            let result = read();
            let is_quiet =
                removals.is_multiple_of(2) && removals == self.removals.load(Ordering::Acquire);
            if result.is_ok() || is_quiet || self.stopped.get().is_some() {
                return result;
            }
            std::thread::sleep(BETWEEN_READS);
        }
    }
}

impl Shared {
    /// Returns all entries of a ledger from `from` on.
    pub(super) fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        self.reading(ledger, || {
            // At some kinds of damage, sled ends a range early and reports nothing.
            let settled = self.sled.with(|sled| sled.end(ledger))?;
            let unsettled = self.unsettled(ledger, from.0, usize::MAX);
            let mut entries =
                self.sled.with(|sled| sled.read_before(ledger, from, unsettled.first))?;
            let wanted = if unsettled.first == u64::MAX { settled } else { unsettled.first };
            let end = from.0 + entries.len() as u64;
            if end < wanted {
                return Err(missing_entry(ledger, end));
            }
            entries.extend(unsettled.entries);
            Ok(entries)
        })
    }
}

impl Ledger for DiskStore {
    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        self.shared.read(ledger, from)
    }

    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        self.shared.reading(ledger, || {
            let unsettled = self.shared.unsettled(ledger, from.0, MAX_ENTRIES_READ);
            if from.0 >= unsettled.first {
                return Ok(unsettled.entries);
            }
            let mut entries = self.shared.sled.with(|sled| sled.read_some(ledger, from))?;
            if entries.is_empty() && unsettled.first != u64::MAX {
                return Err(missing_entry(ledger, from.0));
            }
            let settled = usize::try_from(unsettled.first - from.0).unwrap_or(usize::MAX);
            entries.truncate(settled);
            Ok(entries)
        })
    }

    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.reading(ledger, || {
            let unsettled = self.shared.unsettled(ledger, seq.0, 1);
            if seq.0 >= unsettled.first {
                return Ok(unsettled.entries.into_iter().next());
            }
            self.shared.sled.with(|sled| sled.entry(ledger, seq))
        })
    }

    fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        self.shared.room.check()?;
        // Only settled entries can be packed.
        if self.shared.unsettled(ledger, 0, usize::MAX).entries.len() >= MIN_PACKED_ENTRIES {
            self.shared.settle_now()?;
        }
        self.shared.reading(ledger, || self.shared.sled.with(|sled| sled.pack(ledger)))
    }

    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError> {
        self.shared.room.check()?;
        self.shared.sled.with(|sled| sled.keep_checkpoint(ledger, state))
    }

    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.sled.with(|sled| sled.checkpoint(ledger))
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        let mut all = BTreeSet::new();
        self.shared.with_layers(|layer| all.extend(layer.documents().cloned()));
        all.extend(self.shared.sled.with(SledStore::documents)?);
        Ok(all.into_iter().collect())
    }

    fn plans(&self) -> Result<Vec<PlanId>, StoreError> {
        let mut all = BTreeSet::new();
        self.shared.with_layers(|layer| all.extend(layer.plans().cloned()));
        all.extend(self.shared.sled.with(SledStore::plans)?);
        Ok(all.into_iter().collect())
    }
}

impl Records for DiskStore {
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        self.shared.record(kind, key)
    }

    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let mut changed = BTreeMap::new();
        self.shared.with_layers(|layer| {
            let from = (kind.to_owned(), prefix.to_owned());
            let range = layer.records.range(from..);
            let those = range.take_while(|((k, key), _)| k == kind && key.starts_with(prefix));
            changed.extend(those.map(|((_, key), change)| (key.clone(), change.new.clone())));
        });
        let settled = self.shared.sled.with(|sled| sled.scan(kind, prefix))?;
        let mut all: BTreeMap<String, Record> = settled.into_iter().collect();
        for (key, record) in changed {
            match record {
                Some(record) => all.insert(key, record),
                None => all.remove(&key),
            };
        }
        Ok(all.into_iter().collect())
    }

    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError> {
        let mut changed = BTreeMap::new();
        self.shared.with_layers(|layer| {
            let those = layer.records.iter();
            changed.extend(those.map(|(id, change)| (id.clone(), change.new.clone())));
        });
        let settled = self.shared.sled.with(SledStore::all)?;
        let mut all: BTreeMap<_, _> =
            settled.into_iter().map(|(kind, key, record)| ((kind, key), record)).collect();
        for (id, record) in changed {
            match record {
                Some(record) => all.insert(id, record),
                None => all.remove(&id),
            };
        }
        Ok(all.into_iter().map(|((kind, key), record)| (kind, key, record)).collect())
    }
}
