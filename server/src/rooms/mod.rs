//! The open documents. A room is opened by whoever needs it first, exactly once, and closes when
//! nobody has been in it for a while.

mod event;
mod outbox;
mod pace;
mod release;
mod task;
mod turns;

pub use event::{Outgoing, Path, Restore, RoomEvent, Summary};
pub use outbox::{Charges, Outbox, Queued, WeakOutbox};
pub use pace::{InFlight, Place};

use pace::WaitingBytes;

use crate::access::Access;
use crate::cache::LruCache;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::metrics::Metrics;
use crate::store::{Append, Store, StoreError, for_each_entry};
use accord_document::ids::{DocumentId, LedgerId, PersonId, Seq};
use accord_document::ledger::{
    DocumentState, Entry, LedgerError, Redacted, Redaction, Version, VersionError,
};
use accord_document::model::Target;
use accord_document::model::content::Content;
use accord_document::people::Actor;
use accord_document::sync::wire::Remembered;
use accord_document::sync::{Admission, ConnectionId, Denied};
use accord_document::update::{AnnouncedClients, Range, Refusal};
use futures_util::future::join_all;
use outbox::Outboxes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// Events that may wait for a room before its connections have to.
const QUEUE: usize = 1024;

/// So many entries to be applied again are worth a checkpoint.
const BEHIND: usize = 256;

/// What the announced client ids of closed rooms may take together, in bytes.
const MAX_ANNOUNCED_BYTES: usize = 16 * 1024 * 1024;
/// What one of them takes, in bytes, about.
const ANNOUNCED_BYTES: usize = 128;

/// Why a document can't be opened.
#[derive(Debug, Clone, Error)]
pub enum OpenError {
    #[error("there is no such document")]
    Missing,
    /// It may have been shared with this person a moment ago.
    #[error("the document is not shared with this person")]
    Denied(Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the document's ledger is damaged: {0}")]
    Ledger(#[from] LedgerError),
    #[error("the document's history is too long to be shown")]
    TooLong,
    #[error("the server is stopping")]
    Stopping,
}

/// Why a passage is not redacted.
#[derive(Debug, Clone, Error)]
pub enum RedactError {
    #[error("this passage does not stand there any more")]
    Elsewhere,
    #[error("a redaction needs a facilitator, and a reason")]
    Refused(Refusal),
    #[error("release {0} says this, and a release never changes")]
    Released(u32),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<StoreError> for RedactError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

/// Characters of a text, by where they stand and what they say.
#[derive(Debug, Clone)]
pub struct Passage {
    pub target: Target,
    /// In UTF-16 code units.
    pub from: u32,
    pub text: String,
    /// The two moments in whose comparison they stand: none for the text as it is.
    pub compared: Option<(Seq, Seq)>,
}

/// All rooms. Cloning shares them.
#[derive(Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").finish_non_exhaustive()
    }
}

struct Shared {
    open: Mutex<HashMap<DocumentId, mpsc::Sender<RoomEvent>>>,
    store: Arc<dyn Store>,
    committer: Committer,
    metrics: Metrics,
    clock: Clock,
    access: Access,
    connections: AtomicU64,
    waiting: WaitingBytes,
    /// The client ids that pages announced in rooms that have closed since.
    announced: LruCache<DocumentId, Arc<AnnouncedClients>>,
    outboxes: Outboxes,
    /// One redaction at a time: each reads what the one before has blanked.
    redacting: tokio::sync::Mutex<()>,
    stop: watch::Sender<bool>,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentId, mpsc::Sender<RoomEvent>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's way into its room.
#[derive(Debug)]
pub struct Joined {
    pub id: ConnectionId,
    pub room: mpsc::Sender<RoomEvent>,
    /// The places of this person's frames, over all of their connections.
    pub in_flight: InFlight,
}

impl Rooms {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        committer: Committer,
        metrics: Metrics,
        clock: Clock,
        access: Access,
    ) -> Self {
        let shared = Shared {
            open: Mutex::default(),
            store,
            committer,
            metrics,
            clock,
            access,
            connections: AtomicU64::new(0),
            waiting: WaitingBytes::default(),
            announced: LruCache::new(MAX_ANNOUNCED_BYTES),
            outboxes: Outboxes::default(),
            redacting: tokio::sync::Mutex::default(),
            stop: watch::channel(false).0,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes sure that a document can be opened, before a connection is upgraded for it.
    ///
    /// # Errors
    /// When it can't.
    pub async fn probe(&self, document: &DocumentId) -> Result<(), OpenError> {
        self.ask(document, |answer| RoomEvent::Open { answer }).await?;
        Ok(())
    }

    /// An outbox for a receiver of a person, and what comes out of it.
    #[must_use]
    pub fn outbox(&self, person: &PersonId) -> (Outbox, mpsc::Receiver<Queued>) {
        self.shared.outboxes.open(person)
    }

    /// Lets a connection into a document.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn join(
        &self,
        document: &DocumentId,
        admission: Admission,
        outbox: Outbox,
    ) -> Result<Joined, OpenError> {
        let id = ConnectionId(self.shared.connections.fetch_add(1, Ordering::Relaxed));
        let ask = |answer| {
            let (admission, outbox) = (Box::new(admission.clone()), outbox.clone());
            let in_flight = InFlight::new(self.shared.waiting.of(&admission.actor.person));
            RoomEvent::Join { id, admission, outbox, in_flight, answer }
        };
        let (room, in_flight) = self.ask(document, ask).await?;
        Ok(Joined { id, room, in_flight })
    }

    /// What a document says now, as far as it is on disk.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn content(&self, document: &DocumentId) -> Result<Content, OpenError> {
        Ok(self.ask(document, |answer| RoomEvent::Content { answer }).await?.1)
    }

