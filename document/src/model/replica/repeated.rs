//! Text that repeats older text because it is pasted, dragged or restored. Claims credit such text to its first
//! authors.

use super::origin::REMOTE;
use super::{Replica, find};
use crate::model::Target;
use crate::model::delta::{self, Op};
use crate::update::{Range, pasted, repeated};
use yrs::types::text::YChange;
use yrs::{Any, Out, ReadTxn, Snapshot, Text, Transact};

/// Maximum length of a passage that is remembered for pasting, in UTF-16 code units. A longer passage counts as written
/// by the person who pastes it. Usual commitments are shorter.
const MAX_COPIED_UNITS: u32 = 200_000;

/// A copied passage: its UTF-16 code units, and the elements that contain them.
#[derive(Debug, Default)]
pub(super) struct Copied {
    text: Vec<u16>,
    elements: Vec<Range>,
}

impl Replica {
    /// Writes text that repeats characters of this document; `sources` are the elements of those characters, in order.
    /// The repetition is claimed only if there are as many new characters as old ones.
    pub fn repeat(&mut self, target: &Target, ops: &[Op], sources: &[Range]) {
        let before = self.log().made.len();
        self.edit(target, ops);
        let claims = repeated(&self.log().made[before..], sources);
        self.claims.extend(claims);
    }

    /// Remembers a passage that is copied or dragged, so that a later paste can claim it. `from` and `len` are in
    /// UTF-16 code units.
    pub fn copy(&mut self, target: &Target, from: u32, len: u32) {
        self.copied = Copied::default();
        if len > MAX_COPIED_UNITS {
            return;
        }
        let units = delta::units(&self.read(target));
        let range = from as usize..from.saturating_add(len) as usize;
        if let Some(text) = units.get(range) {
            self.copied =
                Copied { text: text.to_vec(), elements: self.elements(target, from, len) };
        }
    }

    /// Applies a paste to a text. If the pasted text contains the passage that was copied last, or is a part of it, the
    /// characters that both have in common are claimed to repeat that passage.
    pub fn paste(&mut self, target: &Target, ops: &[Op]) {
        let before = self.log().made.len();
        self.edit(target, ops);
        let Copied { text, elements } = &self.copied;
        let claims = pasted(&self.log().made[before..], text, elements);
        self.claims.extend(claims);
    }

    /// Returns the elements of a passage, in order.
    fn elements(&self, target: &Target, from: u32, len: u32) -> Vec<Range> {
        let mut txn = self.doc.transact_mut_with(REMOTE);
        let Some(text) = find(&txn, target) else { return Vec::new() };
        // Compared with an empty snapshot, all text counts as new, and yrs names the first element of each new chunk.
        let (nothing, all) = (Snapshot::default(), txn.snapshot());
        let chunks = text.diff_range(&mut txn, Some(&all), Some(&nothing), YChange::identity);
        let (mut at, end) = (0, from + len);
        let mut found = Vec::new();
        for chunk in chunks {
            let length = match &chunk.insert {
                Out::Any(Any::String(text)) => delta::utf16_len(text),
                _ => 1,
            };
            let (start, stop) = (from.max(at), end.min(at + length));
            if let (true, Some(change)) = (start < stop, &chunk.ychange) {
                let clock = change.id.clock + (start - at);
                found.push(Range { client: change.id.client.get(), clock, len: stop - start });
            }
            at += length;
        }
        found
    }
}
