//! What is known of one connection while it is open: what it is doing, by when that has to be over, and when its
//! peer last showed that it is there.

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
    /// For a request's headers, until then.
    Waiting { until: Instant, has_begun: bool },
    /// A request is being received, worked on or answered: those have deadlines of their own.
    Answering,
    /// The connection has become a WebSocket.
    Upgraded,
}

/// The state of one connection. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    deadlines: Deadlines,
    began: Instant,
    /// Milliseconds after `began`.
    alive_ms: AtomicU64,
    phase: Mutex<Phase>,
    open: OpenConnections,
    id: Id,
    /// Of a WebSocket.
    incoming: Mutex<Option<Incoming>>,
    /// Nobody reads from the socket just now, so that it can't tell whether the peer is there.
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

    /// By when the peer has to have sent a request's headers, if it has to.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Waiting { until, .. } => Some(until),
            Phase::Answering | Phase::Upgraded => None,
        }
    }

    /// Bytes have come.
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

    /// Something was sent. `caught_up` when the peer had kept it waiting: then it shows that it is there.
    pub(super) fn sent(&self, caught_up: bool) {
        if caught_up {
            self.note_alive();
        }
        let Deadlines { headers, idle, .. } = self.shared.deadlines;
        let mut phase = self.phase();
        match *phase {
            // The rest of a long answer is still on its way.
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

    /// Within a request, nothing goes on until the peer sends or reads: the connection may be closed to make room.
    pub(super) fn wait_for_peer(&self) {
        if matches!(*self.phase(), Phase::Answering) {
            self.shared.open.wait(self.shared.id);
        }
    }

    /// The peer has sent what a request waited for.
    pub(super) fn go_on(&self) {
        if matches!(*self.phase(), Phase::Answering) {
            self.shared.open.work(self.shared.id);
        }
    }

    /// The headers of a request are there.
    pub(super) fn begin_request(&self) {
        *self.phase() = Phase::Answering;
        self.shared.open.work(self.shared.id);
    }

    /// The answer is given.
    pub(super) fn end_request(&self) {
        let until = Instant::now() + self.shared.deadlines.idle;
        let mut phase = self.phase();
        if let Phase::Answering = *phase {
            *phase = Phase::Waiting { until, has_begun: false };
            drop(phase);
            self.shared.open.wait(self.shared.id);
        }
    }

    /// The connection becomes a WebSocket.
    pub(super) fn upgrade(&self) {
        *self.phase() = Phase::Upgraded;
    }

    /// The server stops: a connection without a request ends at once, a half-sent one soon.
    pub(super) fn hurry(&self) {
        let now = Instant::now();
        let mut phase = self.phase();
        if let Phase::Waiting { until, has_begun } = *phase {
            let left = if has_begun { self.shared.deadlines.drain_headers } else { Duration::ZERO };
            *phase = Phase::Waiting { until: until.min(now + left), has_begun };
        }
    }

    /// From now on large messages need permits.
    pub(crate) fn limit_messages(&self, all: LargeMessages, person: PersonalPermits) {
        *self.incoming() = Some(Incoming::new(all, person, self.shared.deadlines));
    }

    /// Whether more may be read now.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut incoming = self.incoming();
        let ready =
            incoming.as_mut().map_or(Poll::Ready(Ok(())), |incoming| incoming.poll_ready(cx));
        self.shared.is_paused.store(ready.is_pending(), Ordering::Relaxed);
        ready
    }

    /// A message was taken. Keep the permit of its person, which a large one has, until the message has its place.
    pub(crate) fn take_message(&self) -> Option<PersonalPermit> {
        self.incoming().as_mut()?.taken()
    }

    /// Nothing is read for a while.
    pub(crate) fn pause(&self) {
        self.shared.is_paused.store(true, Ordering::Relaxed);
    }

    /// Somebody reads again.
    pub(crate) fn resume(&self) {
        self.shared.is_paused.store(false, Ordering::Relaxed);
    }

    /// Whether nobody reads: then silence says nothing about the peer.
    pub(crate) fn is_paused(&self) -> bool {
        self.shared.is_paused.load(Ordering::Relaxed)
    }

    /// The socket is closed.
    pub(super) fn close(&self) {
        self.shared.open.leave(self.shared.id);
    }

    /// The peer shows that it is there: it has sent something, or taken something that it had kept waiting.
    pub(crate) fn note_alive(&self) {
        let ms = self.shared.began.elapsed().as_millis();
        self.shared.alive_ms.store(u64::try_from(ms).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// When the peer last showed that it is there.
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
