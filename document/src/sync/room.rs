//! The server's side of one document: its state, its connections, and the frames that each connection is sent.
//!
//! A room is driven by one task, which calls [`Room::join`], [`Room::frame`], [`Room::committed`] and so on, one at a
//! time, and carries out the [`Effect`]s in order. The room integrates an edit immediately, but nothing that shows
//! the edit leaves the room before the store has the edit: effects that depend on an entry wait until
//! [`Room::committed`] names it. When the store fails, the room is ahead of the store and must be dropped
//! ([`Room::fail`]).

mod access;
mod awareness;
mod commands;
mod continuing;
mod held;
mod hello;
mod messages;
mod pending;
mod unfinished;

pub use commands::{ProposalRequest, ProposeError};

use super::admission::Admission;
use super::close::Close;
use super::connection::{ConnectionId, Dialect};
use super::presence::Presence;
use super::wire::{MAX_MESSAGES_PER_FRAME, Message, ServerNote, read_frame};
use crate::ids::{PersonId, Seq};
use crate::ledger::{Entry, LedgerPosition, Salt};
use crate::state::DocumentState;
use crate::update::{AnnouncedClients, ClientIdClaim, Refusal};
use awareness::ChangedAwareness;
use pending::PendingEffect;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use unfinished::Unfinished;

/// Time in milliseconds after which a connection that was sent nothing is sent everybody's awareness. Stock clients
/// close a connection on which no message has arrived for 30 s; pings do not count (rule M6).
const QUIET_MS: u64 = 15_000;

/// An action that the driver of a room must carry out. The driver keeps the order in which the room returns the
/// effects.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a frame to a connection.
    Send(ConnectionId, Arc<[u8]>),
    /// Close a connection.
    Close(ConnectionId, Close),
    /// Give the frame of a connection another turn: call [`Room::continue_frame`] once others have had their turns,
    /// and before any further frame of this connection.
    Continue(ConnectionId),
    /// Append an entry durably, then call [`Room::committed`], or [`Room::fail`] if the store fails.
    Append(Entry),
    /// Log that an edit was refused, with the connection, the person and the reason, and count the refusal in the
    /// metrics.
    Refused(ConnectionId, PersonId, Refusal),
    /// Read from the store the hash of the entry that a client remembers, then call [`Room::entry_hash_read`] with the
    /// hash.
    ReadEntryHash(ConnectionId, LedgerPosition),
    /// Log, and count in the metrics, that a client remembers a ledger which the server's ledger does not continue,
    /// because the server's ledger was truncated or replaced.
    LedgerDiverged(ConnectionId),
    /// Save durably which person a client id belongs to, then call [`Room::client_id_claims_saved`]. The room shows the id to
    /// others only after that.
    SaveClientIdClaim(ClientIdClaim),
    /// Drop the room, which is unusable, so that it is rebuilt from the ledger.
    Rebuild,
}

#[derive(Debug)]
struct Connection {
    admission: Admission,
    /// The client id of the awareness entry that the connection owns.
    presence: Option<u64>,
    /// Whether the connection has been sent the whole document, and is therefore sent every later update of it.
    follows: bool,
    /// Whether the connection has sent a sync step 2, which contains what the server lacks. An `accord.v1` client sends
    /// this content as an edit instead.
    answered: bool,
    /// Whether the edits of the connection belong to the current draft. They do if the document has only had one
    /// draft, if the client remembers the entry that started the draft or a later one, or if its step 2 or first edit
    /// added nothing.
    is_current: bool,
    last_sent: u64,
    /// The pieces of the connection's frame that are left for later turns.
    unfinished: VecDeque<Unfinished>,
}

impl Connection {
    /// Returns the refusal of edits that add something, if this connection's edits are not accepted now. An update that adds
    /// nothing is accepted from everybody (rules M4, U6, U10).
    fn refusal_if_new(&self) -> Option<Refusal> {
        if !self.admission.may_write {
            return Some(Refusal::ReadOnly);
        }
        (!self.is_current).then_some(Refusal::EarlierDraft)
    }
}

/// One open document, and everybody connected to it.
#[derive(Debug)]
pub struct Room {
    state: DocumentState,
    /// The seed from which salts are derived, so that a room needs no randomness of its own.
    seed: [u8; 32],
    connections: BTreeMap<ConnectionId, Connection>,
    presence: Presence,
    changed_awareness: ChangedAwareness,
    durable: Seq,
    held: VecDeque<(Seq, PendingEffect)>,
    /// The entry of the last proposal that the room has reported as stale, in a note to the connections. `None` if the
    /// room has reported none.
    stale: Option<Seq>,
    now: u64,
    out: Vec<Effect>,
}

