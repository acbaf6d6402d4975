//! The task of one open document. The task drives the pure [`Room`], and carries out the effects of the room.
//!
//! At most one append is in flight. Entries that are made meanwhile are appended together afterwards. So the speed of
//! the disk and the number of connections decide how many entries a commit has.

mod answers;
mod effects;
mod gathering;
mod taking_turns;
mod unsaved_claims;

use super::event::RoomEvent;
use super::handle::Summary;
use super::load::CHECKPOINT_AFTER_ENTRIES;
use super::open_memory::HeldOpen;
use super::outbox::Outbox;
use super::postponed::{Postponed, one_is_ready};
use super::reading::{LongText, ReleaseStatus};
use super::turns::Turns;
use super::{OpenError, Rooms, SavedClaims, seed};
use crate::announced;
use crate::fair_queue::Requester;
use crate::replay::Replayed;
use crate::store::{Append, StoreError};
use accord_document::ids::{DocumentId, PersonId, Seq};
use accord_document::sync::{Close, ConnectionId, Room};
use gathering::Gathering;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use unsaved_claims::UnsavedClaims;

/// Time without any event after which an empty room closes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Number of entries that can wait for the disk before the room stops taking events.
const MAX_WAITING_ENTRIES: usize = 8192;

/// Minimum change of the memory that a document takes, in bytes, for which the new amount is recorded.
const MIN_MEMORY_CHANGE_BYTES: usize = 256 * 1024;

/// Number of new entries after which a ledger is packed.
const PACK_AFTER_ENTRIES: u64 = 1_024;

/// The message of the connection whose edit could not be checked, because of a fault of this program.
const CHECK_FAILED: &str = "The server could not check this edit. This device keeps it.";

/// Waits for the time until the next turn. A turn that is due now must not wait for a timer, because the resolution of
/// timers is a millisecond.
async fn pause(time: Duration) {
    if time.is_zero() {
        // However many turns wait in this room, the room must leave other rooms their share of the thread.
        tokio::task::coop::consume_budget().await;
    } else {
        sleep(time).await;
    }
}

/// The result of an append.
struct Committed {
    upto: Seq,
    result: Result<(), StoreError>,
}

pub(super) async fn run(rooms: Rooms, document: DocumentId, mut events: mpsc::Receiver<RoomEvent>) {
    let (loading, id) = (rooms.clone(), document.clone());
    let load = move || Ok((loading.load(&id)?, announced::load(&*loading.shared.store, &id)?));
    let loaded = tokio::task::spawn_blocking(load).await;
    let loaded = loaded.unwrap_or_else(|_| {
        Err(StoreError::Failed("reading the ledger failed unexpectedly".into()).into())
    });
    let (Replayed { state, last_editor, behind }, announced) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            if !matches!(error, OpenError::Missing) {
                tracing::error!(%document, %error, "a document can't be opened");
            }
            events.close();
            while let Some(event) = events.recv().await {
                event.refuse(error.clone());
            }
            return rooms.forget_closed(&document);
        }
    };
    // Entries that were replayed at the opening count towards the next checkpoint, unless the opening itself wrote one.
    let behind = if behind >= CHECKPOINT_AFTER_ENTRIES { 0 } else { behind };
    let checkpointed = Seq(state.position().seq.0.saturating_sub(behind as u64));
    let metrics = &rooms.shared.metrics;
    metrics.rooms_open.inc();
    let recorded_bytes = state.memory_bytes();
    rooms.shared.open_memory.note(&document, recorded_bytes);
    let mut task = Task {
        rooms: rooms.clone(),
        document: document.clone(),
        room: Room::new(state, seed()).with_announced(announced),
        last_editor,
        packed: Seq(0),
        checkpointed,
        connections: HashMap::new(),
        release_status: None,
        long_text: Weak::new(),
        summary: None,
        turns: Turns::new(rooms.shared.long_turns.clone(), rooms.shared.debts.take(&document)),
        postponed: Vec::new(),
        recorded_bytes,
        in_flight: false,
        waiting: Vec::new(),
        gathering: Gathering::new(),
        answers: VecDeque::new(),
        unsaved_claims: UnsavedClaims::new(),
        has_failed: false,
    };
    task.serve(&mut events).await;
    rooms.shared.open_memory.forget(&document);
    // The state of a room that failed is ahead of the store: an edit under a client id that the room counts as written
    // might not be on disk. So the saved claim on that client id must stay.
    if !task.has_failed && task.is_settled() {
        rooms.forget_client_id_claims(&document, task.room.forget_written_ids());
    }
    metrics.rooms_open.dec();
    metrics.connections_open.dec_by(i64::try_from(task.connections.len()).unwrap_or(0));
    rooms.forget_closed(&document);
}

