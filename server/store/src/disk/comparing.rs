//! Compares sled with what it must contain.

use super::layer::Layer;
use super::witness::{Head, RecordSum, Witness, entry_hash};
use crate::sled::SledStore;
use crate::staging::RecordKey;
use crate::{Record, StoreError};
use accord_document::ids::{LedgerId, Seq};
use std::collections::BTreeMap;

/// Returns the number and the sum of the records in sled.
pub(super) fn record_sum(sled: &SledStore) -> Result<RecordSum, StoreError> {
    settled_records(sled, &[])
}

/// Compares sled with what it must contain. Of `layers`, which are being settled, sled can have any part. Returns the damaged
/// ledgers, each with a description of the damage.
///
/// # Errors
/// Returns an error if the records are not those that it must contain.
pub(super) fn compare(
    sled: &SledStore,
    expected: &Witness,
    layers: &[&Layer],
) -> Result<BTreeMap<LedgerId, String>, StoreError> {
    let records = settled_records(sled, layers)?;
    if records != expected.records {
        return Err(StoreError::Damaged(format!(
            "the records are not those that were written: there are {}, and {} were written",
            records.count, expected.records.count
        )));
    }
    let is_new = |ledger: &LedgerId| layers.iter().any(|layer| layer.tail(ledger).is_some());
    let mut damaged = BTreeMap::new();
    for ledger in sled.ledgers()? {
        if !expected.ledgers.contains_key(&ledger) && !is_new(&ledger) {
            let what = format!("the ledger of {ledger} was erased and is back");
            damaged.insert(ledger, what);
        }
    }
    for (ledger, head) in &expected.ledgers {
        if let Some(what) = damage_of(sled, ledger, head, is_new(ledger))? {
            damaged.insert(ledger.clone(), format!("the ledger of {ledger}: {what}"));
        }
    }
    Ok(damaged)
}

/// Returns the number and the sum of the records as they were before `layers`, of which sled can have any part.
fn settled_records(sled: &SledStore, layers: &[&Layer]) -> Result<RecordSum, StoreError> {
    // If several layers change a record, `old` in the oldest of them is the value before all layers.
    let mut changed: BTreeMap<&RecordKey, Option<&Record>> = BTreeMap::new();
    for (id, change) in layers.iter().flat_map(|layer| &layer.records) {
        changed.entry(id).or_insert(change.old.as_ref());
    }
    let mut stored = sled.all()?;
    if !changed.is_empty() {
        stored.retain(|(kind, key, _)| !changed.contains_key(&(kind.clone(), key.clone())));
    }
    let kept = stored.iter().map(|(kind, key, record)| (kind.as_str(), key.as_str(), record));
    let old = changed
        .into_iter()
        .filter_map(|((kind, key), old)| Some((kind.as_str(), key.as_str(), old?)));
    Ok(RecordSum::of(kept.chain(old)))
}

/// Returns a description of a ledger's damage. `can_have_more` is whether entries are being added to the ledger.
fn damage_of(
    sled: &SledStore,
    ledger: &LedgerId,
    head: &Head,
    can_have_more: bool,
) -> Result<Option<String>, StoreError> {
    let end = sled.end(ledger)?;
    if end < head.len {
        return Ok(Some(format!("it lacks entry {end} of {} that were written", head.len)));
    }
    if end > head.len && !can_have_more {
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
