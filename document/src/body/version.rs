//! Versions: moments of a document to which a person or the server gave a name.

use crate::ids::Seq;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Maximum length of a version's name, in characters.
pub const MAX_VERSION_NAME_CHARS: usize = 120;
/// Maximum length of a version's description, in characters.
pub const MAX_VERSION_DESCRIPTION_CHARS: usize = 2_000;

/// The reason why a version is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum VersionError {
    #[error("A version needs a name of 1 to {MAX_VERSION_NAME_CHARS} characters.")]
    Name,
    #[error("The description of a version has at most {MAX_VERSION_DESCRIPTION_CHARS} characters.")]
    Description,
    #[error("This moment is in the future. Choose an earlier one.")]
    Future,
    #[error("Your role in this plan does not allow you to name versions.")]
    Seat,
}

/// The body of an entry that names a moment of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The name of the version. It is empty if the server created the version before a restore.
    pub name: String,
    /// The description of the version, or an empty string.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The moment that the version names.
    pub moment: Seq,
    /// If the server created this version automatically before a restore: the moment that was about to be restored. `None` if a
    /// person named the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_restoring: Option<Seq>,
}

impl Version {
    /// Checks that a ledger whose last entry is `last` can contain this version next.
    ///
    /// # Errors
    /// Returns the first fault that is found in the name, the description or the moment.
    pub fn check(&self, last: Seq) -> Result<(), VersionError> {
        let length = self.name.trim().chars().count();
        let is_named =
            (1..=MAX_VERSION_NAME_CHARS).contains(&length) && length == self.name.chars().count();
        let is_automatic = self.name.is_empty() && self.before_restoring.is_some();
        if !is_named && !is_automatic {
            return Err(VersionError::Name);
        }
        if self.description.chars().count() > MAX_VERSION_DESCRIPTION_CHARS {
            return Err(VersionError::Description);
        }
        if self.moment > last { Err(VersionError::Future) } else { Ok(()) }
    }
}
