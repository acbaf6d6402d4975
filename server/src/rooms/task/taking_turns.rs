//! The queue of a room's events: an event waits for its party's turn, and is then handled.

use super::{MAX_WAITING_ENTRIES, Task};
use crate::fair_queue::{Requester, Slot};
use crate::rooms::event::RoomEvent;
use crate::rooms::frame_places::FramePlace;
use crate::rooms::pace::thread_time;
use crate::rooms::postponed::Postponed;
use crate::rooms::turns::{Priority, Turn};
use accord_document::state::DocumentState;
use accord_document::sync::wire::asks_for_document;
use accord_document::sync::{ConnectionId, Effect};
use std::time::{Duration, Instant};

/// Size of a frame in bytes above which handling the frame can occupy a thread for long. Smaller frames contain few
/// references into the text, and a keystroke is far smaller.
const MAX_SHORT_FRAME_BYTES: usize = 512;
/// Size of a document in bytes above which reading it, encoding it, or searching it for an edit can occupy a thread for
/// long.
const MAX_SHORT_DOCUMENT_BYTES: usize = 256 * 1024;
/// Result of [`DocumentState::reading_cost`] above which reading a document can occupy a thread for long. This value
/// corresponds to about 4 ms.
const MAX_SHORT_READING_COST: usize = 16 * 1024;
/// Size of a document in bytes above which a request for its content can occupy a thread for long.
const MAX_SHORT_CONTENT_BYTES: usize = 32 * 1024;

/// Size of a frame in bytes above which the turn of the frame needs a slot, and begins only when no entry waits for the
/// disk. So everybody first receives the earlier edits of others.
const MAX_FRAME_BYTES_WITHOUT_SLOT: usize = 16 * 1024;

/// Whether reading, encoding or searching a document can occupy a thread for long.
pub(super) fn is_long(state: &DocumentState) -> bool {
    state.size() > MAX_SHORT_DOCUMENT_BYTES || state.reading_cost() > MAX_SHORT_READING_COST
}

/// Whether an event can take so long that its turn needs a slot, and must wait until all earlier entries are on disk
/// and sent.
fn needs_slot(state: &DocumentState, event: &RoomEvent) -> bool {
    match event {
        RoomEvent::Continue { .. } | RoomEvent::Checked { .. } => true,
        RoomEvent::Frame { bytes, .. } => {
            bytes.len() > MAX_FRAME_BYTES_WITHOUT_SLOT || is_long(state) && asks_for_document(bytes)
        }
        RoomEvent::Request(request) => request.priority == Priority::Ordinary && is_long(state),
        _ => false,
    }
}

/// Whether the turn of an event can be taken now, while large turns are postponed. Taking a large turn means that it is
/// postponed as well. At most one turn of each party can be postponed.
fn may_pass(
    postponed: &[Postponed],
    state: &DocumentState,
    party: &Requester,
    priority: Priority,
    event: &RoomEvent,
) -> bool {
    // Usually no turn is postponed. Then the event does not have to be inspected.
    if postponed.is_empty() {
        return true;
    }
    if needs_slot(state, event) {
        return postponed.iter().all(|postponed| postponed.party() != party);
    }
    postponed.iter().all(|postponed| postponed.is_passed_by(party, priority))
}

impl Task {
    /// Accepts an event. Frames and requests wait for the turn of their party. Other events take little time and are
    /// handled immediately, except the end of a connection whose person still has events waiting.
    pub(super) fn accept(&mut self, event: RoomEvent) {
        let (party, priority) = match &event {
            // The end of a connection is handled only after everything that its person has sent and that still waits.
            RoomEvent::Leave { id } if !self.has_sent(*id) => return self.event(event),
            RoomEvent::Frame { id, .. }
            | RoomEvent::Continue { id, .. }
            | RoomEvent::Checked { id, .. }
            | RoomEvent::Leave { id } => {
                // The connection could have been closed after it sent the event.
                let Some(connection) = self.connections.get(id) else { return };
                (Requester::Person(connection.person.clone()), Priority::Ordinary)
            }
            RoomEvent::Request(request) => (request.requester.clone(), request.priority),
            RoomEvent::Join { .. }
            | RoomEvent::EntryHashRead { .. }
            | RoomEvent::Open { .. }
            | RoomEvent::Stop => return self.event(event),
        };
        self.turns.retain(&party, |waiting| !waiting.is_abandoned());
        self.turns.push(&party, priority, event, Instant::now());
    }

    /// Whether frames or requests of the person who has this connection still wait.
    fn has_sent(&self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get(&id) else { return false };
        let party = Requester::Person(connection.person.clone());
        self.postponed.iter().any(|postponed| *postponed.party() == party)
            || self.turns.has_waiting(&party)
    }

