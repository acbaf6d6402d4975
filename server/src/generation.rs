//! A count that grows with each change of a seat, a session or a plan, so that open documents look again at who may do
//! what.

use std::sync::Arc;
use tokio::sync::watch;

/// Counts the changes of seats, sessions and plans. Cloning shares the count.
#[derive(Debug, Clone)]
pub(crate) struct Generation(Arc<watch::Sender<u64>>);

impl Default for Generation {
    fn default() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }
}

impl Generation {
    /// Something has changed: every open document looks again at who may do what.
    pub(crate) fn advance(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
