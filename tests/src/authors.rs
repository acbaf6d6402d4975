//! Simulates random writing by several people. The test keeps its own record of who did what, and the history must
//! agree with it.
//!
//! Every character that is typed is new to the run. The test can therefore recognise it wherever it appears: after an
//! undo, a restore, a move or a paste.

mod compare;

use crate::genesis;
use accord_document::StateVector;
use accord_document::history::{History, RestoreScope};
use accord_document::ids::{PersonId, Seq, SessionId};
use accord_document::ledger::Entry;
use accord_document::model::attributes::Attributes;
use accord_document::model::content::Content;
use accord_document::model::delta::{Op, plain};
use accord_document::model::{self, Draft, Replica, Target};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::update::{self, Claim, Provenance, StructBody, scan};
use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};

const PEOPLE: [&str; 3] = ["ana", "ben", "cem"];
const FIELDS: [&str; 3] = ["problem", "causes", "solution"];
/// Number of characters in a passage that is moved or pasted. A history accepts the claim of a passage that is pasted
/// elsewhere only if the passage has at least 8 characters (rule A7).
const PASSAGE: usize = 8;

/// Runs `count` random simulations of people who write together, and returns a line that says how much was compared.
pub fn attribution_runs(count: usize, seed: u64) -> Result<String> {
    let mut totals = Totals::default();
    for run in 0..count as u64 {
        let mut world = World::new(seed.wrapping_add(run))?;
        world.write(&mut totals).with_context(|| format!("run {run} of seed {seed}"))?;
        world.compare(&mut totals).with_context(|| format!("run {run} of seed {seed}"))?;
    }
    let Totals { entries, pairs, characters, by_others, restores } = totals;
    Ok(format!(
        "{count} runs, {entries} entries, {restores} restores: {characters} characters compared in {pairs} pairs of moments, {by_others} of them written again by somebody"
    ))
}

#[derive(Debug, Default)]
struct Totals {
    entries: usize,
    pairs: usize,
    characters: usize,
    by_others: usize,
    restores: usize,
}

struct Writer {
    replica: Replica,
    outbox: Vec<(Vec<u8>, Vec<Claim>)>,
}

struct World {
    random: StdRng,
    state: DocumentState,
    history: History,
    writers: Vec<Writer>,
    fresh: u32,
    /// The person who first typed each character.
    first: HashMap<char, &'static str>,
    /// Characters that came into a text more than once, each with the key of that text. The text alone does not show
    /// which copy was inserted or deleted, so these characters are not compared.
    ambiguous: HashSet<(String, char)>,
    /// The characters of each text after each entry: by the number of the entry, then by the key of the text.
    texts_at: Vec<BTreeMap<String, Vec<char>>>,
    /// The id of the person who made each entry, by the number of the entry.
    by: Vec<String>,
}

fn actor(person: &str) -> Actor {
    let (seat, sector) = match person {
        "fay" => (Seat::Facilitator, Sector::Government),
        "ana" => (Seat::Author, Sector::Government),
        "ben" => (Seat::Author, Sector::CivilSociety),
        _ => (Seat::Author, Sector::Other),
    };
    Actor { person: PersonId::new(person), seat, sector, session: SessionId::new("s") }
}

impl World {
    fn new(seed: u64) -> Result<Self> {
        let genesis = genesis(actor("fay"));
        let mut world = Self {
            random: StdRng::seed_from_u64(seed),
            state: DocumentState::begin(&genesis)?,
            history: History::default(),
            writers: Vec::new(),
            fresh: 0x4e00,
            first: HashMap::new(),
            ambiguous: HashSet::new(),
            texts_at: Vec::new(),
            by: Vec::new(),
        };
        world.note(&genesis);
        world.accept("fay", &model::seed(1, &Draft::default()), Provenance::default())?;
        for client in 0..PEOPLE.len() as u64 {
            // The order of the client ids depends on the seed, so that it is not always the order of the people.
            let client = (client * 7 + seed) % 5 * 100 + client + 10;
            let mut replica = Replica::new(client);
            replica.apply(&world.state.encode_since(&StateVector::default()))?;
            world.writers.push(Writer { replica, outbox: Vec::new() });
        }
        Ok(world)
    }

