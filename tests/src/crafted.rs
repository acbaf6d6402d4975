//! Updates made by hand, which no editor would make, and what a document that takes them shows.

use crate::{actor, genesis, node};
use accord_document::ledger::{Entry, Outcome};
use accord_document::lib0::Write as _;
use accord_document::state::DocumentState;
use accord_document::template::{FACTS, MILESTONES};
use accord_document::update::Id;
use accord_document::{StateVector, ydoc};
use anyhow::{Context, Result, ensure};
use data_encoding::BASE64;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::ops::{Range, RangeInclusive};
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::{Any, Map as _, Out, ReadTxn, Text as _, Transact, Update};

/// Number of updates that are sent to the document of one case. The document refuses most of them.
const ATTEMPTS: usize = 80;
/// The texts that the updates write to.
const TEXTS: [&str; 2] = ["title", "problem"];
/// The maps that the updates write to. No reader sees the last one.
const MAPS: [&str; 3] = [MILESTONES, FACTS, "elsewhere"];
/// The clients that write.
const CLIENTS: RangeInclusive<u64> = 1..=4;

/// A document that took updates made by hand.
#[derive(Debug, Serialize)]
struct CraftedCase {
    /// The seed from which the updates were made.
    seed: u64,
    /// The updates that the document accepted, in Base64, in the form in which clients receive them.
    updates: Vec<String>,
    /// The whole document as one update, in Base64.
    whole: String,
    /// What the document shows: its texts as runs of characters with attributes, its maps as JSON.
    shown: Value,
}

/// Makes a document from each seed, and compares what Yjs shows of it with what Accord shows. Returns the number of updates
/// that the documents accepted.
///
/// # Errors
/// Returns an error if Yjs shows a document in another way, if a document fails, or if yrs does not read what a document
/// accepted.
pub fn compare_with_yjs(seeds: Range<u64>) -> Result<usize> {
    let mut file = tempfile::NamedTempFile::new()?;
    let mut accepted = 0;
    {
        let mut lines = BufWriter::new(&mut file);
        for seed in seeds {
            let case = crafted_case(seed)?;
            accepted += case.updates.len();
            writeln!(lines, "{}", serde_json::to_string(&case)?)?;
        }
        lines.flush()?;
    }
    node("crafted.mjs", &[file.path().to_str().context("the path is not UTF-8")?])?;
    Ok(accepted)
}

/// Sends updates made from `seed` to an empty document.
fn crafted_case(seed: u64) -> Result<CraftedCase> {
    let mut random = StdRng::seed_from_u64(seed);
    let ana = actor(0);
    let genesis = genesis(ana.clone());
    let mut state = DocumentState::begin(&genesis)?;
    let (mut next, mut updates, mut entries) = (BTreeMap::new(), Vec::new(), Vec::new());
    let checkpoint_at = random.random_range(0..ATTEMPTS);
    for attempt in 0..ATTEMPTS {
        if attempt == checkpoint_at {
            state = DocumentState::resume(&state.checkpoint())
                .with_context(|| format!("document {seed} can't be resumed from a checkpoint"))?;
        }
        let mut crafter = Crafter { random: &mut random, next: next.clone() };
        let update = crafter.update();
        let crafted = crafter.next;
        let taken = state.edit(&ana, 1, [1; 16], &update);
        ensure!(!state.is_broken(), "document {seed}: yrs can't integrate what passed the checks");
        let Ok(Some(entry)) = taken else { continue };
        next = crafted;
        updates.push(BASE64.encode(entry.body.edit().context("an edit")?.0));
        entries.push(entry);
    }
    let whole = state.encode_since(&StateVector::default());
    let doc = ydoc::new(9);
    doc.transact_mut().apply_update(Update::decode_v1(&whole)?)?;
    let shown = shown_of(state.doc());
    ensure!(shown_of(&doc) == shown, "document {seed} differs when it is read as a whole");
    let mut replayed = DocumentState::begin(&genesis)?;
    for entry in &entries {
        let outcome = replayed.apply(&Entry::decode(&entry.encode())?)?;
        ensure!(outcome == Outcome::Applied, "document {seed}: entry {} is void", entry.seq);
    }
    ensure!(shown_of(replayed.doc()) == shown, "document {seed} differs after a replay");
    Ok(CraftedCase { seed, updates, whole: BASE64.encode(&whole), shown })
}

/// Makes updates. It knows the next clock of each client, but not what the elements are.
struct Crafter<'r> {
    random: &'r mut StdRng,
    next: BTreeMap<u64, u32>,
}

