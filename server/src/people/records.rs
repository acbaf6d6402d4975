//! Typed access to the records of the store. The value of a record is JSON.

use super::Result;
use crate::store::{Store, StoreError, Swap};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns the record with a key, or `None` if no record has it.
///
/// # Errors
/// Returns an error if the store fails or the record is damaged.
pub(super) fn get<T: DeserializeOwned>(
    store: &dyn Store,
    kind: &str,
    key: &str,
) -> Result<Option<T>> {
    store.get(kind, key)?.map(|record| parse(&record.value)).transpose()
}

/// Returns all records of a kind, in the order of their keys.
///
/// # Errors
/// Returns an error if the store fails or a record is damaged.
pub(super) fn scan<T: DeserializeOwned>(store: &dyn Store, kind: &str) -> Result<Vec<T>> {
    store.scan(kind, "")?.iter().map(|(_, record)| parse(&record.value)).collect()
}

/// Returns a change that adds a record, and that conflicts if a record already has the key.
///
/// # Errors
/// Returns an error if the value can't be encoded.
pub(super) fn new<T: Serialize + ?Sized>(kind: &'static str, key: &str, value: &T) -> Result<Swap> {
    Ok(Swap { kind, key: key.to_owned(), expected: None, value: Some(encode(value)?) })
}

/// Encodes a value as the bytes of a record.
///
/// # Errors
/// Returns an error if the value can't be represented as JSON.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// Decodes the bytes of a record.
///
/// # Errors
/// Returns [`StoreError::Damaged`] if the bytes are not a value of this type.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged(error.to_string()))
}
