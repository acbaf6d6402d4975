//! The histories of documents, made from their ledgers when somebody asks and kept while memory allows.
//!
//! A history is made of what is on disk, each entry verified as it is read: nothing is shown of an edit that
//! is not saved, and nothing of a ledger that was tampered with.

use crate::admission::AdmissionLimits;
use crate::rooms::{OpenError, decode, genesis_of};
use crate::store::{Store, StoreError, for_each_entry};
use accord_document::history::History;
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::ledger::Outcome;
use accord_document::state::DocumentState;
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What all kept histories may take together, in bytes, about.
const MAX_KEPT_BYTES: usize = 96 * 1024 * 1024;
/// What one history may take, in bytes, about: some 800,000 edits, or as much text as that.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;
/// How many histories are read at the same time, and by whom: the first reading of each makes it.
pub(crate) const READINGS: AdmissionLimits =
    AdmissionLimits { slots: 4, anonymous_slots: 2, slots_each: 2, places_each: 16, places: 256 };
/// Of how many documents it is remembered that their history is too long.
const MAX_TOO_LONG: usize = 1_000;
/// How many histories are made at the same time.
const MAX_MADE_AT_ONCE: usize = 2;
/// A history that is being made is weighed each time after so many entries.
const ENTRIES_BETWEEN_WEIGHINGS: u64 = 64;

/// A document's past, up to an entry that is on disk, and the document there.
#[derive(Debug)]
pub struct Archive {
    pub state: DocumentState,
    pub history: History,
}

impl Archive {
    /// Made of a whole ledger, however much memory that takes.
    pub(crate) fn of(entries: &[Vec<u8>]) -> Result<Self, OpenError> {
        let (first, rest) = entries.split_first().ok_or(OpenError::Missing)?;
        let mut archive = Self::begin(first)?;
        for (seq, bytes) in (1..).map(Seq).zip(rest) {
            archive.take(seq, bytes)?;
        }
        archive.state.settle()?;
        Ok(archive)
    }

    /// Makes a document's history of its stored ledger.
    fn make(store: &dyn Store, document: &DocumentId) -> Result<Self, OpenError> {
        let ledger = LedgerId::Document(document.clone());
        let mut archive = Self::begin(&genesis_of(store, &ledger)?)?;
        archive.catch_up(store, &ledger)?;
        Ok(archive)
    }

    fn begin(genesis: &[u8]) -> Result<Self, OpenError> {
        let genesis = decode(Seq(0), genesis)?;
        let mut history = History::default();
        history.record(&genesis, true);
        Ok(Self { state: DocumentState::begin(&genesis)?, history })
    }

    fn take(&mut self, seq: Seq, bytes: &[u8]) -> Result<(), OpenError> {
        let entry = decode(seq, bytes)?;
        let outcome = self.state.apply(&entry)?;
        self.history.record(&entry, outcome == Outcome::Applied);
        Ok(())
    }

    /// Takes in what has been written since.
    fn catch_up(&mut self, store: &dyn Store, ledger: &LedgerId) -> Result<(), OpenError> {
        for_each_entry(store, ledger, Seq(self.history.len()), |seq, bytes| {
            self.take(seq, bytes)?;
            if seq.0.is_multiple_of(ENTRIES_BETWEEN_WEIGHINGS) && self.weight() > MAX_HISTORY_BYTES
            {
                return Err(OpenError::TooLong);
            }
            Ok(())
        })?;
        self.state.settle()?;
        if self.weight() > MAX_HISTORY_BYTES { Err(OpenError::TooLong) } else { Ok(()) }
    }

    fn weight(&self) -> usize {
        self.history.weight() + self.state.weight()
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
    turns: Arc<Turns>,
    /// Documents whose histories were too long: they only grow.
    too_long: Arc<Mutex<HashSet<DocumentId>>>,
}

/// How many histories are being made.
#[derive(Debug, Default)]
struct Turns {
    taken: Mutex<usize>,
    free: Condvar,
}

/// A turn to make a history, given back when dropped.
struct Turn<'t>(&'t Turns);

impl Turns {
    fn take(&self) -> Turn<'_> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut usize| *taken >= MAX_MADE_AT_ONCE;
        let waited = self.free.wait_while(taken, is_full);
        *waited.unwrap_or_else(PoisonError::into_inner) += 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.free.notify_one();
    }
}

impl std::fmt::Debug for Archives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archives").finish_non_exhaustive()
    }
}

