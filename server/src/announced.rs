//! Whose the client ids are that pages have announced, kept beside the ledgers: a restart changes nothing about it.
//!
//! One small record for each id. It goes when something is written under the id, since the ledger says then whose it
//! is; when newer ids take its place; and with the document.

use crate::store::{Store, StoreError, Swap};
use accord_document::ids::{DocumentId, PersonId};
use accord_document::update::{AnnouncedClients, ClientClaim};
use std::collections::{BTreeMap, HashSet};

/// The records that hold claims, each under `document/client id`.
const CLAIMS: &str = "client-id";

/// After so many failures, and no success, claims are not tried one by one any more.
const MAX_FAILURES: usize = 4;

fn key(document: &DocumentId, client: u64) -> String {
    format!("{document}/{client:016x}")
}

/// Reads the claims of a document. Blocks.
///
/// # Errors
/// When they can't be read.
pub(crate) fn load(
    store: &dyn Store,
    document: &DocumentId,
) -> Result<AnnouncedClients, StoreError> {
    let prefix = format!("{document}/");
    let saved = store.scan(CLAIMS, &prefix)?.into_iter().map(|(key, record)| {
        let client = key.strip_prefix(&prefix).and_then(|id| u64::from_str_radix(id, 16).ok());
        let (number, person) = record.value.split_first_chunk::<8>()?;
        let person = PersonId::new(std::str::from_utf8(person).ok()?);
        Some((u64::from_be_bytes(*number), client?, person))
    });
    let saved: Option<Vec<_>> = saved.collect();
    let damaged = || StoreError::Damaged(format!("a client id of document {document}"));
    Ok(AnnouncedClients::restore(saved.ok_or_else(damaged)?))
}

/// Saves claims, and removes the ids that they take the place of. On disk when this returns. Blocks.
///
/// # Errors
/// When they can't be written; none of them is saved then.
pub(crate) fn save(
    store: &dyn Store,
    document: &DocumentId,
    claims: &[ClientClaim],
) -> Result<(), StoreError> {
    // An id may be claimed and forgotten in the same batch: the last word counts.
    let mut values = BTreeMap::new();
    for ClientClaim { client, person, number, forgotten } in claims {
        let value = [&number.to_be_bytes()[..], person.as_str().as_bytes()].concat();
        values.insert(*client, Some(value));
        values.extend(forgotten.map(|forgotten| (forgotten, None)));
    }
    write(store, document, values)
}

/// Saves claims, together if that works, otherwise one by one: a damaged record of one id keeps no other from being saved.
/// Gives the numbers of those that are saved. Blocks.
pub(crate) fn save_all(
    store: &dyn Store,
    document: &DocumentId,
    claims: &[ClientClaim],
) -> HashSet<u64> {
    let Err(error) = save(store, document, claims) else {
        return claims.iter().map(|claim| claim.number).collect();
    };
    tracing::error!(%document, %error, "whose a client id is can't be saved");
    let mut saved = HashSet::new();
    let mut failures = 0;
    for claim in claims {
        match save(store, document, std::slice::from_ref(claim)) {
            Ok(()) => _ = saved.insert(claim.number),
            Err(_) => failures += 1,
        }
        // The store itself fails: nothing more is tried now.
        if failures > MAX_FAILURES && saved.is_empty() {
            break;
        }
    }
    saved
}

/// Removes the claims of these ids. Blocks.
///
/// # Errors
/// When they can't be removed.
pub(crate) fn remove(
    store: &dyn Store,
    document: &DocumentId,
    clients: impl IntoIterator<Item = u64>,
) -> Result<(), StoreError> {
    write(store, document, clients.into_iter().map(|client| (client, None)))
}

/// Removes all claims of a document. Blocks.
///
/// # Errors
/// When they can't be removed.
pub(crate) fn erase(store: &dyn Store, document: &DocumentId) -> Result<(), StoreError> {
    let saved = store.scan(CLAIMS, &format!("{document}/"))?;
    let swaps: Vec<_> = saved
        .into_iter()
        .map(|(key, record)| Swap {
            kind: CLAIMS,
            key,
            expected: Some(record.revision),
            value: None,
        })
        .collect();
    if swaps.is_empty() { Ok(()) } else { store.swap_all(&swaps) }
}

fn write(
    store: &dyn Store,
    document: &DocumentId,
    values: impl IntoIterator<Item = (u64, Option<Vec<u8>>)>,
) -> Result<(), StoreError> {
    let mut swaps = Vec::new();
    for (client, value) in values {
        let key = key(document, client);
        let expected = store.get(CLAIMS, &key)?.map(|record| record.revision);
        if expected.is_some() || value.is_some() {
            swaps.push(Swap { kind: CLAIMS, key, expected, value });
        }
    }
    if swaps.is_empty() { Ok(()) } else { store.swap_all(&swaps) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_claim_is_read_as_it_was_saved_and_goes_with_its_document() {
        let store = MemoryStore::default();
        let (here, there) = (DocumentId::new("here"), DocumentId::new("here-too"));
        let (ana, ben) = (PersonId::new("ana"), PersonId::new("ben"));
        let mut announced = AnnouncedClients::default();
        let claims: Vec<_> = (0..1_030).filter_map(|id| announced.announce(id, &ana)).collect();
        for some in claims.chunks(1_000) {
            save(&store, &here, some).unwrap();
        }
        save(&store, &there, &[announced.announce(9_999, &ben).unwrap()]).unwrap();
        let read = load(&store, &here).unwrap();
        assert_eq!((read.len(), read.owner(5), read.owner(1_029)), (1_024, None, Some(&ana)));
        remove(&store, &here, 10..20).unwrap();
        assert_eq!(load(&store, &here).unwrap().owner(15), None);
        erase(&store, &here).unwrap();
        assert!(load(&store, &here).unwrap().is_empty());
        assert_eq!(load(&store, &there).unwrap().owner(9_999), Some(&ben));
    }
}
