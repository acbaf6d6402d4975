//! A world for simulations: the server's room and the browsers' clients run unchanged, with a fake network that delays
//! frames and cuts connections, and a store that fails and crashes. Each run is made from a seed. A failed run names
//! its seed, and the same seed repeats the run.

use accord_document::body::Genesis;
use accord_document::ids::{LineageId, PersonId, SessionId};
use accord_document::ledger::{Entry, RULES};
use accord_document::model::attributes::Attributes;
use accord_document::model::delta::Op;
use accord_document::model::{Draft, seed};
use accord_document::model::{MilestoneDraft, Replica, Target};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::sync::{
    Admission, Client, Close, ConnectionId, Dialect, Effect, PresenceUser, Room,
};
use accord_document::template::COMMITMENT_SCHEMA;
use accord_document::update::Refusal;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub const PEOPLE: usize = 4;

/// Returns an author from civil society whose id is made from the number `person`.
#[must_use]
pub fn actor(person: usize) -> Actor {
    Actor {
        person: PersonId::new(format!("p{person}")),
        seat: Seat::Author,
        sector: Sector::CivilSociety,
        session: SessionId::new("s"),
    }
}

/// Returns the first entry of a commitment's ledger.
#[must_use]
pub fn genesis(actor: Actor) -> Entry {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: COMMITMENT_SCHEMA.into(),
        language: "en".into(),
        rules: RULES,
    };
    genesis.entry(actor, 0, [0; 16])
}

struct Wire {
    connection: ConnectionId,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Arc<[u8]>>,
}

/// A word that somebody typed: a single character that no other word in the run contains.
#[derive(Debug)]
pub struct Typed {
    pub word: String,
    /// Number of times that the text on the disk had been reopened when the word was typed.
    pub draft: usize,
}

/// The complete state of a simulated run: the server's room, its disk, the clients, and the wires between them.
#[allow(missing_debug_implementations)]
pub struct World {
    pub random: StdRng,
    pub room: Option<Room>,
    /// The state that results from the entries on the disk.
    pub durable: DocumentState,
    /// The entries on the disk. Entries that the room has appended but the disk has not stored yet are in `queue`.
    pub disk: Vec<Entry>,
    queue: VecDeque<Entry>,
    pub clients: Vec<Client>,
    wires: BTreeMap<usize, Wire>,
    connections: u64,
    /// The typed words, each listed once.
    pub typed: Vec<Typed>,
    /// The texts that a client set aside after a final refusal, as the page does: each is the whole document of that
    /// client.
    pub parked: Vec<String>,
    /// Whether the server is allowed to refuse an edit for good. Only runs that freeze the text allow it.
    may_refuse: bool,
    pub now: u64,
    replicas: u64,
}

impl World {
    /// Makes a document that nobody has opened yet. `may_refuse` says whether the server is allowed to refuse an edit
    /// for good.
    #[must_use]
    pub fn new(run: u64, may_refuse: bool) -> Self {
        let genesis = genesis(actor(99));
        let mut state = DocumentState::begin(&genesis).unwrap();
        let milestones = vec![MilestoneDraft { id: "m1".into(), ..Default::default() }];
        let template = seed(1 << 40, &Draft { milestones, ..Draft::default() });
        let seeded = state.edit(&actor(99), 0, [2; 16], &template).unwrap().unwrap();
        Self {
            random: StdRng::seed_from_u64(run),
            room: None,
            durable: state,
            disk: vec![genesis, seeded],
            queue: VecDeque::new(),
            clients: (0..PEOPLE).map(|p| Client::new(Replica::new(p as u64 + 1), None)).collect(),
            wires: BTreeMap::new(),
            connections: 0,
            typed: Vec::new(),
            parked: Vec::new(),
            may_refuse,
            now: 1_000,
            replicas: PEOPLE as u64,
        }
    }

    /// Makes one random thing happen: an edit, a delivery, a commit, a cut, a new connection, a crash, or a full
    /// disk.
    pub fn step(&mut self) {
        self.now += 50;
        let person = self.random.random_range(0..PEOPLE);
        match self.random.random_range(0..100) {
            0..30 => self.edit(person),
            30..55 => self.deliver_up(person),
            55..80 => self.deliver_down(person),
            80..90 => self.commit(),
            90..94 => self.cut(person),
            94..98 => self.connect(person),
            98 => self.crash(),
            _ => {
                let effects = self.room.as_mut().map(|room| room.fail("the disk is full"));
                self.carry_out(effects.unwrap_or_default());
            }
        }
    }

