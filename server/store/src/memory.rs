//! A store in memory, for tests. Nothing in it survives the end of the process.

use super::staging::{Current, RecordKey, Resolved, Staging};
use super::{Change, Ledger, Record, Records, Space, Store, StoreError};
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
    records: BTreeMap<RecordKey, Record>,
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
}

impl Current for Inner {
    fn next(&self, ledger: &LedgerId) -> Result<u64, StoreError> {
        Ok(self.ledgers.get(ledger).map_or(0, Vec::len) as u64)
    }

    fn record(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.records.get(key).cloned())
    }
}

impl Inner {
    fn make(&mut self, change: Resolved) {
        match change {
            Resolved::Append(append) => {
                self.ledgers.entry(append.ledger).or_default().push(append.bytes);
            }
            Resolved::Record { key, new: Some(record), .. } => {
                self.records.insert(key, record);
            }
            Resolved::Record { key, new: None, .. } => {
                self.records.remove(&key);
            }
            Resolved::Rewrite(append) => {
                let place = usize::try_from(append.seq.0).unwrap_or(usize::MAX);
                let entry = self.ledgers.get_mut(&append.ledger).and_then(|l| l.get_mut(place));
                if let Some(entry) = entry {
                    *entry = append.bytes;
                }
                self.checkpoints.remove(&append.ledger);
            }
            Resolved::Erase(ledger) => {
                self.ledgers.remove(&ledger);
                self.checkpoints.remove(&ledger);
            }
        }
    }
}

impl Store for MemoryStore {
    fn commit(&self, jobs: Vec<Vec<Change>>) -> Vec<Result<(), StoreError>> {
        let mut inner = self.lock();
        let mut staging = Staging::new(&*inner);
        let results = jobs.into_iter().map(|job| staging.add(job)).collect();
        let resolved = staging.resolved;
        resolved.into_iter().for_each(|change| inner.make(change));
        results
    }

    fn has_space(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn space(&self) -> Result<Space, StoreError> {
        Ok(Space::default())
    }
}
