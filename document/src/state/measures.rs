//! Estimates of a document's size, items and formatting. They grow with each edit, and become far too large, because
//! keystrokes merge and deletions free space. So when an estimate passes its limit, the document is measured again.
//!
//! Measuring reads the whole document, which takes about 100 ms for the largest one. It must not happen for each edit
//! of a document that is nearly full. The estimates can be too large by about as much as was added or deleted since the
//! last measurement: the *doubtful* amount. The document is measured only if this amount is so large that the edit
//! could fit afterwards. The larger the edit, the larger the doubtful amount must be.

use crate::limits;
use crate::update::{Formatting, ItemCounts, Refusal, Scan, Splits};

/// A document is measured again for an edit only if at least this many times the size of the edit was added or deleted
/// since the last measurement. The size is in bytes or in items.
const DOUBTFUL_FOR_EACH_NEW: usize = 8;
/// Minimum and maximum of the result of [`needed`] in bytes, however large the edit is: 4 KiB and 64 KiB.
const DOUBTFUL_BYTES: (usize, usize) = (4 * 1024, 64 * 1024);
/// Minimum and maximum of the result of [`needed`] in items, however large the edit is: 128 and 16,384.
const DOUBTFUL_ITEMS: (usize, usize) = (128, 16 * 1024);
/// Formatting is measured again only if at least this many pieces and lines were added and elements deleted since the
/// last measurement, all of them counted together.
const MIN_DOUBTFUL_FORMATS: usize = 64;
/// Approximate number of bytes that deleting an element frees: up to 3 bytes of text, and the head of its item.
const BYTES_PER_ELEMENT: usize = 32;
/// Maximum size of an item's head, in bytes: its kind and its two neighbours. Each split adds one head.
const BYTES_PER_HEAD: usize = 32;

/// Estimates of a document's size, items and formatting, which are never too small.
#[derive(Debug, Clone, Default)]
pub(super) struct Measures {
    /// Size of the encoded document, in bytes.
    pub(super) size: usize,
    pub(super) items: ItemCounts,
    pub(super) formatting: Formatting,
    doubtful: Doubtful,
}

/// The amounts by which the estimates can be too large: the content added or deleted since the last measurement.
#[derive(Debug, Clone, Default)]
struct Doubtful {
    bytes: usize,
    items: usize,
    formats: usize,
}

impl Measures {
    /// Measures a whole document from its encoding, which has `bytes` bytes.
    pub(super) fn of(document: &Scan<'_>, bytes: usize) -> Self {
        Self {
            size: bytes,
            items: ItemCounts::of(document),
            formatting: Formatting::of(document),
            doubtful: Doubtful::default(),
        }
    }

    /// Adds an edit to the estimates: its new content, its splits, its size in bytes, and the number of elements that
    /// it deletes.
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

    /// Returns whether an estimate is near its limit, and so much was added or deleted since the last measurement that
    /// measuring can lower the estimate. The document is then measured in the turn of the person whose edit led to
    /// this, and not in the turn of the next person.
    pub(super) fn is_doubtful_and_nearly_full(&self) -> bool {
        let (_, bytes) = DOUBTFUL_BYTES;
        let (_, items) = DOUBTFUL_ITEMS;
        let all_items = self.items.after(&Splits::default());
        self.size + bytes > limits::MAX_STATE_BYTES && self.doubtful.bytes >= bytes
            || all_items + items > limits::MAX_ITEMS_PER_DOCUMENT && self.doubtful.items >= items
    }

    /// Returns whether an edit of `bytes` bytes could fit after the document is measured again.
    pub(super) fn may_fit(&self, bytes: usize) -> bool {
        let excess = (self.size + bytes).saturating_sub(limits::MAX_STATE_BYTES);
        self.doubtful.bytes >= excess.max(needed(bytes, DOUBTFUL_BYTES))
    }

    /// Returns whether measuring the document again could avoid a refusal, because it would find fewer items or cheaper
    /// splits.
    pub(super) fn may_be_fewer(&self, splits: &Splits, refusal: &Refusal) -> bool {
        let excess = match refusal {
            // The cost of a split depends on the number of items behind it.
            Refusal::Fragmented => self.items.after(&Splits::default()) / DOUBTFUL_FOR_EACH_NEW,
            _ => self.items.after(splits).saturating_sub(limits::MAX_ITEMS_PER_DOCUMENT),
        };
        self.doubtful.items >= excess.max(needed(splits.added(), DOUBTFUL_ITEMS))
    }

    /// Returns whether measuring the document again could find less formatting.
    pub(super) fn may_be_less_formatted(&self) -> bool {
        self.doubtful.formats >= MIN_DOUBTFUL_FORMATS
    }

    /// Checks the number of the document's items, and the cost of an update's splits (rules U5, U11).
    pub(super) fn check(&self, splits: &Splits, max_split_cost: u64) -> Result<(), Refusal> {
        if self.items.after(splits) > limits::MAX_ITEMS_PER_DOCUMENT {
            return Err(Refusal::TooLarge);
        }
        if splits.cost > max_split_cost { Err(Refusal::Fragmented) } else { Ok(()) }
    }
}

/// Returns how much must have been added or deleted since the last measurement before the document is measured again
/// for an edit that adds `new`. Both amounts are in the same unit, bytes or items.
fn needed(new: usize, (least, most): (usize, usize)) -> usize {
    (DOUBTFUL_FOR_EACH_NEW * new).clamp(least, most)
}
