//! The witness: what sled must contain, written beside sled each time it has taken in a part of the log.
//!
//! sled can't tell a damaged end of its own log from an end that was never written, and then drops what was behind it.
//! The witness has the number of entries of each ledger and the hash of the last one, and a sum over all records. So what is missing is noticed
//! when the store is opened, and either comes back from the log or is named.

use super::layer::Layer;
use super::ledger_ids::{put_ledger, read_ledger};
use crate::log::Position;
use crate::{Append, Record, StoreError};
use accord_document::ids::LedgerId;
use accord_document::lib0::{ReadError, Reader, Write as _};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(super) const FILE: &str = "witness";
const MAGIC: &[u8] = b"accord witness 1";
/// Length of the digest at the end of the file.
const DIGEST_BYTES: usize = 32;

/// SHA-256 of the bytes of an entry.
pub(super) type EntryHash = [u8; 32];

/// What the witness knows about a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Number of entries.
    pub(super) len: u64,
    /// The hash of the last entry.
    pub(super) last: EntryHash,
    /// The hashes of entries that were rewritten, by their numbers.
    pub(super) rewritten: BTreeMap<u64, EntryHash>,
}

/// The number of records, and the sum of their hashes (modulo 2^128).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RecordSum {
    pub(super) count: u64,
    pub(super) sum: u128,
}

/// What sled must contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    /// The place in the log up to which sled has taken in everything.
    pub(super) settled: Position,
    /// The number of the opening that wrote the witness.
    pub(super) epoch: u64,
    pub(super) ledgers: BTreeMap<LedgerId, Head>,
    pub(super) records: RecordSum,
}

pub(super) fn entry_hash(bytes: &[u8]) -> EntryHash {
    Sha256::digest(bytes).into()
}

/// Returns the first 16 bytes of SHA-256 of a record with its kind and key. The result is never 0.
pub(super) fn record_hash(kind: &str, key: &str, record: &Record) -> u128 {
    let mut bytes = Vec::with_capacity(kind.len() + key.len() + record.value.len() + 24);
    bytes.put_buf(kind.as_bytes());
    bytes.put_buf(key.as_bytes());
    bytes.put_var(record.revision);
    bytes.put_buf(&record.value);
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(half).max(1)
}

impl RecordSum {
    /// Returns the number and the sum of records, each with its kind and key.
    pub(super) fn of<'r>(
        records: impl IntoIterator<Item = (&'r str, &'r str, &'r Record)>,
    ) -> Self {
        let mut sum = Self::default();
        for (kind, key, record) in records {
            sum.replace(0, record_hash(kind, key, record));
        }
        sum
    }

    /// Takes the hash of one record out of the sum, and adds the hash of another. A hash of 0 stands for no record.
    pub(super) fn replace(&mut self, old: u128, new: u128) {
        self.sum = self.sum.wrapping_sub(old).wrapping_add(new);
        self.count = self.count.wrapping_add(u64::from(new != 0));
        self.count = self.count.wrapping_sub(u64::from(old != 0));
    }
}

impl Witness {
    /// Returns the witness of an empty store.
    pub(super) fn empty() -> Self {
        Self {
            settled: Position::START,
            epoch: 0,
            ledgers: BTreeMap::new(),
            records: RecordSum::default(),
        }
    }

    /// Whether anything was ever committed.
    pub(super) fn is_used(&self) -> bool {
        self.settled != Position::START || !self.ledgers.is_empty() || self.records.count > 0
    }

    /// Takes in a layer that sled has taken in.
    pub(super) fn settle(&mut self, layer: &Layer) {
        for (ledger, tail) in layer.ledgers() {
            let head = self.ledgers.entry(ledger.clone()).or_default();
            head.len = tail.end();
            if let Some(last) = tail.entries.last() {
                head.last = entry_hash(last);
            }
        }
        for ((kind, key), change) in &layer.records {
            let hash = |record: &Option<Record>| {
                record.as_ref().map_or(0, |record| record_hash(kind, key, record))
            };
            self.records.replace(hash(&change.old), hash(&change.new));
        }
        self.settled = layer.upto;
    }