    fn edit(&mut self, person: usize) {
        let client = &mut self.clients[person];
        // A client without the milestone has not received the document yet, and nobody writes before that.
        if client.replica().milestones().is_empty() {
            return;
        }
        let target = match self.random.random_range(0..3) {
            0 => Target::field("problem"),
            1 => Target::field("causes"),
            _ => Target::milestone("m1", "what"),
        };
        let length: u32 = client.replica().read(&target).iter().map(Op::len).sum();
        let at = self.random.random_range(0..length.max(1));
        let now = self.now;
        let count = self.typed.len();
        // The word is a single character, so that no later insertion can split it.
        let word = char::from_u32(0x4e00 + count as u32).map_or_else(String::new, String::from);
        // Choice 0 is undo. Where words can be refused, nobody undoes: each word must be found at the end of the run.
        let choice = self.random.random_range(u8::from(self.may_refuse)..10);
        client.change(|replica| {
            replica.set_now(now);
            match choice {
                0 => drop(replica.undo()),
                1 => replica.edit(&target, &[Op::retain(at, Attributes::new()), Op::text("\n")]),
                2 => replica.move_milestone("m1", None),
                3 => replica.set_fact("period_from", &format!("{:04}-01-01", 2000 + count)),
                _ => {
                    replica.stop_capturing();
                    replica.edit(&target, &[Op::retain(at, Attributes::new()), Op::text(&word)]);
                }
            }
        });
        if choice > 3 {
            let reopened = self.durable.releases().all().iter().filter(|r| r.reopened.is_some());
            self.typed.push(Typed { word, draft: reopened.count() });
        }
        self.send(person);
    }

    /// Takes the frames that a client has queued, and puts them on the client's wire.
    fn send(&mut self, person: usize) {
        let frames = self.clients[person].take_frames();
        if let Some(wire) = self.wires.get_mut(&person) {
            wire.up.extend(frames);
        }
    }

    /// Sets aside a client's unsaved text after a refusal, and replaces the client with a new one, as the page does.
    fn set_aside(&mut self, person: usize) {
        let client = &self.clients[person];
        if client.is_unsaved() {
            let content = serde_json::to_string(&client.replica().content());
            self.parked.push(content.expect("plain strings and numbers"));
        }
        self.replicas += 1;
        self.clients[person] = Client::new(Replica::new(self.replicas), None);
    }

    fn connect(&mut self, person: usize) {
        if self.wires.contains_key(&person) {
            return;
        }
        let disk = &self.disk;
        let room = self.room.get_or_insert_with(|| {
            let mut state = DocumentState::begin(&disk[0]).unwrap();
            for entry in &disk[1..] {
                // The entries go through bytes, as they do on a real disk, and are verified.
                state.apply(&Entry::decode(&entry.encode()).unwrap()).unwrap();
            }
            Room::new(state, [7; 32])
        });
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.wires.insert(person, Wire { connection, up: VecDeque::new(), down: VecDeque::new() });
        let actor = actor(person);
        let user = PresenceUser {
            person: actor.person.clone(),
            name: format!("P{person}"),
            sector: actor.sector,
        };
        let effects = room.join(
            connection,
            Admission {
                session: actor.session.clone(),
                actor,
                user,
                dialect: Dialect::Accord,
                may_write: true,
            },
            self.now,
        );
        self.clients[person].opened();
        self.send(person);
        self.carry_out(effects);
    }

    fn cut(&mut self, person: usize) {
        if let Some(wire) = self.wires.remove(&person) {
            self.clients[person].closed(1006, "");
            let now = self.now;
            let effects = self.room.as_mut().map(|room| room.leave(wire.connection, now));
            self.carry_out(effects.unwrap_or_default());
        }
    }

    fn crash(&mut self) {
        self.room = None;
        self.queue.clear();
        for person in std::mem::take(&mut self.wires).into_keys() {
            self.clients[person].closed(1006, "");
        }
    }

