//! Redactions: the entries that take a passage out of a document.

use crate::ids::{Digest, Seq};
use crate::lib0::Write;
use crate::update::Range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
        let mut by_client: BTreeMap<u64, Vec<Range>> = BTreeMap::new();
        for range in &self.ranges {
            by_client.entry(range.client).or_default().push(*range);
        }
        let mut out = Vec::new();
        out.put_var(0);
        out.put_var(by_client.len() as u64);
        for (client, ranges) in by_client {
            out.put_var(client);
            out.put_var(ranges.len() as u64);
            for range in ranges {
                out.put_var(u64::from(range.clock));
                out.put_var(u64::from(range.len));
            }
        }
        out
    }
}