struct Connection {
    outbox: Outbox,
    person: PersonId,
    _open: HeldOpen,
}

pub(super) struct Task {
    rooms: Rooms,
    document: DocumentId,
    room: Room,
    last_editor: Option<PersonId>,
    /// The number of the last entry on disk when the ledger was last packed, or 0 if this room has not packed it.
    packed: Seq,
    /// The number of the last entry that the latest checkpoint includes.
    checkpointed: Seq,
    connections: HashMap<ConnectionId, Connection>,
    /// The latest release status that was read in this task, with the position at which the text was read.
    release_status: Option<Arc<ReleaseStatus>>,
    /// The latest copy of the document, if it is long and a caller still uses the copy.
    long_text: Weak<LongText>,
    /// The latest summary for lists of documents, with the position at which the text was read, or `None` before the
    /// first summary.
    summary: Option<Summary>,
    /// The events that wait for their turn.
    turns: Turns<RoomEvent>,
    /// The postponed large turns, at most one of each party.
    postponed: Vec<Postponed>,
    /// Whether the committer has entries of this room and has not answered yet.
    in_flight: bool,
    /// Entries that wait until the append in flight has ended.
    waiting: Vec<Append>,
    gathering: Gathering,
    /// Answers that show entries that are not on disk yet, each with the number of the entry for which the answer
    /// waits.
    answers: VecDeque<(Seq, Box<dyn FnOnce() + Send>)>,
    unsaved_claims: UnsavedClaims,
    /// Memory of the document as it was last recorded, in bytes.
    recorded_bytes: usize,
    /// True once the room can't continue. The room then closes immediately, and the next request rebuilds it from the
    /// ledger.
    has_failed: bool,
}

impl Task {
    async fn serve(&mut self, events: &mut mpsc::Receiver<RoomEvent>) {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // At most one append is in flight, so a channel with one place is enough.
        let (answer, mut committed) = mpsc::channel(1);
        let (saved, mut claims_saved) = mpsc::channel(1);
        let mut changes = self.rooms.shared.access.changes();
        let mut used = Instant::now();
        let mut stopping = false;
        while !self.has_failed {
            // The result of an append comes first, because the next turn can take long.
            if let Ok(result) = committed.try_recv() {
                self.committed(result);
                if self.has_failed {
                    break;
                }
                self.commit(&answer).await;
            }
            let next_turn = self.until_turn();
            let until_gathered = self.until_gathered();
            tokio::select! {
                Some(result) = committed.recv() => self.committed(result),
                Some(saved) = claims_saved.recv() => self.client_id_claims_saved(saved),
                event = events.recv(), if self.waiting.len() < MAX_WAITING_ENTRIES => {
                    let Some(event) = event else { break };
                    used = Instant::now();
                    stopping |= matches!(event, RoomEvent::Stop);
                    self.accept(event);
                }
                () = one_is_ready(&mut self.postponed) => {}
                () = sleep(until_gathered.unwrap_or_default()), if until_gathered.is_some() => {
                    self.send_awareness();
                }
                () = pause(next_turn.unwrap_or_default()), if next_turn.is_some() => {
                    // The last turn could have taken long, so the events that arrived meanwhile are accepted before the
                    // next turn is chosen.
                    while let Ok(event) = events.try_recv() {
                        used = Instant::now();
                        stopping |= matches!(event, RoomEvent::Stop);
                        self.accept(event);
                    }
                    self.take_turn();
                }
                Ok(()) = changes.changed() => self.revise(),
                _ = tick.tick() => {
                    let effects = self.room.tick(self.now());
                    self.carry_out(effects);
                    if self.is_idle(used) && self.is_settled() && !self.unsaved_claims.is_saving() {
                        break;
                    }
                }
            }
            self.commit(&answer).await;
            self.save_client_id_claims(&saved);
            if stopping && self.is_settled() && !self.unsaved_claims.is_saving() {
                break;
            }
        }
        self.write_checkpoint().await;
        self.rooms.pack(&self.document);
        // The time accounts must be stored before this document can be opened again.
        let now = std::time::Instant::now();
        self.rooms.shared.debts.keep(&self.document, self.turns.close(), now);
        // Queued events are dropped without an answer. Their senders then open the room again.
        events.close();
    }

