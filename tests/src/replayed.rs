//! Recorded typing, turned into the ledger of a document whose authors are the people of the recording.

use crate::{Trace, Transaction, genesis};
use accord_document::history::History;
use accord_document::ids::{PersonId, SessionId};
use accord_document::ledger::Entry;
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::ydoc;
use anyhow::{Context, Result};
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, Text, Transact, Update};

/// The text field that receives the recorded typing.
pub const FIELD: &str = "problem";

/// Time between two keystrokes of a person, in milliseconds: four keystrokes in a second.
const STROKE: u64 = 250;

/// A ledger as encoded entries, with the document state and the history that result from it.
pub struct Ledgered {
    pub state: DocumentState,
    pub history: History,
    pub entries: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Ledgered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} entries", self.entries.len())
    }
}

/// Returns the person with this number, whose id is `p` and the number.
#[must_use]
pub fn typist(number: usize) -> Actor {
    Actor {
        person: PersonId::new(format!("p{number}")),
        seat: Seat::Author,
        sector: if number == 0 { Sector::Government } else { Sector::CivilSociety },
        session: SessionId::new(format!("s{number}")),
    }
}

impl Ledgered {
    pub fn new() -> Result<Self> {
        let genesis = genesis(typist(0));
        let mut history = History::default();
        history.record(&genesis, true);
        let entries = vec![genesis.encode()];
        Ok(Self { state: DocumentState::begin(&genesis)?, history, entries })
    }

    /// Appends an update of one person to the ledger. The recorded time of each update is 250 ms (one keystroke) after the
    /// update before it, and a minute more after every hundredth entry.
    pub fn take(&mut self, number: usize, update: &[u8]) -> Result<()> {
        let count = self.entries.len() as u64;
        let now = count * STROKE + count / 100 * 60_000;
        if let Some(entry) = self.state.edit(&typist(number), now, rand::random(), update)? {
            self.keep(&entry);
        }
        Ok(())
    }

    fn keep(&mut self, entry: &Entry) {
        self.history.record(entry, true);
        self.entries.push(entry.encode());
    }
}

fn type_in(doc: &Doc, transaction: &Transaction, inserted: impl Fn(&str) -> String) -> Vec<u8> {
    let text = doc.get_or_insert_text(FIELD);
    let mut txn = doc.transact_mut();
    for patch in &transaction.patches {
        text.remove_range(&mut txn, patch.0, patch.1);
        text.insert(&mut txn, patch.0, &inserted(&patch.2));
    }
    txn.encode_update_v1()
}

/// Types a concurrent trace again and returns the resulting text. Each transaction is typed into the text that its
/// author saw when it was recorded, with the result of `inserted` in place of each inserted string. `take` receives the
/// number of the author and the update, for each transaction in the order of the trace.
pub fn retype(
    trace: &Trace,
    inserted: impl Fn(usize, &str) -> String,
    mut take: impl FnMut(usize, &[u8]) -> Result<()>,
) -> Result<String> {
    let agents = trace.txns.iter().map(|t| t.agent + 1).max().unwrap_or(1);
    let docs: Vec<Doc> = (0..agents).map(|agent| ydoc::new(agent as u64 + 1)).collect();
    // The update of each transaction, by the index of the transaction.
    let mut made: Vec<Vec<u8>> = Vec::with_capacity(trace.txns.len());
    // Whether an agent has seen a transaction: by the number of the agent, then by the index of the transaction.
    let mut seen = vec![vec![false; trace.txns.len()]; agents];
    for (index, transaction) in trace.txns.iter().enumerate() {
        let own = transaction.agent;
        // `lacking` collects the ancestors of the transaction that its author has not seen yet.
        let mut lacking: Vec<usize> = Vec::new();
        let mut open = transaction.parents.clone();
        while let Some(parent) = open.pop() {
            if !seen[own][parent] {
                seen[own][parent] = true;
                lacking.push(parent);
                open.extend(&trace.txns[parent].parents);
            }
        }
        lacking.sort_unstable();
        for parent in lacking {
            let update = Update::decode_v1(&made[parent])?;
            docs[own].transact_mut().apply_update(update)?;
        }
        let update = type_in(&docs[own], transaction, |text| inserted(own, text));
        seen[own][index] = true;
        take(own, &update)?;
        made.push(update);
    }
    let all = ydoc::new(0);
    all.get_or_insert_text(FIELD);
    for update in &made {
        all.transact_mut().apply_update(Update::decode_v1(update)?)?;
    }
    let txn = all.transact();
    Ok(txn.get_text(FIELD).context("the text")?.get_string(&txn))
}
