//! A counter that grows when a plan changes, such as by a new seat, and when sessions end. Open rooms watch the counter
//! and then decide again what each connected person is allowed to do.

use std::sync::Arc;
use tokio::sync::watch;

/// The counter of changes to plans and of ends of sessions. Clones share it.
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
