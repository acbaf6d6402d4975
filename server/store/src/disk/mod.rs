//! The store of one machine: a log in front of sled, and a witness beside it.
//!
//! A commit is one batch of the log: one write and one sync. What is committed stays in memory, in a *layer*, until a
//! thread of its own writes it to sled in one large write (*settles* it). The order is: the log is synced, the commit is
//! acknowledged, sled takes in the layer and is synced, the witness is written, and one settlement later the log is
//! freed. So the log still has what sled may have lost without noticing.
//!
//! Rewrites and erasures settle at once, and then the whole log is replaced with zeroes, so that no copy of the old bytes
//! is left in it.

mod changes;
mod comparing;
mod copying;
mod errors;
mod free_space;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod layer;
mod ledger_ids;
mod locking;
pub(crate) mod merging;
mod noted;
mod opening;
mod paths;
mod reading;
mod reopening;
pub(crate) mod salvaging;
mod settling;
#[cfg(test)]
mod tests;
mod unsynced;
mod witness;

use crate::log::{Log, LogError, Position, UsedUp};
use crate::sled::SledStore;
use crate::staging::{Current, RecordKey, Resolved, Staging};
use crate::{Change, Record, Space, Store, StoreError};
use accord_document::ids::{LedgerId, Seq};
use errors::words_of;
use free_space::FreeSpace;
use layer::Layer;
use locking::FolderLock;
use reopening::Reopenable;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use std::thread::JoinHandle;
use unsynced::mark_as_unsynced;
use witness::Witness;

/// A store in a data folder.
#[derive(Debug)]
pub struct DiskStore {
    shared: Arc<Shared>,
    /// Settles everything when it is dropped.
    _settler: Settler,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    sled: Reopenable,
    room: FreeSpace,
    /// Ledgers that are not as the witness says, each with a description of the damage.
    damaged: BTreeMap<LedgerId, String>,
    layers: RwLock<Layers>,
    /// Jobs whose caller waits for the writer. The caller that gets the writer first commits all of them as one batch.
    waiting: Mutex<Vec<Waiting>>,
    writer: Mutex<Writer>,
    /// Held while something is settled. The locks are taken in this order: writer, witness, settlement, layers.
    witness: Mutex<Witness>,
    /// The state of the settlement under way, and a way to wait for its end.
    settlement: Mutex<Settlement>,
    settled: Condvar,
    /// Wakes the settler when a layer is due or the store is closed.
    due: Condvar,
    /// Why nothing more is committed or settled. Only the next opening, which reads everything again, can tell then what is
    /// on disk.
    stopped: OnceLock<StoreError>,
    /// The place behind the last batch that is on disk.
    acknowledged: Mutex<Position>,
    /// Segments that were taken out of the log and are being filled with zeroes. Locked after the writer.
    freeing: Mutex<Vec<UsedUp>>,
    /// A number that is odd during a *removal*, which is a rewrite or an erasure, and larger after it.
    removals: AtomicU64,
    /// Dropped last.
    _lock: FolderLock,
}

/// What is committed and not in sled yet.
#[derive(Debug)]
struct Layers {
    /// What was committed since the last settlement began.
    newest: Layer,
    /// What is being settled.
    settling: Option<Arc<Layer>>,
}

/// The thread that settles. It ends when this is dropped, after it has settled everything.
#[derive(Debug)]
struct Settler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The result of each job of a commit.
type Results = Vec<Result<(), StoreError>>;

#[derive(Debug)]
struct Waiting {
    jobs: Vec<Vec<Change>>,
    results: Arc<Mutex<Option<Results>>>,
}

/// What only one commit at a time uses.
#[derive(Debug)]
struct Writer {
    log: Log,
    /// The number of the next entry of each ledger that was appended to since the store was opened.
    next: HashMap<LedgerId, u64>,
}

#[derive(Debug, Default)]
struct Settlement {
    /// Whether there is a layer to settle.
    is_due: bool,
    /// Why the last settlement failed. It is tried again.
    failed: Option<StoreError>,
    /// The place behind the last batch of the last settlement. Segments of the log up to there can be freed once the next
    /// settlement has ended.
    last: Option<Position>,
    is_stopping: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn removes(change: &Change) -> bool {
    matches!(change, Change::Rewrite(_) | Change::Erase(_))
}

/// The state that a commit starts from. Only the holder of the writer uses it.
struct BeforeCommit<'s> {
    shared: &'s Shared,
    next: &'s HashMap<LedgerId, u64>,
}

impl Current for BeforeCommit<'_> {
    fn next(&self, ledger: &LedgerId) -> Result<u64, StoreError> {
        if let Some(what) = self.shared.damaged.get(ledger) {
            return Err(StoreError::Damaged(what.clone()));
        }
        match self.next.get(ledger) {
            Some(next) => Ok(*next),
            None => self.shared.sled.with(|sled| sled.end(ledger)),
        }
    }

    fn record(&self, (kind, key): &RecordKey) -> Result<Option<Record>, StoreError> {
        self.shared.record(kind, key)
    }
}

