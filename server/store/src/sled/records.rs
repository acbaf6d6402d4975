//! Stores records in sled, each with its revision.

use super::pieces::{seal, unseal};
use super::{SledStore, failed};
use crate::{MAX_RECORD_BYTES, Record, Records, StoreError, Swap, next_revision};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

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

impl Records for SledStore {
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError> {
        let key = record_key(kind, key);
        let value = self.records.get(&key).map_err(failed)?;
        value.map(|value| read_record(&key, &value)).transpose()
    }

    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let mut found = Vec::new();
        for pair in self.records.scan_prefix(record_key(kind, prefix)) {
            let (key, value) = pair.map_err(failed)?;
            let name = String::from_utf8_lossy(&key[kind.len() + 1..]).into_owned();
            found.push((name, read_record(&key, &value)?));
        }
        Ok(found)
    }

    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError> {
        let mut found = Vec::new();
        for pair in self.records.iter() {
            let (key, value) = pair.map_err(failed)?;
            let record = read_record(&key, &value)?;
            let damaged = || StoreError::Damaged("a record has no kind".into());
            let at = key.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((text(&key[..at]), text(&key[at + 1..]), record));
        }
        Ok(found)
    }

    fn put(&self, kind: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let key = record_key(kind, key);
        let revision = next_revision(None);
        let sealed = seal(&key, false, &[&revision.to_be_bytes()[..], value].concat());
        self.records.insert(key, sealed).map_err(failed)?;
        self.sync()
    }

    fn swap_all(&self, swaps: &[Swap]) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(swaps.len());
        for Swap { kind, key, expected, value } in swaps {
            if value.as_ref().is_some_and(|value| value.len() > MAX_RECORD_BYTES) {
                return Err(StoreError::TooLong);
            }
            let key = record_key(kind, key);
            let sealed = value.as_ref().map(|value| {
                let revision = next_revision(*expected);
                seal(&key, false, &[&revision.to_be_bytes()[..], value].concat())
            });
            writes.push((key, *expected, sealed));
        }
        let swapped = (&self.records,).transaction(|(records,)| {
            let abort = ConflictableTransactionError::Abort;
            for (key, expected, sealed) in &writes {
                let current = match records.get(key)? {
                    Some(value) => Some(read_record(key, &value).map_err(abort)?.revision),
                    None => None,
                };
                if current != *expected {
                    return Err(abort(StoreError::Conflict));
                }
                match sealed {
                    Some(value) => records.insert(key.as_slice(), value.as_slice())?,
                    None => records.remove(key.as_slice())?,
                };
            }
            Ok(())
        });
        swapped.map_err(|error| match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(error) => failed(error),
        })?;
        self.sync()
    }
}