    fn note(&mut self, entry: &Entry) {
        self.history.record(entry, true);
        self.by.push(entry.actor.person.to_string());
        let content = Content::read(self.state.doc());
        let texts =
            content.texts.iter().map(|(key, ops)| (key.clone(), plain(ops).chars().collect()));
        self.texts_at.push(texts.collect());
    }

    fn accept(&mut self, person: &str, update: &[u8], provenance: Provenance) -> Result<()> {
        let now = self.by.len() as u64 * 1_000;
        if let Some(entry) =
            self.state.edit_from(&actor(person), now, [1; 16], update, provenance)?
        {
            self.note(&entry);
            self.mark_exchanged(&entry)?;
        }
        Ok(())
    }

    /// Records as ambiguous each character that an entry deletes and writes again in the same text. A comparison of the
    /// text before and after the entry does not show that the character has changed.
    fn mark_exchanged(&mut self, entry: &Entry) -> Result<()> {
        let [.., before, after] = self.texts_at.as_slice() else { return Ok(()) };
        let Some((update, _)) = entry.body.edit() else { return Ok(()) };
        let structs = scan(update)?.runs.into_iter().flat_map(|run| run.structs);
        let written: HashSet<char> = structs
            .filter_map(|item| match item.body {
                StructBody::Item { content: update::ItemContent::Text(text), .. } => Some(text),
                _ => None,
            })
            .flat_map(str::chars)
            .collect();
        for (key, text) in after {
            let kept = text.iter().filter(|c| written.contains(c) && before[key].contains(c));
            self.ambiguous.extend(kept.map(|c| (key.clone(), *c)));
        }
        Ok(())
    }

    fn write(&mut self, totals: &mut Totals) -> Result<()> {
        for _ in 0..150 {
            let who = self.random.random_range(0..PEOPLE.len());
            if self.random.random_ratio(1, 40) {
                self.restore()?;
                totals.restores += 1;
            }
            self.act(who)?;
            // The writer syncs with a chance of one in three, and otherwise stays offline for a while.
            if self.random.random_ratio(1, 3) {
                self.sync(who)?;
            }
        }
        for who in 0..PEOPLE.len() {
            self.sync(who)?;
        }
        totals.entries += self.by.len();
        Ok(())
    }

    fn sync(&mut self, who: usize) -> Result<()> {
        for (update, claims) in std::mem::take(&mut self.writers[who].outbox) {
            self.accept(PEOPLE[who], &update, claims.into())?;
        }
        let missing = self.state.encode_since(&self.writers[who].replica.state_vector());
        self.writers[who].replica.apply(&missing)?;
        Ok(())
    }

