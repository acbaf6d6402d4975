//! `accord backup` and `accord restore`: everything that an installation stores, in one file, and a new installation made
//! from such a file.
//!
//! A backup can be taken while the server runs. It reads plans first and documents last, so every document and record that
//! a plan in the file names is in the file as well. Each ledger in it is whole up to some entry, as ledgers are after a
//! crash.
//!
//! A restored installation begins new lineages. If a browser has edits that the backup lacks, the page keeps them there
//! and asks its user what to do with them.

mod error;
mod format;
mod read;
mod restore;
mod write;

pub use error::BackupError;
pub use read::BackupContents;
pub use restore::restore;
pub use write::backup;
