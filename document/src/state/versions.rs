//! The versions of a document: moments that somebody gave a name.

use crate::body::Version;
use crate::ids::{PersonId, Seq};
use crate::ledger::Entry;
use serde::{Deserialize, Serialize};

/// A version, with the entry that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedVersion {
    /// The entry that named the moment.
    pub seq: Seq,
    /// The time at which it was named, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who named it.
    pub person: PersonId,
    /// The name, the description and the moment.
    pub version: Version,
}

impl NamedVersion {
    pub(super) fn new(entry: &Entry, version: &Version) -> Self {
        let person = entry.actor.person.clone();
        Self { seq: entry.seq, time: entry.time, person, version: version.clone() }
    }
}
