//! A store for tests, which fails or blocks on demand.

use super::PATIENCE;
use crate::store::{Change, Ledger, MemoryStore, Record, Records, Space, Store, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A store in memory that fails on demand.
#[derive(Default)]
pub(super) struct FaultyStore {
    inner: MemoryStore,
    /// Whether appends fail because the disk is full, or for another reason that can pass.
    pub(super) is_full: AtomicBool,
    pub(super) fails: AtomicBool,
    /// Whether changes of records fail.
    pub(super) loses_records: AtomicBool,
    /// The client id whose records can't be changed.
    pub(super) damaged: AtomicU64,
    /// Number of changes that failed because of `loses_records`.
    pub(super) lost: AtomicU64,
    /// Number of changes of records that had to wait.
    pub(super) delayed: AtomicU64,
    /// Whether changes of records wait until this is false again.
    pub(super) is_slow: AtomicBool,
}

impl Ledger for FaultyStore {
    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.read(ledger, from)
    }

    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.read_some(ledger, from)
    }

    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.entry(ledger, seq)
    }

    fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        self.inner.pack(ledger)
    }

    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError> {
        self.inner.keep_checkpoint(ledger, state)
    }

    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.checkpoint(ledger)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        self.inner.documents()
    }

    fn plans(&self) -> Result<Vec<PlanId>, StoreError> {
        self.inner.plans()
    }
}

impl Records for FaultyStore {
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        self.inner.get(kind, key)
    }

    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        self.inner.scan(kind, prefix)
    }

    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError> {
        self.inner.all()
    }
}

impl FaultyStore {
    /// Returns the error of a job that is to fail. Waits while changes of records are slow.
    fn fault(&self, job: &[Change]) -> Option<StoreError> {
        if job.iter().any(|change| matches!(change, Change::Append(_))) {
            if self.is_full.load(Ordering::SeqCst) {
                return Some(StoreError::Full);
            }
            if self.fails.load(Ordering::SeqCst) {
                return Some(StoreError::Failed("the database is being opened again".into()));
            }
        }
        let damaged = format!("{:016x}", self.damaged.load(Ordering::SeqCst));
        let mut swaps = job.iter().filter_map(|change| match change {
            Change::Swap(swap) => Some(swap),
            _ => None,
        });
        let first = swaps.next()?;
        if self.loses_records.load(Ordering::SeqCst) {
            self.lost.fetch_add(1, Ordering::SeqCst);
            return Some(StoreError::Full);
        }
        if first.key.ends_with(&damaged) || swaps.any(|swap| swap.key.ends_with(&damaged)) {
            return Some(StoreError::Damaged("a client id".into()));
        }
        if self.is_slow.load(Ordering::SeqCst) {
            self.delayed.fetch_add(1, Ordering::SeqCst);
        }
        // The wait is bounded, so that a test that fails meanwhile does not block for ever.
        let end = std::time::Instant::now() + PATIENCE;
        while self.is_slow.load(Ordering::SeqCst) && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Store for FaultyStore {
    fn commit(&self, jobs: Vec<Vec<Change>>) -> Vec<Result<(), StoreError>> {
        let commit = |job: Vec<Change>| match self.fault(&job) {
            Some(error) => Err(error),
            None => self.inner.commit_one(job),
        };
        jobs.into_iter().map(commit).collect()
    }

    fn has_space(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn space(&self) -> Result<Space, StoreError> {
        self.inner.space()
    }
}
