//! The histories of documents in memory. Each history is built from its document's ledger when somebody asks for it,
//! and kept while memory allows.
//!
//! A history is built only from entries on disk, and each entry is verified as it is read. So a history never shows an
//! edit that is not saved, or a ledger that was tampered with. A history can be too long for memory. Callers that need
//! only the text at one moment use [`Archives::content`], which works for any length.

use crate::cache::LruCache;
use crate::fair_queue::{Asker, FairQueue, PersonalLocks, Place, QueueLimits, Requester, Slot};
use crate::open_error::OpenError;
use crate::replay::{apply_all, replay_stored, replay_upto};
use crate::store::{Store, StoreError, entries};
use accord_document::history::History;
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::model::content::Content;
use accord_document::state::DocumentState;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Maximum approximate memory of all histories in the cache together, in bytes.
const MAX_CACHED_BYTES: usize = 16 * 1024 * 1024;
/// Maximum approximate memory of one history together with the state of its document, in bytes: enough for some
/// 800,000 edits, or for some 20 million characters of text. A character takes two bytes in the history.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;
/// The limits of reading ledgers: how many requests can read at the same time, and how many can read or wait, in all
/// and for each requester.
pub(crate) const READINGS: QueueLimits =
    QueueLimits { slots: 3, anonymous_slots: 1, slots_each: 1, places_each: 16, places: 256 };
/// The limits of redactions. One runs at a time, because each can read a history larger than [`MAX_HISTORY_BYTES`].
const REDACTIONS: QueueLimits =
    QueueLimits { slots: 1, anonymous_slots: 0, slots_each: 1, places_each: 4, places: 64 };
/// Maximum number of documents that are remembered because their history is too long for memory.
const MAX_TOO_LONG: usize = 1_000;

/// A document's history up to some entry on disk, and the state of the document after that entry.
#[derive(Debug)]
pub(crate) struct Archive {
    pub state: DocumentState,
    pub history: History,
}

impl Archive {
    /// Reads a document's history from its stored ledger, starting after the entries that `known` already contains.
    fn read(
        store: &dyn Store,
        ledger: &LedgerId,
        known: Option<Self>,
        max_bytes: usize,
    ) -> Result<Self, OpenError> {
        let (state, mut history) = match known {
            Some(Self { state, history }) => (Some(state), history),
            None => (None, History::default()),
        };
        let newer = entries(store, ledger, Seq(history.len()));
        let state = apply_all(state, newer, |state, entry, is_applied| {
            history.record(entry, is_applied);
            let bytes = history.memory_bytes() + state.memory_bytes();
            if bytes > max_bytes { Err(OpenError::TooLong) } else { Ok(()) }
        })?;
        state.check_blanked()?;
        Ok(Self { state, history })
    }

    /// Returns the approximate memory of the archive, in bytes.
    fn memory_bytes(&self) -> usize {
        self.history.memory_bytes() + self.state.memory_bytes()
    }
}

type SharedArchive = Arc<Mutex<Option<Archive>>>;

/// The cache of all histories, with the queues for reading ledgers. Clones share both.
#[derive(Clone)]
pub(crate) struct Archives {
    store: Arc<dyn Store>,
    readings: FairQueue,
    redactions: FairQueue,
    /// Locked while a release is read for the signing of its note. Only one release is read in this way at a time,
    /// independently of the queue of readings.
    sealing: Arc<tokio::sync::Mutex<()>>,
    kept: Arc<LruCache<DocumentId, SharedArchive>>,
    /// Maximum approximate memory, in bytes, of a history that is read for a redaction.
    max_redacted_bytes: usize,
    /// Documents whose histories are too long for memory. Until a redaction, a history only grows, so reading it again
    /// would fail as well.
    too_long: Arc<Mutex<HashSet<DocumentId>>>,
}

/// The right to read ledgers, which ends when this value is dropped. Every method of [`Archives`] that reads a ledger
/// requires one.
#[derive(Debug)]
pub(crate) struct Reading {
    _right: Right,
}

#[derive(Debug)]
enum Right {
    Slot { _slot: Slot },
    Sealing { _alone: OwnedMutexGuard<()> },
}

/// A redaction's place in the queue of redactions. The redaction can read ledgers once its turn has come.
#[derive(Debug)]
pub(crate) struct RedactionPlace {
    place: Place,
}

impl RedactionPlace {
    /// Waits until this redaction's turn to read ledgers has come.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if the turn does not come within [`crate::fair_queue::MAX_WAIT`].
    pub(crate) async fn reading(&self) -> Result<Reading, OpenError> {
        Ok(Reading { _right: Right::Slot { _slot: self.place.slot().await? } })
    }
}

impl std::fmt::Debug for Archives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archives").finish_non_exhaustive()
    }
}

impl Archives {
    /// Creates an empty cache. `max_redacted_bytes` is the maximum approximate memory, in bytes, of a history that a
    /// redaction reads. A value below the limit for histories that are shown has no effect. While a person reads, none
    /// of their other work that uses the same `personal_locks` runs.
    #[must_use]
    pub(crate) fn new(
        store: Arc<dyn Store>,
        max_redacted_bytes: usize,
        personal_locks: PersonalLocks,
    ) -> Self {
        Self {
            store,
            readings: FairQueue::sharing(READINGS, personal_locks),
            redactions: FairQueue::new(REDACTIONS),
            sealing: Arc::default(),
            kept: Arc::new(LruCache::new(MAX_CACHED_BYTES)),
            max_redacted_bytes,
            too_long: Arc::default(),
        }
    }

