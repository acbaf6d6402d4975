//! Storage: three traits that each backend implements, and one contract suite that runs against all backends. This crate
//! must not depend on HTTP, rooms or the state of documents. It treats the entries of ledgers as bytes, and only
//! packing them into segments splits them into parts (`accord_document::ledger::pack`).
//!
//! All calls block, so callers outside the committer's own thread use `spawn_blocking`.

#![warn(missing_docs)]

#[cfg(test)]
mod contract;
mod disk;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod log;
mod memory;
mod sled;
mod staging;

pub use disk::DiskStore;
pub use disk::merging::SalvagedLedger;
pub use disk::salvaging::Salvage;
pub use memory::MemoryStore;

use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::path::PathBuf;
use thiserror::Error;

/// Maximum size of a record's value, in bytes, in every store.
pub const MAX_RECORD_BYTES: usize = 3_640;

/// The reason why the store did not do what was asked. Each message is for the operator.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Another process uses the data folder.
    #[error("another server is already using the data folder {}", .0.display())]
    InUse(PathBuf),
    /// The data folder can't be used.
    #[error("the data folder {} can't be used: {reason}", .path.display())]
    Unusable {
        /// The path of the folder.
        path: PathBuf,
        /// What is wrong with the folder, in words that fit after a colon.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk is full: nothing more is saved until there is space")]
    Full,
    /// Stored data differs from what was written, as the description says.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Somebody else changed the stored state since the caller read it.
    #[error("somebody else changed this at the same time")]
    Conflict,
    /// The value exceeds [`MAX_RECORD_BYTES`]. This is the fault of the person who sent it, not of the store.
    #[error("this is too long: a record can have at most {MAX_RECORD_BYTES} bytes")]
    TooLong,
    /// The store failed with this message.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A sync failed, so nobody knows what reached the disk. Only a restart, which reads everything again, can tell.
    #[error("the disk did not confirm a write: {0}. Start the server again")]
    SyncFailed(String),
}

/// An entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The ledger of the entry.
    pub ledger: LedgerId,
    /// The number of the entry in its ledger, from 0.
    pub seq: Seq,
    /// The encoded entry.
    pub bytes: Vec<u8>,
}

/// Reading ledgers: ordered, durable, append-only. There is one ledger for each document, one for each plan, and one for
/// the audit record. [`Store::commit`] changes them.
pub trait Ledger: Send + Sync {
    /// Returns all entries from `from` on, in order. The list is empty if there is no such ledger.
    ///
    /// # Errors
    /// Returns [`StoreError::Damaged`] if an entry differs from what was written, or if an entry is missing between others.
    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Returns the next entries from `from` on, in order: at least one, if there are any. Callers use this for ledgers
    /// that are too long to be in memory as a whole.
    ///
    /// # Errors
    /// Returns the errors of [`read`](Self::read).
    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Returns an entry, or `None` if the ledger does not have it.
    ///
    /// # Errors
    /// Returns [`StoreError::Damaged`] if the entry differs from what was written.
    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError>;

    /// Packs the older entries of a ledger, which are all but the newest 64, into segments. Packs nothing if there are too
    /// few of them. Reading returns the same entries afterwards: only the space on the disk changes. Returns the number
    /// of entries packed.
    ///
    /// # Errors
    /// Returns an error if the ledger can't be read or written. The stored entries are unchanged then.
    fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError>;

    /// Stores a checkpoint of a ledger in place of the one before. A checkpoint is only a cache: rewriting an entry of
    /// the ledger removes the checkpoint, and a crash can lose it.
    ///
    /// # Errors
    /// Returns an error if the checkpoint can't be written.
    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError>;

    /// Returns the last checkpoint of a ledger, or `None` if no checkpoint is stored or the last one is damaged.
    ///
    /// # Errors
    /// Returns an error if the store can't be read.
    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns the documents that have a ledger.
    ///
    /// # Errors
    /// Returns an error if the documents can't be listed.
    fn documents(&self) -> Result<Vec<DocumentId>, StoreError>;

    /// Returns the plans that have a ledger.
    ///
    /// # Errors
    /// Returns an error if the plans can't be listed.
    fn plans(&self) -> Result<Vec<PlanId>, StoreError>;
}

/// Reading small records by kind and key, each with a revision. [`Store::commit`] changes them.
pub trait Records: Send + Sync {
    /// Returns the record with a key, or `None` if no record has it.
    ///
    /// # Errors
    /// Returns an error if the record can't be read.
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError>;

    /// Returns all records of a kind whose keys start with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// Returns an error if a record can't be read.
    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError>;

    /// Returns all records of all kinds, each with its kind and key, for a backup.
    ///
    /// # Errors
    /// Returns an error if a record can't be read.
    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError>;
}

/// Returns the entries of a ledger from `from` on, in order. Only some of them are in memory at a time. The iterator ends
/// after the first error. [`Ledger::read`] lists the errors.
pub fn entries<'s>(
    store: &'s dyn Store,
    ledger: &'s LedgerId,
    from: Seq,
) -> impl Iterator<Item = Result<(Seq, Vec<u8>), StoreError>> + 's {
    let mut next = from;
    let mut piece = Vec::new().into_iter();
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        if piece.len() == 0 {
            match store.read_some(ledger, next) {
                Ok(read) => piece = read.into_iter(),
                Err(error) => {
                    is_over = true;
                    return Some(Err(error));
                }
            }
        }
        let Some(bytes) = piece.next() else {
            is_over = true;
            return None;
        };
        let seq = next;
        next = Seq(seq.0 + 1);
        Some(Ok((seq, bytes)))
    })
}

