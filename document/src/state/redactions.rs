//! The redactions of a document, held against the entries that are blanked for them.

use crate::body::{Body, Redaction};
use crate::ids::{Digest, PersonId, Seq};
use crate::ledger::{Entry, blanked_digest};
use crate::update::Range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A redaction as readers are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionNotice {
    /// The entry of the redaction.
    pub seq: Seq,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who redacted.
    pub person: PersonId,
    /// Their reason.
    pub reason: String,
}

/// What a ledger's redactions have announced, against what of it is blanked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RedactionLog {
    /// The digests announced for each entry, in order: the last is the one that must stand there.
    announced: BTreeMap<Seq, Vec<Digest>>,
    blanked: BTreeMap<Seq, Digest>,
    /// What was redacted of each entry.
    ranges: BTreeMap<Seq, Vec<Range>>,
    // Checkpoints call it so.
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
