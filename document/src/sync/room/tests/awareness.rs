//! Awareness between a room and stock clients, whose messages cross on slow networks.

use super::*;
use crate::lib0::{Reader, Write as _};
use crate::random::Random;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// A stock client's awareness: it takes each entry that is newer than the one it knows, its own entry included, and
/// sends back everything that it took (y-protocols 1.0, y-websocket 3).
struct StockClient {
    connection: ConnectionId,
    id: u64,
    entries: BTreeMap<u64, (u64, Value)>,
    to_server: VecDeque<Vec<u8>>,
    from_server: VecDeque<Vec<u8>>,
}

impl StockClient {
    fn new(connection: u64, id: u64) -> Self {
        let mut client = Self {
            connection: ConnectionId(connection),
            id,
            entries: BTreeMap::from([(id, (0, json!({})))]),
            to_server: VecDeque::new(),
            from_server: VecDeque::new(),
        };
        client.send(&[id]);
        client
    }

    fn own_state(&self) -> &Value {
        &self.entries[&self.id].1
    }

    fn set(&mut self, number: u64) {
        let (clock, state) = self.entries.get_mut(&self.id).unwrap();
        *clock += 1;
        *state = json!({ "number": number });
        self.send(&[self.id]);
    }

    fn send(&mut self, clients: &[u64]) {
        let mut update = Vec::new();
        update.put_var(clients.len() as u64);
        for client in clients {
            let (clock, state) = &self.entries[client];
            update.put_var(*client);
            update.put_var(*clock);
            update.put_buf(state.to_string().as_bytes());
        }
        self.to_server.push_back(Message::Awareness(&update).encode());
    }

    fn receive(&mut self, frame: &[u8]) {
        let messages = read_frame(frame).unwrap();
        let [Message::Awareness(update)] = &messages[..] else { return };
        let mut r = Reader::new(update);
        let mut taken = Vec::new();
        for _ in 0..r.count().unwrap() {
            let (client, mut clock) = (r.var_u64().unwrap(), r.var_u64().unwrap());
            let mut state: Value = serde_json::from_str(r.string().unwrap()).unwrap();
            let known = self.entries.get(&client).cloned().unwrap_or((0, Value::Null));
            let is_removal = state.is_null() && !known.1.is_null();
            if clock > known.0 || (clock == known.0 && is_removal) {
                if state.is_null() && client == self.id {
                    clock += 1;
                    state = known.1;
                }
                self.entries.insert(client, (clock, state));
                taken.push(client);
            }
        }
        if !taken.is_empty() {
            self.send(&taken);
        }
    }
}

/// A room with its clients, between which each message takes as long as chance says.
struct Network {
    room: Room,
    clients: Vec<StockClient>,
    claims: Vec<u64>,
    now: u64,
}

impl Network {
    fn new(clients: &[(&str, u64)]) -> Self {
        let mut room = room();
        let mut all = Vec::new();
        for (number, (person, id)) in (10..).zip(clients) {
            join(&mut room, ConnectionId(number), person, true);
            all.push(StockClient::new(number, *id));
        }
        Self { room, clients: all, claims: Vec::new(), now: 1 }
    }

    /// Takes one random step of delivery, and returns whether there was one to take.
    fn deliver(&mut self, random: &mut Random) -> bool {
        self.now += 1;
        let waiting: Vec<usize> = (0..2 * self.clients.len() + 1)
            .filter(|&queue| match self.clients.get(queue / 2) {
                Some(client) if queue.is_multiple_of(2) => !client.to_server.is_empty(),
                Some(client) => !client.from_server.is_empty(),
                None => !self.claims.is_empty(),
            })
            .collect();
        if waiting.is_empty() {
            let Some(due) = self.room.awareness_due() else { return false };
            self.now = self.now.max(due);
            let effects = self.room.send_awareness(self.now);
            self.carry(effects);
            return true;
        }
        let queue = waiting[random.below(waiting.len())];
        let effects = match self.clients.get_mut(queue / 2) {
            Some(client) if queue.is_multiple_of(2) => {
                let frame = client.to_server.pop_front().unwrap();
                self.room.frame(client.connection, &frame, self.now)
            }
            Some(client) => {
                let frame = client.from_server.pop_front().unwrap();
                client.receive(&frame);
                Vec::new()
            }
            None => self.room.client_id_claims_saved(&std::mem::take(&mut self.claims)),
        };
        self.carry(effects);
        true
    }

