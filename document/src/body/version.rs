//! Versions: moments of a document that somebody gave a name.

use crate::ids::Seq;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name, in characters.
pub const MAX_VERSION_NAME_CHARS: usize = 120;
/// The longest description, in characters.
pub const MAX_VERSION_DESCRIPTION_CHARS: usize = 2_000;

/// Why a version is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum VersionError {
    #[error("A version needs a name of 1 to {MAX_VERSION_NAME_CHARS} characters.")]
    Name,
    #[error("The description of a version has at most {MAX_VERSION_DESCRIPTION_CHARS} characters.")]
    Description,
    #[error("This moment has not come yet.")]
    Future,
    #[error("This seat may not name versions.")]
    Seat,
}

/// What an entry says that names a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Empty for one that the server made before a restore.
    pub name: String,
    /// A description; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The moment that is named.
    pub moment: Seq,
    /// Made by the server, before going back to this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_restoring: Option<Seq>,
}

impl Version {
    /// Whether it may stand in a ledger behind the entry `last`.
    ///
    /// # Errors
    /// With what is wrong.
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
