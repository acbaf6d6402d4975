//! The path to a release, asked of a document's room.

use super::event::Path;
use super::{OpenError, RoomEvent, Rooms};
use accord_document::ids::{DocumentId, Seq};
use accord_document::ledger::{Step, StepError};
use accord_document::people::Actor;
use accord_document::sync::{ProposeError, Wanted};
use accord_document::update::Refusal;
use axum::body::Bytes;

impl Rooms {
    /// The path that a document has gone to its releases, as far as it is on disk.
    ///
    /// # Errors
    /// When the document can't be opened.
    pub async fn path(&self, document: &DocumentId) -> Result<Path, OpenError> {
        Ok(self.ask(document, |answer| RoomEvent::Path { answer }).await?.1)
    }

    /// Writes an edit that takes out what nobody sees, and gives where the ledger stands then.
    ///
    /// # Errors
    /// When the document can't be opened, or with why the edit is refused.
    pub async fn clean(
        &self,
        document: &DocumentId,
        actor: &Actor,
        update: Bytes,
    ) -> Result<Result<Seq, Refusal>, OpenError> {
        let clean = |answer| {
            let (actor, update) = (actor.clone(), update.clone());
            RoomEvent::Clean { actor, update, answer }
        };
        Ok(self.ask(document, clean).await?.1)
    }

    /// Proposes the text as it is, and gives the number of the entry that says so.
    ///
    /// # Errors
    /// When the document can't be opened, or with why the text is not proposed.
    pub async fn propose(
        &self,
        actor: &Actor,
        wanted: Wanted,
    ) -> Result<Result<Seq, ProposeError>, OpenError> {
        let document = wanted.document.clone();
        let propose = |answer| {
            let (actor, wanted) = (actor.clone(), wanted.clone());
            RoomEvent::Propose { actor, wanted, answer }
        };
        Ok(self.ask(&document, propose).await?.1)
    }

    /// Takes a step on the path to a release, and gives the number of the entry that says so.
    ///
    /// # Errors
    /// When the document can't be opened, or with why the step is not taken.
    pub async fn step(
        &self,
        document: &DocumentId,
        actor: &Actor,
        step: Step,
    ) -> Result<Result<Seq, StepError>, OpenError> {
        let take = |answer| {
            let (actor, step) = (actor.clone(), step.clone());
            RoomEvent::Step { actor, step, answer }
        };
        Ok(self.ask(document, take).await?.1)
    }
}
