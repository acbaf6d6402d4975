//! What a person is allowed to do in a document now, and the signal that the permissions of people may have changed.

use crate::generation::Generation;
use crate::people::People;
use crate::plans::Plans;
use accord_document::ids::DocumentId;
use accord_document::people::{Action, Actor, Seat, Standing, permits};
use accord_document::plan::Grant;
use accord_document::sync::{Admission, Denied};
use tokio::sync::watch;

/// The lookup of a person's permissions. It reads only data in memory, so no method blocks.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    people: People,
    plans: Plans,
    generation: Generation,
}

impl Access {
    #[must_use]
    pub(crate) fn new(people: People, plans: Plans, generation: Generation) -> Self {
        Self { people, plans, generation }
    }

    /// Returns what the person behind a connection is allowed to do in a document now.
    ///
    /// # Errors
    /// Returns [`Denied::SignedOut`] if the session has ended, or [`Denied::NotShared`] if the person has no access to
    /// the document.
    pub(crate) fn grant(
        &self,
        admission: &Admission,
        document: &DocumentId,
    ) -> Result<Grant, Denied> {
        let person = self.people.sessions().person(&admission.session);
        let person = person.ok_or(Denied::SignedOut)?;
        self.plans.grant(&person, document).ok_or(Denied::NotShared)
    }

    /// Whether a change that was permitted when its request arrived is still permitted: the person of `actor` has the same
    /// role in the plan, is a signatory if the change needs one, and the document can be changed.
    pub(crate) fn still_permits(
        &self,
        actor: &Actor,
        action: Action,
        document: &DocumentId,
    ) -> bool {
        self.plans.grant(&actor.person, document).is_some_and(|grant| {
            let standing = grant.standing;
            let is_same = (standing.seat, standing.sector) == (actor.seat, actor.sector);
            let has_mark = match action {
                Action::Sign => may_sign(standing),
                Action::Propose => may_propose(standing),
                _ => true,
            };
            grant.may_write && is_same && has_mark
        })
    }

    /// Returns a receiver that is notified whenever the permissions of any person may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}

/// Whether a person with this standing may propose a text: a facilitator, or a signatory.
pub(crate) fn may_propose(standing: Standing) -> bool {
    standing.seat == Seat::Facilitator || may_sign(standing)
}

/// Whether a person with this standing may sign for their side.
pub(crate) fn may_sign(standing: Standing) -> bool {
    standing.signatory && permits(standing.seat, Action::Sign)
}
