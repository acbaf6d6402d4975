//! The ledger: entries in order, numbered without gaps and chained by hashes.
//!
//! [`Entry`] is the unit; what it says is its [`Body`](crate::body::Body). A ledger says nothing about whether an entry
//! may stand in it: [`crate::state`], [`crate::plan`] and [`crate::audit`] apply the entries of their ledgers, with the
//! same checks before an entry is appended and when it is applied again, so that every node agrees on what each entry
//! did.

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
