//! Measuring a document again, where its estimates pass a limit.

use super::DocumentState;
use super::measures::Measures;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::update::{CheckedUpdate, Refusal, Scan, Splits, scan};
use yrs::StateVector;

/// An update that only deletes may go beyond the limit by so much: it makes room.
const MAX_DELETING_BYTES: usize = 64 * 1024;

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
        if checked.is_ok() || !self.measures.may_be_less_formatted() {
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