    /// Waits for the requester's turn to read ledgers.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if this requester, or all requesters together, have too many requests, or if the
    /// turn does not come within [`crate::fair_queue::MAX_WAIT`].
    pub(crate) async fn reading(&self, asker: impl Into<Asker<'_>>) -> Result<Reading, OpenError> {
        Ok(Reading { _right: Right::Slot { _slot: self.readings.slot(asker).await? } })
    }

    /// Takes a place in the queue of redactions, which is separate from the queue of readings.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if too many redactions are running or waiting.
    pub(crate) fn redaction(&self, requester: &Requester) -> Result<RedactionPlace, OpenError> {
        Ok(RedactionPlace { place: self.redactions.place(requester)? })
    }

    /// Waits for the turn to read a release whose note is about to be signed. Only the signing of other releases delays
    /// the turn, never the queue of readings.
    pub(crate) async fn sealing(&self) -> Reading {
        let alone = self.sealing.clone().lock_owned().await;
        Reading { _right: Right::Sealing { _alone: alone } }
    }

    /// Waits for the requester's turn, then calls `read` on a blocking thread.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if there are too many requests, the error of `read`, or an error if the thread
    /// fails.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        asker: impl Into<Asker<'_>>,
        read: impl FnOnce(&Self, &Reading) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let (archives, reading) = (self.clone(), self.reading(asker).await?);
        // The thread holds the turn until `read` returns, even if the caller has stopped waiting for the result.
        tokio::task::spawn_blocking(move || read(&archives, &reading)).await?
    }

    /// Brings a document's history up to date with the disk, then calls `read` with it. Blocks.
    ///
    /// # Errors
    /// Returns an error if the document does not exist, its ledger is damaged or can't be read, or its history is too
    /// long.
    pub(crate) fn read<T>(
        &self,
        _reading: &Reading,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        if self.lock_too_long().contains(document) {
            return Err(OpenError::TooLong);
        }
        let shared = self.kept.get_or_insert_with(document, SharedArchive::default);
        let mut archive = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = document.clone().into();
        // The archive is taken out first, so that a half-updated archive is dropped if reading fails.
        match Archive::read(&*self.store, &ledger, archive.take(), MAX_HISTORY_BYTES) {
            Ok(current) => {
                let current = archive.insert(current);
                let result = read(current);
                self.kept.resize(document, current.memory_bytes());
                Ok(result)
            }
            Err(error) => {
                self.forget(document);
                if matches!(error, OpenError::TooLong) {
                    self.note_too_long(document);
                }
                Err(error)
            }
        }
    }

    /// Returns the content of a document at the moment that `pick` chooses, however long the history is. `pick`
    /// receives the current state, and returns the number of the moment's entry and any other data that the caller
    /// needs. That data is returned with the content. If `pick` returns `None`, the result is `None` as well. Blocks.
    ///
    /// If the history is too long for memory, the ledger is applied twice: once to its end and once up to the moment.
    /// That takes time, but no more memory than the document.
    ///
    /// # Errors
    /// Returns an error if the document does not exist, or its ledger is damaged or can't be read.
    pub(crate) fn content<T>(
        &self,
        reading: &Reading,
        document: &DocumentId,
        pick: impl Fn(&DocumentState) -> Option<(Seq, T)>,
    ) -> Result<Option<(T, Content)>, OpenError> {
        let in_history = self.read(reading, document, |archive| {
            let (moment, picked) = pick(&archive.state)?;
            Some((picked, archive.history.content_at(moment)))
        });
        if !matches!(in_history, Err(OpenError::TooLong)) {
            return in_history;
        }
        let ledger = document.clone().into();
        let picked = pick(&replay_stored(&*self.store, &ledger)?.state);
        let Some((moment, picked)) = picked else { return Ok(None) };
        let then = replay_upto(&*self.store, &ledger, moment)?;
        Ok(Some((picked, Content::read(then.doc()))))
    }

    /// Calls `read` with a document's history for a redaction. The history can be larger than one that is shown, up to
    /// the limit that the operator sets. The caller holds the turn of a redaction, so only one such history is in
    /// memory. Blocks.
    ///
    /// # Errors
    /// Returns the errors of [`read`](Self::read).
    pub(crate) fn read_for_redaction<T>(
        &self,
        reading: &Reading,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        match self.read(reading, document, |_| ()) {
            Ok(()) => self.read(reading, document, read),
            Err(OpenError::TooLong) => {
                let ledger = document.clone().into();
                let max_bytes = MAX_HISTORY_BYTES.max(self.max_redacted_bytes);
                Ok(read(&Archive::read(&*self.store, &ledger, None, max_bytes)?))
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a history from the cache, because reading it failed or because a redaction has changed its ledger.
    pub(crate) fn forget(&self, document: &DocumentId) {
        self.kept.remove(document);
        self.lock_too_long().remove(document);
    }

    /// Remembers that a document's history is too long for memory, so that it is not read again. A redaction removes
    /// this mark, because it changes the ledger.
    fn note_too_long(&self, document: &DocumentId) {
        let mut too_long = self.lock_too_long();
        if too_long.len() >= MAX_TOO_LONG {
            too_long.clear();
        }
        too_long.insert(document.clone());
    }

    fn lock_too_long(&self) -> MutexGuard<'_, HashSet<DocumentId>> {
        self.too_long.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Converts the failure of a blocking task into a store error.
impl From<tokio::task::JoinError> for OpenError {
    fn from(error: tokio::task::JoinError) -> Self {
        StoreError::Failed(error.to_string()).into()
    }
}

#[cfg(test)]
mod tests;
