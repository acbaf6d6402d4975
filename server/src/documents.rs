//! Making a document: its ledger's first two entries (genesis and template), then its record.

use crate::committer::Committer;
use crate::people::{DocumentRecord, People, fresh_id};
use crate::store::{Append, StoreError};
use accord_document::ids::{DocumentId, LineageId};
use accord_document::ledger::{DocumentState, Genesis, RULES};
use accord_document::model::template::{self, Draft};
use accord_document::people::Actor;
use tokio::sync::oneshot;

/// Creates a document and makes it durable before its record names it, so that a document that is
/// listed can always be opened.
///
/// # Errors
/// When the store can't save it.
pub(crate) async fn create(
    committer: &Committer,
    people: &People,
    actor: &Actor,
    record: DocumentRecord,
    draft: &Draft,
) -> Result<(), StoreError> {
    let genesis = Genesis {
        lineage: LineageId::new(fresh_id()),
        schema: template::SCHEMA.into(),
        language: record.language.clone(),
        rules: RULES,
    };
    let genesis = genesis.entry(actor.clone(), record.created, rand::random());
    let unexpected = |error: &dyn std::fmt::Display| StoreError::Failed(error.to_string());
    let mut state = DocumentState::begin(&genesis).map_err(|error| unexpected(&error))?;
    // 53 random bits: an id that nobody writes under again.
    let seed = template::seed(rand::random::<u64>() >> 11, draft);
    let seeded = state.edit(actor, genesis.time, rand::random(), &seed);
    let seeded = seeded.map_err(|error| unexpected(&error))?;
    let batch: Vec<Append> = std::iter::once(genesis)
        .chain(seeded)
        .map(|entry| Append { document: record.id.clone(), seq: entry.seq, bytes: entry.encode() })
        .collect();
    let (answer, answered) = oneshot::channel();
    committer.append(batch, move |result| drop(answer.send(result))).await;
    answered.await.map_err(|_| StoreError::Failed("the server is stopping".into()))??;
    let people = people.clone();
    tokio::task::spawn_blocking(move || people.add_document(&record))
        .await
        .map_err(|error| unexpected(&error))?
}

/// A fresh document id.
#[must_use]
pub(crate) fn fresh() -> DocumentId {
    DocumentId::new(fresh_id())
}
