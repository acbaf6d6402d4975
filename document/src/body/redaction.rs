//! Redactions: the entries that take a passage out of a document.

use crate::ids::{Digest, Seq};
use crate::update::{Range, put_deletions};
use serde::{Deserialize, Serialize};

/// The longest reason of a redaction, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// A passage that is taken out: who did it stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The reason, in the words of the person who redacts: everybody reads it.
    pub reason: String,
    /// The elements that are taken out.
    pub ranges: Vec<Range>,
    /// The entries that held any of them.
    pub targets: Vec<BlankedEntry>,
}

/// An entry that a redaction blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlankedEntry {
    /// The entry.
    pub seq: Seq,
    /// The SHA-256 of the update that replaces its body, behind its claims if it has any.
    pub replacement: Digest,
}

impl Redaction {
    /// An update that deletes what is redacted.
    #[must_use]
    pub fn deletion(&self) -> Vec<u8> {
        // It brings nothing.
        let mut out = vec![0];
        put_deletions(&mut out, &self.ranges);
        out
    }
}
