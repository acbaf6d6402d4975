//! Acts in a plan: the entries of a plan's ledger.

use crate::body::Quorum;
use crate::ids::{Digest, DocumentId, PersonId, Seq};
use crate::people::Standing;
use serde::{Deserialize, Serialize};

/// The longest title of a plan, in characters.
pub const MAX_PLAN_TITLE_CHARS: usize = 300;

/// What can be done in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    Title {
        title: String,
    },
    /// Whoever holds the secret with this digest may join, once, until a time in milliseconds
    /// since the Unix epoch.
    Invite {
        invitation: Digest,
        standing: Standing,
        expires: u64,
    },
    Revoke {
        invitation: Digest,
    },
    /// The actor takes the seat that an invitation offers.
    Join {
        invitation: Digest,
    },
    Seat {
        person: PersonId,
        standing: Standing,
    },
    Unseat {
        person: PersonId,
    },
    AddDocument {
        document: DocumentId,
        /// BCP 47.
        language: String,
        /// The commitment that this is another language of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translates: Option<DocumentId>,
    },
    Archive {
        document: DocumentId,
    },
    Unarchive {
        document: DocumentId,
    },
    Delete {
        document: DocumentId,
    },
    Close,
    Reopen,
    /// How many of each side must sign a release.
    Quorum {
        quorum: Quorum,
    },
    /// Releases are to be public from a time on, all at once.
    Launch {
        releases: Vec<LaunchedRelease>,
        /// Milliseconds since the Unix epoch.
        opens: u64,
        /// The time zone in which that was said (IANA).
        zone: String,
    },
    /// A launch that has not come yet will not.
    CallOff {
        launch: Seq,
    },
    /// The time of a launch has come: its releases are public, for good.
    Publish {
        launch: Seq,
    },
}

/// A release that is launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedRelease {
    pub document: DocumentId,
    pub number: u32,
    pub digest: Digest,
}
