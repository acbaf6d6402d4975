//! Exports: has each file made by a child process, when its turn in a [`FairQueue`] has come. Files of releases are
//! kept for a while.

use super::making::{FilesInMaking, Making};
use crate::cache::LruCache;
use crate::fair_queue::{Busy, FairQueue, PersonalTurn, Place, Requester, Slot};
use crate::releases::SealedRelease;
use crate::worker::{Answer, Ending, Job, WorkError, Workers};
use accord_document::ids::Digest;
use accord_document::release::canonical::Released;
use accord_files::{Coverage, FileJob, FileKind, JobOrigin, Manuscript, PressError, Publication};
use axum::body::Bytes;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Maximum size of all kept files of releases together, in bytes.
const MAX_CACHED_BYTES: usize = 16 * 1024 * 1024;
/// Capacity, in releases, of the cache that remembers which ones the fonts can typeset.
const MAX_CACHED_COVERAGES: usize = 1_000;
/// Capacity, in files, of the cache that remembers which files can't be made.
const MAX_CACHED_FAILURES: usize = 1_000;
/// Time for which a file that can't be made is remembered.
const FAILURE_TTL: Duration = Duration::from_secs(600);

/// The reason why a file can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{0}")]
    Press(#[from] PressError),
    #[error("{0}")]
    Busy(#[from] Busy),
    #[error("{0}")]
    Work(#[from] WorkError),
}

impl FileError {
    /// Whether another attempt would fail in the same way.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Press(_) => true,
            Self::Busy(_) => false,
            Self::Work(error) => {
                !matches!(error, WorkError::NotStarted | WorkError::Ended(Ending::Signal(_)))
            }
        }
    }
}

/// The key of a release's file: the digest of its text, its publication if it is public, and the kind of file.
type FileKey = (Digest, Option<Publication>, FileKind);

/// A service that makes files. Clones share its caches and queues.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    workers: Workers,
    conversions: FairQueue,
    fonts: Option<PathBuf>,
    coverage: Coverage,
    kept: LruCache<FileKey, Bytes>,
    failed: LruCache<FileKey, (Instant, FileError)>,
    /// Whether the fonts can typeset a release, by the digest of its text.
    has_fonts: LruCache<Digest, bool>,
    looking: tokio::sync::Mutex<()>,
    in_making: FilesInMaking<FileKey>,
}

