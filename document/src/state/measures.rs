//! What a document takes: estimates that grow with each edit. They become far too large, since keystrokes join and
//! deletions free. So where one passes its limit, the document is measured again.
//!
//! That goes through all of it and takes some 100 ms for the largest. It must not happen for each edit of a document that
//! is nearly full: it happens only where so much came in since the last time that it may help, and the larger the edit,
//! the more of that is needed.

use crate::limits;
use crate::update::{Formatting, ItemCounts, Refusal, Scan, Splits};

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
        let heads = BYTES_PER_HEAD * splits.count;
        self.size += bytes + heads;
        self.items.take(splits);
        let formats = self.formatting.take(scan);
        let doubtful = &mut self.doubtful;
        doubtful.bytes += bytes + heads + BYTES_PER_ELEMENT * deleted;
        doubtful.items += splits.added() + deleted;
        doubtful.formats += formats + deleted;
    }

    /// Whether a limit is near and much is doubtful. Then the document is measured at once, in the turn of the person whose
    /// edit made it so, and not in the next person's.
    pub(super) fn is_doubtful_and_nearly_full(&self) -> bool {
        let (_, bytes) = DOUBTFUL_BYTES;
        let (_, items) = DOUBTFUL_ITEMS;
        let all_items = self.items.after(&Splits::default());
        self.size + bytes > limits::MAX_STATE_BYTES && self.doubtful.bytes >= bytes
            || all_items + items > limits::MAX_ITEMS_PER_DOCUMENT && self.doubtful.items >= items
    }

    /// Whether an edit may fit once the document is measured again.
    pub(super) fn may_fit(&self, bytes: usize) -> bool {
        let excess = (self.size + bytes).saturating_sub(limits::MAX_STATE_BYTES);
        self.doubtful.bytes >= excess.max(needed(bytes, DOUBTFUL_BYTES))
    }

    /// Whether the items may be few enough, or their splits cheap enough, once the document is measured again.
    pub(super) fn may_be_fewer(&self, splits: &Splits, refusal: &Refusal) -> bool {
        let excess = match refusal {
            // What splits cost depends on how many items stand behind them.
            Refusal::Fragmented => self.items.after(&Splits::default()) / DOUBTFUL_FOR_EACH_NEW,
            _ => self.items.after(splits).saturating_sub(limits::MAX_ITEMS_PER_DOCUMENT),
        };
        self.doubtful.items >= excess.max(needed(splits.added(), DOUBTFUL_ITEMS))
    }

    /// Whether there may be less formatting once the document is measured again.
    pub(super) fn may_be_less_formatted(&self) -> bool {
        self.doubtful.formats >= MIN_DOUBTFUL_FORMATS
    }

    /// Checks the document's items and the cost of splits (rules U5, U11).
    pub(super) fn check(&self, splits: &Splits, max_moves: u64) -> Result<(), Refusal> {
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
