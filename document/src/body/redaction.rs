//! Redactions: the entries that take a passage out of a document and its ledger.

use crate::ids::{Digest, Seq};
use crate::update::{Range, put_deletions};
use serde::{Deserialize, Serialize};

/// Maximum length of a redaction's reason, in characters.
pub const MAX_REDACTION_REASON_CHARS: usize = 500;

/// A redaction: the passage that is taken out, and the reason. The entry itself records the actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The reason, as the person who redacts wrote it. All readers of the document can see it.
    pub reason: String,
    /// The elements of the document that are taken out.
    pub ranges: Vec<Range>,
    /// The entries that contained any of those elements, each with the digest of its replacement.
    pub targets: Vec<BlankedEntry>,
}

/// An entry that a redaction blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlankedEntry {
    /// The number of the entry in the document's ledger.
    pub seq: Seq,
    /// The SHA-256 digest of the entry's replacement body. This body is encoded like the original one, with the blanked
    /// update in place of the original update.
    pub replacement: Digest,
}

impl Redaction {
    /// Returns an update that deletes the redacted elements and inserts nothing.
    #[must_use]
    pub fn deletion(&self) -> Vec<u8> {
        // The update contains no structs, so its count of clients is 0.
        let mut out = vec![0];
        put_deletions(&mut out, &self.ranges);
        out
    }
}
