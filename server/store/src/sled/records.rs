//! Stores records in sled, each with its revision.

use super::pieces::{seal, unseal};
use super::{SledStore, failed};
use crate::staging::RecordKey;
use crate::{Record, StoreError};

fn record_key(kind: &str, key: &str) -> Vec<u8> {
    [kind.as_bytes(), &[0], key.as_bytes()].concat()
}

fn read_record(key: &[u8], value: &[u8]) -> Result<Record, StoreError> {
    let (_, bytes) = unseal(key, value)?;
    let (revision, value) = bytes
        .split_first_chunk()
        .ok_or_else(|| StoreError::Damaged("a record is cut short".into()))?;
    Ok(Record { revision: u64::from_be_bytes(*revision), value: value.to_vec() })
}

/// Returns the kind, the key and the record of a stored pair.
pub(super) fn read_stored(
    key: &[u8],
    value: &[u8],
) -> Result<(String, String, Record), StoreError> {
    let record = read_record(key, value)?;
    let damaged = || StoreError::Damaged("a record has no kind".into());
    let at = key.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&key[..at]), text(&key[at + 1..]), record))
}

impl SledStore {
    /// Returns the record with a key, or `None` if no record has it.
    pub(crate) fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        let key = record_key(kind, key);
        let value = self.records.get(&key).map_err(failed)?;
        value.map(|value| read_record(&key, &value)).transpose()
    }

    /// Returns all records of a kind whose keys start with `prefix`, in the order of their keys.
    pub(crate) fn scan(
        &self,
        kind: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let mut found = Vec::new();
        for pair in self.records.scan_prefix(record_key(kind, prefix)) {
            let (key, value) = pair.map_err(failed)?;
            let name = String::from_utf8_lossy(&key[kind.len() + 1..]).into_owned();
            found.push((name, read_record(&key, &value)?));
        }
        Ok(found)
    }

    /// Returns all records of all kinds, each with its kind and key.
    pub(crate) fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError> {
        let mut found = Vec::new();
        for pair in self.records.iter() {
            let (key, value) = pair.map_err(failed)?;
            found.push(read_stored(&key, &value)?);
        }
        Ok(found)
    }

    /// Writes records, and removes those whose new value is `None`.
    pub(super) fn write_records<'r>(
        &self,
        records: impl Iterator<Item = (&'r RecordKey, &'r Option<Record>)>,
    ) -> Result<(), StoreError> {
        let mut writes = sled::Batch::default();
        for ((kind, key), record) in records {
            let key = record_key(kind, key);
            match record {
                Some(record) => {
                    let revision = record.revision.to_be_bytes();
                    let sealed = seal(&key, false, &[&revision[..], &record.value].concat());
                    writes.insert(key, sealed);
                }
                None => writes.remove(key),
            }
        }
        self.records.apply_batch(writes).map_err(failed)
    }
}
