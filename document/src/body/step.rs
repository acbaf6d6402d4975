//! Steps on the path to a release: entries of a document's ledger.

use crate::ids::{Digest, Seq};
use crate::people::Action;
use crate::template::Need;
use serde::{Deserialize, Serialize};

/// The longest message of a step, in characters.
pub const MAX_STEP_MESSAGE_CHARS: usize = 2_000;

/// The most signatories a side may need.
pub const MAX_SIGNATORIES: u32 = 20;

/// How many of each side must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quorum {
    /// Signatures that the government's side needs.
    pub government: u32,
    /// Signatures that the side of civil society needs.
    pub civil_society: u32,
}

impl Quorum {
    /// One of each: what every release needs.
    pub const LEAST: Self = Self { government: 1, civil_society: 1 };

    /// Whether it asks for at least one of each side, and for no more than can be found.
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
    /// The text as it is after the entry `moment` is proposed for a release. Rule R1.
    Propose {
        /// The entry after which the text is proposed.
        moment: Seq,
        /// Of the release that it would become.
        digest: Digest,
        /// The signatures that it needs.
        quorum: Quorum,
        /// What the text lacks. Only a facilitator may propose it so.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gaps: Vec<Need>,
        /// A message to the signatories; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A signatory signs for their side. The digest is that of what they have read. Rules R2 and R3.
    Approve {
        /// The entry of the proposal.
        proposal: Seq,
        /// The digest of the text that the signatory has read.
        digest: Digest,
    },
    /// A signatory does not sign, and says why: the proposal is over. Rule R4.
    Decline {
        /// The entry of the proposal.
        proposal: Seq,
        /// The reason, which everybody in the plan reads.
        reason: String,
    },
    /// A proposal is taken back.
    Withdraw {
        /// The entry of the proposal.
        proposal: Seq,
    },
    /// The next draft begins.
    Reopen {
        /// A message to the authors; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
}

impl Step {
    /// What the actor's seat must permit.
    #[must_use]
    pub fn needs(&self) -> Action {
        match self {
            Self::Propose { .. } | Self::Withdraw { .. } => Action::Propose,
            Self::Approve { .. } | Self::Decline { .. } => Action::Sign,
            Self::Reopen { .. } => Action::SteerReleases,
        }
    }
}
