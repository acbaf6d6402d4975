//! Tests with updates that are made by hand. An attacker could send such updates to make two people read different
//! texts, or to make the history differ from the document. Everybody must read the same content from every update that
//! is accepted.

use super::tests::{Ledgered, actor, joined};
use super::*;
use crate::lib0::Write;
use crate::model::content::Content;
use crate::random::Random;
use crate::state::DocumentState;
use crate::template::FIELDS;
use crate::update::{Claim, Id, Parent, Provenance, StructBody};
use crate::{StateVector, ydoc};
use std::collections::BTreeMap;
use yrs::updates::decoder::Decode;
use yrs::{Doc, Transact, Update};

const ORIGIN: u8 = 0x80;
const RIGHT_ORIGIN: u8 = 0x40;
const KEY: u8 = 0x20;

/// An attacker who writes updates by hand, with three client ids for each of two people.
struct Forger {
    random: Random,
    next: BTreeMap<u64, u32>,
    /// The elements of each text, in their order in the text.
    texts: Vec<Vec<Id>>,
    /// The elements that created shared types, including those that were deleted since.
    types: Vec<Id>,
}

impl Forger {
    /// Returns an element, chosen at random from all that were ever written, or sometimes `None`.
    fn any(&mut self) -> Option<Id> {
        if self.random.below(6) == 0 {
            return None;
        }
        let written: Vec<_> = self.next.iter().filter(|(_, next)| **next > 0).collect();
        let (&client, &next) = *written.get(self.random.below(written.len()))?;
        Some(Id { client, clock: self.random.below(next as usize) as u32 })
    }

    /// Returns the left and the right neighbour for a new item, mostly close to each other. `None` means that there is no
    /// neighbour on that side.
    fn neighbours(&mut self) -> (Option<Id>, Option<Id>) {
        if self.random.below(3) == 0 || self.texts.is_empty() {
            return (self.any(), self.any());
        }
        let at = self.random.below(self.texts.len());
        let text = &self.texts[at];
        let left = self.random.below(text.len() + 1);
        let right = left + [0, 0, 0, 1, 2, 5][self.random.below(6)];
        (left.checked_sub(1).map(|left| text[left]), text.get(right).copied())
    }

    /// Returns an update that inserts items between any two elements, in any order, in any text or under a key, and that
    /// deletes some elements.
    fn update(&mut self, clients: &[u64]) -> Vec<u8> {
        let before = self.next.clone();
        let mut out = Vec::new();
        let runs: Vec<u64> =
            clients.iter().copied().filter(|_| self.random.below(2) == 0).collect();
        out.put_var(runs.len() as u64);
        for client in runs {
            // The items of a client continue at the clock after its last accepted item.
            let next = self.next.get(&client).copied().unwrap_or(0);
            let count = 1 + self.random.below(4);
            out.put_var(count as u64);
            out.put_var(client);
            out.put_var(u64::from(next));
            for _ in 0..count {
                let len = self.item(&mut out);
                *self.next.entry(client).or_default() += len;
            }
        }
        let ranges = self.random.below(3);
        let deleted: Vec<_> = (0..ranges)
            .filter_map(|_| {
                // Only elements of earlier updates are deleted, because this update can contain its items in any order.
                let (&client, &next) = before.iter().nth(self.random.below(before.len()))?;
                let clock = self.random.below(next as usize) as u32;
                let len = (1 + self.random.below(3) as u32).min(next - clock);
                (next > 0 && client > 1).then_some((client, clock, len))
            })
            .collect();
        out.put_var(deleted.len() as u64);
        for (client, clock, len) in deleted {
            out.put_var(client);
            out.put_var(1);
            out.put_var(u64::from(clock));
            out.put_var(u64::from(len));
        }
        out
    }

