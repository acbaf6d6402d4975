//! Blanking: the content that a redaction removes is taken out of stored entries.
//!
//! A redaction is itself an entry. It records the actor, the reason, the redacted elements, and the entries that
//! contained them. The store then keeps those entries *blanked*: the header is unchanged, so that the chain still
//! verifies, and an update without the redacted content replaces the body. The redaction names the digest of each
//! replacement. So nobody can blank an entry without a redaction, or remove more of the entry than a redaction
//! announces.

use crate::body::{BlankedEntry, Body, Redaction};
use crate::ids::Digest;
use crate::ledger::Entry;
use crate::update::{Range, ScanError, blank};
use sha2::{Digest as _, Sha256};
use std::borrow::Borrow;

impl Redaction {
    /// Creates a redaction of `ranges`, and returns it with the blanked entries. Only blanked entries are kept in memory, so
    /// that the caller can pass the entries of a long ledger one at a time.
    ///
    /// # Errors
    /// Returns the error of the first entry that can't be read, or a [`ScanError`] if the update of an edit is malformed.
    pub fn of<E: From<ScanError>>(
        reason: String,
        ranges: Vec<Range>,
        entries: impl IntoIterator<Item = Result<impl Borrow<Entry>, E>>,
    ) -> Result<(Self, Vec<Entry>), E> {
        let mut blanked = Vec::new();
        for entry in entries {
            blanked.extend(blank_entry(entry?.borrow(), &ranges)?);
        }
        let targets = blanked
            .iter()
            .filter_map(|entry| {
                let blanked = matches!(entry.body, Body::Blanked { .. });
                blanked.then(|| BlankedEntry {
                    seq: entry.seq,
                    replacement: blanked_digest(&entry.body),
                })
            })
            .collect();
        Ok((Self { reason, ranges, targets }, blanked))
    }
}

/// Returns `entry` without the content of `ranges`, or `None` if it contains none of that content.
fn blank_entry(entry: &Entry, ranges: &[Range]) -> Result<Option<Entry>, ScanError> {
    let Some((update, provenance)) = entry.body.edit() else { return Ok(None) };
    let Some(replacement) = blank(update, ranges)? else { return Ok(None) };
    if replacement == update {
        return Ok(None);
    }
    let (hash, provenance) = (entry.body_hash(), provenance.clone());
    let body = Body::Blanked { hash, replacement, provenance };
    // The salt is removed as well, because with it anybody could find a short body by hashing guesses.
    Ok(Some(Entry { salt: [0; 16], body, ..entry.clone() }))
}

/// Returns the digest of a blanked entry's replacement body, as a redaction announces it.
pub(crate) fn blanked_digest(blanked: &Body) -> Digest {
    Digest(Sha256::digest(blanked.encode()).into())
}
