//! Text that is written again: pasted, dragged, or put back. It stays its authors'.

use super::origin::REMOTE;
use super::{Replica, find};
use crate::model::Target;
use crate::model::delta::{self, Op};
use crate::update::{Range, pasted, repeated};
use yrs::types::text::YChange;
use yrs::{Any, Out, ReadTxn, Snapshot, Text, Transact};

/// A longer passage, in UTF-16 code units, counts as text of the person who pastes it: it is more than a commitment holds.
const COPIED: u32 = 200_000;

/// A passage that was copied: what it says, and which elements say it.
#[derive(Debug, Default)]
pub(super) struct Copied {
    text: Vec<u16>,
    elements: Vec<Range>,
}

impl Replica {
    /// Writes text that repeats characters of this document: `sources` says which, in order. They are
    /// claimed, unless there are more or fewer of them than new ones.
    pub fn repeat(&mut self, target: &Target, ops: &[Op], sources: &[Range]) {
        let before = self.log().made.len();
        self.edit(target, ops);
        let claims = repeated(&self.log().made[before..], sources);
        self.claims.extend(claims);
    }

    /// Remembers a passage that is copied or dragged, for when it is pasted.
    pub fn copy(&mut self, target: &Target, from: u32, len: u32) {
        self.copied = Copied::default();
        if len > COPIED {
            return;
        }
        let units = delta::units(&self.read(target));
        let range = from as usize..from.saturating_add(len) as usize;
        if let Some(text) = units.get(range) {
            self.copied =
                Copied { text: text.to_vec(), elements: self.elements(target, from, len) };
        }
    }

    /// Changes a text by what was pasted. As far as that is the passage copied last, or part of it, its
    /// characters are claimed to be those.
    pub fn paste(&mut self, target: &Target, ops: &[Op]) {
        let before = self.log().made.len();
        self.edit(target, ops);
        let Copied { text, elements } = &self.copied;
        let claims = pasted(&self.log().made[before..], text, elements);
        self.claims.extend(claims);
    }

    /// The elements of a passage, in order.
    fn elements(&self, target: &Target, from: u32, len: u32) -> Vec<Range> {
        let mut txn = self.doc.transact_mut_with(REMOTE);
        let Some(text) = find(&txn, target) else { return Vec::new() };
        // Beside a document without anything all is new, and yrs tells the id of what is new.
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
