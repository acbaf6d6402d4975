//! The open documents. A room is opened by whoever needs it first, exactly once, and closes when
//! nobody has been in it for a while.

mod pace;
mod task;

pub use pace::{Meter, Pace};
pub use task::{Outgoing, RoomEvent, Summary};

use crate::access::Access;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use accord_document::ids::{DocumentId, PersonId, Seq};
use accord_document::ledger::{DocumentState, Entry, LedgerError};
use accord_document::model::content::Content;
use accord_document::sync::{Admission, ConnectionId, Denied};
use axum::body::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// Events that may wait for a room before its connections have to.
const QUEUE: usize = 1024;

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
    #[error("the server is stopping")]
    Stopping,
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
    pub meter: Meter,
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

    /// Lets a connection into a document.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn join(
        &self,
        document: &DocumentId,
        admission: Admission,
        outgoing: mpsc::Sender<Outgoing>,
    ) -> Result<Joined, OpenError> {
        let id = ConnectionId(self.shared.connections.fetch_add(1, Ordering::Relaxed));
        let meter = Meter::default();
        let ask = |answer| {
            let (admission, outgoing) = (Box::new(admission.clone()), outgoing.clone());
            RoomEvent::Join { id, admission, outgoing, meter: meter.clone(), answer }
        };
        let room = self.ask(document, ask).await?.0;
        Ok(Joined { id, room, meter })
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

    /// Closes all rooms: their connections are asked to come back, and what is queued is committed.
    pub async fn shut_down(&self) {
        self.shared.stop.send_replace(true);
        let open: Vec<_> = self.shared.lock().drain().map(|(_, room)| room).collect();
        for room in open {
            let _ = room.send(RoomEvent::Stop).await;
            room.closed().await;
        }
    }

    fn load(&self, document: &DocumentId) -> Result<Replayed, OpenError> {
        let entries = self.shared.store.read(&document.clone().into(), Seq(0))?;
        replay(&entries)
    }
}

/// What a whole ledger gives.
#[derive(Debug)]
pub struct Replayed {
    pub state: DocumentState,
    pub last_editor: Option<PersonId>,
}

/// Applies a whole ledger.
///
/// # Errors
/// When it is empty, damaged, or does not chain.
pub fn replay(entries: &[Vec<u8>]) -> Result<Replayed, OpenError> {
    let decode = |seq: usize, bytes: &Vec<u8>| {
        Entry::decode(bytes).map_err(|error| LedgerError::Entry { seq: Seq(seq as u64), error })
    };
    let Some(first) = entries.first() else { return Err(OpenError::Missing) };
    let mut state = DocumentState::begin(&decode(0, first)?)?;
    let mut last_editor = None;
    for (seq, bytes) in entries.iter().enumerate().skip(1) {
        let entry = decode(seq, bytes)?;
        state.apply(&entry)?;
        last_editor = Some(entry.actor.person);
    }
    Ok(Replayed { state, last_editor })
}

/// A random seed for a room's salts.
fn seed() -> [u8; 32] {
    rand::random()
}

fn bytes(frame: Arc<[u8]>) -> Bytes {
    Bytes::from_owner(frame)
}
