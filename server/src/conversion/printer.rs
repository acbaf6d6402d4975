//! Files for those who ask: each is made by a child process, when its turn has come in a [`FairQueue`], and those of releases are kept
//! for a while.

use super::making::{FilesInMaking, Making};
use crate::cache::LruCache;
use crate::fair_queue::{Busy, FairQueue, Place, Requester, Slot};
use crate::releases::Frozen;
use crate::worker::{Answer, Ending, Job, WorkError, Workers};
use accord_document::ids::Digest;
use accord_document::release::canonical::Released;
use accord_files::{Coverage, FileJob, FileKind, Manuscript, PressError, Publication, Source};
use axum::body::Bytes;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What all files of releases that are kept in memory may take together, in bytes.
const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;
/// For how many releases it is kept whether the fonts have their characters.
const MAX_KEPT_COVERAGES: usize = 1_000;
/// How many files that can't be made are remembered.
const MAX_KEPT_FAILURES: usize = 1_000;
/// How long a file that can't be made is remembered.
const FAILED_FOR: Duration = Duration::from_secs(600);

/// Why there is no file.
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
    /// Whether trying again gives the same.
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

/// What a file is made of: the digest of its text, since when that is public, and the kind.
type Made = (Digest, Option<Publication>, FileKind);

/// Makes files. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    workers: Workers,
    heavy: FairQueue,
    fonts: Option<PathBuf>,
    coverage: Coverage,
    kept: LruCache<Made, Bytes>,
    failed: LruCache<Made, (Instant, FileError)>,
    /// Whether the fonts have a text's characters, by its digest.
    has_fonts: LruCache<Digest, bool>,
    looking: tokio::sync::Mutex<()>,
    in_making: FilesInMaking<Made>,
}

impl Printer {
    /// With the fonts inside, and those of a folder.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(crate) fn new(
        fonts: Option<&Path>,
        workers: Workers,
        heavy: FairQueue,
    ) -> std::io::Result<Self> {
        // A child works elsewhere.
        let fonts = fonts.map(std::path::absolute).transpose()?;
        let shared = Shared {
            workers,
            heavy,
            coverage: Coverage::load(fonts.as_deref())?,
            fonts,
            kept: LruCache::new(MAX_KEPT_BYTES),
            failed: LruCache::new(MAX_KEPT_FAILURES),
            has_fonts: LruCache::new(MAX_KEPT_COVERAGES),
            looking: tokio::sync::Mutex::default(),
            in_making: FilesInMaking::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The kinds of file that can be made of a release: looked for once, since every look at its page asks.
    pub(crate) async fn kinds(&self, frozen: &Arc<Frozen>) -> Vec<FileKind> {
        let has_pdf = match self.shared.has_fonts.get(&frozen.statement.digest) {
            Some(known) => known,
            None => self.look_for_fonts(frozen.clone()).await,
        };
        FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Pdf || has_pdf).collect()
    }

    /// One text at a time: many readers may ask about one that nobody asked about before.
    async fn look_for_fonts(&self, frozen: Arc<Frozen>) -> bool {
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

    /// A release as a file.
    ///
    /// # Errors
    /// When it can't be made, or too much is asked for.
    pub(crate) async fn release(
        &self,
        requester: &Requester,
        frozen: Arc<Frozen>,
        public: Option<Publication>,
        base: String,
        kind: FileKind,
    ) -> Result<Bytes, FileError> {
        let shared = &self.shared;
        let key = (frozen.statement.digest, public.clone(), kind);
        if let Some(known) = shared.known(&key) {
            return known;
        }
        // Who shares a file in the making starts nothing, and needs no place.
        let mut may_share = true;
        if let Some(elsewhere) = shared.in_making.get(&key) {
            elsewhere.ended().await;
            may_share = false;
        }
        if let Some(known) = shared.known(&key) {
            return known;
        }
        let place = shared.heavy.place(requester)?;
        let (slot, _making) = shared.turn(&place, &key, may_share).await?;
        // Somebody else may have had it made meanwhile.
        if let Some(known) = shared.known(&key) {
            return known;
        }
        let statement = Box::new(Cow::Borrowed(&frozen.statement));
        let job = FileJob {
            kind,
            time: frozen.statement.frozen,
            text: Cow::Borrowed(&frozen.released),
            source: Source::Release { statement, public, base },
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

    /// A place for a file of a draft: to be had before the draft is read, so that one requester has few of them read.
    ///
    /// # Errors
    /// When too much is asked for.
    pub(crate) fn place(&self, requester: &Requester) -> Result<Place, FileError> {
        Ok(self.shared.heavy.place(requester)?)
    }

    /// A draft as a file: with what changed in it, and the names behind that, if it is to be shown. `time` is now,
    /// in milliseconds since the Unix epoch. It waits for its slot once it has the text, so that a request that still
    /// waits for its document holds nothing that others need.
    ///
    /// # Errors
    /// When it can't be made, or no slot is free in time.
    pub(crate) async fn draft(
        &self,
        place: Place,
        text: &Released,
        changes: Option<(Manuscript, Vec<String>)>,
        plan_title: String,
        time: u64,
        kind: FileKind,
    ) -> Result<Bytes, FileError> {
        let slot = place.slot().await?;
        let document = &text.document;
        let job = FileJob {
            kind,
            time,
            text: Cow::Borrowed(text),
            source: Source::Draft { plan_title },
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

/// A file that counts against who asked for it until it is sent.
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
    fn known(&self, key: &Made) -> Option<Result<Bytes, FileError>> {
        if let Some(made) = self.kept.get(key) {
            return Some(Ok(made));
        }
        let (when, error) = self.failed.get(key)?;
        (when.elapsed() < FAILED_FOR).then_some(Err(error))
    }

    /// Waits for a slot to make a file with. If somebody else begins to make that very file before, waits for them first,
    /// once: their asker may hang up, and the next one's, too.
    async fn turn(
        &self,
        place: &Place,
        key: &Made,
        may_share: bool,
    ) -> Result<(Slot, Option<Making<'_, Made>>), Busy> {
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
            _ => Err(WorkError::Ended(Ending::Nonsense).into()),
        }
    }
}

#[cfg(test)]
mod tests;
