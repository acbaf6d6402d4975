//! Taking a passage out of a document and of everything that is stored of it.

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

/// Characters of a text, by their place and what they say.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub target: Target,
    /// In UTF-16 code units.
    pub from: u32,
    pub text: String,
    /// The two moments in whose comparison the passage was found; None for the text as it is.
    pub compared: Option<(Seq, Seq)>,
}

/// Why a passage is not redacted.
#[derive(Debug, Clone, Error)]
pub(crate) enum RedactError {
    #[error("this passage does not stand there any more")]
    Elsewhere,
    #[error("a redaction needs a facilitator, and a reason")]
    Refused(RedactionError),
    #[error("release {0} says this, and a release never changes")]
    Released(u32),
    #[error("the history of this document takes more memory than a redaction may take")]
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
    /// Takes a passage out of a document and of what is stored of it, and gives the number of the entry that says so.
    /// `find` chooses the characters that go: those that were found in the text as it is and their copies, or those of
    /// a comparison of the past. It may block.
    ///
    /// The place is the redactor's. Its turn is held while the ledger is read, and never while the room is asked: that
    /// takes long where the redactor's budget is used up.
    ///
    /// # Errors
    /// When the passage is not there, this person may not redact, too many redactions wait, or it can't be saved.
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
            None => Some(self.locate(passage).await?.ok_or(RedactError::Elsewhere)?),
            Some(_) => None,
        };
        let _alone = rooms.shared.redacting.lock(self.document()).await;
        let (redactor, document) = (rooms.clone(), self.document().clone());
        let reading = place.reading().await?;
        let made = tokio::task::spawn_blocking(move || {
            let ranges = find(&reading, located)?;
            Ok::<_, RedactError>(redactor.prepare_redaction(&document, reason, ranges)?)
        });
        let (redaction, blanked) = made.await.map_err(|_| unexpected())??;
        if redaction.targets.is_empty() {
            // The redaction before this one has taken out the same.
            return Err(RedactError::Elsewhere);
        }
        let seq = self.append_redaction(actor, redaction).await?;
        // It is announced now: if the server stops here, the next opening finishes it.
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

    /// Writes blanked entries in the place of those that are stored. Blocks.
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