    /// Takes in an entry that sled has replaced.
    pub(super) fn rewrite(&mut self, entry: &Append) {
        let Some(head) = self.ledgers.get_mut(&entry.ledger) else { return };
        let hash = entry_hash(&entry.bytes);
        head.rewritten.insert(entry.seq.0, hash);
        if entry.seq.0 + 1 == head.len {
            head.last = hash;
        }
    }

    /// Reads the witness of a data folder. Returns `None` if the folder has no witness.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = path_of(folder);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(StoreError::Failed(format!("{}: {error}", path.display())));
            }
        };
        let damaged =
            || StoreError::Damaged(format!("{} is not as it was written", path.display()));
        Self::unseal(&bytes).map(Some).ok_or_else(damaged)
    }

    /// Reads the bytes of a witness file. Returns `None` if they are not as they were written.
    pub(super) fn unseal(file: &[u8]) -> Option<Self> {
        let (content, digest) = file.split_last_chunk::<DIGEST_BYTES>()?;
        if entry_hash(content) != *digest {
            return None;
        }
        // A witness has one encoding. Another one with the right digest was not written by a store.
        Self::decode(content).ok().filter(|witness| witness.encode() == content)
    }

    /// Returns the bytes of the witness file: the content, and its digest.
    pub(super) fn seal(&self) -> Vec<u8> {
        let mut file = self.encode();
        let digest = entry_hash(&file);
        file.extend_from_slice(&digest);
        file
    }

    /// Writes the witness in place of the one before. It is on disk when this returns.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let making = folder.join(format!("{FILE}.making"));
        let mut file = File::create(&making)?;
        file.write_all(&self.seal())?;
        file.sync_all()?;
        fs::rename(&making, path_of(folder))?;
        File::open(folder)?.sync_all()
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.put_var(self.settled.batch);
        out.extend_from_slice(&self.settled.digest);
        out.put_var(self.epoch);
        out.put_var(self.records.count);
        out.extend_from_slice(&self.records.sum.to_le_bytes());
        out.put_var(self.ledgers.len() as u64);
        for (ledger, head) in &self.ledgers {
            put_ledger(&mut out, ledger);
            out.put_var(head.len);
            out.extend_from_slice(&head.last);
            out.put_var(head.rewritten.len() as u64);
            for (seq, hash) in &head.rewritten {
                out.put_var(*seq);
                out.extend_from_slice(hash);
            }
        }
        out
    }

    fn decode(content: &[u8]) -> Result<Self, ReadError> {
        let mut r = Reader::new(content);
        if r.take(MAGIC.len())? != MAGIC {
            return Err(ReadError::Overflow);
        }
        let settled = Position { batch: r.var_u64()?, digest: array(&mut r)? };
        let epoch = r.var_u64()?;
        let count = r.var_u64()?;
        let records = RecordSum { count, sum: u128::from_le_bytes(array(&mut r)?) };
        let mut ledgers = BTreeMap::new();
        for _ in 0..r.count()? {
            let ledger = read_ledger(&mut r)?;
            let mut head =
                Head { len: r.var_u64()?, last: array(&mut r)?, rewritten: BTreeMap::new() };
            for _ in 0..r.count()? {
                head.rewritten.insert(r.var_u64()?, array(&mut r)?);
            }
            ledgers.insert(ledger, head);
        }
        if !r.is_empty() {
            return Err(ReadError::Trailing);
        }
        Ok(Self { settled, epoch, ledgers, records })
    }
}

/// Returns the path of the witness in a data folder.
pub(super) fn path_of(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

fn array<const N: usize>(r: &mut Reader<'_>) -> Result<[u8; N], ReadError> {
    r.take(N)?.try_into().map_err(|_| ReadError::Truncated)
}
