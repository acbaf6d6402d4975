//! Measures a document's history: how long it takes to make the history, to compare two of its moments, and to read
//! moments along its whole length. A script measures the same for yjs, where yjs can do it.

use accord_document::history::History;
use accord_document::ids::Seq;
use accord_document::ledger::{Entry, Outcome};
use accord_document::state::DocumentState;
use accord_tests::{FIELD, Ledgered, Trace, node};
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};
use yrs::{Text, Transact};

pub(crate) fn all() -> Result<()> {
    for typists in [1, 2] {
        let ledger = typed(typists)?;
        println!("history, automerge-paper by {typists}: {} entries", ledger.entries.len());
        making(&ledger)?;
        comparing(&ledger);
    }
    print!("{}", node("../bench/history.mjs", &[])?);
    Ok(())
}

/// Makes a ledger of the whole trace, typed by one person, or by two who take turns of a hundred keystrokes.
fn typed(typists: usize) -> Result<Ledgered> {
    let trace = Trace::load("automerge-paper")?;
    let mut ledger = Ledgered::new()?;
    let docs: Vec<_> = (0..typists).map(|n| accord_document::ydoc::new(n as u64 + 1)).collect();
    let mut made: Vec<Vec<u8>> = Vec::new();
    let mut turn = 0;
    for (index, transaction) in trace.txns.iter().enumerate() {
        let who = index / 100 % typists;
        let doc = &docs[who];
        let text = doc.get_or_insert_text(FIELD);
        if who != turn {
            for update in made.drain(..) {
                use yrs::updates::decoder::Decode;
                doc.transact_mut().apply_update(yrs::Update::decode_v1(&update)?)?;
            }
            turn = who;
        }
        let mut txn = doc.transact_mut();
        for patch in &transaction.patches {
            text.remove_range(&mut txn, patch.0, patch.1);
            text.insert(&mut txn, patch.0, &patch.2);
        }
        let update = txn.encode_update_v1();
        drop(txn);
        ledger.take(who, &update)?;
        made.push(update);
    }
    Ok(ledger)
}

fn making(ledger: &Ledgered) -> Result<()> {
    let started = Instant::now();
    let mut history = History::default();
    let genesis = Entry::decode(&ledger.entries[0])?;
    let mut state = DocumentState::begin(&genesis)?;
    history.record(&genesis, true);
    for bytes in &ledger.entries[1..] {
        let entry = Entry::decode(bytes)?;
        let outcome = state.apply(&entry)?;
        history.record(&entry, outcome == Outcome::Applied);
    }
    println!(
        "  made and verified in {:.0} ms, about {:.1} MB in memory",
        ms(started.elapsed()),
        history.memory_bytes() as f64 / 1e6
    );
    Ok(())
}

fn comparing(ledger: &Ledgered) {
    let history = &ledger.history;
    let mut random = StdRng::seed_from_u64(1);
    let mut pick = || Seq(random.random_range(1..history.len()));
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let (a, b) = (pick(), pick());
            let started = Instant::now();
            let diff = history.diff(a.min(b), a.max(b));
            let changes = history.changes(&diff);
            let json = serde_json::to_vec(&(diff, changes)).unwrap_or_default();
            std::hint::black_box(json);
            started.elapsed()
        })
        .collect();
    println!("  any two moments compared, told and written as JSON: {}", spread(&mut times));
    let mut times: Vec<Duration> = (1..=100)
        .map(|n| {
            let started = Instant::now();
            std::hint::black_box(history.content_at(Seq(history.len() * n / 100)));
            started.elapsed()
        })
        .collect();
    println!("  a hundred moments along the whole, each read: {}", spread(&mut times));
    let started = Instant::now();
    let sittings = history.sittings().len();
    println!("  {sittings} sittings in {:.1} ms", ms(started.elapsed()));
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |percent: usize| ms(times[(times.len() - 1) * percent / 100]);
    format!("median {:.1} ms, 95th percentile {:.1} ms", at(50), at(95))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
