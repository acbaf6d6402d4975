//! sled, which is closed and opened again after it has failed.
//!
//! sled keeps its first error, and answers every later call with it. So after an error, for example because the disk was
//! full for a moment, it is opened again. What it lost of the layer that was being settled is in memory, and in the log.

use super::elsewhere::{mark_as_unsynced, write_elsewhere};
use super::errors::{failed, words_of};
use super::paths::{SLED, sled_file};
use crate::StoreError;
use crate::sled::{Form, SledStore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

/// sled, and whether it can be relied on.
#[derive(Debug)]
pub(super) struct Reopenable {
    /// The data folder.
    path: PathBuf,
    /// The open database, or the reason why it can't be opened.
    open: RwLock<Result<SledStore, StoreError>>,
    trust: Mutex<Trust>,
}

/// How far sled can be relied on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Trust {
    /// It has never failed, or was compared with the witness since it was opened again.
    #[default]
    Full,
    /// It was opened again, and was not compared with the witness yet.
    Reopened,
    /// It failed, so it must be opened again. The failure can have been that of a sync: then what the system has in memory
    /// looks saved, and may not be on the disk.
    Failed,
}

impl Reopenable {
    pub(super) fn new(path: &Path, sled: SledStore) -> Self {
        let open = RwLock::new(Ok(sled));
        Self { path: path.to_owned(), open, trust: Mutex::default() }
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
        let mut trust = super::lock(&self.trust);
        if *trust != Trust::Failed {
            mark_as_unsynced(&self.path);
        }
        *trust = Trust::Failed;
    }

    /// Whether sled has failed since it was opened.
    pub(super) fn has_failed(&self) -> bool {
        *super::lock(&self.trust) == Trust::Failed
    }

    /// Whether sled was opened again and must be compared with the witness.
    pub(super) fn is_unverified(&self) -> bool {
        *super::lock(&self.trust) == Trust::Reopened
    }

    /// Takes note that sled is as the witness says.
    pub(super) fn verified(&self) {
        let mut trust = super::lock(&self.trust);
        if *trust == Trust::Reopened {
            *trust = Trust::Full;
        }
    }

    /// Closes sled and opens it again. Readers wait meanwhile.
    ///
    /// # Errors
    /// Returns the reason why sled can't be opened. Readers get this error until a later call succeeds.
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let closed = StoreError::Failed("the store could not be opened again".into());
        let old = std::mem::replace(&mut *open, Err(closed));
        // sled flushes when it is dropped, and can panic after an error.
        drop(catch_unwind(AssertUnwindSafe(|| drop(old))));
        let copied = write_elsewhere(&sled_file(&self.path)).map_err(|error| failed(&error));
        let opened = catch_unwind(AssertUnwindSafe(|| self.open_again()));
        let opened =
            opened.unwrap_or_else(|panic| Err(StoreError::Failed(words_of(&*panic).to_owned())));
        *open = opened;
        open.as_ref().map(drop).map_err(Clone::clone)?;
        // Without a copy, for which the disk can be too full, sled can be read, and nothing may be settled.
        copied?;
        *super::lock(&self.trust) = Trust::Reopened;
        Ok(())
    }

    fn open_again(&self) -> Result<SledStore, StoreError> {
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
