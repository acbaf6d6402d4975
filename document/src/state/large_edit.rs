//! Large edits: updates with many bytes, and updates that cost more than one turn allows. A large edit is checked as a
//! whole and then cut into parts (rule C8). The check needs no live document, so it is made on a copy of the facts by
//! which edits are judged, while other people write. Until the edit is cut, nothing of it is integrated.

use super::DocumentState;
use super::check_basis::CheckBasis;
use super::edit_outcome::{EditOutcome, LargeEdit};
use super::measuring::Measure;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::people::Actor;
use crate::update::{PartLimits, Refusal, UpdatePart, parts, scan};
use std::cell::Cell;

/// The check of a large edit, with a copy of everything that it reads. It can run on any thread.
#[derive(Debug)]
pub struct LargeCheck {
    edit: LargeEdit,
    basis: CheckBasis,
    actor: Actor,
    is_frozen: bool,
    /// Whether an edit that adds something was accepted from its author when the check began.
    is_accepted: bool,
}

/// The result of a [`LargeCheck`].
#[derive(Debug)]
pub struct CheckedEdit(Result<Finding, Refusal>);

#[derive(Debug)]
enum Finding {
    /// The edit adds nothing.
    Nothing,
    /// The edit adds something, but the edits of its author were not accepted when the check began.
    NotAccepted(LargeEdit),
    Parts(Vec<UpdatePart>),
    /// The edit may be too large. The document must be measured before the edit is checked again.
    Unmeasured(LargeEdit),
}

impl LargeCheck {
    /// Checks the edit, and cuts it into parts. This takes about 0.1 s for an update of the most items, and up to 0.7 s if
    /// many elements of others are between the neighbours of its elements.
    #[must_use]
    pub fn run(mut self) -> CheckedEdit {
        let wants_measuring = Cell::new(false);
        let measure = || {
            wants_measuring.set(true);
            None
        };
        let found = self.find(&measure);
        if found.is_err() && wants_measuring.get() {
            return CheckedEdit(Ok(Finding::Unmeasured(self.edit)));
        }
        CheckedEdit(found)
    }

    fn find(&mut self, measure: Measure<'_>) -> Result<Finding, Refusal> {
        let Self { edit, basis, actor, .. } = self;
        let update = basis.merged(actor, &edit.update, limits::MAX_ITEMS_PER_UPDATE)?;
        let scan = scan(&update)?;
        let checked = basis.index.check(&actor.person, &scan)?;
        if checked.is_empty() {
            return Ok(Finding::Nothing);
        }
        if !self.is_accepted {
            let (update, claims) =
                (std::mem::take(&mut edit.update), std::mem::take(&mut edit.claims));
            return Ok(Finding::NotAccepted(LargeEdit { update, claims }));
        }
        // A long pasted text has many bytes and few new items. Its only turn checks it.
        let steps = limits::MAX_STEPS_PER_TURN;
        let deleted = basis.max_deleted(&checked).unwrap_or(u32::MAX);
        let part_limits = PartLimits { steps, deleted };
        if basis.steps(&scan, &checked) <= steps {
            let known = |client| basis.index.next_clock(client);
            let parts = parts(&update, &scan, &checked, &edit.claims, known, part_limits);
            return parts.map(Finding::Parts);
        }
        let max = MaxCosts::IN_PARTS;
        basis.may_integrate(actor, &checked, Source::Sent(max), self.is_frozen)?;
        let splits = basis.check_whole(update.len(), &scan, &checked, measure)?;
        let items = |client| basis.measures.items.of_client_after(client, &splits);
        basis.index.check_origins(&scan, items, Some(max.between))?;
        let known = |client| basis.index.next_clock(client);
        parts(&update, &scan, &checked, &edit.claims, known, part_limits).map(Finding::Parts)
    }
}

impl DocumentState {
    /// Copies what the check of a large edit reads, which takes some milliseconds. `is_accepted` says whether edits of the
    /// author that add something are accepted now (rules M4, U6, U10).
    #[must_use]
    pub fn begin_check(&self, actor: &Actor, edit: LargeEdit, is_accepted: bool) -> LargeCheck {
        LargeCheck {
            edit,
            basis: self.basis.clone(),
            actor: actor.clone(),
            is_frozen: self.releases.is_frozen(),
            is_accepted,
        }
    }

    /// Returns the parts of a large edit, once it is checked. Other people might have written meanwhile, so each part is
    /// checked once more when it is integrated ([`edit_part`](Self::edit_part)). `refusal_if_new` is the refusal of an edit
    /// that adds something, if such edits of the author are not accepted now.
    ///
    /// # Errors
    /// Returns the refusal if the check has refused the edit. Returns `refusal_if_new` if it is given and the check found
    /// that the edit adds something. If the author may not write any more, its parts are refused.
    pub fn end_check(
        &mut self,
        CheckedEdit(found): CheckedEdit,
        refusal_if_new: Option<Refusal>,
    ) -> Result<EditOutcome, Refusal> {
        match (found?, refusal_if_new) {
            (Finding::Nothing, _) => Ok(EditOutcome::Taken(None)),
            // Others might have made the same changes meanwhile, so each part is judged in its turn.
            (Finding::Parts(parts), _) => Ok(EditOutcome::InParts(parts)),
            (_, Some(refusal)) => Err(refusal),
            (Finding::NotAccepted(edit), None) => Ok(EditOutcome::NeedsCheck(edit)),
            (Finding::Unmeasured(edit), None) => {
                self.measure();
                Ok(EditOutcome::NeedsCheck(edit))
            }
        }
    }
}
