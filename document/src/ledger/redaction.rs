//! Redaction: taking a pasted secret, or what the law wants erased, out of what is stored, in sight of
//! everybody.
//!
//! A redaction is an entry: who, why, which elements, and which entries held them. Those entries then
//! stand in the store *blanked*: with the header they had, so that the chain still verifies, and in
//! place of the body an update without the content of those elements. The redaction names the digest
//! of each such update, so that nobody can blank an entry, or blank more of it, without one.

use super::entry::{Body, Entry};
use crate::ids::{Digest, PersonId, Seq};
use crate::lib0::Write;
use crate::update::{Range, ScanError, blank};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The longest reason, in characters.
pub const REASON: usize = 500;

/// What a redaction entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// In the words of whoever redacts: everybody reads them.
    pub reason: String,
    pub ranges: Vec<Range>,
    /// The entries that held any of it.
    pub targets: Vec<Target>,
}

/// An entry to be blanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub seq: Seq,
    /// Of what stands in place of its body: an update, behind its claims if it has any.
    pub replacement: Digest,
}

/// A redaction as readers are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    pub seq: Seq,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    pub person: PersonId,
    pub reason: String,
}

impl Redaction {
    /// A redaction of `ranges` in a ledger, and its entries blanked for it.
    ///
    /// # Errors
    /// When an entry's body is not an update.
    pub fn of<'e>(
        reason: String,
        ranges: Vec<Range>,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<(Self, Vec<Entry>), ScanError> {
        let mut blanked = Vec::new();
        for entry in entries {
            blanked.extend(blank_entry(entry, &ranges)?);
        }
        let targets = blanked
            .iter()
            .filter_map(|entry| {
                let blanked = matches!(entry.body, Body::Blanked { .. });
                blanked.then(|| Target { seq: entry.seq, replacement: digest(&entry.body) })
            })
            .collect();
        Ok((Self { reason, ranges, targets }, blanked))
    }

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
fn digest(blanked: &Body) -> Digest {
    Digest(Sha256::digest(blanked.encode()).into())
}

/// What a ledger's redactions have announced, against what of it is blanked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledgered {
    /// The digests announced for each entry, in order: the last is the one that must stand there.
    announced: BTreeMap<Seq, Vec<Digest>>,
    blanked: BTreeMap<Seq, Digest>,
    /// What was redacted of each entry.
    ranges: BTreeMap<Seq, Vec<Range>>,
    pub(super) told: Vec<Redacted>,
}

impl Ledgered {
    pub(super) fn found_blanked(&mut self, seq: Seq, blanked: &Body) {
        self.blanked.insert(seq, digest(blanked));
    }

    pub(super) fn announce(&mut self, entry: &Entry, redaction: &Redaction) {
        for target in &redaction.targets {
            self.announced.entry(target.seq).or_default().push(target.replacement);
            self.ranges.entry(target.seq).or_default().extend(&redaction.ranges);
        }
        self.told.push(Redacted {
            seq: entry.seq,
            time: entry.time,
            person: entry.actor.person.clone(),
            reason: redaction.reason.clone(),
        });
    }

    /// An entry that is blanked in a way that no redaction announced.
    pub(super) fn unexplained(&self) -> Option<Seq> {
        let explained = |seq, found| self.announced.get(seq).is_some_and(|all| all.contains(found));
        self.blanked.iter().find(|(seq, found)| !explained(*seq, *found)).map(|(seq, _)| *seq)
    }

    /// The entries that are not blanked as they should be, and what to take out of each: the server
    /// stopped between the redaction and the blanking.
    pub(super) fn unfinished(&self) -> Vec<(Seq, Vec<Range>)> {
        self.announced
            .iter()
            .filter(|(seq, all)| self.blanked.get(seq) != all.last())
            .map(|(seq, _)| (*seq, self.ranges.get(seq).cloned().unwrap_or_default()))
            .collect()
    }
}
