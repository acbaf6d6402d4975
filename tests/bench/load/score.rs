//! The record of what has arrived: each keystroke counts once at each client of its document other than its writer.

use super::typing::Schedule;
use super::{Load, WARM_UP};
use accord_document::sync::wire::{Message, read_frame};
use anyhow::{Result, ensure};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};
use yrs::Update;
use yrs::updates::decoder::Decode;

/// Client id of the first client of a load. It is as long as the random ids of real clients are.
pub(super) const FIRST_ID: u64 = 2_000_000_000;

pub(super) struct Score {
    /// Number of clients of each document, and how many of them type.
    clients: usize,
    typing: usize,
    schedule: Rc<Schedule>,
    origin: Instant,
    /// Whether a client has received a keystroke, in the order of receivers, writers of the document, keystrokes.
    seen: Vec<bool>,
    /// The keystrokes of each message so far. A server sends the same bytes to many clients, and decoding them once
    /// keeps the load light.
    decoded: HashMap<Box<[u8]>, Rc<[Typed]>>,
    /// Number of keystrokes that should arrive and have not.
    pub(super) missing: usize,
    /// Number of keystrokes that have arrived.
    pub(super) deliveries: usize,
    /// Latencies, in microseconds, of the keystrokes that were due after the warm-up.
    pub(super) latencies: Vec<u32>,
}

/// Keystrokes of one writer. Each is one character, so its number is the clock of the character.
struct Typed {
    client: usize,
    strokes: Range<usize>,
}

impl Score {
    pub(super) fn new(load: &Load, schedule: Rc<Schedule>, origin: Instant) -> Self {
        let sent = load.documents * load.typing * schedule.strokes;
        Self {
            clients: load.clients,
            typing: load.typing,
            origin,
            seen: vec![false; sent * load.clients],
            decoded: HashMap::new(),
            missing: sent * (load.clients - 1),
            deliveries: 0,
            latencies: Vec::with_capacity(sent * (load.clients - 1)),
            schedule,
        }
    }

    /// Records a message that a client has received.
    ///
    /// # Errors
    /// Returns an error if the message is malformed, or contains what nobody typed in this document.
    pub(super) fn receive(&mut self, receiver: usize, message: &[u8], now: Instant) -> Result<()> {
        let typed = match self.decoded.get(message) {
            Some(typed) => typed.clone(),
            None => {
                let typed: Rc<[Typed]> = decode(message)?.into();
                self.decoded.insert(message.into(), typed.clone());
                typed
            }
        };
        for Typed { client, strokes } in typed.iter() {
            ensure!(
                client / self.clients == receiver / self.clients
                    && client % self.clients < self.typing
                    && strokes.end <= self.schedule.strokes,
                "client {receiver} received what nobody typed in its document"
            );
            if *client != receiver {
                strokes.clone().for_each(|stroke| self.deliver(receiver, *client, stroke, now));
            }
        }
        Ok(())
    }

    fn deliver(&mut self, receiver: usize, client: usize, stroke: usize, now: Instant) {
        let writer = client % self.clients;
        let index = (receiver * self.typing + writer) * self.schedule.strokes + stroke;
        if std::mem::replace(&mut self.seen[index], true) {
            return;
        }
        self.missing -= 1;
        self.deliveries += 1;
        let due = self.schedule.due(client / self.clients * self.typing + writer, stroke);
        if due >= WARM_UP {
            let taken: Duration = now.saturating_duration_since(self.origin + due);
            self.latencies.push(taken.as_micros() as u32);
        }
    }
}

/// Returns the keystrokes in a message of the sync protocol, which has none if it is not an update.
fn decode(message: &[u8]) -> Result<Vec<Typed>> {
    let mut typed = Vec::new();
    for message in read_frame(message)? {
        let (Message::Update(update) | Message::Step2(update)) = message else { continue };
        for (client, clocks) in Update::decode_v1(update)?.insertions(true).iter() {
            let client = client.get().checked_sub(FIRST_ID);
            let client = usize::try_from(client.unwrap_or(u64::MAX))?;
            typed.extend(clocks.iter().map(|clocks| {
                let strokes = clocks.start as usize..clocks.end as usize;
                Typed { client, strokes }
            }));
        }
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::ydoc;
    use yrs::{Text, Transact};

    const LOAD: Load =
        Load { name: "", documents: 2, clients: 3, typing: 2, every: Duration::from_secs(1) };

    /// Returns a message with the first keystrokes of a client.
    fn typed(client: u64, text: &str) -> Vec<u8> {
        let doc = ydoc::new(FIRST_ID + client);
        let field = doc.get_or_insert_text("problem");
        let mut txn = doc.transact_mut();
        field.push(&mut txn, text);
        Message::Update(&txn.encode_update_v1()).encode()
    }

    #[test]
    fn a_keystroke_counts_once_at_each_client_other_than_its_writer() {
        let now = Instant::now();
        let schedule = Rc::new(Schedule::new(&LOAD, 1));
        let mut score = Score::new(&LOAD, schedule.clone(), now);
        let all = 2 * 2 * 2 * schedule.strokes;
        assert_eq!(score.missing, all);
        for receiver in [3, 5, 5, 4] {
            score.receive(receiver, &typed(4, "xx"), now).expect("typed in this document");
        }
        assert_eq!((score.missing, score.deliveries), (all - 4, 4));
    }

    #[test]
    fn what_nobody_typed_in_a_document_is_an_error() {
        let now = Instant::now();
        let mut score = Score::new(&LOAD, Rc::new(Schedule::new(&LOAD, 1)), now);
        // The first client is in the other document, the second only reads, and the third types less.
        for message in [typed(4, "x"), typed(2, "x"), typed(0, &"x".repeat(100))] {
            assert!(score.receive(1, &message, now).is_err());
        }
    }
}
