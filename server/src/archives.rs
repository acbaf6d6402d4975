//! The histories of documents, made from their ledgers when somebody asks and kept while memory allows.
//!
//! A history is made of what is on disk, each entry verified as it is read: nothing is shown of an edit that
//! is not saved, and nothing of a ledger that was tampered with. A history can be too long for memory; what needs
//! only the text at some moment does without it ([`Archives::content`]).

use crate::cache::LruCache;
use crate::fair_queue::{FairQueue, OneOfAll, Place, QueueLimits, Requester, Slot};
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

/// What all kept histories may take together, in bytes, about.
const MAX_KEPT_BYTES: usize = 32 * 1024 * 1024;
/// What one history may take, in bytes, about: some 800,000 edits, or as much text as that.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;
/// How many ledgers are read at the same time, and by how many requesters: at most so many histories are made at once.
pub(crate) const READINGS: QueueLimits =
    QueueLimits { slots: 3, anonymous_slots: 1, slots_each: 1, places_each: 16, places: 256 };
/// Redactions: one is worked on at a time, since each may read a history of any length.
const REDACTIONS: QueueLimits =
    QueueLimits { slots: 1, anonymous_slots: 0, slots_each: 1, places_each: 4, places: 64 };
/// Of how many documents it is remembered that their history is too long.
const MAX_TOO_LONG: usize = 1_000;

/// A document's history up to some entry on disk, and the state of the document after that entry.
#[derive(Debug)]
pub(crate) struct Archive {
    pub state: DocumentState,
    pub history: History,
}

impl Archive {
    /// A document's history as its stored ledger gives it, from where it is `known` on.
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
            let bytes = history.weight() + state.weight();
            if bytes > max_bytes { Err(OpenError::TooLong) } else { Ok(()) }
        })?;
        state.settle()?;
        Ok(Self { state, history })
    }

    /// What it takes in memory, in bytes, about.
    fn weight(&self) -> usize {
        self.history.weight() + self.state.weight()
    }
}

type Shelf = Arc<Mutex<Option<Archive>>>;

/// All histories. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Archives {
    store: Arc<dyn Store>,
    readings: FairQueue,
    redactions: FairQueue,
    /// One release is sealed at a time, beside the readings of others.
    sealing: Arc<tokio::sync::Mutex<()>>,
    kept: Arc<LruCache<DocumentId, Shelf>>,
    /// What the history may take that a redaction reads, in bytes, about.
    max_redacted_bytes: usize,
    /// Documents whose histories were too long: they only grow.
    too_long: Arc<Mutex<HashSet<DocumentId>>>,
}

/// The right to read ledgers as long as it is held: nothing is read here without one.
#[derive(Debug)]
pub(crate) struct Reading {
    _right: Right,
}

#[derive(Debug)]
enum Right {
    Slot { _slot: Slot },
    Sealing { _alone: OwnedMutexGuard<()> },
}

/// A redaction's place. It reads once its turn has come.
#[derive(Debug)]
pub(crate) struct RedactionPlace {
    place: Place,
}

impl RedactionPlace {
    /// Waits for the turn to read.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when it does not come within [`crate::fair_queue::MAX_WAIT`].
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
    /// `max_redacted_bytes` is what the history may take that a redaction reads, where it is more than what one may take
    /// that is shown. A person who reads has nothing else running of what shares `one_of_all`.
    #[must_use]
    pub(crate) fn new(
        store: Arc<dyn Store>,
        max_redacted_bytes: usize,
        one_of_all: OneOfAll,
    ) -> Self {
        Self {
            store,
            readings: FairQueue::sharing(READINGS, one_of_all),
            redactions: FairQueue::new(REDACTIONS),
            sealing: Arc::default(),
            kept: Arc::new(LruCache::new(MAX_KEPT_BYTES)),
            max_redacted_bytes,
            too_long: Arc::default(),
        }
    }

    /// Waits for the requester's turn to read.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when too much is asked for.
    pub(crate) async fn reading(&self, requester: &Requester) -> Result<Reading, OpenError> {
        let slot = self.readings.place(requester)?.slot().await?;
        Ok(Reading { _right: Right::Slot { _slot: slot } })
    }

    /// A place among the redactions, which leads to a turn beside the readings.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when too many redactions are under way.
    pub(crate) fn redaction(&self, requester: &Requester) -> Result<RedactionPlace, OpenError> {
        Ok(RedactionPlace { place: self.redactions.place(requester)? })
    }

    /// The turn to read a release that is to be sealed. It waits for other seals, and for no reading.
    pub(crate) async fn sealing(&self) -> Reading {
        let alone = self.sealing.clone().lock_owned().await;
        Reading { _right: Right::Sealing { _alone: alone } }
    }

    /// Reads on a thread of its own, once the requester's turn has come.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when too much is asked for; with what `read` gives, or when its thread fails.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        requester: &Requester,
        read: impl FnOnce(&Self, &Reading) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let (archives, reading) = (self.clone(), self.reading(requester).await?);
        // The turn ends with the thread's work, whether anybody still waits for it or not.
        tokio::task::spawn_blocking(move || read(&archives, &reading)).await?
    }

    /// Brings a document's history up to date with the disk, then calls `read` with it. Blocks.
    ///
    /// # Errors
    /// When there is no such document, its ledger is damaged, it can't be read, or its history is too long.
    pub(crate) fn read<T>(
        &self,
        _reading: &Reading,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        if self.lock_too_long().contains(document) {
            return Err(OpenError::TooLong);
        }
        let shelf = self.kept.get_or_insert_with(document, Shelf::default);
        let mut archive = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = document.clone().into();
        // What fails half way is thrown away.
        match Archive::read(&*self.store, &ledger, archive.take(), MAX_HISTORY_BYTES) {
            Ok(current) => {
                let current = archive.insert(current);
                let result = read(current);
                self.kept.resize(document, current.weight());
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

    /// What a document said at a moment, whatever the length of its history. `pick` names the moment, the number of an
    /// entry, with what else is wanted of the document as it is now. Where the history is too long the ledger is applied
    /// once to its end and once to that moment, which takes time but no more memory than the document. Blocks.
    ///
    /// # Errors
    /// When there is no such document, its ledger is damaged, or it can't be read.
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

    /// Reads in a document's history for a redaction, which may take more memory than one that is shown: up to what the
    /// operator allows. One redaction reads at a time. Blocks.
    ///
    /// # Errors
    /// As [`read`](Self::read).
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

    /// Lets go of a history: what it was made of is not stored any more.
    pub(crate) fn forget(&self, document: &DocumentId) {
        self.kept.remove(document);
        self.lock_too_long().remove(document);
    }

    /// Remembers that a history is too long, until something of it is taken out.
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

/// What a failed task means.
impl From<tokio::task::JoinError> for OpenError {
    fn from(error: tokio::task::JoinError) -> Self {
        StoreError::Failed(error.to_string()).into()
    }
}

#[cfg(test)]
mod tests;