    /// Writes one item, and returns its number of elements.
    fn item(&mut self, out: &mut Vec<u8>) -> u32 {
        let (origin, right_origin) = self.neighbours();
        let (kind, content, len): (u8, Vec<u8>, u32) = match self.random.below(15) {
            // This item creates a shared type: a map or a text.
            12.. => (7, vec![1 + self.random.below(2) as u8], 1),
            0 => (1, vec![2], 2),
            1 => (6, [buf("bold"), buf(["true", "null"][self.random.below(2)])].concat(), 1),
            2 => (5, buf("{\"image\":\"x\"}"), 1),
            // This item holds the string "v", encoded as a lib0 `any`.
            3 => (8, vec![1, 119, 1, b'v'], 1),
            4 => (4, buf("a😀b"), 4),
            _ => {
                let text = ["x", "yz", "\n", "한국"][self.random.below(4)];
                (4, buf(text), text.encode_utf16().count() as u32)
            }
        };
        let mut info = kind;
        if origin.is_some() {
            info |= ORIGIN;
        }
        if right_origin.is_some() {
            info |= RIGHT_ORIGIN;
        }
        let parent = origin.or(right_origin).is_none().then(|| self.parent());
        if matches!(parent, Some((_, Some(_)))) {
            info |= KEY;
        }
        out.push(info);
        for id in [origin, right_origin].into_iter().flatten() {
            out.put_var(id.client);
            out.put_var(u64::from(id.clock));
        }
        if let Some((parent, key)) = parent {
            out.extend_from_slice(&parent);
            key.into_iter().for_each(|key| out.put_buf(key.as_bytes()));
        }
        out.extend_from_slice(&content);
        len
    }

    /// Returns the encoded parent of an item, which is a root or a shared type, and sometimes the key in the parent under which
    /// the item is written.
    fn parent(&mut self) -> (Vec<u8>, Option<&'static str>) {
        let root = |name: &str| [vec![1], buf(name)].concat();
        let keys = ["what", "outputs", "order", "removed", "due"];
        let kind = self.random.below(if self.types.is_empty() { 4 } else { 8 });
        match kind {
            0 => (root("problem"), None),
            1 => (root("causes"), None),
            2 => (root("facts"), Some(["starts", "ends"][self.random.below(2)])),
            3 => (root("milestones"), Some(["m1", "m2"][self.random.below(2)])),
            _ => {
                let id = self.types[self.random.below(self.types.len())];
                let mut nested = vec![0];
                nested.put_var(id.client);
                nested.put_var(u64::from(id.clock));
                (nested, (kind > 4).then(|| keys[self.random.below(keys.len())]))
            }
        }
    }

    fn claims(&mut self) -> Vec<Claim> {
        let count = self.random.below(3);
        let mut claims = Vec::new();
        for _ in 0..count {
            if let (Some(new), Some(old)) = (self.any(), self.any()) {
                claims.push(Claim { new, old, len: 1 + self.random.below(6) as u32 });
            }
        }
        claims
    }
}

fn buf(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_buf(text.as_bytes());
    out
}

/// Returns the elements of each text that is not empty, in their order in the text.
fn elements(ledger: &Ledgered) -> Vec<Vec<Id>> {
    let weave = &ledger.history.weave;
    let all = |container: &weave::Container| {
        let runs = weave.walk(container).flat_map(|run| {
            let id = weave.id_of(run);
            (0..run.len).map(move |offset| id.plus(offset))
        });
        runs.collect::<Vec<_>>()
    };
    let texts = ledger.history.texts();
    texts.iter().map(|(_, container)| all(container)).filter(|text| !text.is_empty()).collect()
}

fn read(updates: impl IntoIterator<Item = Vec<u8>>) -> Content {
    let doc: Doc = ydoc::new(0);
    for field in FIELDS {
        doc.get_or_insert_text(field.key);
    }
    doc.get_or_insert_map("milestones");
    doc.get_or_insert_map("facts");
    for update in updates {
        doc.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
    }
    joined(Content::read(&doc))
}

/// Returns a description of each difference between two contents.
fn differences(one: &Content, other: &Content) -> Vec<String> {
    let texts = one.texts.iter().filter(|(key, text)| other.texts.get(*key) != Some(text));
    let mut all: Vec<_> =
        texts.map(|(key, text)| format!("{key}: {text:?}, {:?}", other.texts.get(key))).collect();
    if one.facts != other.facts {
        all.push(format!("{:?}, {:?}", one.facts, other.facts));
    }
    if one.milestones != other.milestones {
        all.push(format!("{:?}, {:?}", one.milestones, other.milestones));
    }
    all
}