impl Room {
    /// Returns a room for a state whose entries are all durable. `seed` must be random and secret.
    #[must_use]
    pub fn new(state: DocumentState, seed: [u8; 32]) -> Self {
        let durable = state.position().seq;
        Self {
            state,
            seed,
            connections: BTreeMap::new(),
            presence: Presence::default(),
            changed_awareness: ChangedAwareness::default(),
            durable,
            held: VecDeque::new(),
            stale: None,
            now: 0,
            out: Vec::new(),
        }
    }

    /// Returns the state of the document.
    #[must_use]
    pub fn state(&self) -> &DocumentState {
        &self.state
    }

    /// Returns this room, with the client ids that pages announced before the room was opened.
    #[must_use]
    pub fn with_announced(mut self, announced: AnnouncedClients) -> Self {
        self.state.set_announced(announced);
        self
    }

    /// Forgets the announced client ids under which something has been written, and returns these ids.
    pub fn forget_written_ids(&mut self) -> Vec<u64> {
        self.state.forget_written_ids()
    }

    /// Returns whether nobody is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Returns the people who are present, each once.
    pub fn people(&self) -> impl Iterator<Item = &PersonId> {
        self.presence.people()
    }

    /// Adds a connection to the room. `now`, here and in the other methods of a room, is in milliseconds since the Unix
    /// epoch.
    pub fn join(&mut self, id: ConnectionId, admission: Admission, now: u64) -> Vec<Effect> {
        self.now = now;
        let accord = admission.dialect == Dialect::Accord;
        let may_write = self.may_write(&admission);
        let connection = Connection {
            admission,
            presence: None,
            follows: false,
            answered: false,
            is_current: self.state.draft_start() == Seq(0),
            last_sent: now,
            unfinished: VecDeque::new(),
        };
        self.connections.insert(id, connection);
        if accord {
            // Rule A1: the first message to an `accord.v1` client is the server's hello.
            let position = self.position();
            self.note_when_durable(id, &ServerNote::Hello { position, may_write });
        }
        self.take()
    }

    /// Handles one binary frame of a connection. Work beyond one turn is left for [`Room::continue_frame`].
    pub fn frame(&mut self, id: ConnectionId, frame: &[u8], now: u64) -> Vec<Effect> {
        self.now = now;
        self.messages(id, frame);
        self.effects_of(id)
    }

    fn messages(&mut self, id: ConnectionId, frame: &[u8]) {
        match read_frame(frame) {
            Ok(messages) if is_too_much(&messages) => {
                let reason = "A frame contains too many messages.";
                self.disconnect(id, Close::MALFORMED, reason);
            }
            Ok(messages) => {
                let before = self.state.position().seq;
                for (number, message) in messages.iter().enumerate() {
                    if !self.connections.contains_key(&id) {
                        break;
                    }
                    // A turn takes one edit, so the messages after it wait for further turns.
                    if self.is_unfinished(id) || self.state.position().seq > before {
                        self.queue_messages(id, &messages[number..]);
                        break;
                    }
                    self.message(id, message);
                }
            }
            Err(error) => {
                self.disconnect(id, Close::MALFORMED, format!("A message is malformed: {error}."))
            }
        }
    }

    /// Shows the awareness of client ids to others, because the claims of these ids are saved.
    pub fn client_id_claims_saved(&mut self, clients: &[u64]) -> Vec<Effect> {
        let changed = self.presence.reveal(clients);
        self.broadcast_awareness(changed);
        self.take()
    }

