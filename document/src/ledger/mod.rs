//! The ledger: everything that ever happened to a document, in order.
//!
//! [`Entry`] is the unit, numbered without gaps and chained by hashes; [`DocumentState`] is what
//! applying a document's ledger gives. Plans ([`crate::plan`]) and the audit record
//! ([`crate::audit`]) have ledgers of the same form. The same checks run before an entry is appended and when it is
//! applied again, so every node agrees on what each entry did.

mod chain;
mod checkpoint;
mod entry;
mod redaction;
mod release;
mod segment;
mod state;
mod version;

pub(crate) use chain::Chain;
pub use chain::{Position, RULES};

pub use entry::{Body, Entry, EntryError, FORMAT, Genesis, Restored, Salt};
pub use redaction::{REASON, Redacted, Redaction, Target};
pub use release::{
    Fate, MESSAGE, Mark, Proposal, Quorum, Release, Releases, SIGNATORIES, Step, StepError,
};
pub use segment::{SEGMENT, SegmentError, pack, unpack};
pub use state::{DocumentState, LedgerError, Outcome};
pub use version::{DESCRIPTION, NAME, Named, Version, VersionError};
