//! Yjs updates written byte by byte, because no editor would send the updates that cost the server most.

use accord_document::lib0::Write as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

/// The text root that all updates change.
const FIELD: &[u8] = b"problem";

/// The kind of content in the first byte of an item of text (Yjs 13, `Item.write`).
const TEXT: u8 = 4;
/// The kind of content in the first byte of a format item (Yjs 13, `Item.write`).
const FORMAT: u8 = 6;
/// The flag in the first byte of an item that says that the id of its left neighbour (origin) follows.
const HAS_ORIGIN: u8 = 0x80;
/// The flag in the first byte of an item that says that the id of its right neighbour (right origin) follows.
const HAS_RIGHT_ORIGIN: u8 = 0x40;

/// The client and clock of an element.
pub(crate) type Id = (u64, u32);

/// An update that is being built from the structs of one or more clients, and deleted ranges.
#[derive(Debug, Default)]
pub(crate) struct Update {
    runs: Vec<(u64, u32, Vec<Vec<u8>>)>,
    deleted: Vec<(u64, Vec<(u32, u32)>)>,
}

impl Update {
    /// Adds structs of one client, the first of which has the given clock.
    pub(crate) fn structs(mut self, client: u64, clock: u32, structs: Vec<Vec<u8>>) -> Self {
        self.runs.push((client, clock, structs));
        self
    }

    /// Adds deleted ranges of one client's elements, each as its first clock and its length.
    pub(crate) fn deletes(mut self, client: u64, ranges: Vec<(u32, u32)>) -> Self {
        self.deleted.push((client, ranges));
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(self.runs.len() as u64);
        for (client, clock, structs) in &self.runs {
            out.put_var(structs.len() as u64);
            out.put_var(*client);
            out.put_var(u64::from(*clock));
            structs.iter().for_each(|bytes| out.extend_from_slice(bytes));
        }
        out.put_var(self.deleted.len() as u64);
        for (client, ranges) in &self.deleted {
            out.put_var(*client);
            out.put_var(ranges.len() as u64);
            for (clock, len) in ranges {
                out.put_var(u64::from(*clock));
                out.put_var(u64::from(*len));
            }
        }
        out
    }
}

fn neighbours(out: &mut Vec<u8>, left: Option<Id>, right: Option<Id>) {
    for (client, clock) in left.into_iter().chain(right) {
        out.put_var(client);
        out.put_var(u64::from(clock));
    }
    if left.is_none() && right.is_none() {
        out.push(1);
        out.put_buf(FIELD);
    }
}

fn flags(left: Option<Id>, right: Option<Id>) -> u8 {
    let flag = |is: bool, flag| if is { flag } else { 0 };
    flag(left.is_some(), HAS_ORIGIN) | flag(right.is_some(), HAS_RIGHT_ORIGIN)
}

/// Returns an item of text between two elements, or at the beginning of the text if both are `None`.
pub(crate) fn text(left: Option<Id>, right: Option<Id>, text: &str) -> Vec<u8> {
    let mut out = vec![TEXT | flags(left, right)];
    neighbours(&mut out, left, right);
    out.put_buf(text.as_bytes());
    out
}

/// Returns a format item between two elements, with the name of an attribute and its value as JSON.
pub(crate) fn format(left: Option<Id>, right: Option<Id>, name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![FORMAT | flags(left, right)];
    neighbours(&mut out, left, right);
    out.put_buf(name.as_bytes());
    out.put_buf(value.as_bytes());
    out
}

/// A text that one client writes at random places. No item continues the one before it, so nothing can be merged.
#[derive(Debug)]
pub(crate) struct Scattered {
    client: u64,
    /// Text of each item.
    piece: &'static str,
    /// For each item, by its number: the number of the item that follows it in the text, or `None` for the last item.
    next: Vec<Option<u32>>,
    random: StdRng,
}

impl Scattered {
    pub(crate) fn new(client: u64, piece: &'static str) -> Self {
        Self { client, piece, next: Vec::new(), random: StdRng::seed_from_u64(client) }
    }

    /// Returns the first clock that is not written yet.
    pub(crate) fn end(&self) -> u32 {
        (self.next.len() * self.piece.len()) as u32
    }

    /// Returns an update that writes `count` more items.
    pub(crate) fn grow(&mut self, count: usize) -> Update {
        let from = self.end();
        let structs = (0..count).map(|_| self.item()).collect();
        Update::default().structs(self.client, from, structs)
    }

    fn item(&mut self) -> Vec<u8> {
        let number = self.next.len();
        if number == 0 {
            self.next.push(None);
            return text(None, None, self.piece);
        }
        let mut before = self.random.random_range(0..number);
        if before + 1 == number && number > 1 {
            // If the new item directly followed the item written before it, the two would be merged.
            before = number - 2;
        }
        let after = self.next[before];
        let len = self.piece.len() as u32;
        let id = |item: u32, last: u32| (self.client, item * len + last);
        let item =
            text(Some(id(before as u32, len - 1)), after.map(|item| id(item, 0)), self.piece);
        self.next[before] = Some(number as u32);
        self.next.push(after);
        item
    }
}

/// Returns an update that writes a long text as one item.
pub(crate) fn long(client: u64, text_of: &str) -> Vec<u8> {
    Update::default().structs(client, 0, vec![text(None, None, text_of)]).encode()
}

/// Returns an update that deletes `count` elements of a client: every second one, beginning with a clock.
pub(crate) fn every_second(client: u64, from: u32, count: u32) -> Vec<u8> {
    let ranges = (0..count).map(|at| (from + 2 * at, 1)).collect();
    Update::default().deletes(client, ranges).encode()
}
