//! Compares sled with what it must contain.

use super::layer::Layer;
use super::witness::{Head, RecordSum, Witness, entry_hash, record_hash};
use crate::StoreError;
use crate::sled::{SledStore, missing_entry};
use crate::staging::RecordKey;
use accord_document::ids::{LedgerId, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the number and the sum of the records in sled.
pub(super) fn record_sum(sled: &SledStore) -> Result<RecordSum, StoreError> {
    let mut sum = RecordSum::default();
    for (kind, key, record) in sled.all()? {
        sum.replace(0, record_hash(&kind, &key, &record));
    }
    Ok(sum)
}

/// Compares sled with what it must contain. Returns the damaged ledgers, each with a description of the damage.
///
/// # Errors
/// Returns an error if the records are not those that it must contain.
pub(super) fn compare(
    sled: &SledStore,
    expected: &Witness,
) -> Result<BTreeMap<LedgerId, String>, StoreError> {
    let records = record_sum(sled)?;
    if records != expected.records {
        return Err(StoreError::Damaged(format!(
            "the records are not those that were written: there are {}, and {} were written",
            records.count, expected.records.count
        )));
    }
    let mut damaged = BTreeMap::new();
    let stored: BTreeSet<LedgerId> = sled.ledgers()?.into_iter().collect();
    for ledger in stored.iter().filter(|ledger| !expected.ledgers.contains_key(*ledger)) {
        damaged.insert(ledger.clone(), format!("the ledger of {ledger} was erased and is back"));
    }
    for (ledger, head) in &expected.ledgers {
        if let Some(what) = damage_of(sled, ledger, head)? {
            damaged.insert(ledger.clone(), format!("the ledger of {ledger}: {what}"));
        }
    }
    Ok(damaged)
}

fn damage_of(
    sled: &SledStore,
    ledger: &LedgerId,
    head: &Head,
) -> Result<Option<String>, StoreError> {
    let end = sled.end(ledger)?;
    if end != head.len {
        return Ok(Some(format!("it has {end} entries, and {} were written", head.len)));
    }
    differing_entry(sled, ledger, head)
}

/// Returns a description of the first entry that the witness knows and that is not as it was written.
fn differing_entry(
    sled: &SledStore,
    ledger: &LedgerId,
    head: &Head,
) -> Result<Option<String>, StoreError> {
    let last = head.len.checked_sub(1).map(|seq| (seq, &head.last));
    let wanted = last.into_iter().chain(head.rewritten.iter().map(|(seq, hash)| (*seq, hash)));
    for (seq, hash) in wanted {
        let is_same = match sled.entry(ledger, Seq(seq)) {
            Ok(entry) => entry.is_some_and(|entry| entry_hash(&entry) == *hash),
            Err(StoreError::Damaged(_)) => false,
            Err(error) => return Err(error),
        };
        if !is_same {
            return Ok(Some(format!("entry {seq} is not as it was written")));
        }
    }
    Ok(None)
}

/// Compares sled with what it must contain before `layers` are settled. sled can have any part of the layers already.
/// Ledgers that are known as damaged are left out.
///
/// # Errors
/// Returns an error if anything that was settled is missing or differs.
pub(super) fn compare_before(
    sled: &SledStore,
    settled: &Witness,
    layers: &[&Layer],
    known: &BTreeMap<LedgerId, String>,
) -> Result<(), StoreError> {
    let mut records = RecordSum::default();
    let change = |id: &RecordKey| layers.iter().find_map(|layer| layer.records.get(id));
    for (kind, key, record) in sled.all()? {
        let id = (kind, key);
        if change(&id).is_none() {
            records.replace(0, record_hash(&id.0, &id.1, &record));
        }
    }
    // Of each changed record, the oldest layer knows what was settled.
    let changed: BTreeSet<_> = layers.iter().flat_map(|layer| layer.records.keys()).collect();
    for id in changed {
        if let Some(old) = change(id).and_then(|change| change.old.as_ref()) {
            records.replace(0, record_hash(&id.0, &id.1, old));
        }
    }
    if records != settled.records {
        return Err(StoreError::Damaged("the database has lost records".into()));
    }
    for ledger in sled.ledgers()? {
        let is_new = layers.iter().any(|layer| layer.tail(&ledger).is_some());
        let is_expected = is_new || settled.ledgers.contains_key(&ledger);
        if !is_expected && !known.contains_key(&ledger) {
            return Err(StoreError::Damaged(format!("the ledger of {ledger} is back")));
        }
    }
    for (ledger, head) in settled.ledgers.iter().filter(|(ledger, _)| !known.contains_key(*ledger))
    {
        let end = sled.end(ledger)?;
        if end < head.len {
            return Err(missing_entry(ledger, end));
        }
        if let Some(what) = differing_entry(sled, ledger, head)? {
            return Err(StoreError::Damaged(format!("the ledger of {ledger}: {what}")));
        }
    }
    Ok(())
}
