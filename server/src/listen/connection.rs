//! The state of one open connection: its current phase, the deadline of that phase, and the time of the last sign of
//! life from its peer.

use super::deadlines::Deadlines;
use super::incoming::Incoming;
use super::large_messages::{LargeMessages, PersonalPermit, PersonalPermits};
use super::open::{Id, OpenConnections};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The connection waits for the headers of a request until `until`. `has_begun` is true once the first byte of the
    /// request has arrived.
    Waiting { until: Instant, has_begun: bool },
    /// A request is being received, processed or answered. Bodies have deadlines of their own.
    Answering,
    /// The connection has become a WebSocket.
    Upgraded,
}

/// The state of one connection. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    deadlines: Deadlines,
    began: Instant,
    /// Time of the peer's last sign of life, in milliseconds since `began`.
    alive_ms: AtomicU64,
    phase: Mutex<Phase>,
    open: OpenConnections,
    id: Id,
    /// Limits for the message that is arriving on a WebSocket, or `None` until
    /// [`limit_messages`](ConnectionState::limit_messages) is called.
    incoming: Mutex<Option<Incoming>>,
    /// Whether the server has paused reading from the socket. During a pause, silence does not mean that the peer has
    /// gone.
    is_paused: AtomicBool,
}

impl ConnectionState {
    pub(super) fn new(deadlines: Deadlines, open: OpenConnections, id: Id) -> Self {
        let began = Instant::now();
        let until = began + deadlines.headers;
        let phase = Mutex::new(Phase::Waiting { until, has_begun: false });
        let alive_ms = AtomicU64::new(0);
        let (incoming, is_paused) = (Mutex::default(), AtomicBool::new(false));
        let shared = Shared { deadlines, began, alive_ms, phase, open, id, incoming, is_paused };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.shared.deadlines
    }

    /// Returns the time by which the peer must have sent the headers of a request, or `None` if the connection does not
    /// wait for headers.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Waiting { until, .. } => Some(until),
            Phase::Answering | Phase::Upgraded => None,
        }
    }

    /// Records that bytes have arrived.
    pub(super) fn received(&self, bytes: usize) {
        self.note_alive();
        if let Some(incoming) = &mut *self.incoming() {
            incoming.received(bytes);
        }
        let headers = self.shared.deadlines.headers;
        let mut phase = self.phase();
        if let Phase::Waiting { until, has_begun: false } = *phase {
            let until = until.min(Instant::now() + headers);
            *phase = Phase::Waiting { until, has_begun: true };
        }
    }

    /// Records that bytes were sent. `caught_up` means that the peer had stopped reading and has now read some bytes.
    /// This is a sign of life.
    pub(super) fn sent(&self, caught_up: bool) {
        if caught_up {
            self.note_alive();
        }
        let Deadlines { headers, idle, .. } = self.shared.deadlines;
        let mut phase = self.phase();
        match *phase {
            // The request is answered, but the peer is still taking the end of the response. So the time for its next
            // request counts from now.
            Phase::Waiting { until, has_begun } => {
                let more = Instant::now() + if has_begun { headers } else { idle };
                *phase = Phase::Waiting { until: until.max(more), has_begun };
                drop(phase);
                if caught_up {
                    self.shared.open.work(self.shared.id);
                    self.shared.open.wait(self.shared.id);
                }
            }
            Phase::Answering if caught_up => {
                drop(phase);
                self.shared.open.work(self.shared.id);
            }
            Phase::Answering | Phase::Upgraded => {}
        }
    }

    /// Records that the current request waits for the peer to send or to read. During this wait, the connection can be
    /// closed to make room for another connection.
    pub(super) fn wait_for_peer(&self) {
        if matches!(*self.phase(), Phase::Answering) {
            self.shared.open.wait(self.shared.id);
        }
    }

    /// Records that the peer has sent the bytes for which the current request waited.
    pub(super) fn go_on(&self) {
        if matches!(*self.phase(), Phase::Answering) {
            self.shared.open.work(self.shared.id);
        }
    }

    /// Records that the headers of a request have arrived, so that the request is being answered.
    pub(super) fn begin_request(&self) {
        *self.phase() = Phase::Answering;
        self.shared.open.work(self.shared.id);
    }

    /// Records that a response is complete. The connection then waits for the next request.
    pub(super) fn end_request(&self) {
        let until = Instant::now() + self.shared.deadlines.idle;
        let mut phase = self.phase();
        if let Phase::Answering = *phase {
            *phase = Phase::Waiting { until, has_begun: false };
            drop(phase);
            self.shared.open.wait(self.shared.id);
        }
    }

    /// Records that the connection becomes a WebSocket.
    pub(super) fn upgrade(&self) {
        *self.phase() = Phase::Upgraded;
    }

    /// Shortens the deadline because the server stops. A connection without a request ends immediately. A request that
    /// has begun to arrive gets a short time to complete its headers.
    pub(super) fn hurry(&self) {
        let now = Instant::now();
        let mut phase = self.phase();
        if let Phase::Waiting { until, has_begun } = *phase {
            let left = if has_begun { self.shared.deadlines.drain_headers } else { Duration::ZERO };
            *phase = Phase::Waiting { until: until.min(now + left), has_begun };
        }
    }

    /// Makes every large message that arrives from now on wait for a permit.
    pub(crate) fn limit_messages(&self, all: LargeMessages, person: PersonalPermits) {
        *self.incoming() = Some(Incoming::new(all, person, self.shared.deadlines));
    }

    /// Returns `Ready` when more bytes can be read from the socket.
    ///
    /// # Errors
    /// Returns an error if a large message arrives too slowly.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut incoming = self.incoming();
        let ready =
            incoming.as_mut().map_or(Poll::Ready(Ok(())), |incoming| incoming.poll_ready(cx));
        self.shared.is_paused.store(ready.is_pending(), Ordering::Relaxed);
        ready
    }

    /// Records that the reader has taken a message. If the message was large, returns the permit of the person who sent
    /// it. The caller must keep this permit until the message has a place in the room's queue.
    pub(crate) fn take_message(&self) -> Option<PersonalPermit> {
        self.incoming().as_mut()?.taken()
    }

    /// Records that the server does not read from the socket until [`resume`](Self::resume) is called.
    pub(crate) fn pause(&self) {
        self.shared.is_paused.store(true, Ordering::Relaxed);
    }

    /// Records that the server reads from the socket again.
    pub(crate) fn resume(&self) {
        self.shared.is_paused.store(false, Ordering::Relaxed);
    }

    /// Whether the server has paused reading from the socket. During a pause, silence does not mean that the peer has
    /// gone.
    pub(crate) fn is_paused(&self) -> bool {
        self.shared.is_paused.load(Ordering::Relaxed)
    }

    /// Frees the connection's place among the open connections, because the socket is closed.
    pub(super) fn close(&self) {
        self.shared.open.leave(self.shared.id);
    }

    /// Records a sign of life: the peer has sent something, or has read after keeping the server waiting.
    pub(crate) fn note_alive(&self) {
        let ms = self.shared.began.elapsed().as_millis();
        self.shared.alive_ms.store(u64::try_from(ms).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the time of the peer's last sign of life.
    pub(crate) fn last_alive(&self) -> Instant {
        self.shared.began + Duration::from_millis(self.shared.alive_ms.load(Ordering::Relaxed))
    }

    fn incoming(&self) -> MutexGuard<'_, Option<Incoming>> {
        self.shared.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
