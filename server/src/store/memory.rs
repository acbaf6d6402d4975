//! The store of the tests: nothing survives.

use super::{Append, Ledger, Record, Records, Store, StoreError};
use accord_document::ids::{DocumentId, Seq};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ledgers: BTreeMap<DocumentId, Vec<Vec<u8>>>,
    records: BTreeMap<(String, String), Record>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryStore {
    fn append(&self, batch: &[Append]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let mut next: BTreeMap<&DocumentId, u64> = BTreeMap::new();
        for append in batch {
            let len = inner.ledgers.get(&append.document).map_or(0, Vec::len) as u64;
            let next = next.entry(&append.document).or_insert(len);
            if append.seq.0 != *next {
                return Err(StoreError::Conflict);
            }
            *next += 1;
        }
        for append in batch {
            inner.ledgers.entry(append.document.clone()).or_default().push(append.bytes.clone());
        }
        Ok(())
    }

    fn read(&self, document: &DocumentId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        let inner = self.lock();
        let ledger = inner.ledgers.get(document).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from.0).unwrap_or(usize::MAX).min(ledger.len());
        Ok(ledger[from..].to_vec())
    }
}

impl Records for MemoryStore {
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        Ok(self.lock().records.get(&(kind.to_owned(), key.to_owned())).cloned())
    }

    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let inner = self.lock();
        let from = (kind.to_owned(), prefix.to_owned());
        let all = inner.records.range(from..);
        Ok(all
            .take_while(|((k, key), _)| k == kind && key.starts_with(prefix))
            .map(|((_, key), record)| (key.clone(), record.clone()))
            .collect())
    }

    fn swap(
        &self,
        kind: &str,
        key: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let id = (kind.to_owned(), key.to_owned());
        if inner.records.get(&id).map(|record| record.revision) != expected {
            return Err(StoreError::Conflict);
        }
        match value {
            Some(value) => {
                let revision = expected.map_or(1, |revision| revision + 1);
                inner.records.insert(id, Record { revision, value: value.to_vec() });
            }
            None => {
                inner.records.remove(&id);
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn has_room(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
