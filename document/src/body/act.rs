//! Acts: the entries of a plan's ledger, such as an invitation or a launch.

use crate::body::Quorum;
use crate::ids::{Digest, DocumentId, PersonId, Seq};
use crate::people::Standing;
use serde::{Deserialize, Serialize};

/// Maximum length of a plan's title, in characters.
pub const MAX_PLAN_TITLE_CHARS: usize = 300;

/// An act in a plan: one change to its people, documents, rules or launches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// The plan receives a title.
    Title {
        /// The title, of at most [`MAX_PLAN_TITLE_CHARS`] characters.
        title: String,
    },
    /// An invitation is created: the holder of its secret can join the plan once, until it expires. The entry contains only
    /// the digest of the secret.
    Invite {
        /// The SHA-256 digest of the invitation's secret.
        invitation: Digest,
        /// The seat and sector that the invitation offers, and whether its holder becomes a signatory.
        standing: Standing,
        /// The time from which the invitation is no longer valid, in milliseconds since the Unix epoch.
        expires: u64,
    },
    /// An invitation that nobody has used is withdrawn.
    Revoke {
        /// The SHA-256 digest of the invitation's secret.
        invitation: Digest,
    },
    /// The actor joins the plan with the standing that an invitation offers.
    Join {
        /// The SHA-256 digest of the invitation's secret.
        invitation: Digest,
    },
    /// A person receives a standing in the plan. It replaces the standing that the person had before, if any.
    Seat {
        /// The person whose standing is set.
        person: PersonId,
        /// The new standing of the person.
        standing: Standing,
    },
    /// A person loses their seat in the plan, and with it every right that the seat gave.
    Unseat {
        /// The person who leaves the plan.
        person: PersonId,
    },
    /// A document is added to the plan.
    AddDocument {
        /// The new document.
        document: DocumentId,
        /// The language of the document, as a BCP 47 tag.
        language: String,
        /// The original of which the new document is a translation, or `None` if the new document is itself an original.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translates: Option<DocumentId>,
    },
    /// A document is archived: people can still read it, but nobody can write in it until the act `Unarchive`.
    Archive {
        /// The document to archive.
        document: DocumentId,
    },
    /// An archived document becomes a draft again.
    Unarchive {
        /// The archived document that becomes a draft again.
        document: DocumentId,
    },
    /// A document is deleted.
    Delete {
        /// The document to delete.
        document: DocumentId,
    },
    /// The plan is closed, so that nothing in it can be written until somebody reopens it.
    Close,
    /// A closed plan is reopened.
    Reopen,
    /// The quorum of the plan changes: how many people of each side must sign a release.
    Quorum {
        /// The quorum of proposals that are made from now on.
        quorum: Quorum,
    },
    /// A launch is decided: several releases are to become public together.
    Launch {
        /// The releases to make public; each document occurs at most once.
        releases: Vec<LaunchedRelease>,
        /// The launch time, in milliseconds since the Unix epoch.
        #[serde(rename = "opens")]
        opens_at: u64,
        /// The IANA time zone in which the launch time was entered.
        zone: String,
    },
    /// A launch that is still waiting is called off.
    CallOff {
        /// The number of the entry that decided the launch.
        launch: Seq,
    },
    /// A launch whose time has come is published: its releases are public from now on, permanently.
    Publish {
        /// The number of the entry that decided the launch.
        launch: Seq,
    },
}

/// A release that is part of a launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedRelease {
    /// The document whose release it is.
    pub document: DocumentId,
    /// The number of the release within its document, from 1.
    pub number: u32,
    /// The digest of the release.
    pub digest: Digest,
}
