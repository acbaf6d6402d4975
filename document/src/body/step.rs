//! Steps: the entries of a document's ledger that lead to a release, or away from one.

use crate::ids::{Digest, Seq};
use crate::people::Action;
use crate::template::Need;
use serde::{Deserialize, Serialize};

/// Maximum length of a step's message or reason, in characters.
pub const MAX_STEP_MESSAGE_CHARS: usize = 2_000;

/// Maximum number of signatures that a quorum can require of one side.
pub const MAX_SIGNATORIES: u32 = 20;

/// A quorum: the number of signatures that a release needs from each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quorum {
    /// Number of signatures that the government's side must give.
    pub government: u32,
    /// Number of signatures that the side of civil society must give.
    pub civil_society: u32,
}

impl Quorum {
    /// The smallest quorum that is allowed: one signature of each side.
    pub const LEAST: Self = Self { government: 1, civil_society: 1 };

    /// Returns whether the quorum requires between 1 and [`MAX_SIGNATORIES`] signatures of each side.
    #[must_use]
    pub fn is_possible(self) -> bool {
        let fits = |count: u32| (1..=MAX_SIGNATORIES).contains(&count);
        fits(self.government) && fits(self.civil_society)
    }
}

/// A step on the path to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The text of the document at `moment` is proposed for a release. Rule R1.
    Propose {
        /// The moment whose text is proposed.
        moment: Seq,
        /// The digest of the release that the proposed text would become.
        digest: Digest,
        /// The quorum that the proposal needs to become a release.
        quorum: Quorum,
        /// The gaps that the proposed text still has. Only a facilitator is allowed to propose a text with gaps.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gaps: Vec<Need>,
        /// A message to the signatories, or an empty string.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A signatory signs the proposal for their side, and names the digest of the text that they have read.
    /// Rules R2 and R3.
    Approve {
        /// The number of the proposal's entry.
        proposal: Seq,
        /// The digest of the text that the signatory has read.
        digest: Digest,
    },
    /// A signatory declines to sign and gives a reason, which ends the proposal. Rule R4.
    Decline {
        /// The number of the proposal's entry.
        proposal: Seq,
        /// The reason, which everybody in the plan can read.
        reason: String,
    },
    /// A proposal is withdrawn.
    Withdraw {
        /// The number of the proposal's entry.
        proposal: Seq,
    },
    /// A frozen document is reopened, and its next draft begins.
    Reopen {
        /// A message to the authors, or an empty string.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
}

impl Step {
    /// Returns the action that the actor's seat must permit for this step in the ledger. What a request needs is almost the
    /// same (`action_of` in `server/src/rooms/handle.rs`).
    #[must_use]
    pub fn needs(&self) -> Action {
        match self {
            Self::Propose { .. } | Self::Withdraw { .. } => Action::Propose,
            Self::Approve { .. } | Self::Decline { .. } => Action::Sign,
            Self::Reopen { .. } => Action::SteerReleases,
        }
    }
}
