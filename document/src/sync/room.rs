//! The server's side of one document: its state, its connections, and what goes to whom when.
//!
//! A room is driven by one task, which calls [`Room::join`], [`Room::frame`], [`Room::committed`]
//! and so on, one at a time, and carries out the [`Effect`]s in order. The room integrates an
//! edit at once, in its own order, but nothing that shows the edit leaves before the store has
//! it: effects that depend on an entry wait until [`Room::committed`] names it. When the store
//! fails, the room is ahead of it and must be thrown away ([`Room::fail`]).

mod commands;
mod hello;

pub use commands::{ProposalRequest, ProposeError};

use super::admission::{Admission, Denied};
use super::close::Close;
use super::connection::{ConnectionId, Dialect};
use super::presence::Presence;
use super::wire::{MAX_MESSAGES_PER_FRAME, Message, ServerNote, read_frame};
use crate::ids::{PersonId, Seq};
use crate::ledger::{Entry, LedgerPosition, Salt};
use crate::limits;
use crate::state::DocumentState;

use crate::plan::Grant;
use crate::update::{AnnouncedClients, Claim, ClientClaim, Refusal, claims_from};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use yrs::StateVector;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

/// Stock clients close after 30 s without a message, pings not counted: none gets that quiet (rule M6).
const QUIET_MS: u64 = 15_000;