    /// Whether nothing waits for a turn.
    pub(super) fn has_no_turns(&self) -> bool {
        self.postponed.is_empty() && self.turns.is_empty()
    }

    /// Returns the time until a turn can begin, or `None` if a slot, an append or a new event must come first.
    pub(super) fn until_turn(&mut self) -> Option<Duration> {
        if self.next_postponed().is_some() {
            return Some(Duration::ZERO);
        }
        if self.waiting.len() >= MAX_WAITING_ENTRIES {
            return None;
        }
        let (state, postponed) = (self.room.state(), &self.postponed);
        let may_begin =
            |party: &_, priority, event: &_| may_pass(postponed, state, party, priority, event);
        self.turns.wait(Instant::now(), may_begin)
    }

    /// Takes the next turn, with its slot if the turn is large. Returns `None` if every turn must wait. A large turn is
    /// postponed until it is ready and no entry waits for the disk, so that everybody first receives the entries
    /// that wait now. Short turns of others are taken before the postponed turn until it is ready and the append in
    /// flight has ended.
    fn next_turn(&mut self) -> Option<(Turn<RoomEvent>, Option<Slot>)> {
        if let Some(begun) = self.begin_postponed() {
            return Some(begun);
        }
        let (state, postponed) = (self.room.state(), &self.postponed);
        let may_begin =
            |party: &_, priority, event: &_| may_pass(postponed, state, party, priority, event);
        let turn = self.turns.next(Instant::now(), may_begin)?;
        if turn.item.is_abandoned() || !needs_slot(self.room.state(), &turn.item) {
            return Some((turn, None));
        }
        self.postponed.push(Postponed::new(turn, &self.rooms.shared.large_turns));
        self.begin_postponed()
    }

    /// Returns the index of the first postponed turn that is ready, if any. While an entry waits for the disk,
    /// returns `None`.
    fn next_postponed(&self) -> Option<usize> {
        if !self.is_settled() {
            return None;
        }
        self.postponed.iter().position(Postponed::is_ready)
    }

    /// Takes the first postponed turn that can begin, or returns `None` if none can.
    fn begin_postponed(&mut self) -> Option<(Turn<RoomEvent>, Option<Slot>)> {
        let next = self.next_postponed()?;
        self.postponed.remove(next).into_turn()
    }

    pub(super) fn take_turn(&mut self) {
        let Some((turn, slot)) = self.next_turn() else { return };
        if turn.item.is_abandoned() {
            return;
        }
        let (party, priority) = (turn.party.clone(), turn.priority);
        let began = thread_time();
        let spent_before = match turn.item {
            RoomEvent::Checked { spent, .. } => spent,
            _ => Duration::ZERO,
        };
        if self.may_block_thread(&turn.item) {
            // The other tasks of this thread continue on another thread meanwhile.
            tokio::task::block_in_place(|| self.turn(turn, slot));
        } else {
            self.turn(turn, slot);
        }
        let spent = spent_before + thread_time().saturating_sub(began);
        self.turns.spend(&party, priority, spent, Instant::now());
        self.note_memory(&party);
    }

    /// Handles the event of a turn. If the turn comes to a large edit, this only begins the check of the edit.
    fn turn(&mut self, turn: Turn<RoomEvent>, slot: Option<Slot>) {
        let check = match &turn.item {
            RoomEvent::Continue { id, .. } => self.room.begin_check(*id),
            _ => None,
        };
        match (turn.item, check) {
            (RoomEvent::Continue { id, place }, Some(check)) => {
                self.postponed.push(Postponed::checking(check, turn.party, (id, place), slot));
            }
            (event, _) => self.event(event),
        }
    }

    fn may_block_thread(&self, event: &RoomEvent) -> bool {
        match event {
            RoomEvent::Frame { bytes, .. } => {
                // In a long document, even a short frame can take long, because it can ask for the whole document.
                bytes.len() > MAX_SHORT_FRAME_BYTES || is_long(self.room.state())
            }
            RoomEvent::Continue { .. } | RoomEvent::Checked { .. } => true,
            _ => self.room.state().size() > MAX_SHORT_CONTENT_BYTES || is_long(self.room.state()),
        }
    }

    /// Carries out the effects of a turn for a connection's frame. If the frame needs another turn, it keeps its place,
    /// and that turn comes before all other ordinary events of its person.
    pub(super) fn finish_turn(
        &mut self,
        id: ConnectionId,
        place: FramePlace,
        effects: Vec<Effect>,
    ) {
        let goes_on = effects.last() == Some(&Effect::Continue(id));
        self.carry_out(effects);
        let Some(connection) = self.connections.get(&id).filter(|_| goes_on) else { return };
        let party = Requester::Person(connection.person.clone());
        let event = RoomEvent::Continue { id, place };
        self.turns.push_first(&party, event, Instant::now());
    }
}
