//! The registry of open documents. The first request for a document opens its room, exactly once even if several
//! requests arrive together. The room closes when nobody has used it for a while.

mod document_locks;
mod event;
mod frame_places;
mod handle;
mod load;
mod open_memory;
mod outbox;
mod pace;
mod postponed;
mod reading;
mod redact;
mod request;
mod task;
#[cfg(test)]
mod tests;
mod turns;

pub(crate) use crate::open_error::OpenError;
pub(crate) use event::{Outgoing, RoomEvent};
pub(crate) use frame_places::FramePlaces;
pub(crate) use handle::RoomHandle;
pub(crate) use handle::{RequestError, Restore, StepTaken};
pub(crate) use outbox::{Outbox, Queued, WeakOutbox};
pub(crate) use reading::ReleaseStatus;
pub(crate) use redact::{Passage, RedactError};

use document_locks::DocumentLocks;
use frame_places::WaitingBytes;
use request::WaitingRequests;

use crate::access::Access;
use crate::announced;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::fair_queue::FairQueue;
use crate::metrics::Metrics;
use crate::replay::decode;
use crate::store::{Store, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PersonId};
use accord_document::ledger::LedgerPosition;
use accord_document::sync::{Admission, ConnectionId};
use accord_document::update::ClientIdClaim;
use futures_util::future::join_all;
use open_memory::OpenMemory;
use outbox::Outboxes;
use pace::{Debts, LongTurns};
use postponed::large_turns;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Number of events that can wait for a room. Beyond it, senders wait.
const MAX_QUEUED_EVENTS: usize = 1024;

/// The result of an attempt to save claims on client ids.
#[derive(Debug)]
struct SavedClaims {
    /// The client ids whose claims are saved. The room can now show these ids to other people.
    saved: Vec<u64>,
    /// The claims that could not be saved.
    unsaved: Vec<ClientIdClaim>,
}

/// All rooms. Clones share them.
#[derive(Clone)]
pub(crate) struct Rooms {
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
    waiting_requests: WaitingRequests,
    long_turns: LongTurns,
    large_turns: FairQueue,
    debts: Debts,
    open_memory: OpenMemory,
    outboxes: Outboxes,
    /// Held by one redaction at a time, because each must read the entries as the one before left them.
    redacting: DocumentLocks,
    /// Held by signatures together, and by a deletion alone.
    signing: DocumentLocks,
    stop: watch::Sender<bool>,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentId, mpsc::Sender<RoomEvent>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's access to its room.
#[derive(Debug)]
pub(crate) struct Joined {
    pub id: ConnectionId,
    pub room: mpsc::Sender<RoomEvent>,
    /// The places of this person's frames in the room. All of the person's connections share these places.
    pub frame_places: FramePlaces,
}

impl Rooms {
    #[must_use]
    pub(crate) fn new(
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
            waiting_requests: WaitingRequests::default(),
            long_turns: LongTurns::default(),
            large_turns: large_turns(),
            debts: Debts::default(),
            open_memory: OpenMemory::default(),
            outboxes: Outboxes::default(),
            redacting: DocumentLocks::default(),
            signing: DocumentLocks::default(),
            stop: watch::channel(false).0,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lets nobody sign in this document until the guard is dropped. Returns `None` if somebody signs or deletes the document
    /// now. A deletion holds the guard while it checks that nothing was frozen, and until it has taken effect.
    pub(crate) fn stop_signing(&self, document: &DocumentId) -> Option<impl Sized + use<>> {
        self.shared.signing.try_exclusive(document)
    }

    /// Keeps the document from being deleted until the guard is dropped. Returns `None` if somebody deletes it now. A signature
    /// holds the guard, because it can freeze the document.
    pub(crate) fn stop_deletion(&self, document: &DocumentId) -> Option<impl Sized + use<>> {
        self.shared.signing.try_shared(document)
    }

    /// Checks that a document can be opened, before a connection is upgraded for it.
    ///
    /// # Errors
    /// Returns the reason why the document can't be opened.
    pub(crate) async fn check_openable(&self, document: &DocumentId) -> Result<(), OpenError> {
        self.ask(document, |answer| RoomEvent::Open { answer }).await?;
        Ok(())
    }

    /// Returns an outbox for one of a person's connections, and the queue from which the connection's writer takes the
    /// messages in the outbox.
    #[must_use]
    pub(crate) fn outbox(&self, person: &PersonId) -> (Outbox, mpsc::Receiver<Queued>) {
        self.shared.outboxes.open(person)
    }

    /// Lets a connection join a document's room.
    ///
    /// # Errors
    /// Returns an error if the document can't be opened, or if this person must not join it now.
    pub(crate) async fn join(
        &self,
        document: &DocumentId,
        admission: Admission,
        outbox: Outbox,
    ) -> Result<Joined, OpenError> {
        let id = ConnectionId(self.shared.connections.fetch_add(1, Ordering::Relaxed));
        let ask = |answer| {
            let (admission, outbox) = (Box::new(admission.clone()), outbox.clone());
            let frame_places = self.shared.waiting.places(&admission.actor.person);
            RoomEvent::Join { id, admission, outbox, frame_places, answer }
        };
        let (room, frame_places) = self.ask(document, ask).await?;
        Ok(Joined { id, room, frame_places })
    }

    /// Sends an event to a document's room, which is opened if necessary. Returns the channel of the room, and the
    /// room's answer.
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
            // The room closed before it handled the event, so the next iteration opens a new one.
            self.forget(document, &room);
        }
    }