impl Shared {
    fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers_mut(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops committing and settling, for the first reason that is passed. Returns that reason.
    fn stop(&self, reason: StoreError) -> StoreError {
        self.stopped.get_or_init(|| reason).clone()
    }

    /// Checks that the entries which a job rewrites can be read, that sled works, and that the disk has room to rewrite and
    /// erase. A removal that is in the log must be possible.
    fn can_remove(&self, job: &[Change]) -> Result<(), StoreError> {
        let mut first: BTreeMap<&LedgerId, Seq> = BTreeMap::new();
        for change in job {
            if let Change::Rewrite(append) = change {
                let seq = first.entry(&append.ledger).or_insert(append.seq);
                *seq = append.seq.min(*seq);
            }
        }
        if job.iter().any(removes) {
            self.room.check_least()?;
            self.sled.check()?;
        }
        first.into_iter().try_for_each(|(ledger, seq)| self.read(ledger, seq).map(drop))
    }

    /// Commits jobs as one batch of the log.
    fn write(&self, writer: &mut Writer, jobs: Vec<Vec<Change>>) -> Results {
        if let Some(error) = self.stopped.get() {
            return jobs.iter().map(|_| Err(error.clone())).collect();
        }
        let before = BeforeCommit { shared: self, next: &writer.next };
        let mut staging = Staging::new(&before);
        let mut add = |job: Vec<Change>| {
            self.can_remove(&job)?;
            staging.add(job)
        };
        let mut results: Vec<_> = jobs.into_iter().map(&mut add).collect();
        let resolved = staging.resolved;
        if resolved.is_empty() {
            return results;
        }
        if let Err(error) = self.log_and_publish(writer, resolved) {
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(error.clone());
            }
        }
        results
    }

    fn log_and_publish(
        &self,
        writer: &mut Writer,
        changes: Vec<Resolved>,
    ) -> Result<(), StoreError> {
        let position = match writer.log.append(&changes::encode(&changes)) {
            Ok(position) => position,
            Err(LogError::Io(error)) => {
                mark_as_unsynced(&self.path);
                return Err(self.stop(StoreError::SyncFailed(error.to_string())));
            }
            Err(error) => return Err(error.into()),
        };
        *lock(&self.acknowledged) = position;
        let is_removal =
            |change: &Resolved| matches!(change, Resolved::Rewrite(_) | Resolved::Erase(_));
        let removals: Vec<_> =
            changes.iter().filter(|change| is_removal(change)).cloned().collect();
        // Nothing else may settle this batch, because its rewrites and erasures would be left out.
        let witness = (!removals.is_empty()).then(|| lock(&self.witness));
        {
            let mut layers = self.layers_mut();
            layers.newest.upto = position;
            for change in changes {
                match &change {
                    Resolved::Append(append) => {
                        writer.next.insert(append.ledger.clone(), append.seq.0 + 1);
                    }
                    Resolved::Erase(ledger) => drop(writer.next.insert(ledger.clone(), 0)),
                    Resolved::Rewrite(_) | Resolved::Record { .. } => {}
                }
                layers.newest.add(change);
            }
        }
        if let Some(witness) = witness {
            return self.remove_at_once(writer, witness, &removals);
        }
        self.settle_if_large();
        Ok(())
    }
}

impl Store for DiskStore {
    fn commit(&self, jobs: Vec<Vec<Change>>) -> Results {
        let count = jobs.len();
        // Nobody waits for a settlement while they hold the writer, because the settler needs it to free the log. So a few
        // commits that waited together can exceed the size of a layer.
        if let Err(error) = self.shared.wait_for_space() {
            return vec![Err(error); count];
        }
        if jobs.iter().flatten().any(removes) {
            self.shared.wait_for_sled();
        }
        let results = Arc::new(Mutex::new(None));
        lock(&self.shared.waiting).push(Waiting { jobs, results: results.clone() });
        let mut writer = lock(&self.shared.writer);
        // The caller that held the writer before can have committed these jobs, too.
        if let Some(results) = lock(&results).take() {
            return results;
        }
        let waiting = std::mem::take(&mut *lock(&self.shared.waiting));
        let counts: Vec<_> = waiting.iter().map(|waiting| waiting.jobs.len()).collect();
        let (mut jobs, mut slots) = (Vec::new(), Vec::new());
        for Waiting { jobs: more, results } in waiting {
            jobs.extend(more);
            slots.push(results);
        }
        let written = catch_unwind(AssertUnwindSafe(|| self.shared.write(&mut writer, jobs)));
        if let Err(panic) = &written {
            self.shared.stop(StoreError::Failed(words_of(&**panic).to_owned()));
        }
        let failed = self.stopped();
        let failed = failed.unwrap_or_else(|| StoreError::Failed("a job has no result".into()));
        let mut all = written.unwrap_or_default().into_iter();
        for (slot, count) in slots.iter().zip(counts) {
            let mut own: Results = all.by_ref().take(count).collect();
            own.resize(count, Err(failed.clone()));
            *lock(slot) = Some(own);
        }
        drop(writer);
        let own = lock(&results).take();
        own.unwrap_or_else(|| vec![Err(failed); count])
    }

    fn stopped(&self) -> Option<StoreError> {
        self.shared.stopped.get().cloned()
    }

    fn has_space(&self) -> Result<(), StoreError> {
        self.shared.room.check()
    }

    fn space(&self) -> Result<Space, StoreError> {
        let settled = self.shared.sled.with(SledStore::size)?;
        let log = lock(&self.shared.writer).log.bytes();
        Ok(Space { used: settled + log, free: self.shared.room.free()? })
    }
}
