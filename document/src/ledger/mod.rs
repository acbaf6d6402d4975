//! The ledger: entries that are numbered without gaps and chained by hashes.
//!
//! An [`Entry`] contains a [`Body`](crate::body::Body), which is the change that the entry makes. This module does not
//! decide whether an entry is allowed at its place. [`crate::state`], [`crate::plan`] and [`crate::audit`] decide that
//! for their ledgers. They make the same checks before an append and at a replay, so that an entry has the same effect
//! whenever it is applied.

mod chain;
mod entry;
mod header;
mod outcome;
mod redaction;
mod segment;

pub(crate) use chain::Chain;
pub use chain::{LedgerPosition, RULES};
pub use entry::Entry;
pub use header::{ENTRY_FORMAT, EntryError, Salt};
pub use outcome::{LedgerError, Outcome};
pub(crate) use redaction::blanked_digest;
pub use segment::{MAX_SEGMENT_ENTRIES, SegmentError, pack, unpack};