    fn act(&mut self, who: usize) -> Result<()> {
        let kind = self.random.random_range(0..16);
        if matches!(kind, 12 | 13) {
            // A passage is moved or pasted in a synced state. If others were typing inside it meanwhile, it would be
            // several passages.
            self.sync(who)?;
        }
        let field = self.any_field();
        let target = Target::field(field);
        let text: Vec<char> = plain(&self.writers[who].replica.read(&target)).chars().collect();
        let at = self.random.random_range(0..text.len().max(1));
        let span = self.random.random_range(1..10).min(text.len().saturating_sub(at + 1));
        let newline = text.iter().position(|c| *c == '\n').filter(|at| at + 1 < text.len());
        let len = self.random.random_range(1..12);
        let typed = self.fresh(PEOPLE[who], len);
        let (other, elsewhere) = (self.any_field(), self.random.random_range(0..1_000));
        let replica = &mut self.writers[who].replica;
        let from = Op::retain(at as u32, Attributes::new());
        let named = |name: &str, value| Attributes::from_iter([(name, value)]);
        match kind {
            0 => drop(replica.undo()),
            1 => drop(replica.redo()),
            2 => replica.edit(&target, &[from, Op::text("\n")]),
            3 => {
                if let Some(at) = newline {
                    replica
                        .edit(&target, &[Op::retain(at as u32, Attributes::new()), Op::delete(1)]);
                }
            }
            4 => replica.edit(&target, &[from, Op::retain(1, named("list", json!("bullet")))]),
            5 => {
                replica.edit(&target, &[from, Op::retain(span as u32, named("bold", json!(true)))])
            }
            6..=8 if span > 0 => replica.edit(&target, &[from, Op::delete(span as u32)]),
            12 | 13 if text.len() > at + PASSAGE + 1 => {
                let passage: String = text[at..at + PASSAGE].iter().collect();
                replica.copy(&target, at as u32, PASSAGE as u32);
                if kind == 12 {
                    replica.edit(&target, &[from, Op::delete(PASSAGE as u32)]);
                }
                let ever = |c: char| {
                    self.texts_at
                        .iter()
                        .any(|texts| texts.get(other).is_some_and(|text| text.contains(&c)))
                };
                let twice = passage.chars().filter(|c| field == other || ever(*c));
                self.ambiguous.extend(twice.map(|c| (other.to_owned(), c)));
                let other = Target::field(other);
                let room = plain(&replica.read(&other)).chars().count();
                let there = Op::retain((elsewhere % room.max(1)) as u32, Attributes::new());
                replica.paste(&other, &[there, Op::text(&passage)]);
            }
            _ => replica.edit(&target, &[from, Op::text(&typed)]),
        }
        if self.random.random_ratio(1, 2) {
            replica.stop_capturing();
        }
        let claims = replica.take_claims();
        let made = replica.take_made();
        for update in made {
            // Each update carries all claims: the server leaves out claims about characters that the update does not
            // insert.
            self.writers[who].outbox.push((update, claims.clone()));
        }
        if matches!(kind, 12 | 13) {
            self.sync(who)?;
        }
        Ok(())
    }

    fn any_field(&mut self) -> &'static str {
        FIELDS[self.random.random_range(0..FIELDS.len())]
    }

    /// Returns `len` characters that nobody has typed yet, and records the person as their first author.
    fn fresh(&mut self, person: &'static str, len: u32) -> String {
        let typed: String = (self.fresh..self.fresh + len).filter_map(char::from_u32).collect();
        self.fresh += len;
        self.first.extend(typed.chars().map(|c| (c, person)));
        typed
    }

    /// Restores a random moment as the facilitator, while the others have edits that are not synced yet.
    fn restore(&mut self) -> Result<()> {
        let mut replica =
            Replica::new(1_000_000 + u64::from(self.fresh) * 1_000 + self.by.len() as u64);
        replica.apply(&self.state.encode_since(&StateVector::default()))?;
        let moment = Seq(self.random.random_range(1..self.by.len() as u64));
        let part = if self.random.random_ratio(1, 2) {
            RestoreScope::Whole
        } else {
            RestoreScope::Field(self.any_field().to_owned())
        };
        self.history.restore(&mut replica, moment, &part);
        let claims = replica.take_claims();
        for update in replica.take_made() {
            let provenance = Provenance { claims: claims.clone(), restores: Some(moment) };
            self.accept("fay", &update, provenance)?;
        }
        let restored = self.texts_at.last().context("something stands")?;
        for (key, text) in &self.texts_at[moment.0 as usize] {
            let wanted = part == RestoreScope::Whole || part == RestoreScope::Field(key.clone());
            ensure!(!wanted || restored[key] == *text, "{key} is not what it was at {moment}");
        }
        Ok(())
    }
}
