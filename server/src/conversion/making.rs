//! The files that are being made now. A request for such a file waits for it, instead of having the file made a second
//! time.
//!
//! A file is registered here only while its maker holds a slot. So a request that waits here never waits for somebody
//! else's turn in the queue, and waits no longer than one file takes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// All files that are being made, by a key for their content.
#[derive(Debug)]
pub(super) struct FilesInMaking<K> {
    by_key: Mutex<HashMap<K, watch::Receiver<()>>>,
    /// Signals every time a file is registered.
    begun: watch::Sender<()>,
}

/// The permission to make a file, which ends when this value is dropped. Until then, other requests can wait for the
/// file.
#[derive(Debug)]
pub(super) struct Making<'f, K: Eq + Hash> {
    files: &'f FilesInMaking<K>,
    key: K,
    _ended: watch::Sender<()>,
}

/// A file that another request is making.
#[derive(Debug)]
pub(super) struct MadeElsewhere(watch::Receiver<()>);

impl MadeElsewhere {
    /// Waits until the file is made or given up.
    pub(super) async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl<K: Clone + Eq + Hash> FilesInMaking<K> {
    pub(super) fn new() -> Self {
        Self { by_key: Mutex::default(), begun: watch::Sender::new(()) }
    }

    /// Registers a file, or returns `None` if another request is making it. The caller must hold a slot.
    pub(super) fn begin(&self, key: &K) -> Option<Making<'_, K>> {
        let (ended, until_ended) = watch::channel(());
        {
            let mut by_key = self.lock();
            if by_key.contains_key(key) {
                return None;
            }
            by_key.insert(key.clone(), until_ended);
        }
        self.begun.send_replace(());
        Some(Making { files: self, key: key.clone(), _ended: ended })
    }

    /// Returns the file with this key, or `None` if nobody is making it.
    pub(super) fn get(&self, key: &K) -> Option<MadeElsewhere> {
        self.lock().get(key).cloned().map(MadeElsewhere)
    }

    /// Waits until somebody makes the file with this key. Returns immediately if somebody already does.
    pub(super) async fn begun(&self, key: &K) -> MadeElsewhere {
        let mut begun = self.begun.subscribe();
        loop {
            if let Some(making) = self.get(key) {
                return making;
            }
            // Waiting can't fail, because `self` holds the sender.
            let _ = begun.changed().await;
        }
    }
}

impl<K> FilesInMaking<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, watch::Receiver<()>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Making<'_, K> {
    fn drop(&mut self) {
        self.files.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_in_the_making_is_shared_until_it_is_made_or_given_up() {
        let files = FilesInMaking::new();
        let (begun, making) = tokio::join!(files.begun(&"a"), async {
            tokio::task::yield_now().await;
            assert!(files.get(&"a").is_none());
            drop(files.begin(&"b"));
            files.begin(&"a").expect("nobody makes it")
        });
        assert!(files.begin(&"a").is_none(), "it is made once");
        let mut ended = Box::pin(begun.ended());
        let early = tokio::time::timeout(std::time::Duration::from_millis(5), &mut ended).await;
        assert!(early.is_err(), "it is still made");
        drop(making);
        ended.await;
        assert!(files.get(&"a").is_none() && files.begin(&"a").is_some());
    }
}
