//! The names of the files and folders in a data folder.

use crate::sled::FILE;
use std::path::{Path, PathBuf};

/// The folder of sled, of the log and of the keys.
pub(super) const SLED: &str = "store";
pub(super) const LOG: &str = "log";
pub(super) const KEYS: &str = "keys";

/// Returns the path of sled's file in a data folder.
pub(super) fn sled_file(folder: &Path) -> PathBuf {
    folder.join(SLED).join(FILE)
}
