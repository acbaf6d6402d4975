//! Measures how long a document takes to open: its ledger is replayed, and each entry is checked, applied and hashed.

use accord_document::ids::{PersonId, SessionId};
use accord_document::ledger::Entry;
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::ydoc;
use accord_tests::{Trace, genesis};
use anyhow::Result;
use std::time::Instant;
use yrs::{Text, Transact};

pub(crate) fn all() -> Result<()> {
    let trace = Trace::load("automerge-paper")?;
    let writer = ydoc::new(1);
    let text = writer.get_or_insert_text("problem");
    let updates: Vec<Vec<u8>> = trace
        .txns
        .iter()
        .map(|transaction| {
            let mut txn = writer.transact_mut();
            for patch in &transaction.patches {
                text.remove_range(&mut txn, patch.0, patch.1);
                text.insert(&mut txn, patch.0, &patch.2);
            }
            txn.encode_update_v1()
        })
        .collect();
    let actor = Actor {
        person: PersonId::new("p"),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    };
    let genesis = genesis(actor.clone());
    let mut state = DocumentState::begin(&genesis)?;
    let started = Instant::now();
    let mut entries = Vec::with_capacity(updates.len());
    for update in &updates {
        entries.extend(state.edit(&actor, 0, [7; 16], update)?);
    }
    let writing = started.elapsed();
    let bytes: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
    let started = Instant::now();
    let mut replayed = DocumentState::begin(&genesis)?;
    for bytes in &bytes {
        replayed.apply(&Entry::decode(bytes)?)?;
    }
    let reading = started.elapsed();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / entries.len() as f64;
    println!(
        "replay: {} entries, {:.1} MB; accept {:.2} µs each, replay {:.2} µs each, {:.0} ms in all",
        entries.len(),
        bytes.iter().map(Vec::len).sum::<usize>() as f64 / 1e6,
        each(writing),
        each(reading),
        reading.as_secs_f64() * 1e3,
    );
    Ok(())
}
