//! The versions of a document, which are moments with a name.

use crate::body::Version;
use crate::ids::{PersonId, Seq};
use crate::ledger::Entry;
use serde::{Deserialize, Serialize};

/// A version, with the number, the time and the person of its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedVersion {
    /// Number of the entry that named the version.
    pub seq: Seq,
    /// The time of naming, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who named the version.
    pub person: PersonId,
    /// The name, the description and the moment of the version.
    pub version: Version,
}

impl NamedVersion {
    pub(super) fn new(entry: &Entry, version: &Version) -> Self {
        let person = entry.actor.person.clone();
        Self { seq: entry.seq, time: entry.time, person, version: version.clone() }
    }
}