impl Printer {
    /// Loads the fonts inside the binary and those in the folder `fonts`.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read.
    pub(crate) fn new(
        fonts: Option<&Path>,
        workers: Workers,
        conversions: FairQueue,
    ) -> std::io::Result<Self> {
        // The path must be absolute, because a child runs in another working directory.
        let fonts = fonts.map(std::path::absolute).transpose()?;
        let shared = Shared {
            workers,
            conversions,
            coverage: Coverage::load(fonts.as_deref())?,
            fonts,
            kept: LruCache::new(MAX_CACHED_BYTES),
            failed: LruCache::new(MAX_CACHED_FAILURES),
            has_fonts: LruCache::new(MAX_CACHED_COVERAGES),
            looking: tokio::sync::Mutex::default(),
            in_making: FilesInMaking::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the kinds of file that can be made of a release. Every view of the release's page asks for them, so the
    /// result is cached.
    pub(crate) async fn kinds(&self, frozen: &Arc<SealedRelease>) -> Vec<FileKind> {
        let has_pdf = match self.shared.has_fonts.get(&frozen.statement.digest) {
            Some(known) => known,
            None => self.look_for_fonts(frozen.clone()).await,
        };
        FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Pdf || has_pdf).collect()
    }

    /// Checks whether the fonts can typeset a release. Texts are checked one after the other, because many readers can
    /// ask about a new text at the same time.
    async fn look_for_fonts(&self, frozen: Arc<SealedRelease>) -> bool {
        let digest = frozen.statement.digest;
        let _alone = self.shared.looking.lock().await;
        if let Some(known) = self.shared.has_fonts.get(&digest) {
            return known;
        }
        let shared = self.shared.clone();
        let look = move || shared.coverage.is_enough_for(&frozen.released);
        let has_fonts = tokio::task::spawn_blocking(look).await.unwrap_or(false);
        self.shared.has_fonts.insert(digest, has_fonts, 1);
        has_fonts
    }

    /// Returns a release as a file, from the cache or newly made.
    ///
    /// # Errors
    /// Returns an error if the file can't be made, or if too many requests are waiting or running.
    pub(crate) async fn release(
        &self,
        requester: &Requester,
        frozen: Arc<SealedRelease>,
        public: Option<Publication>,
        base: String,
        kind: FileKind,
    ) -> Result<Bytes, FileError> {
        let shared = &self.shared;
        let key = (frozen.statement.digest, public.clone(), kind);
        if let Some(known) = shared.known(&key) {
            return known;
        }
        // A request that waits for a file which another request is making starts no child, so it needs no place in the
        // queue.
        let mut may_share = true;
        if let Some(elsewhere) = shared.in_making.get(&key) {
            elsewhere.ended().await;
            may_share = false;
        }
        if let Some(known) = shared.known(&key) {
            return known;
        }
        let place = shared.conversions.place(requester)?;
        let (slot, _making) = shared.turn(&place, &key, may_share).await?;
        // Another request could have had the file made while this one waited for its turn.
        if let Some(known) = shared.known(&key) {
            return known;
        }
        let statement = Box::new(Cow::Borrowed(&frozen.statement));
        let job = FileJob {
            kind,
            time: frozen.statement.frozen,
            text: Cow::Borrowed(&frozen.released),
            origin: JobOrigin::Release { statement, public, base },
            changes: None,
            fonts: shared.fonts.clone(),
        };
        let attached = if kind == FileKind::Pdf { frozen.file.to_vec() } else { Vec::new() };
        match shared.make(slot, job, attached).await {
            Ok(made) => {
                let bytes = Bytes::from(made);
                shared.kept.insert(key, bytes.clone(), bytes.len());
                Ok(bytes)
            }
            Err(error) => {
                let document = &frozen.released.document;
                tracing::warn!(%document, ?kind, %error, "a file of a release can't be made");
                if error.is_lasting() {
                    shared.failed.insert(key, (Instant::now(), error.clone()), 1);
                }
                Err(error)
            }
        }
    }

    /// Waits for the requester's turn to have a file of a draft made. Callers read the draft within the turn, so that
    /// the server holds one draft of each person at a time.
    ///
    /// # Errors
    /// Returns an error if too many requests are waiting or running, or if the turn does not come in time.
    pub(crate) async fn turn(&self, requester: &Requester) -> Result<FileTurn, FileError> {
        let place = self.shared.conversions.place(requester)?;
        let personal = place.personal_turn().await?;
        Ok(FileTurn { place, personal })
    }

    /// Returns a draft as a file. `changes` are the changes to mark in the draft and the names of their authors, or
    /// `None` to mark none. `time` is the current time, in milliseconds since the Unix epoch. The caller reads the text
    /// before this call waits for a slot, so a request that still waits for its document holds no slot that others
    /// need.
    ///
    /// # Errors
    /// Returns an error if the file can't be made, or if no slot is free in time.
    pub(crate) async fn draft(
        &self,
        turn: FileTurn,
        text: &Released,
        changes: Option<(Manuscript, Vec<String>)>,
        plan_title: String,
        time: u64,
        kind: FileKind,
    ) -> Result<Bytes, FileError> {
        let FileTurn { place, personal } = turn;
        let slot = place.slot_within(&personal).await?;
        let document = &text.document;
        let job = FileJob {
            kind,
            time,
            text: Cow::Borrowed(text),
            origin: JobOrigin::Draft { plan_title },
            changes,
            fonts: self.shared.fonts.clone(),
        };
        let made = self.shared.make(slot, job, Vec::new()).await;
        let made = made.inspect_err(|error| {
            tracing::warn!(%document, ?kind, %error, "a file of a draft can't be made");
        })?;
        Ok(Bytes::from_owner(Held { made, _place: place }))
    }
}

/// A requester's turn to have a file of a draft made, with the requester's place in the queue. The place is kept until
/// the file is sent.
#[derive(Debug)]
pub(crate) struct FileTurn {
    place: Place,
    personal: PersonalTurn,
}

impl FileTurn {
    /// Returns the personal turn. If the file needs the document's history, the caller reads the history within this
    /// turn.
    pub(crate) fn personal(&self) -> &PersonalTurn {
        &self.personal
    }
}

/// A made file, with its requester's place in the queue. The place is kept until the file is sent.
struct Held {
    made: Vec<u8>,
    _place: Place,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.made
    }
}

impl Shared {
    fn known(&self, key: &FileKey) -> Option<Result<Bytes, FileError>> {
        if let Some(made) = self.kept.get(key) {
            return Some(Ok(made));
        }
        let (when, error) = self.failed.get(key)?;
        (when.elapsed() < FAILURE_TTL).then_some(Err(error))
    }

    /// Waits for a slot in which to make a file. Returns the slot and the permission to make the file. The permission
    /// is `None` if another request is making the same file. The caller then makes the file as well. If `may_share` is
    /// true and another request starts to make the file first, waits for that file, and then for a slot. It does so
    /// only once, because every request that makes the file can be given up before the file is made.
    async fn turn(
        &self,
        place: &Place,
        key: &FileKey,
        may_share: bool,
    ) -> Result<(Slot, Option<Making<'_, FileKey>>), Busy> {
        if may_share {
            let elsewhere = tokio::select! {
                biased;
                elsewhere = self.in_making.begun(key) => elsewhere,
                slot = place.slot() => {
                    let slot = slot?;
                    match (self.in_making.begin(key), self.in_making.get(key)) {
                        (None, Some(elsewhere)) => elsewhere,
                        (making, _) => return Ok((slot, making)),
                    }
                }
            };
            elsewhere.ended().await;
        }
        Ok((place.slot().await?, self.in_making.begin(key)))
    }

    async fn make(
        &self,
        slot: Slot,
        job: FileJob<'_>,
        attached: Vec<u8>,
    ) -> Result<Vec<u8>, FileError> {
        match self.workers.run(slot, Job::File(Box::new(job)), attached).await? {
            (Answer::File, made) => Ok(made),
            (Answer::NoFile(error), _) => Err(error.into()),
            _ => Err(WorkError::Ended(Ending::InvalidAnswer).into()),
        }
    }
}

#[cfg(test)]
mod tests;