    /// What a list of documents shows of one.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn summary(&self, document: &DocumentId) -> Result<Summary, OpenError> {
        Ok(self.ask(document, |answer| RoomEvent::Summary { answer }).await?.1)
    }

    /// What was redacted in a document.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn redactions(&self, document: &DocumentId) -> Result<Vec<Redacted>, OpenError> {
        Ok(self.ask(document, |answer| RoomEvent::Redactions { answer }).await?.1)
    }

    /// Takes a passage out of a document and of what is stored of it, and gives the number of the entry
    /// that says so. `find` tells which characters go, from those that were found in the text as it is: what
    /// repeats them, too, or what a comparison of the past tells; or why none do. It may block.
    ///
    /// # Errors
    /// When the passage does not stand there, this person may not, or it can't be saved.
    pub async fn redact(
        &self,
        document: &DocumentId,
        actor: &Actor,
        passage: Passage,
        reason: String,
        find: impl FnOnce(Option<Vec<Range>>) -> Result<Vec<Range>, RedactError> + Send + 'static,
    ) -> Result<Seq, RedactError> {
        let _one = self.shared.redacting.lock().await;
        let locate = |answer| RoomEvent::Locate { passage: passage.clone(), answer };
        let located = match passage.compared {
            None => Some(self.ask(document, locate).await?.1.ok_or(RedactError::Elsewhere)?),
            Some(_) => None,
        };
        let (rooms, id) = (self.clone(), document.clone());
        let made = tokio::task::spawn_blocking(move || {
            let ranges = find(located)?;
            Ok::<_, RedactError>(rooms.prepare_redaction(&id, reason, ranges)?)
        });
        let (redaction, blanked) = made.await.map_err(|_| unexpected())??;
        let redact = |answer| {
            let (actor, redaction) = (actor.clone(), Box::new(redaction.clone()));
            RoomEvent::Redact { actor, redaction, answer }
        };
        let seq = self.ask(document, redact).await?.1?;
        // From here on it is announced: if the server stops now, it is finished on the next opening.
        let (rooms, id) = (self.clone(), document.clone());
        let written = tokio::task::spawn_blocking(move || rooms.rewrite(&id, &blanked)).await;
        written.map_err(|_| unexpected())??;
        Ok(seq)
    }

    /// Names a moment, and gives the number of the entry that says so.
    ///
    /// # Errors
    /// When the document can't be opened, or with why the moment is not named.
    pub async fn name_version(
        &self,
        document: &DocumentId,
        actor: &Actor,
        version: Version,
    ) -> Result<Result<Seq, VersionError>, OpenError> {
        let name = |answer| {
            let (actor, version) = (actor.clone(), version.clone());
            RoomEvent::NameVersion { actor, version, answer }
        };
        Ok(self.ask(document, name).await?.1)
    }

    /// Goes back to a moment, and gives where the ledger stands then.
    ///
    /// # Errors
    /// When the document can't be opened, or with why it is refused.
    pub async fn restore(
        &self,
        document: &DocumentId,
        actor: &Actor,
        restore: Restore,
    ) -> Result<Result<Seq, Refusal>, OpenError> {
        let ask = |answer| {
            let (actor, restore) = (actor.clone(), Box::new(restore.clone()));
            RoomEvent::Restore { actor, restore, answer }
        };
        Ok(self.ask(document, ask).await?.1)
    }

    fn prepare_redaction(
        &self,
        document: &DocumentId,
        reason: String,
        ranges: Vec<Range>,
    ) -> Result<(Redaction, Vec<Entry>), OpenError> {
        let entries = decode_all(&self.shared.store.read(&document.clone().into(), Seq(0))?)?;
        let made = Redaction::of(reason, ranges, &entries);
        made.map_err(|error| StoreError::Damaged(error.to_string()).into())
    }

    fn rewrite(&self, document: &DocumentId, blanked: &[Entry]) -> Result<(), StoreError> {
        let ledger = LedgerId::Document(document.clone());
        let appends: Vec<_> = blanked
            .iter()
            .map(|entry| Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() })
            .collect();
        self.shared.store.rewrite(&appends)
    }

    /// Asks a room something, opening it if need be.
    async fn ask<T>(
        &self,
        document: &DocumentId,
        event: impl Fn(oneshot::Sender<Result<T, OpenError>>) -> RoomEvent,
    ) -> Result<(mpsc::Sender<RoomEvent>, T), OpenError> {
        loop {
            if *self.shared.stop.borrow() {
                return Err(OpenError::Stopping);
            }
            let room = self.room(document);
            let (answer, answered) = oneshot::channel();
            if room.send(event(answer)).await.is_ok()
                && let Ok(result) = answered.await
            {
                return result.map(|value| (room, value));
            }
            // The room closed before it saw the question: the next turn opens it again.
            self.forget(document, &room);
        }
    }

    fn room(&self, document: &DocumentId) -> mpsc::Sender<RoomEvent> {
        let mut open = self.shared.lock();
        if let Some(room) = open.get(document).filter(|room| !room.is_closed()) {
            return room.clone();
        }
        let (room, events) = mpsc::channel(QUEUE);
        open.insert(document.clone(), room.clone());
        tokio::spawn(task::run(self.clone(), document.clone(), events));
        room
    }

    fn forget(&self, document: &DocumentId, room: &mpsc::Sender<RoomEvent>) {
        let mut open = self.shared.lock();
        if open.get(document).is_some_and(|known| known.same_channel(room)) {
            open.remove(document);
        }
    }

    /// Forgets a room that has closed by itself.
    fn forget_closed(&self, document: &DocumentId) {
        let mut open = self.shared.lock();
        if open.get(document).is_some_and(mpsc::Sender::is_closed) {
            open.remove(document);
        }
    }

    /// Closes all rooms: their connections are asked to come back, and what is queued is committed.
    pub async fn shut_down(&self) {
        self.shared.stop.send_replace(true);
        let open: Vec<_> = self.shared.lock().drain().map(|(_, room)| room).collect();
        // All at once: one that is busy holds up no other.
        join_all(open.into_iter().map(|room| async move {
            let _ = room.send(RoomEvent::Stop).await;
            room.closed().await;
        }))
        .await;
    }

    /// How many documents are still open after the rooms were told to close.
    #[must_use]
    pub fn still_open(&self) -> i64 {
        self.shared.metrics.rooms_open.get()
    }

    /// Reads the hash of the entry that a client remembers, and tells the room.
    fn compare(&self, document: &DocumentId, id: ConnectionId, remembered: Remembered) {
        let (rooms, document) = (self.clone(), document.clone());
        let reading = (self.shared.store.clone(), document.clone(), remembered.seq);
        tokio::spawn(async move {
            let (store, ledger, seq) = reading;
            let read = move || match store.entry(&ledger.into(), seq) {
                Ok(Some(bytes)) => {
                    decode(seq, &bytes).map(|entry| Some(entry.hash())).map_err(Into::into)
                }
                Ok(None) => Ok(None),
                Err(error) => Err(OpenError::from(error)),
            };
            let stored = match tokio::task::spawn_blocking(read).await {
                Ok(Ok(stored)) => stored,
                Ok(Err(error)) => {
                    tracing::error!(%document, entry = %seq, %error, "an entry can't be read");
                    return;
                }
                Err(_) => return,
            };
            // The room may have closed meanwhile, and the client with it.
            let room = rooms.shared.lock().get(&document).cloned();
            if let Some(room) = room {
                let _ = room.send(RoomEvent::Compared { id, remembered, stored }).await;
            }
        });
    }

    /// Packs what is settled of a ledger, beside everything else.
    fn pack(&self, document: &DocumentId) {
        let (store, document) = (self.shared.store.clone(), document.clone());
        // Detached on purpose: nothing waits for it, and stopping in the middle loses nothing.
        drop(tokio::task::spawn_blocking(move || {
            let ledger = LedgerId::Document(document.clone());
            match store.pack(&ledger) {
                Ok(entries) if entries > 0 => tracing::debug!(%document, entries, "packed"),
                Ok(_) => {}
                Err(error) => tracing::error!(%document, %error, "a ledger can't be packed"),
            }
        }));
    }

    fn load(&self, document: &DocumentId) -> Result<Replayed, OpenError> {
        let ledger = LedgerId::Document(document.clone());
        let replayed = match self.resume(&ledger)? {
            Some(resumed) => resumed,
            None => replay_upto(&*self.shared.store, &ledger, Seq(u64::MAX))?,
        };
        let mut blanked = Vec::new();
        for (seq, ranges) in replayed.state.unfinished_redactions() {
            tracing::warn!(%document, entry = %seq, "finishing a redaction");
            let entries = self.shared.store.read(&ledger, seq)?;
            let entry = entries.first().map(|bytes| decode(seq, bytes)).transpose()?;
            let made = Redaction::of(String::new(), ranges, &entry);
            blanked.extend(made.map_err(|error| StoreError::Damaged(error.to_string()))?.1);
        }
        if blanked.is_empty() {
            if replayed.behind >= BEHIND {
                self.shared.store.keep_checkpoint(&ledger, &replayed.state.checkpoint())?;
            }
            return Ok(replayed);
        }
        self.rewrite(document, &blanked)?;
        self.load(document)
    }

    /// Opens a ledger where it was kept last, if that is a state of this very ledger.
    fn resume(&self, ledger: &LedgerId) -> Result<Option<Replayed>, OpenError> {
        let Some(kept) = self.shared.store.checkpoint(ledger)? else { return Ok(None) };
        let Some(state) = DocumentState::resume(&kept) else { return Ok(None) };
        let seq = state.position().seq;
        // The entry that the state ends with tells whether it is one of this ledger.
        let Some(bytes) = self.shared.store.entry(ledger, seq)? else { return Ok(None) };
        let first = decode(seq, &bytes)?;
        if first.hash() != state.position().head {
            return Ok(None);
        }
        let mut replayed = Replayed { state, last_editor: editor(&first), behind: 0 };
        replayed.take_from(&*self.shared.store, ledger, Seq(seq.0 + 1), Seq(u64::MAX))?;
        replayed.state.settle()?;
        Ok(Some(replayed))
    }

    /// What was announced in a document while it was open before.
    fn announced(&self, document: &DocumentId) -> AnnouncedClients {
        self.shared.announced.get(document).map_or_else(Default::default, Arc::unwrap_or_clone)
    }

    /// Keeps what was announced in a document that closes: what somebody writes offline comes later.
    fn keep_announced(&self, document: &DocumentId, announced: &AnnouncedClients) {
        if !announced.is_empty() {
            let bytes = announced.len() * ANNOUNCED_BYTES;
            self.shared.announced.insert(document.clone(), Arc::new(announced.clone()), bytes);
        }
    }

    /// Keeps the state of a document that closes: it opens from there. Blocks.
    fn keep(&self, document: &DocumentId, state: &[u8]) {
        let kept = self.shared.store.keep_checkpoint(&document.clone().into(), state);
        if let Err(error) = kept {
            // The ledger has everything; only opening takes longer.
            tracing::warn!(%document, %error, "a checkpoint can't be kept");
        }
    }
}