/// Whether a frame asks for more than one answer of each kind, or holds more messages than a client has a use for: one
/// small frame could have the whole document made thousands of times (rule M5).
fn is_too_much(messages: &[Message<'_>]) -> bool {
    let count =
        |is: fn(&Message<'_>) -> bool| messages.iter().filter(|message| is(message)).count();
    messages.len() > MAX_MESSAGES_PER_FRAME
        || count(|message| matches!(message, Message::Step1(_))) > 1
        || count(|message| matches!(message, Message::QueryAwareness)) > 1
}

/// What the driver of a room must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a frame to a connection.
    Send(ConnectionId, Arc<[u8]>),
    /// Close a connection.
    Close(ConnectionId, Close),
    /// Append durably, then call [`Room::committed`]; or [`Room::fail`].
    Append(Entry),
    /// For the log and the metrics: an edit of this person was refused.
    Refused(ConnectionId, PersonId, Refusal),
    /// Read the entry that a client remembers, then call [`Room::compared`].
    Compare(ConnectionId, LedgerPosition),
    /// A client remembers a ledger that this one does not continue: it was truncated or swapped.
    LedgerDiverged(ConnectionId),
    /// Save durably whose a client id is, then call [`Room::client_claims_saved`]. Nobody else learns of the id before.
    SaveClientClaim(ClientClaim),
    /// The room is unusable: drop it, so that it is rebuilt from the ledger.
    Rebuild,
}

#[derive(Debug)]
struct Session {
    admission: Admission,
    /// The awareness entry this connection owns.
    presence: Option<u64>,
    /// Whether it has been sent the document, so that it follows updates from there.
    follows: bool,
    /// Whether it has said what it has that we lack (step 2).
    answered: bool,
    /// Whether what it sends was written in the draft that is now, as far as one can know: it has seen how that
    /// began, or has brought nothing when it came.
    is_current: bool,
    last_sent: u64,
}

/// An effect that waits for an entry to be durable.
#[derive(Debug)]
enum PendingEffect {
    Send(ConnectionId, Arc<[u8]>),
    /// The answer to a step 1: the document, the server's own step 1, everybody's awareness.
    Document(ConnectionId, [Arc<[u8]>; 3]),
    Broadcast {
        frame: Arc<[u8]>,
        except: Option<ConnectionId>,
    },
    Compare(ConnectionId, LedgerPosition),
}

/// One document and everybody connected to it.
#[derive(Debug)]
pub struct Room {
    state: DocumentState,
    /// Salts are derived from this, so that a room needs no randomness of its own.
    seed: [u8; 32],
    sessions: BTreeMap<ConnectionId, Session>,
    presence: Presence,
    durable: Seq,
    held: VecDeque<(Seq, PendingEffect)>,
    /// The proposal of which everybody was told that the text has changed.
    stale: Option<Seq>,
    now: u64,
    out: Vec<Effect>,
}

impl Room {
    /// A room over a state whose entries are all durable. `seed` must be random and secret.
    #[must_use]
    pub fn new(state: DocumentState, seed: [u8; 32]) -> Self {
        let durable = state.position().seq;
        Self {
            state,
            seed,
            sessions: BTreeMap::new(),
            presence: Presence::default(),
            durable,
            held: VecDeque::new(),
            stale: None,
            now: 0,
            out: Vec::new(),
        }
    }

    /// The state of the document.
    #[must_use]
    pub fn state(&self) -> &DocumentState {
        &self.state
    }

    /// Takes over the client ids that were announced before the document was opened.
    #[must_use]
    pub fn with_announced(mut self, announced: AnnouncedClients) -> Self {
        self.state.set_announced(announced);
        self
    }

    /// Forgets the announced client ids under which something is written by now, and gives them.
    pub fn forget_written_ids(&mut self) -> Vec<u64> {
        self.state.forget_written_ids()
    }

    #[must_use]
    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The people who are here now.
    pub fn people(&self) -> impl Iterator<Item = &PersonId> {
        self.presence.people()
    }

    /// Lets a connection in. `now` is in milliseconds, here as everywhere below.
    pub fn join(&mut self, id: ConnectionId, admission: Admission, now: u64) -> Vec<Effect> {
        self.now = now;
        let accord = admission.dialect == Dialect::Accord;
        let may_write = self.may_write(&admission);
        let session = Session {
            admission,
            presence: None,
            follows: false,
            answered: false,
            is_current: self.state.begun() == Seq(0),
            last_sent: now,
        };
        self.sessions.insert(id, session);
        if accord {
            // Rule A1.
            let position = self.remembered();
            self.note_when_durable(id, &ServerNote::Hello { position, may_write });
        }
        self.take()
    }

    /// Takes one binary frame from a connection.
    pub fn frame(&mut self, id: ConnectionId, frame: &[u8], now: u64) -> Vec<Effect> {
        self.now = now;
        match read_frame(frame) {
            Ok(messages) if is_too_much(&messages) => {
                let reason = "A frame holds more messages than anybody needs.";
                self.expel(id, Close::MALFORMED, reason);
            }
            Ok(messages) => {
                for message in messages {
                    if !self.sessions.contains_key(&id) {
                        break;
                    }
                    self.message(id, &message);
                }
            }
            Err(error) => {
                self.expel(id, Close::MALFORMED, format!("A message is malformed: {error}."))
            }
        }
        self.take()
    }

    /// All entries up to `seq` are durable.
    pub fn committed(&mut self, seq: Seq) -> Vec<Effect> {
        self.durable = self.durable.max(seq);
        while self.held.front().is_some_and(|(after, _)| *after <= self.durable) {
            if let Some((_, held)) = self.held.pop_front() {
                self.release(held);
            }
        }
        self.take()
    }

    /// It is saved whose these client ids are: others may learn of them.
    pub fn client_claims_saved(&mut self, clients: &[u64]) -> Vec<Effect> {
        if let Some(update) = self.presence.reveal(clients) {
            self.broadcast_presence(&update);
        }
        self.take()
    }

    /// The store could not append: everybody is told, and the room is over.
    pub fn fail(&mut self, message: &str) -> Vec<Effect> {
        self.held.clear();
        let note = ServerNote::Trouble { message: message.to_owned() };
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            if self.is_accord(id) {
                self.send(id, note_frame(&note));
            }
            self.expel(id, Close::TRY_AGAIN, "The server can't save at the moment.");
        }
        self.out.push(Effect::Rebuild);
        self.take()
    }

    /// What people may do here has changed, or may have: `grant` says what each may do now. Whoever
    /// may not be here any more is closed; who may only read from now on stays and is told. Rules C6 and A5.
    pub fn revise(
        &mut self,
        grant: impl Fn(&Admission) -> Result<Grant, Denied>,
        now: u64,
    ) -> Vec<Effect> {
        self.now = now;
        let is_frozen = self.state.releases().is_frozen();
        let mut told = Vec::new();
        let mut gone = Vec::new();
        let mut writers = Vec::new();
        for (&id, session) in &mut self.sessions {
            let admission = &mut session.admission;
            match grant(admission) {
                Ok(grant) => {
                    let (before, sector) = (admission.may_write, admission.user.sector);
                    admission.take(grant);
                    if admission.user.sector != sector {
                        self.presence.set_identity(id, &admission.user);
                    }
                    if admission.may_write != before && !is_frozen {
                        told.push((id, admission.may_write));
                    }
                    // Everybody knows the id of a reader who may write from now on.
                    if let (true, Some(client)) = (admission.may_write && !before, session.presence)
                    {
                        writers.push((client, admission.user.person.clone()));
                    }
                }
                Err(denied) => gone.push((id, denied)),
            }
        }
        for (client, person) in writers {
            self.out.extend(self.state.announce(client, &person).map(Effect::SaveClientClaim));
        }
        if let Some(update) = self.presence.take_changed_identities() {
            self.broadcast_presence(&update);
        }
        for (id, may_write) in told {
            if self.is_accord(id) {
                self.send(id, note_frame(&ServerNote::Access { may_write }));
            }
        }
        for (id, denied) in gone {
            match denied {
                Denied::SignedOut => {
                    self.expel(
                        id,
                        Close::SIGNED_OUT,
                        "You are signed out. Sign in again to go on.",
                    );
                }
                Denied::NotShared => {
                    let reason = "This document is not shared with you any more.";
                    self.expel(id, Close::FORBIDDEN, reason);
                }
            }
        }
        self.take()
    }

    /// Closes a connection, and says why.
    pub fn dismiss(&mut self, id: ConnectionId, close: Close) -> Vec<Effect> {
        self.expel(id, close.code, close.reason);
        self.take()
    }

    /// The connection is closed.
    pub fn leave(&mut self, id: ConnectionId, now: u64) -> Vec<Effect> {
        self.now = now;
        self.sessions.remove(&id);
        if let Some(update) = self.presence.leave(id) {
            self.broadcast_presence(&update);
        }
        self.take()
    }

    /// Call about once a second.
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        self.now = now;
        if let Some(update) = self.presence.expire(now) {
            self.broadcast_presence(&update);
        }
        let quiet: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, session)| now.saturating_sub(session.last_sent) >= QUIET_MS)
            .map(|(&id, _)| id)
            .collect();
        if !quiet.is_empty() {
            let frame: Arc<[u8]> = Message::Awareness(&self.presence.everybody()).encode().into();
            for id in quiet {
                self.send(id, frame.clone());
            }
        }
        self.take()
    }

    /// The server stops: everybody is asked to come back.
    pub fn shut_down(&mut self) -> Vec<Effect> {
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.expel(id, Close::RESTART, "The server is restarting.");
        }
        self.take()
    }

    fn message(&mut self, id: ConnectionId, message: &Message<'_>) {
        match message {
            Message::Step1(vector) => self.step1(id, vector),
            Message::Step2(update) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.answered = true;
                }
                self.edit(id, None, update, Vec::new());
            }
            Message::Update(update) => self.edit(id, None, update, Vec::new()),
            Message::Edit { number, claims, update } if self.is_accord(id) => {
                match claims_from(claims) {
                    Ok(claims) => self.edit(id, Some(*number), update, claims),
                    Err(error) => self.refuse(id, Some(*number), error.into()),
                }
            }
            Message::Note(json) if self.is_accord(id) => self.note(id, json),
            Message::Awareness(update) => self.awareness(id, update),
            Message::QueryAwareness => {
                let everybody = Message::Awareness(&self.presence.everybody()).encode();
                self.send(id, everybody.into());
            }
            Message::Edit { .. } | Message::Note(_) | Message::Unknown => {}
        }
    }

    /// Rule M1.
    fn step1(&mut self, id: ConnectionId, vector: &[u8]) {
        let Some(remote) = read_state_vector(vector) else {
            return self.expel(id, Close::MALFORMED, "A state vector is malformed.");
        };
        let document = Message::Step2(&self.state.encode_since(&remote)).encode();
        let mine = Message::Step1(&self.state.state_vector().encode_v1()).encode();
        let everybody = Message::Awareness(&self.presence.everybody()).encode();
        // It says all that an answer which still waits would say: however often a client asks while the store is
        // slow, one document waits for it.
        self.held
            .retain(|(_, held)| !matches!(held, PendingEffect::Document(other, _) if *other == id));
        self.hold(PendingEffect::Document(id, [document.into(), mine.into(), everybody.into()]));
    }

    fn edit(&mut self, id: ConnectionId, number: Option<u64>, update: &[u8], claims: Vec<Claim>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let Admission { actor, may_write, dialect, .. } = &session.admission;
        let answered = session.answered || *dialect == Dialect::Accord;
        let (actor, may_write, is_current) = (actor.clone(), *may_write, session.is_current);
        let salt = self.salt(0);
        // Rules M4 and U6: what adds nothing is taken from anybody.
        let taken = if may_write && is_current {
            self.state.edit_from(&actor, self.now, salt, update, claims.into())
        } else {
            let otherwise = if may_write { Refusal::EarlierDraft } else { Refusal::ReadOnly };
            self.state.compare(&actor, update, otherwise).map(|()| None)
        };
        match taken {
            Ok(entry) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    // Whoever has nothing that is not here goes on from what is.
                    session.is_current |= answered;
                }
                if let Some(entry) = entry {
                    // A numbered edit is acknowledged by its number; others come back as they are.
                    self.append_edit(entry, number.map(|_| id));
                }
                // Rule A3.
                if let Some(number) = number {
                    let LedgerPosition { seq, head, .. } = *self.state.position();
                    self.note_when_durable(id, &ServerNote::Saved { number, seq, head });
                }
            }
            // Stock clients send what is typed as soon as they are connected, also before they have
            // sent what it builds on. Their step 2, which is on its way, brings all of it again.
            Err(refusal) if refusal.asks_for_resync() && !answered => {}
            Err(refusal) => self.refuse(id, number, refusal),
        }
    }

    /// Appends an edit, and sends it on once it is durable (rule M2).
    fn append_edit(&mut self, entry: Entry, except: Option<ConnectionId>) {
        let Some((net, _)) = entry.body.edit() else { return };
        let frame = Message::Update(net).encode().into();
        self.out.push(Effect::Append(entry));
        self.hold(PendingEffect::Broadcast { frame, except });
        let releases = self.state.releases();
        let stale = releases.open().filter(|open| releases.is_stale(open)).map(|open| open.by.seq);
        if stale.is_some() && stale != self.stale {
            self.stale = stale;
            self.tell_of_release();
        }
    }

    fn refuse(&mut self, id: ConnectionId, number: Option<u64>, refusal: Refusal) {
        if let Some(session) = self.sessions.get(&id) {
            let person = session.admission.actor.person.clone();
            self.out.push(Effect::Refused(id, person, refusal));
        }
        let message = format!("{}.", capitalised(&refusal.to_string()));
        if refusal.asks_for_resync() {
            self.expel(id, Close::RESYNC, message);
        } else {
            // Rule A4.
            if let (Some(number), true) = (number, self.is_accord(id)) {
                let reason = refusal.reason().to_owned();
                let message = message.clone();
                self.send(id, note_frame(&ServerNote::Refused { number, reason, message }));
            }
            let code = match refusal {
                Refusal::Forged { .. } | Refusal::ReadOnly => Close::FORBIDDEN,
                Refusal::Frozen | Refusal::EarlierDraft => Close::FROZEN,
                Refusal::TooLarge
                | Refusal::TooManyClients
                | Refusal::TooManyItems
                | Refusal::TooMuchFormatting
                | Refusal::TooManyBetween
                | Refusal::Fragmented => Close::TOO_LARGE,
                _ => Close::MALFORMED,
            };
            self.expel(id, code, message);
        }
        if self.state.is_broken() {
            let others: Vec<_> = self.sessions.keys().copied().collect();
            for other in others {
                self.expel(other, Close::RESYNC, "The document is being rebuilt.");
            }
            self.out.push(Effect::Rebuild);
        }
    }

    fn awareness(&mut self, id: ConnectionId, update: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let user = &session.admission.user;
        let may_use = |client| self.state.may_use(client, &user.person);
        let before = session.presence;
        let received =
            self.presence.receive(id, user, &mut session.presence, may_use, update, self.now);
        // A reader needs no id to write under.
        let is_first = before.is_none() && session.admission.may_write;
        let claimed = session.presence.filter(|_| is_first);
        let claim = claimed.and_then(|client| self.state.announce(client, &user.person));
        let is_new = claim.is_some();
        if let Some(claim) = claim {
            self.presence.hide(claim.client);
            self.out.push(Effect::SaveClientClaim(claim));
        }
        match received {
            Ok(Some(_)) if is_new => {}
            Ok(Some(update)) => self.broadcast_presence(&update),
            Ok(None) => {}
            Err(_) => self.expel(
                id,
                Close::MALFORMED,
                "An awareness message is malformed or larger than 4 KiB.",
            ),
        }
    }

    fn broadcast_presence(&mut self, update: &[u8]) {
        let frame: Arc<[u8]> = Message::Awareness(update).encode().into();
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.send(id, frame.clone());
        }
    }

    fn note_when_durable(&mut self, id: ConnectionId, note: &ServerNote) {
        self.hold(PendingEffect::Send(id, note_frame(note)));
    }

    /// Carries out an effect once everything integrated so far is durable (rule M3).
    fn hold(&mut self, held: PendingEffect) {
        let after = self.state.position().seq;
        if self.held.is_empty() && after <= self.durable {
            self.release(held);
        } else {
            self.held.push_back((after, held));
        }
    }

    fn release(&mut self, held: PendingEffect) {
        match held {
            PendingEffect::Send(id, frame) => self.send(id, frame),
            PendingEffect::Compare(id, remembered) => {
                self.out.push(Effect::Compare(id, remembered))
            }
            PendingEffect::Document(id, frames) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.follows = true;
                }
                frames.into_iter().for_each(|frame| self.send(id, frame));
            }
            PendingEffect::Broadcast { frame, except } => {
                let ids: Vec<_> = self
                    .sessions
                    .iter()
                    .filter(|(id, session)| session.follows && Some(**id) != except)
                    .map(|(&id, _)| id)
                    .collect();
                for id in ids {
                    self.send(id, frame.clone());
                }
            }
        }
    }

    fn send(&mut self, id: ConnectionId, frame: Arc<[u8]>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.last_sent = self.now;
            self.out.push(Effect::Send(id, frame));
        }
    }

    fn expel(
        &mut self,
        id: ConnectionId,
        code: u16,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        if self.sessions.remove(&id).is_none() {
            return;
        }
        self.out.push(Effect::Close(id, Close::new(code, reason)));
        if let Some(update) = self.presence.leave(id) {
            self.broadcast_presence(&update);
        }
    }

    /// Whether somebody's edits would be taken now.
    fn may_write(&self, admission: &Admission) -> bool {
        admission.may_write && !self.state.releases().is_frozen()
    }

    fn is_accord(&self, id: ConnectionId) -> bool {
        self.sessions.get(&id).is_some_and(|s| s.admission.dialect == Dialect::Accord)
    }

    /// The salt of the next entry, or of the one after `skipped` more.
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

fn note_frame(note: &ServerNote) -> Arc<[u8]> {
    let json = serde_json::to_string(note).expect("notes are plain strings and numbers");
    Message::Note(&json).encode().into()
}

/// Reads a state vector, bounded: each of its pairs takes at least two bytes.
fn read_state_vector(bytes: &[u8]) -> Option<StateVector> {
    let mut r = crate::lib0::Reader::new(bytes);
    for _ in 0..r.count().ok()? {
        if r.var_u64().ok()? > limits::MAX_CLIENT_ID {
            return None;
        }
        r.var_u32().ok()?;
    }
    if !r.is_empty() {
        return None;
    }
    StateVector::decode_v1(bytes).ok()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