    fn carry(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(to, frame) => {
                    if let Some(client) = self.clients.iter_mut().find(|c| c.connection == to) {
                        client.from_server.push_back(frame.to_vec());
                    }
                }
                Effect::SaveClientIdClaim(claim) => self.claims.push(claim.client),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Lets every client set its state at random moments, and then delivers whatever is left.
    fn run(&mut self, random: &mut Random) {
        for number in 0..30 {
            let client = random.below(self.clients.len());
            self.clients[client].set(number);
            for _ in 0..random.below(8) {
                self.deliver(random);
            }
            if random.below(10) == 0 {
                let query = Message::QueryAwareness.encode();
                let effects = self.room.frame(ConnectionId(10), &query, self.now);
                self.carry(effects);
            }
        }
        let mut left = 5_000;
        while self.deliver(random) {
            left -= 1;
            assert!(left > 0, "messages without end");
        }
    }
}

/// Rule P7.
#[test]
fn awareness_that_crosses_on_its_way_comes_to_rest_with_everybodys_last_state() {
    for seed in 1..200 {
        let mut network = Network::new(&[("ana", 71), ("ben", 72), ("ben", 73)]);
        network.run(&mut Random(seed));
        let numbers: BTreeMap<u64, Value> = (network.clients.iter())
            .map(|client| (client.id, client.own_state()["number"].clone()))
            .collect();
        for client in &network.clients {
            let seen: BTreeMap<u64, Value> = (client.entries.iter())
                .map(|(id, (_, state))| (*id, state["number"].clone()))
                .collect();
            assert_eq!(seen, numbers, "seed {seed}, client {}", client.id);
        }
    }
}

/// Rule P7. A page that was duplicated, or whose old connection is not closed yet, announces an id twice.
#[test]
fn two_connections_that_announce_one_id_answer_each_other_not_without_end() {
    for seed in 1..200 {
        let mut network = Network::new(&[("ana", 71), ("ana", 71), ("ben", 72)]);
        network.run(&mut Random(seed));
    }
}

/// Rule P8.
#[test]
fn a_crowd_that_arrives_at_once_costs_messages_in_proportion() {
    const CROWD: u64 = 300;
    let mut room = room();
    let (mut sent, mut entries) = (0, 0);
    let mut count = |effects: Vec<Effect>| {
        for effect in effects {
            let Effect::Send(_, frame) = effect else { continue };
            let [Message::Awareness(update)] = read_frame(&frame).unwrap()[..] else { continue };
            sent += 1;
            entries += Reader::new(update).count().unwrap();
        }
    };
    for number in 0..CROWD {
        join(&mut room, ConnectionId(10 + number), "ana", true);
    }
    for number in 0..CROWD {
        let now = 1_000 + number / 10;
        count(room.frame(ConnectionId(10 + number), &announcement(1_000 + number, 1), now));
        count(room.client_id_claims_saved(&[1_000 + number]));
        count(room.send_awareness(now));
    }
    let due = room.awareness_due().expect("the last entries wait");
    assert!(room.send_awareness(due - 1).is_empty());
    count(room.send_awareness(due));
    assert_eq!(room.awareness_due(), None);
    // Everybody has heard of everybody, and each message has many entries. (Ana's first connection hears of them, too.)
    assert_eq!(entries, (CROWD * (CROWD + 1)) as usize);
    assert!(sent <= 4 * (CROWD + 1), "{sent} messages");
}
