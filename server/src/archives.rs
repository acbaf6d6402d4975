//! The histories of documents, made from their ledgers when somebody asks and kept while memory allows.
//!
//! A history is made of what is on disk, each entry verified as it is read: nothing is shown of an edit that
//! is not saved, and nothing of a ledger that was tampered with. A history can be too long for memory; what needs
//! only the text at some moment does without it ([`Archives::content`]).

use crate::admission::{Admission, AdmissionLimits, Place, Requester, Slot};
use crate::cache::LruCache;
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
const MAX_KEPT_BYTES: usize = 96 * 1024 * 1024;
/// What one history may take, in bytes, about: some 800,000 edits, or as much text as that.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;
/// How many ledgers are read at the same time, and by how many requesters: at most so many histories are made at once.
pub(crate) const READINGS: AdmissionLimits =
    AdmissionLimits { slots: 3, anonymous_slots: 1, slots_each: 1, places_each: 16, places: 256 };
/// Redactions: one is worked on at a time, since each may read a history of any length.
const REDACTIONS: AdmissionLimits =
    AdmissionLimits { slots: 1, anonymous_slots: 0, slots_each: 1, places_each: 4, places: 64 };
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
    readings: Admission,
    redactions: Admission,
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
    /// [`OpenError::Busy`] when it does not come within [`crate::admission::MAX_WAIT`].
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
    /// that is shown.
    #[must_use]
    pub(crate) fn new(store: Arc<dyn Store>, max_redacted_bytes: usize) -> Self {
        Self {
            store,
            readings: Admission::new(READINGS),
            redactions: Admission::new(REDACTIONS),
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

    /// A megabyte of text, the first client's as the problem and others' in a root of their own; or its deletion.
    fn update(client: u64, text: Option<&str>) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(u64::from(text.is_some()));
        if let Some(text) = text {
            out.put_var(1);
            out.put_var(client);
            out.extend([0, 4, 1]);
            let root = if client == 0 { "problem".to_owned() } else { format!("text-{client}") };
            out.put_buf(root.as_bytes());
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

    /// Redactions may read twice as much as is shown.
    fn with_store(store: Arc<dyn Store>) -> Archives {
        Archives::new(store, 2 * MAX_HISTORY_BYTES)
    }

    fn ana() -> Requester {
        Requester::Person(PersonId::new("ana"))
    }

    #[tokio::test]
    async fn histories_stay_within_their_budget_whatever_is_in_them() {
        let document = DocumentId::new("d");
        let archives = with_store(store(&document, 10));
        let reading = archives.reading(&ana()).await.unwrap();
        assert_eq!(
            archives.read(&reading, &document, |archive| archive.history.len()).unwrap(),
            21
        );
        assert!(archives.kept.get(&document).is_some());
        // It grows beyond what one may take.
        let archives = with_store(store(&document, 40));
        let refused = archives.read(&reading, &document, |_| ()).unwrap_err();
        assert!(matches!(refused, OpenError::TooLong), "{refused}");
        assert!(archives.kept.get(&document).is_none(), "nothing of it is kept");
        let len = archives.read_for_redaction(&reading, &document, |archive| archive.history.len());
        assert_eq!(len.unwrap(), 81, "a redaction may read more");
        let archives = Archives::new(archives.store, 1);
        let refused = archives.read_for_redaction(&reading, &document, |_| ()).unwrap_err();
        assert!(matches!(refused, OpenError::TooLong), "{refused}");
    }

    #[tokio::test]
    async fn what_a_document_said_is_read_however_long_its_history_is() {
        let document = DocumentId::new("d");
        // In the second one the history is longer than it may be.
        for megabytes in [1, 34] {
            let archives = with_store(store(&document, megabytes));
            let at = move |moment: u64| {
                move |archives: &Archives, reading: &Reading| {
                    let document = DocumentId::new("d");
                    archives.content(reading, &document, |state| {
                        (moment <= state.position().seq.0)
                            .then(|| (Seq(moment), state.position().seq))
                    })
                }
            };
            let last = Seq(u64::from(megabytes) * 2);
            for (moment, len) in [(1, 1 << 20), (2, 0)] {
                let (now, said) = archives.in_turn(&ana(), at(moment)).await.unwrap().unwrap();
                assert_eq!((now, said.plain("problem").len()), (last, len), "at {moment}");
            }
            assert!(archives.in_turn(&ana(), at(1_000)).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn redactions_that_wait_hold_no_reading_and_no_turn_of_others() {
        let archives = with_store(store(&DocumentId::new("d"), 1));
        let person = |name: &str| Requester::Person(PersonId::new(name));
        // A request that waits for its document holds a place and nothing else.
        let waiting: Vec<_> =
            (0..16).map(|n| archives.redaction(&person(&format!("p{}", n / 4))).unwrap()).collect();
        assert!(archives.redaction(&person("p0")).is_err(), "of which each has a few");
        let long = std::time::Duration::from_secs(15);
        let mut readings = Vec::new();
        for name in ["p0", "p1", "p2"] {
            let person = person(name);
            let reading = tokio::time::timeout(long, archives.reading(&person)).await;
            readings.push(reading.expect("a reading waits for redactions").unwrap());
        }
        let place = archives.redaction(&ana()).unwrap();
        let turn = tokio::time::timeout(long, place.reading()).await;
        drop((turn.expect("a redaction waits for others' documents").unwrap(), waiting, readings));
    }

    #[tokio::test]
    async fn a_release_is_sealed_beside_all_readings_and_whatever_its_signer_waits_for() {
        let archives = with_store(store(&DocumentId::new("d"), 1));
        let mut readings = Vec::new();
        for name in ["ana", "ben", "cem"] {
            let person = Requester::Person(PersonId::new(name));
            readings.push(archives.reading(&person).await.unwrap());
        }
        let places: Vec<_> = std::iter::from_fn(|| archives.readings.place(&ana()).ok()).collect();
        assert!(!places.is_empty() && archives.reading(&ana()).await.is_err(), "ana has no place");
        let long = std::time::Duration::from_secs(15);
        let sealing = tokio::time::timeout(long, archives.sealing()).await;
        let sealing = sealing.expect("a seal waits for readings");
        let len = archives.read(&sealing, &DocumentId::new("d"), |archive| archive.history.len());
        assert_eq!(len.unwrap(), 3);
        let mut next = Box::pin(archives.sealing());
        let also = tokio::time::timeout(std::time::Duration::from_millis(20), &mut next).await;
        assert!(also.is_err(), "one is sealed at a time");
        drop(sealing);
        let next = tokio::time::timeout(long, next).await;
        drop((next.expect("the next one's turn has come"), readings, places));
    }

    #[tokio::test]
    async fn anonymous_readers_never_keep_people_from_reading() {
        let archives = with_store(store(&DocumentId::new("d"), 1));
        // Readers from many addresses, each reading for ever.
        let (give_up, given_up) = std::sync::mpsc::channel::<()>();
        let given_up = Arc::new(Mutex::new(given_up));
        let readers: Vec<_> = (0..8)
            .map(|n| {
                let (archives, given_up) = (archives.clone(), given_up.clone());
                tokio::spawn(async move {
                    let reader = Requester::at(format!("10.0.{n}.1").parse().unwrap());
                    let endless = move |_: &Archives, _: &Reading| {
                        let _ = given_up.lock().unwrap().recv();
                        Ok(())
                    };
                    let _ = archives.in_turn(&reader, endless).await;
                })
            })
            .collect();
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let ana = ana();
        let read = archives.in_turn(&ana, |archives, reading| {
            archives.read(reading, &DocumentId::new("d"), |archive| archive.history.len())
        });
        let len = tokio::time::timeout(std::time::Duration::from_secs(20), read).await;
        assert_eq!(len.expect("a person waits for strangers").unwrap(), 3);
        readers.iter().for_each(tokio::task::JoinHandle::abort);
        drop(give_up);
    }
}