/// A change of one record, which applies only if the record still has the expected revision.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The kind of record.
    pub kind: &'static str,
    /// The key of the record within its kind.
    pub key: String,
    /// The revision that the record must have, or `None` if there must be no such record.
    pub expected: Option<u64>,
    /// The value to write, or `None` to remove the record.
    pub value: Option<Vec<u8>>,
}

/// The value of a record, with its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The revision of the record. It starts at 1 and grows by one with each write.
    pub revision: u64,
    /// The value, as it was written.
    pub value: Vec<u8>,
}

fn next_revision(current: Option<u64>) -> u64 {
    current.map_or(1, |revision| revision + 1)
}

/// One change of the store.
#[derive(Debug, Clone)]
pub enum Change {
    /// Appends an entry to its ledger.
    Append(Append),
    /// Writes or removes a record that has the expected revision.
    Swap(Swap),
    /// Writes a record, and replaces any record of the same kind with the same key. Only the restore of a backup does
    /// this.
    Put {
        /// The kind of record.
        kind: String,
        /// The key of the record within its kind.
        key: String,
        /// The value to write.
        value: Vec<u8>,
    },
    /// Replaces the bytes of an entry. Only a redaction does this, to blank an entry.
    Rewrite(Append),
    /// Removes a whole ledger, when the document that it belongs to was deleted and can't be restored any more.
    Erase(LedgerId),
}

/// A backend: both traits, implemented over the same storage, and the one way to change what they read.
pub trait Store: Ledger + Records {
    /// Commits several jobs, each a list of changes, in their order. Of each job, either all changes are made or none. A
    /// job that fails does not affect the others. Returns the result of each job. When this returns, the changes of all
    /// jobs whose result is `Ok` are on disk and survive a loss of power.
    ///
    /// After a rewrite or an erasure, no copy of the old bytes is left that the store knows of. They can stay on the disk
    /// until sled reuses their place.
    ///
    /// # Errors
    /// The result of a job is
    /// - [`StoreError::Conflict`] if an entry to append is not the next of its ledger, if a record does not have the
    ///   expected revision, or if there is no entry to rewrite;
    /// - [`StoreError::TooLong`] if the value of a swapped record is too long;
    /// - another error if the store fails. Then the same is true of all jobs.
    fn commit(&self, jobs: Vec<Vec<Change>>) -> Vec<Result<(), StoreError>>;

    /// Commits one job, as [`commit`](Self::commit) does for several.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn commit_one(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let result = self.commit(vec![changes]).pop();
        result.unwrap_or_else(|| Err(StoreError::Failed("a job has no result".into())))
    }

    /// Appends all entries of a batch, or none of them.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn append(&self, batch: &[Append]) -> Result<(), StoreError> {
        self.commit_one(batch.iter().cloned().map(Change::Append).collect())
    }

    /// Replaces the bytes of all of these entries, or of none of them.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn rewrite(&self, entries: &[Append]) -> Result<(), StoreError> {
        self.commit_one(entries.iter().cloned().map(Change::Rewrite).collect())
    }

    /// Removes a whole ledger.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn erase(&self, ledger: &LedgerId) -> Result<(), StoreError> {
        self.commit_one(vec![Change::Erase(ledger.clone())])
    }

    /// Writes a record, and replaces any record of the same kind with the same key.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn put(&self, kind: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let (kind, key, value) = (kind.to_owned(), key.to_owned(), value.to_vec());
        self.commit_one(vec![Change::Put { kind, key, value }])
    }

    /// Writes or removes all of these records, or none of them.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn swap_all(&self, swaps: &[Swap]) -> Result<(), StoreError> {
        self.commit_one(swaps.iter().cloned().map(Change::Swap).collect())
    }

    /// Writes or removes one record, as [`swap_all`](Self::swap_all) does for several.
    ///
    /// # Errors
    /// Returns the errors of [`commit`](Self::commit).
    fn swap(
        &self,
        kind: &'static str,
        key: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let value = value.map(<[u8]>::to_vec);
        self.commit_one(vec![Change::Swap(Swap { kind, key: key.to_owned(), expected, value })])
    }

    /// Returns the reason why nothing more can be committed until the store is opened again, or `None` if there is no such
    /// reason. The server must then stop.
    fn stopped(&self) -> Option<StoreError> {
        None
    }

    /// Returns `Ok` if the disk has room for more entries. The committer calls this before each append, because a store
    /// that reaches the end of the disk in the middle of a write is harder to trust.
    ///
    /// # Errors
    /// Returns [`StoreError::Full`] if there is no room, or another error if the free space can't be determined.
    fn has_space(&self) -> Result<(), StoreError>;

    /// Returns the space that the store uses, and the space that is left.
    ///
    /// # Errors
    /// Returns an error if the used or the free space can't be determined.
    fn space(&self) -> Result<Space, StoreError>;
}

/// The space on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    /// Number of bytes that the store uses.
    pub used: u64,
    /// Number of bytes that are free.
    pub free: u64,
}