/// What a whole ledger gives.
#[derive(Debug)]
pub struct Replayed {
    pub state: DocumentState,
    pub last_editor: Option<PersonId>,
    /// How many entries were applied to come here.
    pub behind: usize,
}

impl Replayed {
    fn begin(genesis: &[u8]) -> Result<Self, OpenError> {
        let state = DocumentState::begin(&decode(Seq(0), genesis)?)?;
        Ok(Self { state, last_editor: None, behind: 1 })
    }

    /// Applies what is stored from one entry to another, of which only some are in memory at a time.
    fn take_from(
        &mut self,
        store: &dyn Store,
        ledger: &LedgerId,
        from: Seq,
        upto: Seq,
    ) -> Result<(), OpenError> {
        for_each_entry(store, ledger, from, |seq, bytes| {
            if seq > upto {
                return Ok(());
            }
            Ok::<_, OpenError>(self.take(&decode(seq, bytes)?)?)
        })?;
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        self.state.apply(entry)?;
        if let Some(editor) = editor(entry) {
            self.last_editor = Some(editor);
        }
        self.behind += 1;
        Ok(())
    }
}

/// The first entry of a stored ledger. One that lacks it, and has others, is damaged.
pub(crate) fn genesis_of(store: &dyn Store, ledger: &LedgerId) -> Result<Vec<u8>, OpenError> {
    store.read_some(ledger, Seq(0))?.into_iter().next().ok_or(OpenError::Missing)
}

