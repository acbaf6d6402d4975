//! Checks an update against the estimates of the document's size, items and formatting. When an estimate passes its limit,
//! the document is measured again.

use super::DocumentState;
use super::check_basis::CheckBasis;
use super::measures::Measures;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::update::{CheckedUpdate, Refusal, Scan, Splits, scan};
use yrs::{Doc, ReadTxn, StateVector, Transact};

/// Number of bytes by which a document may exceed its maximum size after an update that only deletes, because the
/// deletions make room.
const MAX_DELETING_BYTES: usize = 64 * 1024;

/// Measures the document. If it returns `None`, the estimates stay as they are.
pub(super) type Measure<'a> = &'a dyn Fn() -> Option<Measures>;

impl CheckBasis {
    fn measure(&mut self, measure: Measure<'_>) {
        if let Some(measures) = measure() {
            self.measures = measures;
        }
    }

    /// Checks that the encoded document may grow by an update of `bytes` bytes (rule U5). Updates whose cost is not
    /// limited, which are stored updates and the deletions of redactions, are not checked.
    pub(super) fn fits(
        &mut self,
        bytes: usize,
        scan: &Scan<'_>,
        source: Source,
        measure: Measure<'_>,
    ) -> Result<(), Refusal> {
        if source.max_costs().is_none() {
            return Ok(());
        }
        let margin = if scan.runs.is_empty() { MAX_DELETING_BYTES } else { 0 };
        let limit = limits::MAX_STATE_BYTES + margin;
        if self.measures.size + bytes > limit && self.measures.may_fit(bytes) {
            self.measure(measure);
        }
        if self.measures.size + bytes <= limit { Ok(()) } else { Err(Refusal::TooLarge) }
    }

    /// Estimates the splits of an update. If `max` is given, also checks the cost of the splits and the number of items
    /// that the document would have.
    pub(super) fn splits(
        &mut self,
        scan: &Scan<'_>,
        novelty: &CheckedUpdate,
        max: Option<MaxCosts>,
        measure: Measure<'_>,
    ) -> Result<Splits, Refusal> {
        if self.measures.items.is_vague() {
            self.measure(measure);
        }
        let splits = self.measures.items.splits(&self.index, scan, novelty);
        let Some(max) = max else { return Ok(splits) };
        let Err(refusal) = self.measures.check(&splits, max.split_cost) else { return Ok(splits) };
        // An update that costs too much for one turn is cut into cheaper parts, which is faster than measuring the
        // document.
        let is_cut = refusal == Refusal::Fragmented && max == MaxCosts::TURN;
        if is_cut || !self.measures.may_be_fewer(&splits, &refusal) {
            return Err(refusal);
        }
        self.measure(measure);
        let splits = self.measures.items.splits(&self.index, scan, novelty);
        self.measures.check(&splits, max.split_cost)?;
        Ok(splits)
    }

    /// Checks that an update does not add too much formatting (rule U13).
    pub(super) fn check_formatting(
        &mut self,
        update: &Scan<'_>,
        measure: Measure<'_>,
    ) -> Result<(), Refusal> {
        let checked = self.measures.formatting.check(update);
        if checked.is_ok() || !self.measures.may_be_less_formatted() {
            return checked;
        }
        self.measure(measure);
        self.measures.formatting.check(update)
    }

    /// Checks the size, the formatting and the splits of a whole update, so that it is refused before its first part is
    /// integrated. Returns the estimate of the splits.
    pub(super) fn check_whole(
        &mut self,
        bytes: usize,
        scan: &Scan<'_>,
        checked: &CheckedUpdate,
        measure: Measure<'_>,
    ) -> Result<Splits, Refusal> {
        self.fits(bytes, scan, Source::Sent(MaxCosts::IN_PARTS), measure)?;
        self.check_formatting(scan, measure)?;
        self.splits(scan, checked, Some(MaxCosts::IN_PARTS), measure)
    }
}

impl DocumentState {
    /// Measures the whole document, and replaces all estimates.
    pub(super) fn measure(&mut self) {
        let doc = &self.doc;
        self.basis.measure(&|| measured(doc));
    }
}

/// Measures a whole document. Returns `None` if its encoding can't be read, which would be a fault of this program.
pub(super) fn measured(doc: &Doc) -> Option<Measures> {
    let document = doc.transact().encode_diff_v1(&StateVector::default());
    Some(Measures::of(&scan(&document).ok()?, document.len()))
}
