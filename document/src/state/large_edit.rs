//! Updates that cost more than one turn allows. Such an update is checked as a whole, in turns of its own, and then cut
//! into parts (rule C8). Until it is cut, nothing of it is integrated.

use super::DocumentState;
use super::edit_outcome::{EditOutcome, LargeEdit, NextTurn};
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::people::Actor;
use crate::update::{CheckedUpdate, Claim, ClientStructs, Refusal, Scan, Splits, parts, scan};

impl DocumentState {
    /// Takes the next turn of a large update: checks its costs, checks the positions of its elements, or cuts it into
    /// parts. Other people might have written since its last turn.
    ///
    /// # Errors
    /// Returns the same errors as [`edit`](Self::edit).
    pub fn continue_edit(
        &mut self,
        actor: &Actor,
        large: LargeEdit,
    ) -> Result<EditOutcome, Refusal> {
        let scan = scan(&large.update)?;
        let checked = self.index.check(&actor.person, &scan)?;
        // Since the update's last turn, other people might have deleted everything that the update deletes.
        if checked.is_empty() {
            return Ok(EditOutcome::Taken(None));
        }
        let next = match large.next {
            NextTurn::Costs => {
                NextTurn::Places(self.check_whole(large.update.len(), &scan, &checked)?)
            }
            NextTurn::Places(splits) => {
                let items = |client| self.measures.items.of_client_after(client, &splits);
                self.index.try_origins(&scan, items, MaxCosts::IN_PARTS.between)?;
                NextTurn::Cut
            }
            NextTurn::Cut => {
                let max_steps = limits::MAX_STEPS_PER_TURN;
                return self.cut(&large.update, &scan, &checked, &large.claims, max_steps);
            }
        };
        Ok(EditOutcome::NeedsMoreTurns(LargeEdit { next, ..large }))
    }

    /// Checks the size, the formatting and the splits of a whole update, so that it is refused before its first part is
    /// integrated. Returns the estimate of the splits.
    pub(super) fn check_whole(
        &mut self,
        bytes: usize,
        scan: &Scan<'_>,
        checked: &CheckedUpdate,
    ) -> Result<Splits, Refusal> {
        self.fits(bytes, scan, Source::Sent(MaxCosts::IN_PARTS))?;
        self.check_formatting(scan)?;
        self.splits(scan, checked, Some(MaxCosts::IN_PARTS))
    }

    pub(super) fn cut(
        &self,
        update: &[u8],
        scan: &Scan<'_>,
        checked: &CheckedUpdate,
        claims: &[Claim],
        max_steps: usize,
    ) -> Result<EditOutcome, Refusal> {
        let known = |client| self.index.next_clock(client);
        parts(update, scan, checked, claims, known, max_steps).map(EditOutcome::InParts)
    }

    /// Returns the number of new structs in an update, or the number of newly deleted ranges if that is larger.
    pub(super) fn steps(&self, scan: &Scan<'_>, checked: &CheckedUpdate) -> usize {
        let new = |run: &ClientStructs<'_>| {
            let next = self.index.next_clock(run.client);
            run.structs.len() - run.structs.partition_point(|item| item.end() <= next)
        };
        scan.runs.iter().map(new).sum::<usize>().max(checked.new_ranges().count())
    }
}
