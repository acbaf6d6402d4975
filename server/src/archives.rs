//! The histories of documents, made from their ledgers when somebody asks and kept while memory allows.
//!
//! A history is made of what is on disk, each entry verified as it is read: nothing is shown of an edit that
//! is not saved, and nothing of a ledger that was tampered with.

use crate::rooms::{OpenError, decode};
use crate::store::{Store, StoreError};
use accord_document::history::History;
use accord_document::ids::{DocumentId, Seq};
use accord_document::ledger::{DocumentState, Outcome};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all kept histories may take together, in bytes, about. The one asked for last is kept in any case.
const BUDGET: usize = 256 * 1024 * 1024;

/// A document's past, up to an entry that is on disk, and the document there.
#[derive(Debug)]
pub struct Archive {
    pub state: DocumentState,
    pub history: History,
}

impl Archive {
    /// Made of a whole ledger.
    pub(crate) fn of(entries: &[Vec<u8>]) -> Result<Self, OpenError> {
        let (first, rest) = entries.split_first().ok_or(OpenError::Missing)?;
        let mut archive = Self::begin(first)?;
        archive.extend(rest)?;
        Ok(archive)
    }

    fn begin(first: &[u8]) -> Result<Self, OpenError> {
        let genesis = decode(Seq(0), first)?;
        let mut history = History::default();
        history.record(&genesis, true);
        Ok(Self { state: DocumentState::begin(&genesis)?, history })
    }

    fn extend(&mut self, entries: &[Vec<u8>]) -> Result<(), OpenError> {
        for bytes in entries {
            let entry = decode(Seq(self.history.len()), bytes)?;
            let outcome = self.state.apply(&entry)?;
            self.history.record(&entry, outcome == Outcome::Applied);
        }
        self.state.settle()?;
        Ok(())
    }

    fn weight(&self) -> usize {
        // The document beside it holds about the same again.
        self.history.weight() * 2
    }
}

type Slot = Arc<Mutex<Option<Archive>>>;

#[derive(Debug)]
struct Held {
    document: DocumentId,
    slot: Slot,
    weight: usize,
}

/// All histories. Cloning shares them.
#[derive(Clone)]
pub struct Archives {
    store: Arc<dyn Store>,
    /// The one used last at the end.
    held: Arc<Mutex<Vec<Held>>>,
}

impl std::fmt::Debug for Archives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archives").finish_non_exhaustive()
    }
}

impl Archives {
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, held: Arc::default() }
    }

    /// Reads in a document's history, brought up to what is on disk now. Blocks.
    ///
    /// # Errors
    /// When there is no such document, its ledger is damaged, or it can't be read.
    pub fn read<T>(
        &self,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        let slot = self.slot(document);
        let mut archive = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // What fails half way is thrown away.
        let archive = match self.catch_up(document, archive.take()) {
            Ok(current) => archive.insert(current),
            Err(error) => {
                self.forget(document);
                return Err(error);
            }
        };
        let result = read(archive);
        self.weigh(document, archive.weight());
        Ok(result)
    }

    /// Lets go of a history: what it was made of is not stored any more.
    pub fn forget(&self, document: &DocumentId) {
        self.lock().retain(|held| held.document != *document);
    }

    fn catch_up(
        &self,
        document: &DocumentId,
        known: Option<Archive>,
    ) -> Result<Archive, OpenError> {
        let ledger = document.clone().into();
        if let Some(mut archive) = known {
            let next = Seq(archive.history.len());
            archive.extend(&self.store.read(&ledger, next)?)?;
            return Ok(archive);
        }
        Archive::of(&self.store.read(&ledger, Seq(0))?)
    }

    fn slot(&self, document: &DocumentId) -> Slot {
        let mut held = self.lock();
        let at = held.iter().position(|held| held.document == *document);
        let found = match at {
            Some(at) => held.remove(at),
            None => Held { document: document.clone(), slot: Slot::default(), weight: 0 },
        };
        let slot = found.slot.clone();
        held.push(found);
        slot
    }

    /// Notes how much a history takes, and lets go of those that were not asked for the longest.
    fn weigh(&self, document: &DocumentId, weight: usize) {
        let mut held = self.lock();
        if let Some(known) = held.iter_mut().find(|held| held.document == *document) {
            known.weight = weight;
        }
        while held.len() > 1 && held.iter().map(|held| held.weight).sum::<usize>() > BUDGET {
            held.remove(0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a failed task means.
impl From<tokio::task::JoinError> for OpenError {
    fn from(error: tokio::task::JoinError) -> Self {
        StoreError::Failed(error.to_string()).into()
    }
}
