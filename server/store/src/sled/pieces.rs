//! The layout of keys and values. A large value is split into pieces, and joined again when it is read.

use super::{SLED_SEGMENT_BYTES, failed};
use crate::{Append, StoreError};
use accord_document::ids::{LedgerId, Seq};

/// Maximum size of a piece of a value, in bytes. sled writes a leaf that is larger than a quarter of a segment to a file
/// of its own, which it never syncs. A leaf contains up to 17 values, so 17 pieces with their keys must fit into that
/// quarter.
pub(super) const MAX_PIECE_BYTES: usize = SLED_SEGMENT_BYTES / 4 / 18;
const _: () = assert!(crate::MAX_RECORD_BYTES <= MAX_PIECE_BYTES);

/// Returns the key of a piece, `name 00 seq:8 piece:2`: the name of the ledger, a zero byte, the number of the entry in 8 bytes,
/// and the number of the piece in 2 bytes. Keys sort so that the entries of a ledger follow each other, and so do the pieces of
/// an entry.
pub(super) fn ledger_key(ledger: &LedgerId, seq: Seq, piece: u16) -> Vec<u8> {
    let mut key = ledger_prefix(ledger);
    key.extend_from_slice(&seq.0.to_be_bytes());
    key.extend_from_slice(&piece.to_be_bytes());
    key
}

pub(super) const DOCUMENTS: &[u8] = b"document/";
pub(super) const PLANS: &[u8] = b"plan/";

pub(super) fn ledger_prefix(ledger: &LedgerId) -> Vec<u8> {
    let (kind, id) = match ledger {
        LedgerId::Document(id) => (DOCUMENTS, id.as_str()),
        LedgerId::Plan(id) => (PLANS, id.as_str()),
        LedgerId::Audit => (&b"audit"[..], ""),
    };
    [kind, id.as_bytes(), &[0]].concat()
}

/// Returns a piece as it is stored, `crc32(key ‖ rest):4 more:1 bytes`, where `rest` is everything after the checksum of 4 bytes.
/// The byte `more` is 1 if the value has another piece after this one.
pub(super) fn seal(key: &[u8], more: bool, bytes: &[u8]) -> Vec<u8> {
    let mut value = vec![0; 4];
    value.push(u8::from(more));
    value.extend_from_slice(bytes);
    let checksum = checksum(key, &value[4..]);
    value[..4].copy_from_slice(&checksum.to_be_bytes());
    value
}

pub(super) fn unseal<'v>(key: &[u8], value: &'v [u8]) -> Result<(bool, &'v [u8]), StoreError> {
    let damaged = || StoreError::Damaged("a record does not match its checksum".into());
    let (sum, rest) = value.split_at_checked(4).ok_or_else(damaged)?;
    let (&more, bytes) = rest.split_first().ok_or_else(damaged)?;
    if checksum(key, rest).to_be_bytes() != sum {
        return Err(damaged());
    }
    Ok((more == 1, bytes))
}

pub(super) fn checksum(key: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(rest);
    hasher.finalize()
}

/// Writes an entry in pieces, and returns their number.
pub(super) fn put_entry(writes: &mut sled::Batch, entry: &Append) -> Result<u16, StoreError> {
    let pieces = entry.bytes.chunks(MAX_PIECE_BYTES).count().max(1);
    let too_large = |_| StoreError::Failed("an entry is too large".into());
    let pieces = u16::try_from(pieces).map_err(too_large)?;
    for piece in 0..pieces {
        let start = usize::from(piece) * MAX_PIECE_BYTES;
        let end = entry.bytes.len().min(start + MAX_PIECE_BYTES);
        let key = ledger_key(&entry.ledger, entry.seq, piece);
        let value = seal(&key, piece + 1 < pieces, &entry.bytes[start..end]);
        writes.insert(key, value);
    }
    Ok(pieces)
}

pub(super) fn damaged(ledger: &LedgerId, what: &str) -> StoreError {
    StoreError::Damaged(format!("the ledger of {ledger}: {what}"))
}

pub(crate) fn missing_entry(ledger: &LedgerId, seq: u64) -> StoreError {
    StoreError::Damaged(format!("the ledger of {ledger} lacks entry {seq}"))
}

/// Returns the names of all ledgers in `tree` whose keys start with `kind`, such as `document/`. The names are without `kind`.
pub(super) fn named(tree: &sled::Tree, kind: &[u8]) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let mut from = kind.to_vec();
    // Each step jumps from the first entry of a ledger to the first entry of the next ledger.
    while let Some(pair) = tree.range(from..).next() {
        let (key, _) = pair.map_err(failed)?;
        let Some(rest) = key.strip_prefix(kind) else { break };
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        from = [kind, &rest[..end], &[1]].concat();
    }
    Ok(names)
}

/// Returns the number of the entry and the number of the piece in a key.
pub(super) fn seq_of(ledger: &LedgerId, key: &[u8]) -> Result<(u64, u16), StoreError> {
    let place = key.get(ledger_prefix(ledger).len()..).filter(|place| place.len() == 10);
    let place = place.ok_or_else(|| damaged(ledger, "a key has the wrong length"))?;
    let mut seq = [0; 8];
    seq.copy_from_slice(&place[..8]);
    Ok((u64::from_be_bytes(seq), u16::from_be_bytes([place[8], place[9]])))
}

/// Returns the values of a ledger in a tree, from the number `from` on. Each pair has the number of a value, and the value joined
/// from its pieces.
pub(super) fn pieced(
    tree: &sled::Tree,
    ledger: &LedgerId,
    from: Seq,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    pieced_upto(tree, ledger, from, Seq(u64::MAX))
}

/// Returns the values of a ledger in a tree, from the number `from` up to and including `upto`. Each pair has the number of a
/// value, and the value joined from its pieces.
pub(super) fn pieced_upto(
    tree: &sled::Tree,
    ledger: &LedgerId,
    from: Seq,
    upto: Seq,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let mut all: Vec<(u64, Vec<u8>)> = Vec::new();
    // The numbers of the entry and of the piece that must come next, if the piece before is not the last piece of its
    // value.
    let mut wanted = None;
    let end = ledger_key(ledger, upto, u16::MAX);
    for pair in tree.range(ledger_key(ledger, from, 0)..=end) {
        let (key, value) = pair.map_err(failed)?;
        let (more, bytes) = unseal(&key, &value)?;
        let (seq, piece) = seq_of(ledger, &key)?;
        if (seq, piece) != wanted.unwrap_or((seq, 0)) {
            return Err(missing_entry(ledger, wanted.map_or(seq, |(seq, _)| seq)));
        }
        match (piece, all.last_mut()) {
            (1.., Some((_, entry))) => entry.extend_from_slice(bytes),
            _ => all.push((seq, bytes.to_vec())),
        }
        wanted = more.then_some((seq, piece + 1));
    }
    match wanted {
        Some((seq, _)) => Err(damaged(ledger, &format!("the end of entry {seq} is missing"))),
        None => Ok(all),
    }
}

/// Writes a value in pieces, and removes the pieces of a longer value that it replaces.
pub(super) fn put(
    tree: &sled::Tree,
    writes: &mut sled::Batch,
    entry: &Append,
) -> Result<(), StoreError> {
    let pieces = put_entry(writes, entry)?;
    let key = |piece| ledger_key(&entry.ledger, entry.seq, piece);
    for old in tree.range(key(pieces)..=key(u16::MAX)).keys() {
        writes.remove(old.map_err(failed)?);
    }
    Ok(())
}
