//! sled, which is closed and opened again after it has failed.
//!
//! sled keeps its first error, and answers every later call with it. So after an error, for example because the disk was
//! full for a moment, it is opened again. What it lost of the layer that was being settled is in memory, and in the log.

use super::errors::{failed, words_of};
use super::paths::{SLED, sled_file};
use super::unsynced::{mark_as_unsynced, write_again};
use crate::StoreError;
use crate::sled::{Form, SledStore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

/// After a failed try to open sled, the next one comes after this many times its duration, so that readers, who can wait
/// for a try, are not stopped most of the time.
const PAUSE_FACTOR: u32 = 10;

/// sled, and whether it has failed.
#[derive(Debug)]
pub(super) struct Reopenable {
    /// The data folder.
    path: PathBuf,
    /// The open database, or the reason why it can't be opened.
    open: RwLock<Result<SledStore, StoreError>>,
    failure: Mutex<Option<Failure>>,
}

/// An error of sled since it was opened. It can be that of a sync: then what the system has in memory looks saved, and may
/// not be on the disk.
#[derive(Debug)]
struct Failure {
    error: StoreError,
    /// The time before which sled is not opened again.
    not_before: Instant,
}

impl Reopenable {
    pub(super) fn new(path: &Path, sled: SledStore) -> Self {
        Self { path: path.to_owned(), open: RwLock::new(Ok(sled)), failure: Mutex::default() }
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with sled, and notices whether sled fails.
    ///
    /// # Errors
    /// Returns the error of sled.
    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&SledStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let result = open.as_ref().map_err(Clone::clone).and_then(act);
        if let Err(error) = &result {
            self.notice(error);
        }
        result
    }

    /// Takes note of an error of sled.
    pub(super) fn notice(&self, error: &StoreError) {
        if !matches!(error, StoreError::SyncFailed(_) | StoreError::Full | StoreError::Failed(_)) {
            return;
        }
        let mut failure = self.failure();
        if failure.is_none() {
            mark_as_unsynced(&self.path);
            *failure = Some(Failure { error: error.clone(), not_before: Instant::now() });
        }
    }

    /// Whether sled has failed since it was opened.
    pub(super) fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// Checks that sled has not failed since it was opened.
    ///
    /// # Errors
    /// Returns the error with which it failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.failure().as_ref().map_or(Ok(()), |failure| Err(failure.error.clone()))
    }

    /// Closes sled and opens it again, and lets `verify` check what it contains. Readers wait meanwhile.
    ///
    /// # Errors
    /// Returns the reason why sled can't be opened, or the error of `verify`. Readers get this error until a later call
    /// succeeds.
    pub(super) fn reopen(
        &self,
        verify: impl FnOnce(&SledStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let since = Instant::now();
        if let Some(failure) = &*self.failure()
            && since < failure.not_before
        {
            return Err(failure.error.clone());
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let closed = StoreError::Failed("the database could not be opened again".into());
        let old = std::mem::replace(&mut *open, Err(closed));
        // sled flushes when it is dropped, and can panic after an error.
        drop(catch_unwind(AssertUnwindSafe(|| drop(old))));
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let sled = self.open_again()?;
            verify(&sled)?;
            Ok(sled)
        }));
        let opened =
            opened.unwrap_or_else(|panic| Err(StoreError::Failed(words_of(&*panic).to_owned())));
        let error = opened.as_ref().err().cloned();
        *open = opened;
        let not_before = Instant::now() + since.elapsed() * PAUSE_FACTOR;
        *self.failure() = error.clone().map(|error| Failure { error, not_before });
        error.map_or(Ok(()), Err)
    }

    fn open_again(&self) -> Result<SledStore, StoreError> {
        write_again(&sled_file(&self.path)).map_err(|error| failed(&error))?;
        let sled = SledStore::open(&self.path)?;
        if sled.form() != Form::Present {
            let place = self.path.join(SLED);
            return Err(StoreError::Damaged(format!(
                "{} has lost the mark of its form",
                place.display()
            )));
        }
        Ok(sled)
    }
}
