//! The changes of a batch, as the log stores them.

use super::ledger_ids::{put_ledger, read_ledger};
use super::witness::record_hash;
use crate::staging::Resolved;
use crate::{Append, Record, StoreError};
use accord_document::ids::{LedgerId, Seq};
use accord_document::lib0::{ReadError, Reader, Write as _};

const APPEND: u8 = 1;
const WRITE_RECORD: u8 = 2;
const REMOVE_RECORD: u8 = 3;
const REWRITE: u8 = 4;
const ERASE: u8 = 5;

/// A change that was read from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Logged {
    Append(Append),
    /// A record that was written or removed.
    Record {
        kind: String,
        key: String,
        /// The hash of the record that was replaced, or 0 if there was none.
        old_hash: u128,
        new: Option<Record>,
    },
    Rewrite(Append),
    Erase(LedgerId),
}

/// Returns changes as the body of a batch.
pub(super) fn encode(changes: &[Resolved]) -> Vec<u8> {
    let mut out = Vec::new();
    for change in changes {
        match change {
            Resolved::Append(append) => put_entry(&mut out, APPEND, append),
            Resolved::Rewrite(append) => put_entry(&mut out, REWRITE, append),
            Resolved::Erase(ledger) => {
                out.push(ERASE);
                put_ledger(&mut out, ledger);
            }
            Resolved::Record { key: (kind, key), old, new } => {
                out.push(if new.is_some() { WRITE_RECORD } else { REMOVE_RECORD });
                out.put_buf(kind.as_bytes());
                out.put_buf(key.as_bytes());
                let old_hash = old.as_ref().map_or(0, |old| record_hash(kind, key, old));
                out.extend_from_slice(&old_hash.to_le_bytes());
                if let Some(record) = new {
                    out.put_var(record.revision);
                    out.put_buf(&record.value);
                }
            }
        }
    }
    out
}

fn put_entry(out: &mut Vec<u8>, kind: u8, append: &Append) {
    out.push(kind);
    put_ledger(out, &append.ledger);
    out.put_var(append.seq.0);
    out.put_buf(&append.bytes);
}

/// Reads the body of a batch.
///
/// # Errors
/// Returns an error if the body is not a list of changes.
pub(super) fn decode(batch: u64, body: &[u8]) -> Result<Vec<Logged>, StoreError> {
    let mut r = Reader::new(body);
    let mut changes = Vec::new();
    while !r.is_empty() {
        let change = read_change(&mut r).map_err(|error| {
            StoreError::Damaged(format!("batch {batch} of the log can't be read: {error}"))
        })?;
        changes.push(change);
    }
    Ok(changes)
}

fn read_change(r: &mut Reader<'_>) -> Result<Logged, ReadError> {
    let kind = r.byte()?;
    match kind {
        APPEND | REWRITE => {
            let ledger = read_ledger(r)?;
            let seq = Seq(r.var_u64()?);
            let append = Append { ledger, seq, bytes: r.buf()?.to_vec() };
            Ok(if kind == APPEND { Logged::Append(append) } else { Logged::Rewrite(append) })
        }
        ERASE => Ok(Logged::Erase(read_ledger(r)?)),
        WRITE_RECORD | REMOVE_RECORD => {
            let (kind_of_record, key) = (r.string()?.to_owned(), r.string()?.to_owned());
            let mut hash = [0; 16];
            hash.copy_from_slice(r.take(16)?);
            let new = if kind == WRITE_RECORD {
                Some(Record { revision: r.var_u64()?, value: r.buf()?.to_vec() })
            } else {
                None
            };
            let old_hash = u128::from_le_bytes(hash);
            Ok(Logged::Record { kind: kind_of_record, key, old_hash, new })
        }
        _ => Err(ReadError::Overflow),
    }
}
