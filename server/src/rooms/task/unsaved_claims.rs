//! The claims on client ids that a room's people have made and that are not saved yet.
//!
//! At most one save is running. Claims that arrive meanwhile are saved together by the next save. After a failed save,
//! the next save waits for a pause, which grows with each further failure.

use accord_document::update::ClientIdClaim;
use std::time::Duration;
use tokio::time::Instant;

/// Pause after the first failed save.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// Maximum pause after repeated failures.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Maximum number of claims that are tried again after a failure. Beyond this number, the oldest claims are dropped,
/// and their client ids stay hidden from other people.
const MAX_UNSAVED: usize = 4_096;

#[derive(Debug)]
pub(super) struct UnsavedClaims {
    waiting: Vec<ClientIdClaim>,
    is_saving: bool,
    /// Time before which no save starts.
    wait_until: Instant,
    /// Pause after the next failure.
    pause: Duration,
}

impl UnsavedClaims {
    pub(super) fn new() -> Self {
        Self { waiting: Vec::new(), is_saving: false, wait_until: Instant::now(), pause: MIN_PAUSE }
    }

    pub(super) fn push(&mut self, claim: ClientIdClaim) {
        self.waiting.push(claim);
    }

    pub(super) fn is_saving(&self) -> bool {
        self.is_saving
    }

    /// Returns the claims to save now, or `None` if there are none, if a save is running, or if the pause after a
    /// failure is not over. The caller must call [`saved`](Self::saved) when the save has ended.
    pub(super) fn begin(&mut self) -> Option<Vec<ClientIdClaim>> {
        if self.is_saving || self.waiting.is_empty() || Instant::now() < self.wait_until {
            return None;
        }
        self.is_saving = true;
        Some(std::mem::take(&mut self.waiting))
    }

    /// Records that a save has ended. `unsaved` are the claims that the save could not store.
    pub(super) fn saved(&mut self, mut unsaved: Vec<ClientIdClaim>) {
        self.is_saving = false;
        if unsaved.is_empty() {
            self.pause = MIN_PAUSE;
            return;
        }
        unsaved.append(&mut self.waiting);
        let too_many = unsaved.len().saturating_sub(MAX_UNSAVED);
        self.waiting = unsaved.split_off(too_many);
        self.wait_until = Instant::now() + self.pause;
        self.pause = (2 * self.pause).min(MAX_PAUSE);
    }
}
