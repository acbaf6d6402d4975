//! The files that are being made at this moment. Who asks for one of them shares it, instead of having it made twice.
//!
//! A file is in the making only while its maker holds a slot: nobody waits here behind a request that itself waits for
//! its turn, and no longer than one file takes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// All files in the making, by what they are made of.
#[derive(Debug)]
pub(super) struct FilesInMaking<K> {
    by_key: Mutex<HashMap<K, watch::Receiver<()>>>,
    /// Changes when somebody begins to make a file.
    begun: watch::Sender<()>,
}

/// The right to make a file, until dropped: others who want the same file wait for this one.
#[derive(Debug)]
pub(super) struct Making<'f, K: Eq + Hash> {
    files: &'f FilesInMaking<K>,
    key: K,
    _ended: watch::Sender<()>,
}

/// A file that somebody else is making.
#[derive(Debug)]
pub(super) struct MadeElsewhere(watch::Receiver<()>);

impl MadeElsewhere {
    /// Waits until it is made, or given up.
    pub(super) async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl<K: Clone + Eq + Hash> FilesInMaking<K> {
    pub(super) fn new() -> Self {
        Self { by_key: Mutex::default(), begun: watch::Sender::new(()) }
    }

    /// Begins to make a file, unless somebody else is making it. For holders of a slot.
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

    /// A file, if somebody is making it.
    pub(super) fn get(&self, key: &K) -> Option<MadeElsewhere> {
        self.lock().get(key).cloned().map(MadeElsewhere)
    }

    /// Waits until somebody makes a file: not at all if they do already.
    pub(super) async fn begun(&self, key: &K) -> MadeElsewhere {
        let mut begun = self.begun.subscribe();
        loop {
            if let Some(making) = self.get(key) {
                return making;
            }
            // It can't fail: the sender lives as long as this does.
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