    /// Whether nobody is connected and nothing waits, for so long that the room can close. `used` is the time of the last
    /// event.
    fn is_idle(&self, used: Instant) -> bool {
        let memory = &self.rooms.shared.open_memory;
        self.room.is_empty()
            && self.has_no_turns()
            && (used.elapsed() >= IDLE_TIMEOUT || memory.is_crowded())
    }

    /// Records how much memory the document takes, if that has changed by at least [`MIN_MEMORY_CHANGE_BYTES`]. If the
    /// turn of `party` made the document so large that this person's open documents exceed the limit, closes the
    /// person's connections to this document.
    fn note_memory(&mut self, party: &Requester) {
        let bytes = self.room.state().memory_bytes();
        if bytes.abs_diff(self.recorded_bytes) < MIN_MEMORY_CHANGE_BYTES {
            return;
        }
        let has_grown = bytes > self.recorded_bytes;
        self.recorded_bytes = bytes;
        let memory = self.rooms.shared.open_memory.clone();
        memory.note(&self.document, bytes);
        let Requester::Person(person) = party else { return };
        if !has_grown || memory.may_open(person, &self.document) {
            return;
        }
        let theirs = self.connections.iter().filter(|(_, connection)| connection.person == *person);
        let ids: Vec<ConnectionId> = theirs.map(|(id, _)| *id).collect();
        for id in ids {
            let close = Close::new(Close::TOO_LARGE, OpenError::TooMuchOpen.to_string());
            let effects = self.room.dismiss(id, close);
            self.carry_out(effects);
        }
    }

    /// Checks again what the person of each connection is allowed to do.
    fn revise(&mut self) {
        let (access, document) = (self.rooms.shared.access.clone(), self.document.clone());
        let effects = self.room.revise(|admission| access.grant(admission, &document), self.now());
        self.carry_out(effects);
    }

    /// Writes a checkpoint for the next opening, if the last checkpoint lacks at least [`CHECKPOINT_AFTER_ENTRIES`]
    /// entries. Until the checkpoint is written, no redaction can change the ledger, because a request to redact waits
    /// for the next opening of the room.
    async fn write_checkpoint(&mut self) {
        let seq = self.room.state().position().seq;
        let is_worth_it =
            seq.0.saturating_sub(self.checkpointed.0) as usize >= CHECKPOINT_AFTER_ENTRIES;
        if self.has_failed || !self.is_settled() || !is_worth_it {
            return;
        }
        let (rooms, document) = (self.rooms.clone(), self.document.clone());
        let state = self.room.state().checkpoint();
        let _ =
            tokio::task::spawn_blocking(move || rooms.write_checkpoint(&document, &state)).await;
    }

    fn is_settled(&self) -> bool {
        !self.in_flight && self.waiting.is_empty()
    }

