//! Large edits: updates with many bytes, and updates that cost more than one turn allows. A large edit is checked as a
//! whole and then cut into parts (rule C8). The check needs no live document, so it is made on a copy of the facts by
//! which edits are judged, while other people write. Until the edit is cut, nothing of it is integrated.

use super::DocumentState;
use super::checks::Checks;
use super::edit_outcome::{EditOutcome, LargeEdit};
use super::measuring::Measure;
use super::source::{MaxCosts, Source};
use crate::limits;
use crate::people::Actor;
use crate::update::{Refusal, UpdatePart, parts, scan};
use std::cell::Cell;

/// The check of a large edit, with a copy of everything that it reads. It can run on any thread.
#[derive(Debug)]
pub struct LargeCheck {
    edit: LargeEdit,
    checks: Checks,
    actor: Actor,
    is_frozen: bool,
    unless_empty: Option<Refusal>,
}

/// The result of a [`LargeCheck`].
#[derive(Debug)]
pub struct CheckedEdit(Result<Finding, Refusal>);

#[derive(Debug)]
enum Finding {
    /// The edit adds nothing.
    Nothing,
    /// The edit has so few items that it is one part, which is checked in its turn.
    OnePart(UpdatePart),
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
        if found.is_err() && wants_measuring.get() && !self.edit.is_measured {
            let edit = LargeEdit { is_measured: true, ..self.edit };
            return CheckedEdit(Ok(Finding::Unmeasured(edit)));
        }
        CheckedEdit(found)
    }

    fn find(&mut self, measure: Measure<'_>) -> Result<Finding, Refusal> {
        let Self { edit, checks, actor, .. } = self;
        let update = checks.merged(actor, &edit.update, limits::MAX_ITEMS_PER_UPDATE)?;
        let scan = scan(&update)?;
        let structs: usize = scan.runs.iter().map(|run| run.structs.len()).sum();
        if structs.max(scan.deletes.len()) <= limits::MAX_STEPS_PER_TURN {
            let claims = std::mem::take(&mut edit.claims);
            return Ok(Finding::OnePart(UpdatePart { update: update.into_owned(), claims }));
        }
        let checked = checks.index.check(&actor.person, &scan)?;
        if checked.is_empty() {
            return Ok(Finding::Nothing);
        }
        if let Some(refusal) = self.unless_empty.take() {
            return Err(refusal);
        }
        let max = MaxCosts::IN_PARTS;
        checks.may_integrate(actor, &checked, Source::Sent(max), self.is_frozen)?;
        let splits = checks.check_whole(update.len(), &scan, &checked, measure)?;
        let items = |client| checks.measures.items.of_client_after(client, &splits);
        checks.index.check_origins(&scan, items, Some(max.between))?;
        let known = |client| checks.index.next_clock(client);
        let max_steps = limits::MAX_STEPS_PER_TURN;
        parts(&update, &scan, &checked, &edit.claims, known, max_steps).map(Finding::Parts)
    }
}

impl DocumentState {
    /// Copies what the check of a large edit reads, which takes up to 30 ms. `unless_empty` is the refusal of an edit that
    /// adds something, if the edits of its author are not accepted now (rules M4, U6, U10).
    #[must_use]
    pub fn begin_check(
        &self,
        actor: &Actor,
        edit: LargeEdit,
        unless_empty: Option<Refusal>,
    ) -> LargeCheck {
        LargeCheck {
            edit,
            checks: self.checks.clone(),
            actor: actor.clone(),
            is_frozen: self.releases.is_frozen(),
            unless_empty,
        }
    }

    /// Returns the parts of a large edit, once it is checked. Other people might have written meanwhile. Each part is
    /// checked once more when it is integrated ([`edit_part`](Self::edit_part)). An edit of few items is one part, which was
    /// not checked yet.
    ///
    /// # Errors
    /// Returns the refusal if the check has refused the edit. Returns `unless_empty` if it is given and the edit is found to
    /// add something.
    pub fn end_check(
        &mut self,
        CheckedEdit(found): CheckedEdit,
        unless_empty: Option<Refusal>,
    ) -> Result<EditOutcome, Refusal> {
        match (found?, unless_empty) {
            (Finding::Nothing, _) => Ok(EditOutcome::Taken(None)),
            (Finding::OnePart(part), _) => Ok(EditOutcome::InParts(vec![part])),
            (_, Some(refusal)) => Err(refusal),
            (Finding::Parts(parts), None) => Ok(EditOutcome::InParts(parts)),
            (Finding::Unmeasured(edit), None) => {
                self.measure();
                Ok(EditOutcome::NeedsCheck(edit))
            }
        }
    }
}
