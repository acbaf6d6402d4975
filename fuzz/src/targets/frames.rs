//! Frames of several connections to a room.

use super::scan::{base, updates};
use crate::actors::{actor, genesis};
use crate::parts;
use crate::same::assert_same;
use accord_document::ids::Seq;
use accord_document::ledger::{Entry, Outcome};
use accord_document::people::Seat;
use accord_document::state::DocumentState;
use accord_document::sync::wire::{Message, read_frame};
use accord_document::sync::{Admission, ConnectionId, Dialect, Effect, PresenceUser, Room};
use accord_document::{StateVector, lib0::Write as _};
use std::collections::VecDeque;
use yrs::updates::encoder::Encode;

const MAX_FRAMES: usize = 16;
/// The connections: a stock client and one of `accord.v1` who write, and a reader of each dialect.
const CONNECTIONS: [(&str, Seat, Dialect); 4] = [
    ("ana", Seat::Author, Dialect::Stock),
    ("ben", Seat::Author, Dialect::Accord),
    ("obi", Seat::Observer, Dialect::Stock),
    ("ola", Seat::Observer, Dialect::Accord),
];
/// The bits in the first byte of a part that choose the connection that sends the frame.
const CONNECTION: u8 = 0b0011;
/// The bit in the first byte of a part that makes the disk slow, so that entries wait.
const IS_SLOW: u8 = 0b0100;
/// The bit in the first byte of a part that makes the connection leave and join again before it sends the frame.
const JOINS_AGAIN: u8 = 0b1000;

/// A room with a store in memory, which knows nothing but the ledger.
struct Driven {
    room: Room,
    ledger: Vec<Entry>,
    now: u64,
}

/// Sends frames to a room. It must never ask for a rebuild, and never send a frame that can't be read. What it appends
/// must be a ledger that replays to its state.
pub(crate) fn run(data: &[u8]) {
    let mut driven = Driven::new();
    for part in parts::split(data, MAX_FRAMES) {
        let Some((&first, frame)) = part.split_first() else { continue };
        driven.now += 700;
        let id = u64::from(first & CONNECTION);
        if first & JOINS_AGAIN != 0 {
            let effects = driven.room.leave(ConnectionId(id), driven.now);
            driven.carry_out(effects);
            driven.join(id);
        }
        let effects = driven.room.frame(ConnectionId(id), frame, driven.now);
        driven.carry_out(effects);
        if first & IS_SLOW == 0 {
            driven.commit();
        }
        let effects = driven.room.tick(driven.now);
        driven.carry_out(effects);
    }
    driven.commit();
    driven.replays();
}

impl Driven {
    fn new() -> Self {
        let first = genesis("ogp-commitment/1");
        let mut state = DocumentState::begin(&first).expect("the genesis is valid");
        let mut ledger = vec![first];
        for update in base() {
            let entry = state.edit(&actor("ana", Seat::Author), 1, [1; 16], &update);
            ledger.extend(entry.expect("the base is valid"));
        }
        let mut driven = Self { room: Room::new(state, [7; 32]), ledger, now: 10 };
        (0..).zip(CONNECTIONS).for_each(|(id, _)| driven.join(id));
        driven
    }

    fn join(&mut self, id: u64) {
        let (name, seat, dialect) = CONNECTIONS[id as usize];
        let actor = actor(name, seat);
        let user =
            PresenceUser { person: actor.person.clone(), name: name.into(), sector: actor.sector };
        let (session, may_write) = (actor.session.clone(), seat == Seat::Author);
        let admission = Admission { actor, session, user, dialect, may_write };
        let effects = self.room.join(ConnectionId(id), admission, self.now);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            let further = match effect {
                Effect::Append(entry) => {
                    self.ledger.push(entry);
                    Vec::new()
                }
                Effect::Send(_, frame) => {
                    let messages = read_frame(&frame).expect("a room sends whole messages");
                    assert!(!messages.contains(&Message::Unknown), "a room sends known messages");
                    Vec::new()
                }
                Effect::Continue(id) => self.room.continue_frame(id, self.now),
                Effect::ReadEntryHash(id, remembered) => {
                    let stored = usize::try_from(remembered.seq.0).ok();
                    let stored = stored.and_then(|at| self.ledger.get(at)).map(Entry::hash);
                    self.room.entry_hash_read(id, &remembered, stored, self.now)
                }
                Effect::SaveClientIdClaim(claim) => {
                    self.room.client_id_claims_saved(&[claim.client])
                }
                Effect::Rebuild => panic!("a frame must not break a room"),
                Effect::Close(..) | Effect::Refused(..) | Effect::LedgerDiverged(_) => Vec::new(),
            };
            waiting.extend(further);
        }
    }

    /// Puts everything that was appended on disk.
    fn commit(&mut self) {
        let last = Seq(self.ledger.len() as u64 - 1);
        let effects = self.room.committed(last);
        self.carry_out(effects);
    }

    fn replays(&self) {
        let state = self.room.state();
        let mut replayed = DocumentState::begin(&self.ledger[0]).expect("the genesis is valid");
        for entry in &self.ledger[1..] {
            let read = Entry::decode(&entry.encode()).expect("a new entry can be decoded");
            assert_eq!(replayed.apply(&read), Ok(Outcome::Applied));
        }
        assert_same(&replayed, state, "replayed");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let part = |first: u8, message: &Message<'_>| [vec![first], message.encode()].concat();
    let empty = StateVector::default().encode_v1();
    let updates = updates();
    let awareness = awareness(2, 1);
    let hello = r#"{"note":"hello","remembered":null}"#;
    let remembered = r#"{"note":"hello","remembered":{"lineage":"l","seq":2,"head":"00"}}"#;
    let stock = [
        part(0, &Message::Step1(&empty)),
        part(0, &Message::Awareness(&awareness)),
        part(0, &Message::Step2(&updates[0])),
        part(4, &Message::Update(&updates[1])),
        part(2, &Message::Step2(&base()[0])),
        part(10, &Message::QueryAwareness),
    ];
    let edit = |number, update| Message::Edit { number, claims: &[], update };
    let accord = [
        part(1, &Message::Note(hello)),
        part(1, &Message::Step1(&empty)),
        part(1, &edit(1, &updates[updates.len() - 4])),
        part(9, &Message::Note(remembered)),
        part(5, &Message::Edit { number: 2, claims: &[1, 2, 0, 1, 0, 2], update: &updates[4] }),
        part(3, &Message::Update(&updates[0])),
    ];
    vec![parts::join(&stock), parts::join(&accord)]
}

/// Returns an awareness update that announces a client id.
fn awareness(client: u64, clock: u64) -> Vec<u8> {
    let mut update = vec![1];
    update.put_var(client);
    update.put_var(clock);
    update.put_buf(br#"{"user":{"name":"Ana"},"cursor":{"anchor":1}}"#);
    update
}
