//! Where things are kept. Two traits, implemented by each backend, with one contract suite that
//! all of them run. Nothing in here knows HTTP, rooms or documents: ledgers are opaque bytes.
//!
//! All calls block: callers outside the committer's own thread use `spawn_blocking`.

#![warn(missing_docs)]

#[cfg(test)]
mod contract;
mod memory;
mod sled;

pub use memory::MemoryStore;
pub use sled::SledStore;

use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::path::PathBuf;
use thiserror::Error;

/// The largest value of a record, in bytes, in every store.
pub const MAX_RECORD_BYTES: usize = 3_640;

/// Why the store did not do what was asked. Each is a sentence for the operator.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Another process has the folder open.
    #[error("another server is already using the data folder {}", .0.display())]
    InUse(PathBuf),
    /// The folder can't be used.
    #[error("the data folder {} can't be used: {reason}", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, to be put behind a colon.
        reason: String,
    },
    /// The disk has no room.
    #[error("the disk is full: nothing more is saved until there is room")]
    Full,
    /// Something is not as it was written, with what it is.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Somebody else has written in between.
    #[error("somebody else changed this meanwhile")]
    Conflict,
    /// More than a record may hold: the fault of who sent it, and not of the store.
    #[error("this is too long: a record holds at most {MAX_RECORD_BYTES} bytes")]
    TooLong,
    /// The store has failed, with its message.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A sync failed, so what reached the disk is unknown: only reading everything again can tell.
    #[error("the disk did not confirm a write: {0}; the server must be started again")]
    SyncFailed(String),
}

/// One entry to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// The ledger that it is appended to.
    pub ledger: LedgerId,
    /// Its number in the ledger, from 0.
    pub seq: Seq,
    /// The encoded entry.
    pub bytes: Vec<u8>,
}

/// Ordered, durable, append-only: one ledger for each document, one for each plan, one of audit.
pub trait Ledger: Send + Sync {
    /// Appends all of a batch, or none of it. When this returns `Ok`, all of it is on disk, and
    /// survives the loss of power.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an entry is not the next of its ledger, among others.
    fn append(&self, batch: &[Append]) -> Result<(), StoreError>;

    /// All entries from `from` on, in order. Empty when there is no such ledger.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when any entry is not as it was written, or missing in between.
    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Some entries from `from` on, in order: at least one, if there is any. For ledgers that are too long to be
    /// held in memory at once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError>;

    /// One entry, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not as it was written.
    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes other bytes in the place of entries that are there: only for what a redaction blanks.
    /// All of them or none, and on disk when this returns. What was there may stay on the disk until
    /// the store reuses its place.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of them is not there.
    fn rewrite(&self, entries: &[Append]) -> Result<(), StoreError>;

    /// Packs what is settled of a ledger: all but the newest entries, in segments of so many that packing
    /// pays. Nothing changes but the room it takes. Gives how many entries were packed.
    ///
    /// # Errors
    /// When it can't be read or written; what is stored is then as before.
    fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError>;

    /// Keeps a state of a ledger in place of the one kept before. It is a cache: it goes when an entry is
    /// rewritten, and may be gone after a crash.
    ///
    /// # Errors
    /// When it can't be written.
    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError>;

    /// The state that was kept last, if it is there and whole.
    ///
    /// # Errors
    /// When the store can't be read.
    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes a whole ledger: what was deleted, once nobody wants it back. On disk when this returns.
    ///
    /// # Errors
    /// When it can't be removed.
    fn erase(&self, ledger: &LedgerId) -> Result<(), StoreError>;

    /// The documents that have a ledger.
    ///
    /// # Errors
    /// When they can't be listed.
    fn documents(&self) -> Result<Vec<DocumentId>, StoreError>;

    /// The plans that have a ledger.
    ///
    /// # Errors
    /// When they can't be listed.
    fn plans(&self) -> Result<Vec<PlanId>, StoreError>;
}

/// Small records by kind and key, each with a revision.
pub trait Records: Send + Sync {
    /// # Errors
    /// When the record can't be read.
    fn get(&self, kind: &str, key: &str) -> Result<Option<Record>, StoreError>;

    /// All records of a kind whose key starts with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// When one can't be read.
    fn scan(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Record)>, StoreError>;

    /// All records of all kinds, each with its kind and key: for a backup.
    ///
    /// # Errors
    /// When one can't be read.
    fn all(&self) -> Result<Vec<(String, String, Record)>, StoreError>;

    /// Writes a record, whatever is there: only for what is restored from a backup. Durable when this returns.
    ///
    /// # Errors
    /// When it can't be written.
    fn put(&self, kind: &str, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Writes all records of a batch, or none of them. Durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the revision of any of them is not the expected one.
    fn swap_all(&self, swaps: &[Swap]) -> Result<(), StoreError>;

    /// Writes one record.
    ///
    /// # Errors
    /// As [`swap_all`](Self::swap_all).
    fn swap(
        &self,
        kind: &'static str,
        key: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let value = value.map(<[u8]>::to_vec);
        self.swap_all(&[Swap { kind, key: key.to_owned(), expected, value }])
    }
}

/// The entries of a ledger from `from` on, in order, of which only some are in memory at a time. It ends with the first
/// error, as [`Ledger::read`] gives it.
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

/// One record to write, or (`value: None`) to remove, if its revision is still `expected`
/// (`None`: if there is none).
#[derive(Debug, Clone)]
pub struct Swap {
    /// The kind of record.
    pub kind: &'static str,
    /// Its key among its kind.
    pub key: String,
    /// The revision that it must have; None if it must not be there.
    pub expected: Option<u64>,
    /// What to write; None to remove it.
    pub value: Option<Vec<u8>>,
}

/// A record's value and its revision, which grows by one with each write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Grows by one with each write, from 1.
    pub revision: u64,
    /// The bytes.
    pub value: Vec<u8>,
}

fn next_revision(current: Option<u64>) -> u64 {
    current.map_or(1, |revision| revision + 1)
}

/// A backend: both traits over one place.
pub trait Store: Ledger + Records {
    /// Whether there is room for more. Appending when there is none is refused up front, since a
    /// store that hits the end of the disk half way is harder to trust.
    ///
    /// # Errors
    /// [`StoreError::Full`], or that the disk can't be asked.
    fn has_room(&self) -> Result<(), StoreError>;

    /// How much is used, and how much is left.
    ///
    /// # Errors
    /// When the disk can't be asked.
    fn space(&self) -> Result<Space, StoreError>;
}

/// Bytes on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes that the store takes.
    pub used: u64,
    /// Bytes that are free.
    pub free: u64,
}
