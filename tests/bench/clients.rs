//! Measures documents in which many client ids wrote. A page takes a new id each time that it is loaded, so a document that a
//! few people write for a year has thousands of them.

use crate::updates::{Id, Update, text};
use accord_document::history::History;
use accord_document::ledger::{Entry, Outcome};
use accord_document::state::DocumentState;
use accord_tests::{Ledgered, typist};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// Numbers of client ids to measure.
const COUNTS: [u32; 4] = [20, 1_000, 5_000, 20_000];
/// Number of people to whom the ids belong.
const PEOPLE: usize = 20;
/// Number of further edits, and of openings, that are measured.
const FURTHER: u32 = 201;
const OPENINGS: usize = 7;
/// The word that each client writes at the end of the text.
const WORD: &str = "word ";
/// Clients beyond those that wrote the text, for the further edits: one that continues the text, and two that write at the
/// same place without each other.
const TYPING: u64 = 1 << 40;
const APART: [u64; 2] = [TYPING + 1, TYPING + 2];

pub(crate) fn all() -> Result<()> {
    println!("clients: documents in which many client ids wrote one word each");
    COUNTS.into_iter().try_for_each(measure)
}

fn measure(count: u32) -> Result<()> {
    let started = Instant::now();
    let (mut state, entries) = written(count)?;
    println!("  {count} clients: accepted in {:.0} ms", ms(started.elapsed()));
    let last = (client(count - 1), WORD.len() as u32 - 1);
    let checkpoint = state.checkpoint();
    let open = || DocumentState::resume(&checkpoint).context("the checkpoint is whole");
    let mut times = Vec::with_capacity(OPENINGS);
    for _ in 0..OPENINGS {
        let started = Instant::now();
        let opened = open()?;
        times.push(started.elapsed());
        drop(opened);
    }
    println!("    opened from its checkpoint in {:.1} ms", ms(median(times)));
    println!("    a further keystroke: {:.1} µs", us(typing(&mut state, last)?));
    let mut opened = open()?;
    println!("    a further keystroke after opening: {:.1} µs", us(typing(&mut opened, last)?));
    println!("    a keystroke beside another one: {:.1} µs", us(apart(&mut open()?, last)?));
    let started = Instant::now();
    read(&entries, |_, _| ())?;
    println!("    replayed in {:.0} ms", ms(started.elapsed()));
    let started = Instant::now();
    let mut history = History::default();
    read(&entries, |entry, is_applied| history.record(entry, is_applied))?;
    let (took, memory) = (ms(started.elapsed()), history.memory_bytes() as f64 / 1e6);
    println!("    history made and verified in {took:.0} ms, about {memory:.1} MB in memory");
    Ok(())
}

/// Returns the id of the client with a number. Yjs chooses ids of 32 bits at random, so they are in no order.
fn client(number: u32) -> u64 {
    u64::from((number + 1).wrapping_mul(0x9E37_79B1))
}

/// Returns a document in which each client wrote a word behind the words before, and the entries of its ledger.
fn written(count: u32) -> Result<(DocumentState, Vec<Vec<u8>>)> {
    let Ledgered { mut state, mut entries, .. } = Ledgered::new()?;
    let mut last = None;
    for number in 0..count {
        let client = client(number);
        let update = Update::default().structs(client, 0, vec![text(last, None, WORD)]).encode();
        let who = typist(number as usize % PEOPLE);
        let entry = state.edit(&who, u64::from(number), [7; 16], &update)?;
        entries.push(entry.context("the word is new")?.encode());
        last = Some((client, WORD.len() as u32 - 1));
    }
    Ok((state, entries))
}

/// Returns the median time of keystrokes of one client at the end of the text.
fn typing(state: &mut DocumentState, mut last: Id) -> Result<Duration> {
    let mut times = Vec::new();
    for clock in 0..FURTHER {
        let item = text(Some(last), None, "a");
        let update = Update::default().structs(TYPING, clock, vec![item]).encode();
        times.push(timed(state, 0, &update)?);
        last = (TYPING, clock);
    }
    Ok(median(times))
}

/// Returns the median time of keystrokes at a place at which another client writes at the same time. Neither sees the other's
/// letter, and the next two letters follow the second one.
fn apart(state: &mut DocumentState, mut last: Id) -> Result<Duration> {
    let mut times = Vec::new();
    for clock in 0..FURTHER {
        let update = |client| {
            let item = text(Some(last), None, "a");
            Update::default().structs(client, clock, vec![item]).encode()
        };
        let [first, second] = APART.map(update);
        timed(state, 0, &first)?;
        times.push(timed(state, 1, &second)?);
        last = (APART[1], clock);
    }
    Ok(median(times))
}

fn timed(state: &mut DocumentState, who: usize, update: &[u8]) -> Result<Duration> {
    let started = Instant::now();
    state.edit(&typist(who), 0, [7; 16], update)?;
    Ok(started.elapsed())
}

/// Applies a ledger, and passes each entry to `record` with whether it was applied.
fn read(entries: &[Vec<u8>], mut record: impl FnMut(&Entry, bool)) -> Result<()> {
    let genesis = Entry::decode(&entries[0])?;
    let mut state = DocumentState::begin(&genesis)?;
    record(&genesis, true);
    for bytes in &entries[1..] {
        let entry = Entry::decode(bytes)?;
        let outcome = state.apply(&entry)?;
        record(&entry, outcome == Outcome::Applied);
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
