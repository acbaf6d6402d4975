//! Locks that allow one redaction at a time in each document, because each redaction must read the entries as the
//! previous redaction left them. Redactions in different documents do not wait for each other, not even while one of
//! them waits until its redactor's budget has grown.

use accord_document::ids::DocumentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

#[derive(Debug, Default)]
pub(super) struct RedactionLocks {
    by_document: Mutex<HashMap<DocumentId, Weak<tokio::sync::Mutex<()>>>>,
}

impl RedactionLocks {
    /// Waits until no other redaction of this document is running. No other redaction of the document can start until
    /// the returned guard is dropped.
    pub(super) async fn lock(&self, document: &DocumentId) -> OwnedMutexGuard<()> {
        self.of(document).lock_owned().await
    }

    fn of(&self, document: &DocumentId) -> Arc<tokio::sync::Mutex<()>> {
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
    use std::time::Duration;

    #[tokio::test]
    async fn redactions_wait_for_those_of_their_document_alone() {
        let locks = RedactionLocks::default();
        let (here, there) = (DocumentId::new("here"), DocumentId::new("there"));
        let first = locks.lock(&here).await;
        let other = tokio::time::timeout(Duration::from_secs(15), locks.lock(&there)).await;
        let other = other.expect("a redaction waits for one in another document");
        let mut second = Box::pin(locks.lock(&here));
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut second).await.is_err());
        drop(first);
        let second = tokio::time::timeout(Duration::from_secs(15), second).await;
        drop((second.expect("the next one's turn has come"), other));
        // The next call removes locks that nobody holds.
        drop(locks.lock(&here).await);
        assert_eq!(locks.by_document.lock().unwrap().len(), 1);
    }
}
