//! What somebody may do in a document at this moment, and the news that it may have changed.

use crate::generation::Generation;
use crate::people::People;
use crate::plans::Plans;
use accord_document::ids::DocumentId;
use accord_document::plan::Grant;
use accord_document::sync::{Admission, Denied};
use tokio::sync::watch;

/// Decides from what is in memory: nothing here blocks.
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

    /// What the person behind a connection may do in a document now.
    ///
    /// # Errors
    /// With why they may not be here (any more).
    pub(crate) fn grant(
        &self,
        admission: &Admission,
        document: &DocumentId,
    ) -> Result<Grant, Denied> {
        let person = self.people.sessions().person(&admission.session);
        let person = person.ok_or(Denied::SignedOut)?;
        self.plans.grant(&person, document).ok_or(Denied::NotShared)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}
