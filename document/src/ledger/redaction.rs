//! Blanking: entries without the content that a redaction takes out.
//!
//! A redaction is an entry: who, why, which elements, and which entries held them. Those entries then stand in the
//! store *blanked*: with the header they had, so that the chain still verifies, and in place of the body an update
//! without the content of those elements. The redaction names the digest of each such update, so that nobody can
//! blank an entry, or blank more of it, without one.

use crate::body::{BlankedEntry, Body, Redaction};
use crate::ids::Digest;
use crate::ledger::Entry;
use crate::update::{Range, ScanError, blank};
use sha2::{Digest as _, Sha256};
use std::borrow::Borrow;

impl Redaction {
    /// A redaction of `ranges` in a ledger, and its entries blanked for it. Of the others none is kept, so that a ledger
    /// may be read as it goes through.
    ///
    /// # Errors
    /// With the error of an entry that can't be read; when an entry's body is not an update.
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

/// An entry without the content of `ranges`; nothing when it holds none.
fn blank_entry(entry: &Entry, ranges: &[Range]) -> Result<Option<Entry>, ScanError> {
    let Some((update, provenance)) = entry.body.edit() else { return Ok(None) };
    let Some(replacement) = blank(update, ranges)? else { return Ok(None) };
    if replacement == update {
        return Ok(None);
    }
    let (hash, provenance) = (entry.body_hash(), provenance.clone());
    let body = Body::Blanked { hash, replacement, provenance };
    // Without its salt nobody can find out a short body by trying.
    Ok(Some(Entry { salt: [0; 16], body, ..entry.clone() }))
}

/// The digest of what stands in a blanked entry.
pub(crate) fn blanked_digest(blanked: &Body) -> Digest {
    Digest(Sha256::digest(blanked.encode()).into())
}
