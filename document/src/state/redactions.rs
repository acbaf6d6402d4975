//! The redactions of a document, compared with the entries that were blanked for them.

use crate::body::{BlankedEntry, Body, Redaction};
use crate::ids::{Digest, PersonId, Seq};
use crate::ledger::{Entry, blanked_digest};
use crate::update::Range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A redaction, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionNotice {
    /// Number of the redaction's entry.
    pub seq: Seq,
    /// The time of the redaction, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who redacted.
    pub person: PersonId,
    /// The reason, in the words of the person who redacted.
    pub reason: String,
}

/// The redactions in a ledger, with the replacements that they announce, and the entries that are blanked so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RedactionLog {
    /// For each entry, the digests of the replacements that redactions announced, in the order of the redactions. The
    /// blanking of an entry is finished when its replacement has the last of these digests.
    announced: BTreeMap<Seq, Vec<Digest>>,
    blanked: BTreeMap<Seq, Digest>,
    /// The elements that were redacted from each entry.
    ranges: BTreeMap<Seq, Vec<Range>>,
    // Checkpoints store this field under the name `told`.
    #[serde(rename = "told")]
    pub(super) notices: Vec<RedactionNotice>,
}

impl RedactionLog {
    pub(super) fn found_blanked(&mut self, seq: Seq, blanked: &Body) {
        self.blanked.insert(seq, blanked_digest(blanked));
    }

    pub(super) fn announce(&mut self, entry: &Entry, redaction: &Redaction) {
        for target in &redaction.targets {
            self.announced.entry(target.seq).or_default().push(target.replacement);
            self.ranges.entry(target.seq).or_default().extend(&redaction.ranges);
        }
        self.notices.push(RedactionNotice {
            seq: entry.seq,
            time: entry.time,
            person: entry.actor.person.clone(),
            reason: redaction.reason.clone(),
        });
    }

    /// Returns the entries that were blanked in a way that no redaction announced.
    pub(super) fn unexplained(&self) -> impl Iterator<Item = BlankedEntry> {
        let explained = |seq, found| self.announced.get(seq).is_some_and(|all| all.contains(found));
        let unexplained = self.blanked.iter().filter(move |(seq, found)| !explained(*seq, *found));
        unexplained.map(|(&seq, &replacement)| BlankedEntry { seq, replacement })
    }

    /// Returns the entries that are not blanked as announced, with the elements to remove from each. There are such
    /// entries if the server stopped between a redaction and the blanking.
    pub(super) fn unfinished(&self) -> Vec<(Seq, Vec<Range>)> {
        self.announced
            .iter()
            .filter(|(seq, all)| self.blanked.get(seq) != all.last())
            .map(|(seq, _)| (*seq, self.ranges.get(seq).cloned().unwrap_or_default()))
            .collect()
    }
}
