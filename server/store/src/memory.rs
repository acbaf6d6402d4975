//! A store in memory, for tests. Nothing in it survives the end of the process.

use super::{
    Append, Ledger, MAX_RECORD_BYTES, Record, Records, Space, Store, StoreError, Swap,
    next_revision,
};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    /// Number of calls of `get` and `scan` so far.
    reads: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Default)]
struct Inner {
    ledgers: BTreeMap<LedgerId, Vec<Vec<u8>>>,
    checkpoints: BTreeMap<LedgerId, Vec<u8>>,
    records: BTreeMap<(String, String), Record>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how often `get` and `scan` were called, for tests of what a request costs.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.reads.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn note_read(&self) {
        self.reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Maximum number of entries that `read_some` returns. It is small, so that tests read ledgers in several pieces.
const MAX_ENTRIES_READ: usize = 2;

impl Ledger for MemoryStore {
    fn append(&self, batch: &[Append]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let mut next: BTreeMap<&LedgerId, u64> = BTreeMap::new();
        for append in batch {
            let len = inner.ledgers.get(&append.ledger).map_or(0, Vec::len) as u64;
            let next = next.entry(&append.ledger).or_insert(len);
            if append.seq.0 != *next {
                return Err(StoreError::Conflict);
            }
            *next += 1;
        }
        for append in batch {
            inner.ledgers.entry(append.ledger.clone()).or_default().push(append.bytes.clone());
        }
        Ok(())
    }

    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        let inner = self.lock();
        let ledger = inner.ledgers.get(ledger).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from.0).unwrap_or(usize::MAX).min(ledger.len());
        Ok(ledger[from..].to_vec())
    }

    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut entries = self.read(ledger, from)?;
        entries.truncate(MAX_ENTRIES_READ);
        Ok(entries)
    }

    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        let inner = self.lock();
        let place = usize::try_from(seq.0).unwrap_or(usize::MAX);
        Ok(inner.ledgers.get(ledger).and_then(|entries| entries.get(place)).cloned())
    }

    fn rewrite(&self, entries: &[Append]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let place = |entry: &Append| usize::try_from(entry.seq.0).unwrap_or(usize::MAX);
        for entry in entries {
            let ledger = inner.ledgers.get(&entry.ledger);
            if ledger.is_none_or(|ledger| ledger.len() <= place(entry)) {
                return Err(StoreError::Conflict);
            }
        }
        for entry in entries {
            if let Some(ledger) = inner.ledgers.get_mut(&entry.ledger) {
                ledger[place(entry)] = entry.bytes.clone();
            }
            inner.checkpoints.remove(&entry.ledger);
        }
        Ok(())
    }

    fn pack(&self, _: &LedgerId) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError> {
        self.lock().checkpoints.insert(ledger.clone(), state.to_vec());
        Ok(())
    }

    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().checkpoints.get(ledger).cloned())
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        let inner = self.lock();
        let documents = inner.ledgers.keys().filter_map(|ledger| match ledger {
            LedgerId::Document(id) => Some(id.clone()),
            _ => None,
        });
        Ok(documents.collect())
    }

    fn erase(&self, ledger: &LedgerId) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.ledgers.remove(ledger);
        inner.checkpoints.remove(ledger);
        Ok(())
    }

    fn plans(&self) -> Result<Vec<PlanId>, StoreError> {
        let inner = self.lock();
        let plans = inner.ledgers.keys().filter_map(|ledger| match ledger {
            LedgerId::Plan(id) => Some(id.clone()),
            _ => None,
        });
        Ok(plans.collect())
    }
}

impl Records for MemoryStore {
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        self.note_read();
        Ok(self.lock().records.get(&(kind.to_owned(), key.to_owned())).cloned())
    }

    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        self.note_read();
        let inner = self.lock();
        let from = (kind.to_owned(), prefix.to_owned());
        let all = inner.records.range(from..);
        Ok(all
            .take_while(|((k, key), _)| k == kind && key.starts_with(prefix))
            .map(|((_, key), record)| (key.clone(), record.clone()))
            .collect())
    }

    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError> {
        let inner = self.lock();
        let all = inner.records.iter();
        Ok(all.map(|((kind, key), record)| (kind.clone(), key.clone(), record.clone())).collect())
    }

    fn put(&self, kind: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let record = Record { revision: next_revision(None), value: value.to_vec() };
        self.lock().records.insert((kind.to_owned(), key.to_owned()), record);
        Ok(())
    }

    fn swap_all(&self, swaps: &[Swap]) -> Result<(), StoreError> {
        let is_long = |value: &Vec<u8>| value.len() > MAX_RECORD_BYTES;
        if swaps.iter().any(|swap| swap.value.as_ref().is_some_and(is_long)) {
            return Err(StoreError::TooLong);
        }
        let mut inner = self.lock();
        let id = |swap: &Swap| (swap.kind.to_owned(), swap.key.clone());
        for swap in swaps {
            if inner.records.get(&id(swap)).map(|record| record.revision) != swap.expected {
                return Err(StoreError::Conflict);
            }
        }
        for swap in swaps {
            match &swap.value {
                Some(value) => {
                    let revision = next_revision(swap.expected);
                    inner.records.insert(id(swap), Record { revision, value: value.clone() });
                }
                None => {
                    inner.records.remove(&id(swap));
                }
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn has_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn space(&self) -> Result<Space, StoreError> {
        Ok(Space::default())
    }
}