    fn deliver_up(&mut self, person: usize) {
        let Some(wire) = self.wires.get_mut(&person) else { return };
        let (connection, frame) = (wire.connection, wire.up.pop_front());
        if let (Some(frame), Some(room)) = (frame, self.room.as_mut()) {
            let effects = room.frame(connection, &frame, self.now);
            self.carry_out(effects);
        }
    }

    fn deliver_down(&mut self, person: usize) {
        let Some(wire) = self.wires.get_mut(&person) else { return };
        if let Some(frame) = wire.down.pop_front() {
            self.clients[person].frame(&frame).unwrap();
            self.send(person);
        }
    }

    /// Moves all entries of the queue to the disk, and reports them to the room as committed.
    pub fn commit(&mut self) {
        for entry in self.queue.drain(..) {
            self.durable.apply(&entry).unwrap();
            self.disk.push(entry);
        }
        let last = self.disk.last().unwrap().seq;
        let effects = self.room.as_mut().map(|room| room.committed(last));
        self.carry_out(effects.unwrap_or_default());
    }

    /// Carries out the effects that the room asks for.
    pub fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(connection, frame) => {
                    let wire = self.wires.values_mut().find(|wire| wire.connection == connection);
                    if let Some(wire) = wire {
                        wire.down.push_back(frame);
                    }
                }
                Effect::Append(entry) => self.queue.push_back(entry),
                Effect::Close(connection, close) => {
                    let is_final = Close::is_final(close.code);
                    assert!(
                        self.may_refuse || !is_final,
                        "a behaving client was refused: {close:?}"
                    );
                    let person = self.wires.iter().find(|(_, w)| w.connection == connection);
                    if let Some((&person, _)) = person {
                        self.wires.remove(&person);
                        self.clients[person].closed(close.code, &close.reason);
                        if is_final {
                            self.set_aside(person);
                        }
                    }
                }
                Effect::Continue(id) => {
                    let now = self.now;
                    let more = self.room.as_mut().map(|room| room.continue_frame(id, now));
                    self.carry_out(more.unwrap_or_default());
                }
                Effect::Rebuild => {
                    self.room = None;
                    self.queue.clear();
                }
                Effect::Refused(_, _, refusal) => {
                    let is_expected = matches!(refusal, Refusal::Frozen | Refusal::EarlierDraft);
                    let fine = self.may_refuse && is_expected;
                    assert!(fine, "a behaving client's edit was refused: {refusal}");
                }
                Effect::ReadEntryHash(connection, remembered) => {
                    let stored = self.disk.get(remembered.seq.0 as usize).map(Entry::hash);
                    let (room, now) = (self.room.as_mut(), self.now);
                    let effects =
                        room.map(|room| room.entry_hash_read(connection, &remembered, stored, now));
                    self.carry_out(effects.unwrap_or_default());
                }
                Effect::LedgerDiverged(_) => {
                    panic!("the ledger forgot something it had acknowledged")
                }
                Effect::SaveClientIdClaim(claim) => {
                    let effects =
                        self.room.as_mut().map(|room| room.client_id_claims_saved(&[claim.client]));
                    self.carry_out(effects.unwrap_or_default());
                }
            }
        }
    }

    /// Checks two promises that must hold at every moment: nobody sees somebody else's edit that is not on disk, and
    /// no client considers its own edit saved before it is on disk.
    pub fn check(&self) {
        let disk = self.durable.state_vector();
        for (person, client) in self.clients.iter().enumerate() {
            let replica = client.replica();
            for (id, clock) in replica.state_vector().iter() {
                if id.get() != replica.client_id() {
                    assert!(*clock <= disk.get(id), "person {person} sees what is not on disk");
                } else if !client.is_unsaved() {
                    assert!(*clock <= disk.get(id), "person {person} is told of a save too early");
                }
            }
        }
    }

    /// Connects everybody and repeats deliveries and commits until nothing is under way.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            for person in 0..PEOPLE {
                self.connect(person);
                self.deliver_up(person);
                self.deliver_down(person);
            }
            self.commit();
            let quiet = self.wires.len() == PEOPLE
                && self.queue.is_empty()
                && self.wires.values().all(|wire| wire.up.is_empty() && wire.down.is_empty());
            if quiet {
                return;
            }
        }
        panic!("it never becomes quiet");
    }
}