impl Crafter<'_> {
    fn one_in(&mut self, count: u32) -> bool {
        self.random.random_ratio(1, count)
    }

    fn update(&mut self) -> Vec<u8> {
        let client = self.random.random_range(CLIENTS);
        let count = self.random.random_range(0..=2);
        let next = self.next.get(&client).copied().unwrap_or(0);
        // Sometimes an update repeats elements that are known already.
        let mut clock = if self.one_in(10) { next.saturating_sub(2) } else { next };
        let mut update = vec![u8::from(count > 0)];
        if count > 0 {
            update.put_var(count);
            update.put_var(client);
            update.put_var(clock.into());
        }
        for _ in 0..count {
            clock += self.structure(&mut update);
            self.next.insert(client, clock.max(next));
        }
        self.deletions(&mut update);
        update
    }

    fn deletions(&mut self, update: &mut Vec<u8>) {
        let known = if self.one_in(3) { self.known() } else { None };
        update.push(u8::from(known.is_some()));
        if let Some(Id { client, clock }) = known {
            let left = self.next.get(&client).copied().unwrap_or(0) - clock;
            update.put_var(client);
            update.push(1);
            update.put_var(clock.into());
            update.put_var(self.random.random_range(1..=left.min(3)).into());
        }
    }

    /// Returns an element that the document has, if it has any.
    fn known(&mut self) -> Option<Id> {
        let with_elements: Vec<(u64, u32)> =
            self.next.iter().map(|(&client, &next)| (client, next)).filter(|e| e.1 > 0).collect();
        let at = self.random.random_range(0..with_elements.len().max(1));
        let &(client, next) = with_elements.get(at)?;
        Some(Id { client, clock: self.random.random_range(0..next) })
    }

    /// Writes a struct, and returns its number of elements.
    fn structure(&mut self, update: &mut Vec<u8>) -> u32 {
        if self.one_in(12) {
            let len = self.random.random_range(1..=3);
            update.extend([0, len]);
            return len.into();
        }
        let kind = [4, 4, 4, 4, 1, 5, 6, 6, 7, 8][self.random.random_range(0..10)];
        let origin = if self.one_in(2) { self.known() } else { None };
        let right = if self.one_in(2) { self.known() } else { None };
        let key = if self.one_in(2) {
            Some(["m", "what", "due"][self.random.random_range(0..3)])
        } else {
            None
        };
        let mut info = kind;
        for (bit, is_set) in
            [(0x80, origin.is_some()), (0x40, right.is_some()), (0x20, key.is_some())]
        {
            info |= if is_set { bit } else { 0 };
        }
        update.push(info);
        for Id { client, clock } in [origin, right].into_iter().flatten() {
            update.put_var(client);
            update.put_var(clock.into());
        }
        if origin.is_none() && right.is_none() {
            self.parent(update);
            if let Some(key) = key {
                update.put_buf(key.as_bytes());
            }
        }
        self.content(kind, update)
    }

    fn parent(&mut self, update: &mut Vec<u8>) {
        match if self.one_in(3) { self.known() } else { None } {
            Some(Id { client, clock }) => {
                update.push(0);
                update.put_var(client);
                update.put_var(clock.into());
            }
            None => {
                update.push(1);
                let roots = [&TEXTS[..], &TEXTS[1..], &MAPS].concat();
                update.put_buf(roots[self.random.random_range(0..roots.len())].as_bytes());
            }
        }
    }

    /// Writes the content of an item, and returns its number of elements.
    fn content(&mut self, kind: u8, update: &mut Vec<u8>) -> u32 {
        match kind {
            1 => {
                update.push(2);
                2
            }
            4 => {
                let words = ["a", "bc", "def", "\u{1f600}", "x\ny"][self.random.random_range(0..5)];
                update.put_buf(words.as_bytes());
                words.encode_utf16().count() as u32
            }
            5 => {
                update.put_buf(b"{\"image\":\"x\"}");
                1
            }
            6 => {
                update.put_buf(["bold", "italic"][self.random.random_range(0..2)].as_bytes());
                update.put_buf(["true", "null"][self.random.random_range(0..2)].as_bytes());
                1
            }
            7 => {
                update.push(self.random.random_range(1..=2));
                1
            }
            _ => {
                let len = self.random.random_range(1..=2);
                update.push(len);
                for _ in 0..len {
                    update.push(119);
                    update.put_buf(b"any");
                }
                len.into()
            }
        }
    }
}

/// Returns the content of the texts and maps as JSON, as yrs reads it: without what is deleted, and without client ids.
fn shown_of(doc: &yrs::Doc) -> Value {
    let txn = doc.transact();
    let mut all = Map::new();
    for text in TEXTS {
        let runs = txn.get_text(text).map_or(json!([]), |text| runs(&text, &txn));
        all.insert(text.to_owned(), runs);
    }
    for map in MAPS {
        let values = txn.get_map(map).map_or(json!({}), |map| values(&map, &txn));
        all.insert(map.to_owned(), values);
    }
    all.into()
}

fn values(map: &yrs::MapRef, txn: &impl ReadTxn) -> Value {
    map.iter(txn)
        .map(|(key, value)| (key.to_owned(), value_of(&value, txn)))
        .collect::<Map<_, _>>()
        .into()
}

fn value_of(value: &Out, txn: &impl ReadTxn) -> Value {
    match value {
        Out::Any(any) => json!(any),
        Out::YMap(map) => values(map, txn),
        Out::YText(text) => runs(text, txn),
        _ => json!("something else"),
    }
}

/// Returns the characters and embedded values of a text, each with its attributes.
fn runs(text: &yrs::TextRef, txn: &impl ReadTxn) -> Value {
    let mut units = Vec::new();
    for chunk in text.diff(txn, YChange::identity) {
        let attributes: BTreeMap<String, Value> = chunk
            .attributes
            .iter()
            .flat_map(|attributes| attributes.iter())
            .filter(|(_, value)| **value != Any::Null)
            .map(|(name, value)| (name.to_string(), json!(value)))
            .collect();
        match &chunk.insert {
            Out::Any(Any::String(text)) => {
                units.extend(text.chars().map(|c| json!([c.to_string(), attributes])));
            }
            other => units.push(json!([value_of(other, txn), attributes])),
        }
    }
    units.into()
}
