//! What a document takes: estimates that grow with each edit. They become far too large, since keystrokes join and
//! deletions free. So where one passes its limit, the document is measured again.
//!
//! That goes through all of it and takes some 100 ms for the largest. It must not happen for each edit of a document that
//! is nearly full: it happens only where so much came in since the last time that it may help, and the larger the edit,
//! the more of that is needed.

use super::DocumentState;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::update::{CheckedUpdate, Formatting, ItemCounts, Refusal, Scan, Splits, scan};
use yrs::StateVector;

/// Before the document is measured for an edit, so many times of what it brings must be doubtful.
const DOUBTFUL_FOR_EACH_NEW: usize = 8;
/// At least so many bytes must be doubtful, and no more than these need be, however large the edit is.
const DOUBTFUL_BYTES: (usize, usize) = (4 * 1024, 64 * 1024);
/// The same for items.
const DOUBTFUL_ITEMS: (usize, usize) = (128, 16 * 1024);
/// At least so many pieces and lines must be doubtful.
const MIN_DOUBTFUL_FORMATS: usize = 64;
/// What a deleted element frees, about: up to 3 bytes of text, and the head of its item.
const BYTES_PER_ELEMENT: usize = 32;
/// The most bytes of the head of an item: its kind, and its two neighbours. A split adds one.
const BYTES_PER_HEAD: usize = 32;
/// An update that only deletes may go beyond the limit by so much: it makes room.
const MAX_DELETING_BYTES: usize = 64 * 1024;

/// Estimates of what a document takes.
#[derive(Debug, Default)]
pub(super) struct Measures {
    /// Of the encoded document, in bytes.
    pub(super) size: usize,
    pub(super) items: ItemCounts,
    pub(super) formatting: Formatting,
    doubtful: Doubtful,
}

/// By how much the estimates may be too large: what came in, and what was deleted, since they were measured.
#[derive(Debug, Default)]
struct Doubtful {
    bytes: usize,
    items: usize,
    formats: usize,
}

impl Measures {
    /// Of a whole document, as it is encoded.
    pub(super) fn of(document: &Scan<'_>, bytes: usize) -> Self {
        Self {
            size: bytes,
            items: ItemCounts::of(document),
            formatting: Formatting::of(document),
            doubtful: Doubtful::default(),
        }
    }

    /// Takes in an edit: what it brings, what it splits, the bytes that were new, and how many elements it deletes.
    pub(super) fn take(&mut self, scan: &Scan<'_>, splits: &Splits, bytes: usize, deleted: usize) {
        let heads = BYTES_PER_HEAD * splits.added().saturating_sub(structs(scan));
        self.size += bytes + heads;
        self.items.take(splits);
        let formats = self.formatting.take(scan);
        let doubtful = &mut self.doubtful;
        doubtful.bytes += bytes + heads + BYTES_PER_ELEMENT * deleted;
        doubtful.items += splits.added() + deleted;
        doubtful.formats += formats + deleted;
    }

    /// Whether a limit is near, and so much is doubtful that the document is better measured now: in the turn of whoever
    /// brought that, and not of the next person.
    pub(super) fn is_doubtful_and_nearly_full(&self) -> bool {
        let (_, bytes) = DOUBTFUL_BYTES;
        let (_, items) = DOUBTFUL_ITEMS;
        let all_items = self.items.after(&Splits::default());
        self.size + bytes > limits::MAX_STATE_BYTES && self.doubtful.bytes >= bytes
            || all_items + items > limits::MAX_ITEMS_PER_DOCUMENT && self.doubtful.items >= items
    }

    /// Whether an edit may fit once the document is measured again.
    fn may_fit(&self, bytes: usize) -> bool {
        let excess = (self.size + bytes).saturating_sub(limits::MAX_STATE_BYTES);
        self.doubtful.bytes >= excess.max(needed(bytes, DOUBTFUL_BYTES))
    }

    /// Whether the items may be few enough, or their splits cheap enough, once the document is measured again.
    fn may_be_fewer(&self, splits: &Splits, refusal: &Refusal) -> bool {
        let excess = match refusal {
            // What splits cost depends on how many items stand behind them.
            Refusal::Fragmented => self.items.after(&Splits::default()) / DOUBTFUL_FOR_EACH_NEW,
            _ => self.items.after(splits).saturating_sub(limits::MAX_ITEMS_PER_DOCUMENT),
        };
        self.doubtful.items >= excess.max(needed(splits.added(), DOUBTFUL_ITEMS))
    }

    /// Checks the document's items and the cost of splits (rules U5, U11).
    fn check(&self, splits: &Splits, max_moves: u64) -> Result<(), Refusal> {
        if self.items.after(splits) > limits::MAX_ITEMS_PER_DOCUMENT {
            return Err(Refusal::TooLarge);
        }
        if splits.moves > max_moves { Err(Refusal::Fragmented) } else { Ok(()) }
    }
}

/// How much must be doubtful before the document is measured for an edit that brings `new`.
fn needed(new: usize, (least, most): (usize, usize)) -> usize {
    (DOUBTFUL_FOR_EACH_NEW * new).clamp(least, most)
}

fn structs(scan: &Scan<'_>) -> usize {
    scan.runs.iter().map(|run| run.structs.len()).sum()
}

impl DocumentState {
    /// Checks that the encoded document may grow by an update of `bytes` (rule U5). What is stored came in once, and is
    /// not held against the limit again.
    pub(super) fn fits(
        &mut self,
        bytes: usize,
        scan: &Scan<'_>,
        source: Source,
    ) -> Result<(), Refusal> {
        if source.max_costs().is_none() {
            return Ok(());
        }
        let margin = if scan.runs.is_empty() { MAX_DELETING_BYTES } else { 0 };
        let limit = limits::MAX_STATE_BYTES + margin;
        if self.measures.size + bytes > limit && self.measures.may_fit(bytes) {
            self.measure()?;
        }
        if self.measures.size + bytes <= limit { Ok(()) } else { Err(Refusal::TooLarge) }
    }

    /// Estimates what an update splits, and checks it where that is limited.
    pub(super) fn splits(
        &mut self,
        scan: &Scan<'_>,
        novelty: &CheckedUpdate,
        max: Option<MaxCosts>,
    ) -> Result<Splits, Refusal> {
        if self.measures.items.is_vague() {
            self.measure()?;
        }
        let splits = self.measures.items.splits(&self.index, scan, novelty);
        let Some(max) = max else { return Ok(splits) };
        let Err(refusal) = self.measures.check(&splits, max.moves) else { return Ok(splits) };
        // Parts of it cost less: that is sooner known than how many items there are.
        let is_cut = refusal == Refusal::Fragmented && max == MaxCosts::TURN;
        if is_cut || !self.measures.may_be_fewer(&splits, &refusal) {
            return Err(refusal);
        }
        self.measure()?;
        let splits = self.measures.items.splits(&self.index, scan, novelty);
        self.measures.check(&splits, max.moves)?;
        Ok(splits)
    }

    /// Checks that an update does not bring too much formatting.
    pub(super) fn check_formatting(&mut self, update: &Scan<'_>) -> Result<(), Refusal> {
        let checked = self.measures.formatting.check(update);
        if checked.is_ok() || self.measures.doubtful.formats < MIN_DOUBTFUL_FORMATS {
            return checked;
        }
        self.measure()?;
        self.measures.formatting.check(update)
    }

    /// Measures the whole document.
    pub(super) fn measure(&mut self) -> Result<(), Refusal> {
        let document = self.encode_since(&StateVector::default());
        self.measures = Measures::of(&scan(&document)?, document.len());
        Ok(())
    }
}
