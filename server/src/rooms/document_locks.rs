//! Locks of single documents, which wait for nothing in other documents. A lock is held by a request that must find a
//! document unchanged when it acts, although it waits for a room, a queue or the disk in between.

use accord_document::ids::DocumentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// One lock for each document. Only the locks that somebody holds or waits for take memory.
#[derive(Debug, Default)]
pub(super) struct DocumentLocks {
    by_document: Mutex<HashMap<DocumentId, Weak<RwLock<()>>>>,
}

impl DocumentLocks {
    /// Waits until nobody holds the lock of this document. Nobody else gets the lock until the guard is dropped.
    pub(super) async fn exclusive(&self, document: &DocumentId) -> OwnedRwLockWriteGuard<()> {
        self.of(document).write_owned().await
    }

    /// Returns the guard of [`exclusive`](Self::exclusive), or `None` if anybody holds the lock.
    pub(super) fn try_exclusive(&self, document: &DocumentId) -> Option<OwnedRwLockWriteGuard<()>> {
        self.of(document).try_write_owned().ok()
    }

    /// Returns a guard that many can have at the same time, or `None` if somebody holds the lock exclusively. Nobody gets the
    /// lock exclusively until the guard is dropped.
    pub(super) fn try_shared(&self, document: &DocumentId) -> Option<OwnedRwLockReadGuard<()>> {
        self.of(document).try_read_owned().ok()
    }

    fn of(&self, document: &DocumentId) -> Arc<RwLock<()>> {
        let mut all = self.by_document.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(document).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, lock| lock.strong_count() > 0);
        let new = Arc::default();
        all.insert(document.clone(), Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_lock_is_of_its_document_alone() {
        let locks = DocumentLocks::default();
        let (here, there) = (DocumentId::new("here"), DocumentId::new("there"));
        let first = locks.exclusive(&here).now_or_never().unwrap();
        assert!(locks.try_exclusive(&there).is_some(), "it is the lock of another document");
        assert!(locks.exclusive(&here).now_or_never().is_none());
        assert!(locks.try_exclusive(&here).is_none() && locks.try_shared(&here).is_none());
        drop(first);
        let shared = [locks.try_shared(&here), locks.try_shared(&here)];
        assert!(shared.iter().all(Option::is_some), "shared guards don't exclude each other");
        assert!(locks.try_exclusive(&here).is_none());
        drop(shared);
        // The next call removes locks that nobody holds.
        drop(locks.try_exclusive(&here).unwrap());
        assert_eq!(locks.by_document.lock().unwrap().len(), 1);
    }
}
