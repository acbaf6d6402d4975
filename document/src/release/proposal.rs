//! Proposals, signatures and releases, which result from the steps in a document's ledger.

use crate::body::Quorum;
use crate::ids::{Digest, PersonId, Seq};
use crate::ledger::Entry;
use crate::people::{Actor, Sector};
use crate::template::Need;
use serde::{Deserialize, Serialize};

/// The state of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum ProposalStatus {
    /// The proposal is open: it can be signed, unless it is stale.
    Open,
    /// The signatures of both sides have reached the quorum, and the proposal has become a release.
    Frozen {
        /// The number of the release.
        number: u32,
    },
    /// A signatory has declined to sign.
    Declined {
        /// The signatory who declined.
        by: Mark,
        /// The reason of the signatory.
        reason: String,
    },
    /// The proposal was withdrawn.
    Withdrawn {
        /// The person who withdrew the proposal.
        by: Mark,
    },
    /// The proposal was stale, and a newer proposal has replaced it.
    Superseded,
}

/// The record of a step: its entry, its time, and the person with their side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Number of the step's entry.
    pub seq: Seq,
    /// The time of the step, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who took the step.
    pub person: PersonId,
    /// The side that the person represented.
    pub sector: Sector,
}

impl Mark {
    pub(super) fn of(entry: &Entry) -> Self {
        let Actor { person, sector, .. } = entry.actor.clone();
        Self { seq: entry.seq, time: entry.time, person, sector }
    }
}

/// A text that was proposed for a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The person who proposed the text, with the entry of the proposal.
    pub by: Mark,
    /// The moment whose text was proposed, as the number of an entry. Any edit after that entry makes the proposal stale.
    pub moment: Seq,
    /// The digest of the release that the text would become.
    pub digest: Digest,
    /// The number of signatures that the proposal needs from each side.
    pub quorum: Quorum,
    /// The needs that the text does not meet.
    pub gaps: Vec<Need>,
    /// The message to the signatories; may be empty.
    pub message: String,
    /// The signatures so far, in order.
    pub signatures: Vec<Mark>,
    /// The state of the proposal.
    #[serde(rename = "fate")]
    pub status: ProposalStatus,
}

impl Proposal {
    /// Returns the number of people of a side who have signed.
    #[must_use]
    pub fn signed(&self, sector: Sector) -> u32 {
        self.signatures.iter().filter(|mark| mark.sector == sector).count() as u32
    }

    pub(super) fn is_complete(&self) -> bool {
        self.signed(Sector::Government) >= self.quorum.government
            && self.signed(Sector::CivilSociety) >= self.quorum.civil_society
    }
}

/// A release: the text of a proposal, frozen because both sides signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The number of the release, from 1 on.
    pub number: u32,
    /// Index of the proposal that became this release, among all proposals of the document.
    pub proposal: usize,
    /// The last signature, whose entry froze the text.
    pub frozen: Mark,
    /// The step that reopened the document afterwards, or `None` while the text is frozen.
    pub reopened: Option<Mark>,
}
