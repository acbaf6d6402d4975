//! Entries for fuzz targets, into parts of the store that nobody else calls directly. Only the feature `fuzzing` has
//! this module. It must not decide anything: the targets in `fuzz/` say what must hold.

pub use crate::disk::fuzzing::{seal_witness, witness_of};
pub use crate::log::fuzzing::{LOG_BLOCK_BYTES, LogFiles, open_log, salvage_log};
