//! The queue of a room's events: an event waits for its party's turn, and is then handled.

use super::{Task, WAITING};
use crate::fair_queue::Requester;
use crate::rooms::event::RoomEvent;
use crate::rooms::in_flight::Place;
use crate::rooms::postponed::Postponed;
use crate::rooms::turns::{Priority, Turn};
use accord_document::sync::{ConnectionId, Effect};
use std::time::{Duration, Instant};

/// Size of a frame in bytes above which it can occupy a thread for long. A keystroke is far smaller, and smaller frames
/// contain few references into the text.
const LONG_FRAME_BYTES: usize = 512;
/// Size of a document in bytes above which reading it, encoding it, or searching it for an edit can occupy a thread for
/// long.
const LONG_DOCUMENT_BYTES: usize = 256 * 1024;
/// Size of a document in bytes above which a request for its content can occupy a thread for long.
const LONG_CONTENT_BYTES: usize = 32 * 1024;

/// Size of a frame in bytes above which its turn begins only when no entry waits for the disk. So earlier edits of
/// others are sent to everybody first.
const LARGE_FRAME_BYTES: usize = 16 * 1024;

/// Returns the processor time of this thread. Other work of the machine must not be charged to anybody.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

impl Task {
    /// Accepts an event. Short events are handled immediately, and all others wait for the turn of their party.
    pub(super) fn come(&mut self, event: RoomEvent) {
        let (party, priority) = match &event {
            // The end of a connection is handled only after everything that its person has sent and that still waits.
            RoomEvent::Leave { id } if !self.has_sent(*id) => return self.event(event),
            RoomEvent::Frame { id, .. }
            | RoomEvent::Continue { id, .. }
            | RoomEvent::Leave { id } => {
                // The connection could have been closed after it sent the event.
                let Some(connection) = self.connections.get(id) else { return };
                (Requester::Person(connection.person.clone()), Priority::Ordinary)
            }
            RoomEvent::Request(request) => (request.requester.clone(), request.priority),
            RoomEvent::Join { .. }
            | RoomEvent::Compared { .. }
            | RoomEvent::Open { .. }
            | RoomEvent::Stop => return self.event(event),
        };
        self.turns.retain(&party, |waiting| !waiting.is_abandoned());
        self.turns.push(&party, priority, event, Instant::now());
    }

    /// Whether items of the person who has this connection still wait.
    fn has_sent(&self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get(&id) else { return false };
        let party = Requester::Person(connection.person.clone());
        self.postponed.as_ref().is_some_and(|postponed| postponed.turn.party == party)
            || self.turns.has_waiting(&party)
    }

    /// Whether nothing waits for a turn.
    pub(super) fn has_no_turns(&self) -> bool {
        self.postponed.is_none() && self.turns.is_empty()
    }

    /// Whether a turn can begin, once [`until_turn`](Self::until_turn) is over.
    pub(super) fn has_turn(&self) -> bool {
        let has_next = self.waiting.len() < WAITING && !self.turns.is_empty();
        match &self.postponed {
            Some(postponed) => self.is_settled() || postponed.others_pass && has_next,
            None => has_next,
        }
    }

    pub(super) fn until_turn(&mut self) -> Duration {
        if self.postponed.is_some() && self.is_settled() {
            return Duration::ZERO;
        }
        self.turns.wait(Instant::now()).unwrap_or_default()
    }

    /// Returns the next turn, or `None` if it must wait. A turn that can take long is postponed while entries wait for
    /// the disk, so that those are sent to everybody first. Other turns pass it only until the append in flight is on
    /// disk, so that it does not wait for ever.
    fn next_turn(&mut self) -> Option<Turn<RoomEvent>> {
        if self.is_settled()
            && let Some(Postponed { turn, .. }) = self.postponed.take()
        {
            return Some(turn);
        }
        let turn = self.turns.next(Instant::now())?;
        let may_pass = !self.is_large(&turn.item)
            && self.postponed.as_ref().is_none_or(|postponed| postponed.is_passed_by(&turn));
        if self.is_settled() || may_pass {
            return Some(turn);
        }
        match &mut self.postponed {
            Some(postponed) => {
                postponed.others_pass = false;
                self.turns.push_first(&turn.party, turn.item, Instant::now());
            }
            None => self.postponed = Some(Postponed { turn, others_pass: true }),
        }
        None
    }

    pub(super) fn take_turn(&mut self) {
        let Some(turn) = self.next_turn() else { return };
        if turn.item.is_abandoned() {
            return;
        }
        let Turn { party, priority, item: event } = turn;
        let began = thread_time();
        if self.may_take_long(&event) {
            // The other tasks of this thread continue on another thread meanwhile.
            tokio::task::block_in_place(|| self.event(event));
        } else {
            self.event(event);
        }
        let spent = thread_time().saturating_sub(began);
        self.turns.spend(&party, priority, spent, Instant::now());
        self.note_memory(&party);
    }

    /// Whether an event can take so long that entries which are nearly on disk should be sent first.
    fn is_large(&self, event: &RoomEvent) -> bool {
        match event {
            RoomEvent::Continue { .. } => true,
            RoomEvent::Frame { bytes, .. } => bytes.len() > LARGE_FRAME_BYTES,
            RoomEvent::Request(request) => {
                request.priority == Priority::Ordinary
                    && self.room.state().size() > LONG_DOCUMENT_BYTES
            }
            _ => false,
        }
    }

    fn may_take_long(&self, event: &RoomEvent) -> bool {
        match event {
            RoomEvent::Frame { bytes, .. } => {
                // A short frame can ask for the whole document.
                bytes.len() > LONG_FRAME_BYTES || self.room.state().size() > LONG_DOCUMENT_BYTES
            }
            RoomEvent::Continue { .. } => true,
            _ => self.room.state().size() > LONG_CONTENT_BYTES,
        }
    }

    /// Carries out the effects of a turn for a connection's frame. If the frame takes another turn, it keeps its place,
    /// and is taken before everything else that its person has sent.
    pub(super) fn finish_turn(&mut self, id: ConnectionId, place: Place, effects: Vec<Effect>) {
        let goes_on = effects.last() == Some(&Effect::Continue(id));
        self.carry_out(effects);
        let Some(connection) = self.connections.get(&id).filter(|_| goes_on) else { return };
        let party = Requester::Person(connection.person.clone());
        let event = RoomEvent::Continue { id, place };
        self.turns.push_first(&party, event, Instant::now());
    }
}
