//! The client ids of a room's people that are not saved yet.
//!
//! At most one save is under way: all that come meanwhile are saved together by the next. After a save that fails, the next
//! waits, and longer each time.

use accord_document::update::ClientClaim;
use std::time::Duration;
use tokio::time::Instant;

/// How long until claims are saved again after that has failed once.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The same after it has failed often.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// How many claims that could not be saved are tried again. The oldest beyond that stay hidden from others.
const MAX_UNSAVED: usize = 4_096;

#[derive(Debug)]
pub(super) struct UnsavedClaims {
    waiting: Vec<ClientClaim>,
    is_saving: bool,
    /// Nothing is saved before.
    wait_until: Instant,
    /// How long to wait after the next failure.
    pause: Duration,
}

impl UnsavedClaims {
    pub(super) fn new() -> Self {
        Self { waiting: Vec::new(), is_saving: false, wait_until: Instant::now(), pause: MIN_PAUSE }
    }

    pub(super) fn push(&mut self, claim: ClientClaim) {
        self.waiting.push(claim);
    }

    pub(super) fn is_saving(&self) -> bool {
        self.is_saving
    }

    /// What is to be saved now; nothing while a save is under way or has just failed. [`saved`](Self::saved) must follow.
    pub(super) fn begin(&mut self) -> Option<Vec<ClientClaim>> {
        if self.is_saving || self.waiting.is_empty() || Instant::now() < self.wait_until {
            return None;
        }
        self.is_saving = true;
        Some(std::mem::take(&mut self.waiting))
    }

    /// A save has ended. `unsaved`: the claims of it that could not be saved.
    pub(super) fn saved(&mut self, mut unsaved: Vec<ClientClaim>) {
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
