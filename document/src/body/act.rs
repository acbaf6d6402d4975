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
    /// The plan is given a title.
    Title {
        /// The title, of at most [`MAX_PLAN_TITLE_CHARS`] characters.
        title: String,
    },
    /// The holder of the secret with this digest may join, once, until a time in milliseconds since the Unix epoch.
    Invite {
        /// The SHA-256 of the invitation's secret.
        invitation: Digest,
        /// The seat that it offers.
        standing: Standing,
        /// The time from which it can't be used any more.
        expires: u64,
    },
    /// An invitation is withdrawn.
    Revoke {
        /// The SHA-256 of the invitation's secret.
        invitation: Digest,
    },
    /// The actor takes the seat that an invitation offers.
    Join {
        /// The SHA-256 of the invitation's secret.
        invitation: Digest,
    },
    /// A person is seated, or given another seat.
    Seat {
        /// The person.
        person: PersonId,
        /// The seat.
        standing: Standing,
    },
    /// A person loses their seat.
    Unseat {
        /// The person.
        person: PersonId,
    },
    /// A document is added to the plan.
    AddDocument {
        /// The new document.
        document: DocumentId,
        /// BCP 47.
        language: String,
        /// The commitment that this is another language of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translates: Option<DocumentId>,
    },
    /// A document is set aside.
    Archive {
        /// The document.
        document: DocumentId,
    },
    /// An archived document is taken back.
    Unarchive {
        /// The document.
        document: DocumentId,
    },
    /// A document is deleted.
    Delete {
        /// The document.
        document: DocumentId,
    },
    /// The plan is closed: nothing in it can be written.
    Close,
    /// A closed plan is opened again.
    Reopen,
    /// How many of each side must sign a release.
    Quorum {
        /// The quorum for proposals from now on.
        quorum: Quorum,
    },
    /// Releases are to be public from a time on, all at once.
    Launch {
        /// The releases, each document once.
        releases: Vec<LaunchedRelease>,
        /// Milliseconds since the Unix epoch.
        opens: u64,
        /// The time zone in which that was said (IANA).
        zone: String,
    },
    /// A launch that has not come yet will not.
    CallOff {
        /// The entry that decided the launch.
        launch: Seq,
    },
    /// The time of a launch has come: its releases are public, for good.
    Publish {
        /// The entry that decided the launch.
        launch: Seq,
    },
}

/// A release that is launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedRelease {
    /// The document.
    pub document: DocumentId,
    /// The number of the release, from 1 on.
    pub number: u32,
    /// The digest of the release.
    pub digest: Digest,
}
