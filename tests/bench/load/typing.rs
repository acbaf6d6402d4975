//! The typing of a load: when each keystroke is due, and the thread that types.

use super::Load;
use super::socket::Sender;
use accord_document::sync::wire::Message;
use accord_document::ydoc;
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};
use yrs::{Doc, Text, Transact};

/// The text field of the template that everybody types in.
const FIELD: &str = "problem";

/// When each keystroke is due, counted from the start of the load.
pub(super) struct Schedule {
    /// The first keystroke of each writer. Each moment is random, because people don't type in step with each other.
    first: Vec<Duration>,
    every: Duration,
    /// Number of keystrokes of each writer.
    pub(super) strokes: usize,
}

impl Schedule {
    pub(super) fn new(load: &Load, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let moment = |_| load.every.mul_f64(random.random_range(0.0..1.0));
        let first = (0..load.documents * load.typing).map(moment).collect();
        let strokes = (load.length().as_secs_f64() / load.every.as_secs_f64()).round() as usize;
        Self { first, every: load.every, strokes }
    }

    pub(super) fn due(&self, writer: usize, stroke: usize) -> Duration {
        self.first[writer] + self.every * stroke as u32
    }

    /// Returns the writer of each keystroke, in the order in which they are due.
    fn in_order(&self) -> Vec<(usize, usize)> {
        let mut writers: Vec<usize> = (0..self.first.len()).collect();
        writers.sort_by_key(|&writer| self.first[writer]);
        let each = |stroke| writers.iter().map(move |&writer| (writer, stroke));
        (0..self.strokes).flat_map(each).collect()
    }
}

/// A client that types, with its own text only.
pub(super) struct Writer {
    sender: Sender,
    prefix: Vec<u8>,
    doc: Doc,
}

impl Writer {
    pub(super) fn new(sender: Sender, prefix: Vec<u8>, id: u64) -> Self {
        Self { sender, prefix, doc: ydoc::new(id) }
    }

    /// Types one character behind the last one.
    fn press(&self) -> Result<()> {
        self.write("x")
    }

    /// Writes some text behind the last one, in one update.
    pub(super) fn write(&self, written: &str) -> Result<()> {
        let text = self.doc.get_or_insert_text(FIELD);
        let mut txn = self.doc.transact_mut();
        text.push(&mut txn, written);
        let message = Message::Update(&txn.encode_update_v1()).encode();
        self.sender.send(&[&self.prefix, &message[..]].concat())
    }
}

/// Types all keystrokes of a schedule. Returns by how much each keystroke was sent later than it was due.
pub(super) fn type_all(
    writers: &[Writer],
    schedule: &Schedule,
    origin: Instant,
) -> Result<Vec<Duration>> {
    let mut lateness = Vec::new();
    for (writer, stroke) in schedule.in_order() {
        let due = origin + schedule.due(writer, stroke);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        writers[writer].press()?;
        lateness.push(due.elapsed());
    }
    Ok(lateness)
}
