//! Proposals, signatures and releases, as the ledger made them.

use crate::body::Quorum;
use crate::ids::{Digest, PersonId, Seq};
use crate::ledger::Entry;
use crate::people::{Actor, Sector};
use crate::template::Need;
use serde::{Deserialize, Serialize};

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum ProposalStatus {
    /// It can be signed, unless the text has changed since.
    Open,
    /// Both sides signed it.
    Frozen {
        /// The number of the release.
        number: u32,
    },
    /// A signatory declined.
    Declined {
        /// The signatory.
        by: Mark,
        /// Their reason.
        reason: String,
    },
    /// It was taken back.
    Withdrawn {
        /// The person who took it back.
        by: Mark,
    },
    /// The text had changed, and another proposal took its place.
    Superseded,
}

/// Who took a step, when, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The entry.
    pub seq: Seq,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    /// The person who took the step.
    pub person: PersonId,
    /// The side that they sat for.
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
    /// By whom, and by which entry.
    pub by: Mark,
    /// The entry after which the text was proposed.
    pub moment: Seq,
    /// The digest of the release that it would become.
    pub digest: Digest,
    /// The signatures that it needs.
    pub quorum: Quorum,
    /// The needs that the text does not meet.
    pub gaps: Vec<Need>,
    /// The message to the signatories; may be empty.
    pub message: String,
    /// The signatures so far, in order.
    pub signatures: Vec<Mark>,
    /// The state of the proposal.
    pub fate: ProposalStatus,
}

impl Proposal {
    /// How many of a side have signed.
    #[must_use]
    pub fn signed(&self, sector: Sector) -> u32 {
        self.signatures.iter().filter(|mark| mark.sector == sector).count() as u32
    }

    pub(super) fn is_complete(&self) -> bool {
        self.signed(Sector::Government) >= self.quorum.government
            && self.signed(Sector::CivilSociety) >= self.quorum.civil_society
    }
}

/// A frozen version: what a proposal said, signed by both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// From 1 on.
    pub number: u32,
    /// Which of the proposals it was.
    pub proposal: usize,
    /// The entry that froze it: the last signature.
    pub frozen: Mark,
    /// Who began the next draft.
    pub reopened: Option<Mark>,
}