    fn event(&mut self, event: RoomEvent) {
        let effects = match event {
            RoomEvent::Join { id, mut admission, outbox, frame_places, answer } => {
                let person = admission.actor.person.clone();
                // Permissions could have changed since the connection was upgraded.
                let grant = self.rooms.shared.access.grant(&admission, &self.document);
                let joined = match grant {
                    Ok(_) if !self.rooms.shared.open_memory.may_open(&person, &self.document) => {
                        Err(OpenError::TooMuchOpen)
                    }
                    Ok(grant) => {
                        admission.take(grant);
                        let now = std::time::Instant::now();
                        Ok(self.turns.frame_places(&person, frame_places, now))
                    }
                    Err(denied) => Err(OpenError::Denied(denied)),
                };
                let may_join = joined.is_ok();
                if answer.send(joined).is_err() || !may_join {
                    return;
                }
                let open = self.rooms.shared.open_memory.hold(&person, &self.document);
                self.connections.insert(id, Connection { outbox, person, _open: open });
                self.rooms.shared.metrics.connections_open.inc();
                self.room.join(id, *admission, self.now())
            }
            RoomEvent::Frame { id, .. } if !self.connections.contains_key(&id) => return,
            RoomEvent::Frame { id, bytes, place } => {
                let effects = self.room.frame(id, &bytes, self.now());
                return self.finish_turn(id, place, effects);
            }
            RoomEvent::Continue { id, place } => {
                let effects = self.room.continue_frame(id, self.now());
                return self.finish_turn(id, place, effects);
            }
            RoomEvent::Checked { id, place, checked, .. } => {
                let effects = match checked {
                    Some(checked) => self.room.end_check(id, checked, self.now()),
                    None => {
                        tracing::error!(document = %self.document, connection = id.0, "the check of an edit panicked");
                        self.room.dismiss(id, Close::new(Close::MALFORMED, CHECK_FAILED))
                    }
                };
                return self.finish_turn(id, place, effects);
            }
            RoomEvent::Leave { id } => {
                self.disconnect(id);
                self.room.leave(id, self.now())
            }
            RoomEvent::EntryHashRead { id, remembered, stored } => {
                self.room.entry_hash_read(id, &remembered, stored, self.now())
            }
            RoomEvent::Open { answer } => {
                let _ = answer.send(Ok(()));
                return;
            }
            RoomEvent::Request(request) => return request.run(self),
            RoomEvent::Stop => self.room.shut_down(),
        };
        self.carry_out(effects);
    }

    fn committed(&mut self, Committed { upto, result }: Committed) {
        self.in_flight = false;
        self.postponed.iter_mut().for_each(Postponed::append_ended);
        let effects = match result {
            Ok(()) => {
                if upto.0.saturating_sub(self.packed.0) >= PACK_AFTER_ENTRIES {
                    self.packed = upto;
                    self.rooms.pack(&self.document);
                }
                self.gathering.begin(self.connections.len());
                self.room.committed(upto)
            }
            Err(error) => {
                self.waiting.clear();
                self.room.fail(&error.to_string())
            }
        };
        self.carry_out(effects);
        while self.answers.front().is_some_and(|(after, _)| *after <= upto) && !self.has_failed {
            if let Some((_, answer)) = self.answers.pop_front() {
                answer();
            }
        }
    }

    fn now(&self) -> u64 {
        self.rooms.shared.clock.now_ms()
    }

    /// Shows other people the client ids whose claims are now saved. Keeps the claims that could not be saved, for
    /// another attempt.
    fn client_id_claims_saved(&mut self, SavedClaims { saved, unsaved }: SavedClaims) {
        let effects = self.room.client_id_claims_saved(&saved);
        self.carry_out(effects);
        self.unsaved_claims.saved(unsaved);
    }

    /// Starts to save the waiting claims on client ids, unless a save is already running or must wait after a failure.
    fn save_client_id_claims(&mut self, saved: &mpsc::Sender<SavedClaims>) {
        if let Some(claims) = self.unsaved_claims.begin() {
            self.rooms.save_client_id_claims(&self.document, claims, saved.clone());
        }
    }
}