    /// Closes every connection and asks for a rebuild, because the store could not append. `message` is a sentence
    /// for people, which `accord.v1` clients receive in a note.
    pub fn fail(&mut self, message: &str) -> Vec<Effect> {
        self.held.clear();
        let note = ServerNote::Trouble { message: message.to_owned() };
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            if self.is_accord(id) {
                self.send(id, note_frame(&note));
            }
            self.disconnect(id, Close::TRY_AGAIN, "The server can't save right now.");
        }
        self.out.push(Effect::Rebuild);
        self.take()
    }

    /// Closes a connection with a close code and a sentence for people.
    pub fn dismiss(&mut self, id: ConnectionId, close: Close) -> Vec<Effect> {
        self.disconnect(id, close.code, close.reason);
        self.take()
    }

    /// Removes a connection whose socket is closed, and the awareness entry of the connection.
    pub fn leave(&mut self, id: ConnectionId, now: u64) -> Vec<Effect> {
        self.now = now;
        self.connections.remove(&id);
        let changed = self.presence.leave(id);
        self.broadcast_awareness(changed);
        self.take()
    }

    /// Removes expired awareness entries (rule P6), and sends everybody's awareness to connections that were sent nothing
    /// for 15 seconds (rule M6). Call this about once a second.
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        self.now = now;
        let changed = self.presence.expire(now);
        self.broadcast_awareness(changed);
        let quiet: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| now.saturating_sub(connection.last_sent) >= QUIET_MS)
            .map(|(&id, _)| id)
            .collect();
        for id in quiet {
            self.send(id, Message::Awareness(&self.presence.everybody(id)).encode().into());
        }
        self.take()
    }

    /// Closes every connection because the server stops, and asks each client to connect again.
    pub fn shut_down(&mut self) -> Vec<Effect> {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.disconnect(id, Close::RESTART, "The server is restarting.");
        }
        self.take()
    }

    /// Returns when [`Room::send_awareness`] must be called, in milliseconds since the Unix epoch. Returns `None` if there
    /// is nothing to send.
    #[must_use]
    pub fn awareness_due(&self) -> Option<u64> {
        self.changed_awareness.due()
    }

    /// Sends changed awareness to everybody, if it is due.
    pub fn send_awareness(&mut self, now: u64) -> Vec<Effect> {
        self.now = now;
        self.broadcast_awareness([]);
        self.take()
    }

    /// Notes that the awareness of client ids has changed, and sends to everybody what has changed, if it is due.
    fn broadcast_awareness(&mut self, clients: impl IntoIterator<Item = u64>) {
        self.changed_awareness.add(clients);
        let due = self.changed_awareness.take_due(self.now, self.connections.len());
        let Some(clients) = due else { return };
        let shared = Message::Awareness(&self.presence.update(&clients)).encode();
        let shared: Arc<[u8]> = shared.into();
        let mut own = self.presence.updates_for_owners(&clients);
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            let own = own.remove(&id).map(|update| Message::Awareness(&update).encode().into());
            self.send(id, own.unwrap_or_else(|| shared.clone()));
        }
    }

    fn send(&mut self, id: ConnectionId, frame: Arc<[u8]>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.last_sent = self.now;
            self.out.push(Effect::Send(id, frame));
        }
    }

    fn disconnect(
        &mut self,
        id: ConnectionId,
        code: u16,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        if self.connections.remove(&id).is_none() {
            return;
        }
        self.out.push(Effect::Close(id, Close::new(code, reason)));
        let changed = self.presence.leave(id);
        self.broadcast_awareness(changed);
    }

    /// Returns whether the person may write and the text is not frozen, so that edits of the connection can be accepted
    /// now.
    fn may_write(&self, admission: &Admission) -> bool {
        admission.may_write && !self.state.releases().is_frozen()
    }

    fn is_accord(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(|s| s.admission.dialect == Dialect::Accord)
    }

    /// Returns the salt for a new entry. If `skipped` is 0, the entry is the next one of the ledger. Otherwise,
    /// `skipped` other new entries come before it.
    fn salt(&self, skipped: u8) -> Salt {
        let mut hasher = Sha256::new();
        hasher.update(self.seed);
        hasher.update([skipped]);
        hasher.update(self.state.position().head.0);
        let mut salt = Salt::default();
        let len = salt.len();
        salt.copy_from_slice(&hasher.finalize()[..len]);
        salt
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.out)
    }
}

/// Returns whether a frame contains more messages than a client needs, or asks twice for the same answer. Without
/// this limit, one small frame could make the room encode the whole document thousands of times (rule M5).
fn is_too_much(messages: &[Message<'_>]) -> bool {
    let count =
        |is: fn(&Message<'_>) -> bool| messages.iter().filter(|message| is(message)).count();
    messages.len() > MAX_MESSAGES_PER_FRAME
        || count(|message| matches!(message, Message::Step1(_))) > 1
        || count(|message| matches!(message, Message::QueryAwareness)) > 1
}

fn note_frame(note: &ServerNote) -> Arc<[u8]> {
    let json = serde_json::to_string(note).expect("notes are plain strings and numbers");
    Message::Note(&json).encode().into()
}

#[cfg(test)]
mod tests;
