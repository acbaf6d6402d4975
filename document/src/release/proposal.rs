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
        number: u32,
    },
    Declined {
        by: Mark,
        reason: String,
    },
    Withdrawn {
        by: Mark,
    },
    /// The text had changed, and another proposal took its place.
    Superseded,
}

/// Who took a step, when, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub seq: Seq,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    pub person: PersonId,
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
    pub moment: Seq,
    pub digest: Digest,
    pub quorum: Quorum,
    pub gaps: Vec<Need>,
    pub message: String,
    pub signatures: Vec<Mark>,
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
