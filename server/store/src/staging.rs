//! Decides which jobs of a commit can be done, in the same way for every backend.

use crate::{Append, Change, MAX_RECORD_BYTES, Record, StoreError, Swap, next_revision};
use accord_document::ids::{LedgerId, Seq};
use std::collections::HashMap;

/// Stands for the next entry of a ledger that was erased earlier in the same commit. Nothing can be appended to it or
/// rewritten in it.
const ERASED: u64 = u64::MAX;

/// What a backend contains before a commit.
pub(crate) trait Current {
    /// Returns the number of the next entry of a ledger.
    fn next(&self, ledger: &LedgerId) -> Result<u64, StoreError>;
    /// Returns the record with a key, or `None` if no record has it.
    fn record(&self, key: &RecordKey) -> Result<Option<Record>, StoreError>;
}

/// The kind of a record, and its key within the kind.
pub(crate) type RecordKey = (String, String);

/// A change whose conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolved {
    Append(Append),
    /// Writes a record, or removes it if `new` is `None`.
    Record {
        key: RecordKey,
        old: Option<Record>,
        new: Option<Record>,
    },
    Rewrite(Append),
    Erase(LedgerId),
}

/// The jobs of one commit. Each job sees what the jobs before it change.
pub(crate) struct Staging<'c, C> {
    current: &'c C,
    changed: Changed,
    /// The changes of all jobs that can be done, in order.
    pub(crate) resolved: Vec<Resolved>,
}

/// The values that earlier changes of the commit have changed. The backend still has the old ones.
#[derive(Default)]
struct Changed {
    next: HashMap<LedgerId, u64>,
    records: HashMap<RecordKey, Option<Record>>,
}

impl<'c, C: Current> Staging<'c, C> {
    pub(crate) fn new(current: &'c C) -> Self {
        Self { current, changed: Changed::default(), resolved: Vec::new() }
    }

    /// Adds a job. If one of its changes is impossible, none of them is added.
    ///
    /// # Errors
    /// Returns the errors of [`Store::commit`](crate::Store::commit).
    pub(crate) fn add(&mut self, job: Vec<Change>) -> Result<(), StoreError> {
        let mut own = Changed::default();
        let mut resolved = Vec::with_capacity(job.len());
        for change in job {
            resolved.push(self.resolve(&mut own, change)?);
        }
        self.changed.next.extend(own.next);
        self.changed.records.extend(own.records);
        self.resolved.append(&mut resolved);
        Ok(())
    }

    fn resolve(&self, own: &mut Changed, change: Change) -> Result<Resolved, StoreError> {
        match change {
            Change::Append(append) => {
                let next = self.next(own, &append.ledger)?;
                if append.seq != Seq(next) {
                    return Err(StoreError::Conflict);
                }
                own.next.insert(append.ledger.clone(), next + 1);
                Ok(Resolved::Append(append))
            }
            Change::Rewrite(append) => {
                let next = self.next(own, &append.ledger)?;
                if append.seq.0 >= next || next == ERASED {
                    return Err(StoreError::Conflict);
                }
                Ok(Resolved::Rewrite(append))
            }
            Change::Erase(ledger) => {
                own.next.insert(ledger.clone(), ERASED);
                Ok(Resolved::Erase(ledger))
            }
            Change::Put { kind, key, value } => {
                let new = Record { revision: next_revision(None), value };
                self.write(own, (kind, key), Some(new))
            }
            Change::Swap(Swap { kind, key, expected, value }) => {
                if value.as_ref().is_some_and(|value| value.len() > MAX_RECORD_BYTES) {
                    return Err(StoreError::TooLong);
                }
                let key = (kind.to_owned(), key);
                let revision = self.record(own, &key)?.map(|record| record.revision);
                if revision != expected {
                    return Err(StoreError::Conflict);
                }
                let revision = next_revision(expected);
                self.write(own, key, value.map(|value| Record { revision, value }))
            }
        }
    }

    fn write(
        &self,
        own: &mut Changed,
        key: RecordKey,
        new: Option<Record>,
    ) -> Result<Resolved, StoreError> {
        let old = self.record(own, &key)?;
        own.records.insert(key.clone(), new.clone());
        Ok(Resolved::Record { key, old, new })
    }

    fn next(&self, own: &Changed, ledger: &LedgerId) -> Result<u64, StoreError> {
        let changed = own.next.get(ledger).or_else(|| self.changed.next.get(ledger));
        changed.map_or_else(|| self.current.next(ledger), |next| Ok(*next))
    }

    fn record(&self, own: &Changed, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let changed = own.records.get(key).or_else(|| self.changed.records.get(key));
        changed.map_or_else(|| self.current.record(key), |record| Ok(record.clone()))
    }
}