/// Applies a stored ledger up to an entry.
///
/// # Errors
/// When it is empty, damaged, or does not chain.
pub(crate) fn replay_upto(
    store: &dyn Store,
    ledger: &LedgerId,
    upto: Seq,
) -> Result<Replayed, OpenError> {
    let mut replayed = Replayed::begin(&genesis_of(store, ledger)?)?;
    replayed.take_from(store, ledger, Seq(1), upto)?;
    if upto == Seq(u64::MAX) {
        replayed.state.settle()?;
    }
    Ok(replayed)
}

/// Applies a whole ledger.
///
/// # Errors
/// When it is empty, damaged, or does not chain.
pub fn replay(entries: &[Vec<u8>]) -> Result<Replayed, OpenError> {
    let Some(first) = entries.first() else { return Err(OpenError::Missing) };
    let mut replayed = Replayed::begin(first)?;
    for (seq, bytes) in (0..).map(Seq).zip(entries).skip(1) {
        replayed.take(&decode(seq, bytes)?)?;
    }
    replayed.state.settle()?;
    Ok(replayed)
}

/// Whoever wrote an edit.
fn editor(entry: &Entry) -> Option<PersonId> {
    entry.body.edit().map(|_| entry.actor.person.clone())
}

pub(crate) fn decode(seq: Seq, bytes: &[u8]) -> Result<Entry, LedgerError> {
    Entry::decode(bytes).map_err(|error| LedgerError::Entry { seq, error })
}

fn decode_all(entries: &[Vec<u8>]) -> Result<Vec<Entry>, OpenError> {
    let all = (0..).map(Seq).zip(entries);
    Ok(all.map(|(seq, bytes)| decode(seq, bytes)).collect::<Result<_, _>>()?)
}

fn unexpected() -> StoreError {
    StoreError::Failed("a task failed unexpectedly".into())
}

/// A random seed for a room's salts.
fn seed() -> [u8; 32] {
    rand::random()
}
