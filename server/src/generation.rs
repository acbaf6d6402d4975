//! A counter that grows with each change of a seat, a session or a plan. Open rooms watch it and decide again what each
//! connected person is allowed to do.

use std::sync::Arc;
use tokio::sync::watch;

/// The counter of changes to seats, sessions and plans. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Generation(Arc<watch::Sender<u64>>);

impl Default for Generation {
    fn default() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }
}

impl Generation {
    /// Records a change, so that every open room checks its connected people again.
    pub(crate) fn advance(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
