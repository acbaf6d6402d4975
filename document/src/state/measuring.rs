//! Measures a document again when its estimates pass a limit.

use super::DocumentState;
use super::measures::Measures;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::update::{CheckedUpdate, Refusal, Scan, Splits, scan};
use yrs::StateVector;

/// Number of bytes by which a document may exceed its maximum size after an update that only deletes, because the
/// deletions make room.
const MAX_DELETING_BYTES: usize = 64 * 1024;

impl DocumentState {
    /// Checks that the encoded document may grow by an update of `bytes` bytes (rule U5). Updates whose cost is not
    /// limited, which are stored updates and the deletions of redactions, are not checked.
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

    /// Estimates the splits of an update. If `max` is given, also checks the cost of the splits and the number of items
    /// that the document would have.
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
        let Err(refusal) = self.measures.check(&splits, max.split_cost) else { return Ok(splits) };
        // An update that costs too much for one turn is cut into cheaper parts, which is faster than measuring the
        // document.
        let is_cut = refusal == Refusal::Fragmented && max == MaxCosts::TURN;
        if is_cut || !self.measures.may_be_fewer(&splits, &refusal) {
            return Err(refusal);
        }
        self.measure()?;
        let splits = self.measures.items.splits(&self.index, scan, novelty);
        self.measures.check(&splits, max.split_cost)?;
        Ok(splits)
    }

    /// Checks that an update does not add too much formatting (rule U13).
    pub(super) fn check_formatting(&mut self, update: &Scan<'_>) -> Result<(), Refusal> {
        let checked = self.measures.formatting.check(update);
        if checked.is_ok() || !self.measures.may_be_less_formatted() {
            return checked;
        }
        self.measure()?;
        self.measures.formatting.check(update)
    }

    /// Measures the whole document, and replaces all estimates.
    pub(super) fn measure(&mut self) -> Result<(), Refusal> {
        let document = self.encode_since(&StateVector::default());
        self.measures = Measures::of(&scan(&document)?, document.len());
        Ok(())
    }
}
