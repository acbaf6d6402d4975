//! `accord backup` and `accord restore`: writing everything that an installation stores into one file, and making a new
//! installation from such a file.
//!
//! A backup can be taken while the server runs. It reads plans first and documents last, so that the file contains
//! every document and record that its plans name. Each ledger in the file is complete up to some entry, like a ledger
//! after a crash.
//!
//! A restored installation begins new lineages. If a browser has edits that the backup lacks, the page keeps them and
//! asks its user what to do with them.

mod error;
mod format;
mod new_folder;
mod read;
mod restore;
mod write;

pub(crate) use new_folder::{NewFolder, audit_of_restoring, new_lineage, put_ledger};

pub use error::BackupError;
pub use read::BackupContents;
pub use restore::restore;
pub use write::backup;
