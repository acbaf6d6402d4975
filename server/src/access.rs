//! What somebody may do in a document at this moment, and the news that it may have changed.

use crate::people::People;
use crate::plans::Plans;
use accord_document::ids::DocumentId;
use accord_document::plan::Grant;
use accord_document::sync::{Admission, Denied};
use std::sync::Arc;
use tokio::sync::watch;

/// Counts the changes of seats, sessions and plans. Cloning shares the count.
#[derive(Debug, Clone)]
pub struct Generation(Arc<watch::Sender<u64>>);

impl Default for Generation {
    fn default() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }
}

impl Generation {
    /// Something has changed: every open document looks again at who may do what.
    pub(crate) fn advance(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Decides from what is in memory: nothing here blocks.
#[derive(Debug, Clone)]
pub struct Access {
    people: People,
    plans: Plans,
    generation: Generation,
}

impl Access {
    #[must_use]
    pub fn new(people: People, plans: Plans, generation: Generation) -> Self {
        Self { people, plans, generation }
    }

    /// What whoever was admitted may do in a document now.
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
