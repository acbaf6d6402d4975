//! Readings of a document's text for requests. The text of a long document is read from a copy, on a thread that can block
//! for long, so that nobody waits for it in the room.

use super::{OpenError, unexpected};
use crate::fair_queue::{FairQueue, Requester};
use accord_document::ids::Digest;
use accord_document::ledger::LedgerPosition;
use accord_document::model::content::Content;
use accord_document::release::Releases;
use accord_document::release::canonical::Released;
use accord_document::release::unreleasable::Unreleasable;
use accord_document::state::TextCopy;
use accord_document::update::ScanError;
use std::sync::{Arc, OnceLock};

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

/// A copy of a long document, from which its release status is read once.
#[derive(Debug)]
pub(super) struct CopiedStatus {
    copy: TextCopy,
    releases: Releases,
    pub(super) position: LedgerPosition,
    status: OnceLock<Result<Arc<ReleaseStatus>, ScanError>>,
}

impl CopiedStatus {
    pub(super) fn new(copy: TextCopy, releases: Releases, position: LedgerPosition) -> Self {
        Self { copy, releases, position, status: OnceLock::new() }
    }

    /// Reads the release status, or waits until another caller has read it. Blocks.
    pub(super) fn status(&self) -> Result<Arc<ReleaseStatus>, OpenError> {
        let read = || {
            let text = self.copy.release()?;
            let (releases, position) = (self.releases.clone(), self.position.clone());
            Ok(Arc::new(ReleaseStatus::new(text, releases, position)))
        };
        Ok(self.status.get_or_init(read).clone()?)
    }
}

/// The release status that a room has read, or a copy from which the caller reads it.
pub(super) enum ReleaseReading {
    Read(Arc<ReleaseStatus>),
    Copied(Arc<CopiedStatus>),
}

/// The content that a room has read, or a copy from which the caller reads it.
pub(super) enum ContentReading {
    Read(Content),
    Copied(TextCopy),
}

/// Runs a reading on a thread that can block for long. A reading takes as long as a large turn, so it needs a slot of its
/// requester among the large turns of all rooms: otherwise readings could take all processors.
pub(super) async fn outside_room<T: Send + 'static>(
    large_turns: &FairQueue,
    requester: &Requester,
    read: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let slot = large_turns.place(requester)?.slot_at_last().await?;
    let reading = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        read()
    });
    reading.await.map_err(|_| OpenError::from(unexpected()))?
}
