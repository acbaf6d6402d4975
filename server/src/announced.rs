//! The store of announced client ids: which person owns each id. The records are kept beside the ledgers, so that a
//! restart of the server does not change an owner.
//!
//! Each id has one small record. The record is removed when a newer id replaces the id, and when the document is
//! erased. It is also removed when the room closes after something was written under the id, because the ledger then
//! names the owner.

use crate::store::{Store, StoreError, Swap};
use accord_document::ids::{DocumentId, PersonId};
use accord_document::update::{AnnouncedClients, ClientIdClaim};
use std::collections::{BTreeMap, HashSet};

/// The kind of the records that say which person owns an announced client id. The key of each record consists of the
/// document's id, a slash, and the client id in hexadecimal.
const CLAIMS: &str = "client-id";

/// Maximum number of failed saves that [`save_all`] accepts while no save has succeeded. At the next failure, it stops
/// trying.
const MAX_FAILURES: usize = 4;

fn key(document: &DocumentId, client: u64) -> String {
    format!("{document}/{client:016x}")
}

/// Reads which person owns each announced client id of a document. Blocks.
///
/// # Errors
/// Returns an error if the store fails or a record is damaged.
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

/// Saves which person owns each claimed client id, and removes the older ids that the claimed ones replace. The changes
/// are on disk when this returns. Blocks.
///
/// # Errors
/// Returns an error if the claims can't be written. In that case none of them is saved.
pub(crate) fn save(
    store: &dyn Store,
    document: &DocumentId,
    claims: &[ClientIdClaim],
) -> Result<(), StoreError> {
    // The same batch can claim a client id and then forget it. In the map, the later change replaces the earlier one.
    let mut values = BTreeMap::new();
    for ClientIdClaim { client, person, number, forgotten } in claims {
        let value = [&number.to_be_bytes()[..], person.as_str().as_bytes()].concat();
        values.insert(*client, Some(value));
        values.extend(forgotten.map(|forgotten| (forgotten, None)));
    }
    write(store, document, values)
}

/// Saves which person owns each of these client ids, in one batch or, if that fails, one by one, so that a damaged record of
/// one id does not keep the others from being saved. Stops early if each save fails. Returns the `number` of each claim on
/// an id that is saved. Blocks.
pub(crate) fn save_all(
    store: &dyn Store,
    document: &DocumentId,
    claims: &[ClientIdClaim],
) -> HashSet<u64> {
    let Err(error) = save(store, document, claims) else {
        return claims.iter().map(|claim| claim.number).collect();
    };
    tracing::error!(%document, %error, "the owners of client ids can't be saved");
    let mut saved = HashSet::new();
    let mut failures = 0;
    for claim in claims {
        match save(store, document, std::slice::from_ref(claim)) {
            Ok(()) => _ = saved.insert(claim.number),
            Err(_) => failures += 1,
        }
        // Every save so far has failed, so the store itself is at fault and further tries would fail as well.
        if failures > MAX_FAILURES && saved.is_empty() {
            break;
        }
    }
    saved
}

/// Removes the records that say who owns these client ids. Blocks.
///
/// # Errors
/// Returns an error if the records can't be removed.
pub(crate) fn remove(
    store: &dyn Store,
    document: &DocumentId,
    clients: impl IntoIterator<Item = u64>,
) -> Result<(), StoreError> {
    write(store, document, clients.into_iter().map(|client| (client, None)))
}

/// Removes the records of all announced client ids of a document. Blocks.
///
/// # Errors
/// Returns an error if the records can't be removed.
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