impl Archives {
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, held: Arc::default(), turns: Arc::default(), too_long: Arc::default() }
    }

    /// Reads in a document's history, brought up to what is on disk now. Blocks.
    ///
    /// # Errors
    /// When there is no such document, its ledger is damaged, it can't be read, or its history is too long.
    pub fn read<T>(
        &self,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        if self.lock_too_long().contains(document) {
            return Err(OpenError::TooLong);
        }
        let slot = self.slot(document);
        let mut archive = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // What fails half way is thrown away.
        let archive = match self.catch_up(document, archive.take()) {
            Ok(current) => archive.insert(current),
            Err(error) => {
                self.forget(document);
                // Remembered until something of it is taken out.
                if matches!(error, OpenError::TooLong) {
                    let mut too_long = self.lock_too_long();
                    if too_long.len() >= MAX_TOO_LONG {
                        too_long.clear();
                    }
                    too_long.insert(document.clone());
                }
                return Err(error);
            }
        };
        let result = read(archive);
        self.weigh(document, archive.weight());
        Ok(result)
    }

    /// The same, however long the history is: for redactions, which must be possible whatever was written. It takes
    /// the memory that it takes, so there is one at a time.
    ///
    /// # Errors
    /// When there is no such document, its ledger is damaged, or it can't be read.
    pub fn read_in_full<T>(
        &self,
        document: &DocumentId,
        read: impl FnOnce(&Archive) -> T,
    ) -> Result<T, OpenError> {
        match self.read(document, |_| ()) {
            Ok(()) => self.read(document, read),
            Err(OpenError::TooLong) => {
                let entries = self.store.read(&document.clone().into(), Seq(0))?;
                Ok(read(&Archive::of(&entries)?))
            }
            Err(error) => Err(error),
        }
    }

    /// Lets go of a history: what it was made of is not stored any more.
    pub fn forget(&self, document: &DocumentId) {
        self.lock().retain(|held| held.document != *document);
        self.lock_too_long().remove(document);
    }

    fn catch_up(
        &self,
        document: &DocumentId,
        known: Option<Archive>,
    ) -> Result<Archive, OpenError> {
        let _turn = self.turns.take();
        let Some(mut archive) = known else { return Archive::make(&*self.store, document) };
        archive.catch_up(&*self.store, &document.clone().into())?;
        Ok(archive)
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
        while held.iter().map(|held| held.weight).sum::<usize>() > MAX_KEPT_BYTES {
            held.remove(0);
        }
    }

    fn lock_too_long(&self) -> MutexGuard<'_, HashSet<DocumentId>> {
        self.too_long.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Append, Ledger as _, MemoryStore};
    use accord_document::body::Genesis;
    use accord_document::ids::{LineageId, PersonId, SessionId};
    use accord_document::ledger::RULES;
    use accord_document::lib0::Write as _;
    use accord_document::people::{Actor, Seat, Sector};

    fn actor() -> Actor {
        Actor {
            person: PersonId::new("ana"),
            seat: Seat::Author,
            sector: Sector::Government,
            session: SessionId::new("s"),
        }
    }

    /// A megabyte of text in a root of its own, or its deletion.
    fn update(client: u64, text: Option<&str>) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(u64::from(text.is_some()));
        if let Some(text) = text {
            out.put_var(1);
            out.put_var(client);
            out.extend([0, 4, 1]);
            out.put_buf(format!("text-{client}").as_bytes());
            out.put_buf(text.as_bytes());
            out.push(0);
        } else {
            out.extend([1]);
            out.put_var(client);
            out.extend([1, 0]);
            out.put_var(1 << 20);
        }
        out
    }

    /// A document in which so many megabytes were written and deleted again.
    fn store(document: &DocumentId, megabytes: u32) -> Arc<dyn Store> {
        let store = MemoryStore::default();
        let ledger = LedgerId::Document(document.clone());
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: "s".into(),
            language: "en".into(),
            rules: RULES,
        };
        let genesis = genesis.entry(actor(), 5, [0; 16]);
        let mut state = DocumentState::begin(&genesis).unwrap();
        let mut entries = vec![genesis];
        let text = "a".repeat(1 << 20);
        for client in 0..u64::from(megabytes) {
            for text in [Some(text.as_str()), None] {
                let update = update(client, text);
                entries.extend(state.edit(&actor(), 9, [1; 16], &update).unwrap());
            }
        }
        for entry in entries {
            let append = Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() };
            store.append(&[append]).unwrap();
        }
        Arc::new(store)
    }

    #[test]
    fn histories_stay_within_their_budget_whatever_is_in_them() {
        let document = DocumentId::new("d");
        let archives = Archives::new(store(&document, 10));
        assert_eq!(archives.read(&document, |archive| archive.history.len()).unwrap(), 21);
        assert_eq!(archives.lock().len(), 1, "kept");
        // It grows beyond what one may take.
        let archives = Archives::new(store(&document, 40));
        let refused = archives.read(&document, |_| ()).unwrap_err();
        assert!(matches!(refused, OpenError::TooLong), "{refused}");
        assert!(archives.lock().is_empty(), "nothing of it is kept");
        let len = archives.read_in_full(&document, |archive| archive.history.len()).unwrap();
        assert_eq!(len, 81, "a redaction reads it all the same");
    }
}