/// Returns the updates in a random order in which each update follows the elements that it refers to. yrs stores an update
/// that comes too early, but does not always apply it later.
fn in_another_order(mut updates: Vec<Vec<u8>>, random: &mut Random) -> Vec<Vec<u8>> {
    let mut next: BTreeMap<u64, u32> = BTreeMap::new();
    let mut out = Vec::new();
    while !updates.is_empty() {
        let at = random.below(updates.len());
        let mut after = next.clone();
        let scan = scan(&updates[at]).unwrap();
        let mut is_possible = true;
        for run in &scan.runs {
            let first = run.structs.first().unwrap().clock;
            is_possible &= next.get(&run.client).copied().unwrap_or(0) >= first;
            after.insert(run.client, run.structs.last().unwrap().end());
        }
        let has = |id: Id| after.get(&id.client).is_some_and(|&next| id.clock < next);
        for item in scan.runs.iter().flat_map(|run| &run.structs) {
            if let StructBody::Item { origin, right_origin, parent, .. } = &item.body {
                let parent = match parent {
                    Some(Parent::Nested(id)) => Some(*id),
                    _ => None,
                };
                is_possible &= [*origin, *right_origin, parent].into_iter().flatten().all(has);
            }
        }
        is_possible &= scan
            .deletes
            .iter()
            .all(|range| has(Id { client: range.client, clock: range.clock + range.len - 1 }));
        if is_possible {
            next = after;
            out.push(updates.swap_remove(at));
        }
    }
    out
}

/// Rule U8.
#[test]
fn whatever_is_accepted_everybody_reads_the_same() {
    let mut accepted = 0;
    for seed in 1..600 {
        let mut ledger = Ledgered::new();
        let random = Random(seed * 0x9e37_79b9_7f4a);
        let mut forger =
            Forger { random, next: BTreeMap::from([(1, 1)]), texts: Vec::new(), types: Vec::new() };
        let mut sent = vec![ledger.entries[1].body.edit().unwrap().0.to_vec()];
        for _ in 0..30 {
            let (person, clients) = match forger.random.below(2) {
                0 => ("ana", [11, 25, 12]),
                _ => ("ben", [24, 13, 26]),
            };
            let known = forger.next.clone();
            forger.texts = elements(&ledger);
            let update = forger.update(&clients);
            let provenance = Provenance::from(forger.claims());
            let taken = ledger.state.edit_from(&actor(person), 0, [1; 16], &update, provenance);
            let Ok(Some(entry)) = taken else {
                assert!(!ledger.state.is_broken());
                forger.next = known;
                continue;
            };
            accepted += 1;
            for run in scan(&update).unwrap().runs {
                let made = run.structs.iter().filter(|item| {
                    matches!(
                        item.body,
                        StructBody::Item { content: crate::update::ItemContent::Type(_), .. }
                    )
                });
                let client = run.client;
                forger.types.extend(made.map(|item| Id { client, clock: item.clock }));
            }
            sent.push(update);
            ledger.history.record(&entry, true);
            ledger.entries.push(entry);
            let said = joined(Content::read(ledger.state.doc()));
            let told = joined(ledger.history.content_at(Seq(u64::MAX)));
            assert_eq!(
                differences(&told, &said),
                [""; 0],
                "seed {seed}, entry {}",
                ledger.entries.len() - 1
            );
        }
        let said = joined(Content::read(ledger.state.doc()));
        // A new client receives the whole document, and other clients receive every update, each in another order.
        let whole = ledger.state.encode_since(&StateVector::default());
        assert_eq!(differences(&read([whole]), &said), [""; 0], "seed {seed}, all at once");
        let bodies = ledger.entries[1..].iter().map(|entry| entry.body.edit().unwrap().0.to_vec());
        for _ in 0..4 {
            let order = in_another_order(bodies.clone().collect(), &mut forger.random);
            assert_eq!(differences(&read(order), &said), [""; 0], "seed {seed}, in another order");
        }
        assert_eq!(differences(&read(sent), &said), [""; 0], "seed {seed}, as they were sent");
        // The server replays its ledger, or resumes from a checkpoint.
        let mut replayed = DocumentState::begin(&ledger.entries[0]).unwrap();
        for entry in &ledger.entries[1..] {
            assert_eq!(replayed.apply(entry), Ok(crate::ledger::Outcome::Applied), "seed {seed}");
        }
        assert_eq!(
            differences(&joined(Content::read(replayed.doc())), &said),
            [""; 0],
            "seed {seed}, replayed"
        );
        let resumed = DocumentState::resume(&ledger.state.checkpoint()).unwrap();
        assert_eq!(
            differences(&joined(Content::read(resumed.doc())), &said),
            [""; 0],
            "seed {seed}, resumed"
        );
        // Comparisons, shares and sittings of such a history do not panic.
        let last = ledger.entries.len() as u64 - 1;
        for (from, to) in [(1, last), (last, 1), (last / 2, last)] {
            let diff = ledger.history.diff(Seq(from), Seq(to));
            let _ = ledger.history.changes(&diff);
        }
        let _ = ledger.history.shares(Seq(last));
        let _ = ledger.history.sittings();
    }
    assert!(accepted > 3_000, "{accepted} were accepted");
}
