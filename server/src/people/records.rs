//! Records in the store as typed values. Each is JSON.

use super::Result;
use crate::store::{Store, StoreError, Swap};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The record under a key, if there is one.
///
/// # Errors
/// When the store fails, or the record is damaged.
pub(super) fn get<T: DeserializeOwned>(
    store: &dyn Store,
    kind: &str,
    key: &str,
) -> Result<Option<T>> {
    store.get(kind, key)?.map(|record| parse(&record.value)).transpose()
}

/// All records of a kind, in the order of their keys.
///
/// # Errors
/// When the store fails, or a record is damaged.
pub(super) fn scan<T: DeserializeOwned>(store: &dyn Store, kind: &str) -> Result<Vec<T>> {
    store.scan(kind, "")?.iter().map(|(_, record)| parse(&record.value)).collect()
}

/// A change that adds a record, and conflicts if the key has one already.
///
/// # Errors
/// When the value can't be encoded.
pub(super) fn new<T: Serialize + ?Sized>(kind: &'static str, key: &str, value: &T) -> Result<Swap> {
    Ok(Swap { kind, key: key.to_owned(), expected: None, value: Some(encode(value)?) })
}

/// The bytes of a record.
///
/// # Errors
/// When the value has no JSON.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// The value of a record.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not such a value.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged(error.to_string()))
}
