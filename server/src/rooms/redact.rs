//! Redactions, which remove a passage from a document's text and from its ledger.

use super::handle::{RequestError, RoomHandle};
use super::{OpenError, Rooms, unexpected};
use crate::archives::{Reading, RedactionPlace};
use crate::replay::decode;
use crate::store::{Append, StoreError, entries};
use accord_document::body::Redaction;
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::ledger::Entry;
use accord_document::model::Target;
use accord_document::people::Actor;
use accord_document::state::RedactionError;
use accord_document::update::Range;
use thiserror::Error;

/// A passage of a text, described by its place and its characters.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub target: Target,
    /// Offset of the passage, in UTF-16 code units. It is an offset in the current text of `target` or, if `compared`
    /// is set, in the comparison of the texts that `target` had at these two moments.
    pub from: u32,
    pub text: String,
    /// The two moments whose comparison shows the passage, or `None` if the passage is in the current text.
    pub compared: Option<(Seq, Seq)>,
}

/// The reason why a passage can't be redacted.
#[derive(Debug, Clone, Error)]
pub(crate) enum RedactError {
    #[error("this passage is no longer in that place")]
    PassageMoved,
    #[error("a redaction needs a facilitator, and a reason")]
    Refused(RedactionError),
    #[error("release {0} contains this passage, and a release never changes")]
    Released(u32),
    #[error("the history of this document takes more memory than a redaction may use")]
    TooLong,
    #[error(transparent)]
    Open(OpenError),
}

impl From<OpenError> for RedactError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::TooLong => Self::TooLong,
            error => Self::Open(error),
        }
    }
}

impl From<StoreError> for RedactError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

impl From<RequestError<RedactionError>> for RedactError {
    fn from(error: RequestError<RedactionError>) -> Self {
        match error {
            RequestError::Open(error) => error.into(),
            RequestError::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl RoomHandle {
    /// Removes a passage from a document and from its stored entries. Returns the number of the entry that announces
    /// the redaction. `find` returns the characters to remove, with all their copies, and is allowed to block. The
    /// second argument of `find` has the ranges of the passage in the current text, or is `None` if the passage is in a
    /// comparison of two moments.
    ///
    /// `place` is the redactor's place in the queue of redactions. The redactor's turn in that queue is held while the
    /// ledger is read, but not while the room is asked, because the room takes long to answer if the redactor's budget
    /// is used up.
    ///
    /// # Errors
    /// Returns an error if the passage is not in its place, if this person is not allowed to redact, if too many
    /// redactions wait, or if the redaction can't be saved. Also returns the errors of `find`.
    pub(crate) async fn redact(
        &self,
        actor: &Actor,
        passage: Passage,
        reason: String,
        place: &RedactionPlace,
        find: impl FnOnce(&Reading, Option<Vec<Range>>) -> Result<Vec<Range>, RedactError>
        + Send
        + 'static,
    ) -> Result<Seq, RedactError> {
        let rooms = self.rooms();
        let located = match passage.compared {
            None => Some(self.locate(passage).await?.ok_or(RedactError::PassageMoved)?),
            Some(_) => None,
        };
        let _alone = rooms.shared.redacting.exclusive(self.document()).await;
        let (redactor, document) = (rooms.clone(), self.document().clone());
        let reading = place.reading().await?;
        let made = tokio::task::spawn_blocking(move || {
            let ranges = find(&reading, located)?;
            Ok::<_, RedactError>(redactor.prepare_redaction(&document, reason, ranges)?)
        });
        let (redaction, blanked) = made.await.map_err(|_| unexpected())??;
        if redaction.targets.is_empty() {
            // Another redaction has removed the characters of the passage since the passage was located.
            return Err(RedactError::PassageMoved);
        }
        let seq = self.append_redaction(actor, redaction).await?;
        // The ledger now announces the redaction. If the server stops before the stored entries are rewritten, the next
        // opening of the document finishes the redaction.
        let (rooms, document) = (rooms.clone(), self.document().clone());
        let written = tokio::task::spawn_blocking(move || rooms.rewrite(&document, &blanked)).await;
        written.map_err(|_| unexpected())??;
        Ok(seq)
    }
}

impl Rooms {
    fn prepare_redaction(
        &self,
        document: &DocumentId,
        reason: String,
        ranges: Vec<Range>,
    ) -> Result<(Redaction, Vec<Entry>), OpenError> {
        let ledger = document.clone().into();
        let stored = entries(&*self.shared.store, &ledger, Seq(0)).map(|stored| {
            let (seq, bytes) = stored?;
            Ok::<_, OpenError>(decode(seq, &bytes)?)
        });
        Redaction::of(reason, ranges, stored)
    }

    /// Replaces stored entries of a document with the blanked entries in `blanked`. Blocks.
    pub(super) fn rewrite(
        &self,
        document: &DocumentId,
        blanked: &[Entry],
    ) -> Result<(), StoreError> {
        let ledger = LedgerId::Document(document.clone());
        let appends: Vec<_> = blanked
            .iter()
            .map(|entry| Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() })
            .collect();
        self.shared.store.rewrite(&appends)
    }
}