    fn room(&self, document: &DocumentId) -> mpsc::Sender<RoomEvent> {
        let mut open = self.shared.lock();
        if let Some(room) = open.get(document).filter(|room| !room.is_closed()) {
            return room.clone();
        }
        let (room, events) = mpsc::channel(MAX_QUEUED_EVENTS);
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

    /// Removes a closed room from the registry.
    fn forget_closed(&self, document: &DocumentId) {
        let mut open = self.shared.lock();
        if open.get(document).is_some_and(mpsc::Sender::is_closed) {
            open.remove(document);
        }
    }

    /// Closes all rooms. Clients are asked to connect again later, and queued entries are committed.
    pub(crate) async fn shut_down(&self) {
        self.shared.stop.send_replace(true);
        let open: Vec<_> = self.shared.lock().drain().map(|(_, room)| room).collect();
        // The rooms are closed concurrently, so that a busy room does not delay the others.
        join_all(open.into_iter().map(|room| async move {
            let _ = room.send(RoomEvent::Stop).await;
            room.closed().await;
        }))
        .await;
    }

    /// Returns the number of documents that are still open after [`shut_down`](Self::shut_down).
    #[must_use]
    pub(crate) fn still_open(&self) -> i64 {
        self.shared.metrics.rooms_open.get()
    }

    /// Reads, in the background, the stored entry whose number a client remembers. Then sends the hash of this entry to
    /// the room.
    fn compare(&self, document: &DocumentId, id: ConnectionId, remembered: LedgerPosition) {
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
            // The room could have closed meanwhile, and the client's connection with it.
            let room = rooms.shared.lock().get(&document).cloned();
            if let Some(room) = room {
                let _ = room.send(RoomEvent::EntryHashRead { id, remembered, stored }).await;
            }
        });
    }

    /// Packs the older entries of a document's ledger into segments, in the background.
    fn pack(&self, document: &DocumentId) {
        let (store, document) = (self.shared.store.clone(), document.clone());
        // The task is detached because nothing waits for it, and an interruption loses nothing.
        drop(tokio::task::spawn_blocking(move || {
            let ledger = LedgerId::Document(document.clone());
            match store.pack(&ledger) {
                Ok(entries) if entries > 0 => tracing::debug!(%document, entries, "packed"),
                Ok(_) => {}
                Err(error) => tracing::error!(%document, %error, "a ledger can't be packed"),
            }
        }));
    }

    /// Saves claims on client ids in the background. Then sends to `answer` the ids whose claims are saved, and the
    /// claims that are not saved.
    fn save_client_id_claims(
        &self,
        document: &DocumentId,
        claims: Vec<ClientIdClaim>,
        answer: mpsc::Sender<SavedClaims>,
    ) {
        let (store, document) = (self.shared.store.clone(), document.clone());
        tokio::spawn(async move {
            let claims = Arc::new(claims);
            let saving = claims.clone();
            let save = move || announced::save_all(&*store, &document, &saving);
            let saved = tokio::task::spawn_blocking(save).await.unwrap_or_default();
            let (saved, unsaved) = claims
                .iter()
                .cloned()
                .partition::<Vec<_>, _>(|claim| saved.contains(&claim.number));
            let saved = saved.iter().map(|claim| claim.client).collect();
            // Sending fails only if the room has closed, and then nobody needs the answer.
            let _ = answer.send(SavedClaims { saved, unsaved }).await;
        });
    }

    /// Removes the saved claims on those client ids whose owners the ledger now records.
    fn forget_client_id_claims(&self, document: &DocumentId, clients: Vec<u64>) {
        if clients.is_empty() {
            return;
        }
        let (store, document) = (self.shared.store.clone(), document.clone());
        // The task is detached, because a failure does no harm: the remaining claims are removed when the document
        // closes again.
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = announced::remove(&*store, &document, clients) {
                tracing::warn!(%document, %error, "claims of client ids can't be removed");
            }
        }));
    }

    /// Writes a checkpoint of a document that closes, so that the next opening starts from the checkpoint. Blocks.
    fn write_checkpoint(&self, document: &DocumentId, state: &[u8]) {
        let kept = self.shared.store.keep_checkpoint(&document.clone().into(), state);
        if let Err(error) = kept {
            // A warning is enough, because the ledger contains everything. Without a checkpoint, opening takes
            // longer.
            tracing::warn!(%document, %error, "a checkpoint can't be kept");
        }
    }
}

fn unexpected() -> StoreError {
    StoreError::Failed("a task failed unexpectedly".into())
}

/// Returns a random seed, from which a room derives the salts of its entries.
fn seed() -> [u8; 32] {
    rand::random()
}
