//! Readings of a document's text for requests. The text of a long document is read from a copy, on a thread that can block
//! for long, so that nobody waits for it in the room.

use super::pace::thread_time;
use super::{OpenError, Rooms, unexpected};
use crate::fair_queue::Requester;
use accord_document::ids::Digest;
use accord_document::ledger::LedgerPosition;
use accord_document::release::Releases;
use accord_document::release::canonical::Released;
use accord_document::release::unreleasable::Unreleasable;
use accord_document::state::TextCopy;
use accord_document::update::ScanError;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// A document's releases, and the release that its current text would become.
#[derive(Debug)]
pub(crate) struct ReleaseStatus {
    pub releases: Releases,
    /// The release that the current text would become.
    pub draft: Released,
    /// Content of the current text that readers would not see, or would not see as it is.
    pub unreleasable: Vec<Unreleasable>,
    /// The position of the ledger at which the other fields of this status were read.
    pub position: LedgerPosition,
    digest: OnceLock<Digest>,
}

impl ReleaseStatus {
    pub(super) fn new(
        (draft, unreleasable): (Released, Vec<Unreleasable>),
        releases: Releases,
        position: LedgerPosition,
    ) -> Self {
        Self { releases, draft, unreleasable, position, digest: OnceLock::new() }
    }

    /// Returns the digest of [`draft`](Self::draft), computed at the first call.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| self.draft.digest())
    }
}

/// A copy of a long document. Callers who ask at the same position of the ledger share it.
#[derive(Debug)]
pub(super) struct LongText {
    pub(super) copy: TextCopy,
    releases: Releases,
    pub(super) position: LedgerPosition,
    status: OnceLock<Result<Arc<ReleaseStatus>, ScanError>>,
}

impl LongText {
    pub(super) fn new(copy: TextCopy, releases: Releases, position: LedgerPosition) -> Self {
        Self { copy, releases, position, status: OnceLock::new() }
    }

    /// Returns the release status if a caller has read it already.
    pub(super) fn known_status(&self) -> Option<Arc<ReleaseStatus>> {
        self.status.get()?.clone().ok()
    }

    /// Reads the release status, or waits until another caller has read it. Blocks.
    pub(super) fn read_status(&self) -> Result<Arc<ReleaseStatus>, OpenError> {
        let read = || {
            let text = self.copy.release()?;
            let (releases, position) = (self.releases.clone(), self.position.clone());
            Ok(Arc::new(ReleaseStatus::new(text, releases, position)))
        };
        Ok(self.status.get_or_init(read).clone()?)
    }
}

/// What a room has read, or a copy of its long document, from which the caller reads it.
pub(super) enum Reading<T> {
    Done(T),
    Copied(Arc<LongText>),
}

impl Rooms {
    /// Reads a copy on a thread that can block for long. A reading takes as long as a large turn, so it needs a slot of its
    /// requester among the large turns of all rooms, and its time is charged to the requester as that of a large turn. `turn`
    /// is held until the reading has ended, even if nobody waits for it any more.
    pub(super) async fn read_copy<T: Send + 'static>(
        &self,
        requester: &Requester,
        turn: impl Send + 'static,
        read: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let slot = self.shared.large_turns.place(requester)?.slot_at_last().await?;
        let (long, requester) = (self.shared.long_turns.clone(), requester.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let (_turn, _slot) = (turn, slot);
            let began = thread_time();
            let done = read();
            long.charge(&requester, thread_time().saturating_sub(began), Instant::now());
            done
        });
        reading.await.map_err(|_| OpenError::from(unexpected()))?
    }
}
