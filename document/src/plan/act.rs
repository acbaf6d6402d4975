//! What can be done in a plan, and why it is sometimes refused.

use crate::ids::{Digest, DocumentId, PersonId};
use crate::people::{Action, Standing, StandingError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest title of a plan, in characters.
pub const TITLE: usize = 300;

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
}

impl Act {
    /// What the actor's seat must permit. Joining needs an invitation instead.
    pub(super) fn needs(&self) -> Option<Action> {
        Some(match self {
            Self::Join { .. } => return None,
            Self::Title { .. } | Self::Close | Self::Reopen => Action::ManagePlan,
            Self::Invite { .. } | Self::Revoke { .. } | Self::Seat { .. } | Self::Unseat { .. } => {
                Action::ManagePeople
            }
            Self::AddDocument { .. } => Action::CreateDocument,
            Self::Archive { .. } | Self::Unarchive { .. } | Self::Delete { .. } => {
                Action::RetireDocument
            }
        })
    }

    /// What a closed plan still allows: to be reopened, and that people lose or change seats.
    pub(super) fn is_fine_when_closed(&self) -> bool {
        matches!(self, Self::Reopen | Self::Seat { .. } | Self::Unseat { .. } | Self::Revoke { .. })
    }
}

/// Why an act changes nothing. Each is a sentence for whoever tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("Your seat in this plan does not include that. Ask its facilitator.")]
    Seat,
    #[error("This plan is closed: its texts can be read, but nothing in it can be changed.")]
    Closed,
    #[error("A plan needs a facilitator: seat another one first.")]
    LastFacilitator,
    #[error(transparent)]
    Standing(#[from] StandingError),
    #[error("That person has no seat in this plan.")]
    NotSeated,
    #[error("You already have a seat in this plan.")]
    AlreadySeated,
    #[error("This invitation does not exist. Ask whoever sent it for a new one.")]
    NoInvitation,
    #[error("This invitation has been used already. Each one is for one person.")]
    Used,
    #[error("This invitation was withdrawn. Ask whoever sent it for a new one.")]
    Revoked,
    #[error("This invitation has expired. Ask whoever sent it for a new one.")]
    Expired,
    #[error("There is no such document in this plan.")]
    NoDocument,
    #[error("This document is already as you want it to be.")]
    Unchanged,
    #[error("A plan's title has between 1 and {TITLE} characters.")]
    Title,
}
