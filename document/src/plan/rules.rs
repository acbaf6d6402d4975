//! The seat that each act needs, and the reasons to refuse an act.

use crate::body::{Act, MAX_PLAN_TITLE_CHARS, MAX_SIGNATORIES};
use crate::people::{Action, StandingError};
use thiserror::Error;

impl Act {
    /// Returns the action that the actor's seat must permit, or `None` for joining, which needs an invitation instead.
    pub(super) fn needs(&self) -> Option<Action> {
        Some(match self {
            Self::Join { .. } => return None,
            Self::Title { .. } | Self::Close | Self::Reopen | Self::Quorum { .. } => {
                Action::ManagePlan
            }
            Self::Launch { .. } | Self::CallOff { .. } => Action::SteerReleases,
            // The server publishes launches on its own, as an administrator. Only the time of the launch must have
            // come.
            Self::Publish { .. } => Action::ManagePlan,
            Self::Invite { .. } | Self::Revoke { .. } | Self::Seat { .. } | Self::Unseat { .. } => {
                Action::ManagePeople
            }
            Self::AddDocument { .. } => Action::CreateDocument,
            Self::Archive { .. } | Self::Unarchive { .. } | Self::Delete { .. } => {
                Action::RetireDocument
            }
        })
    }

    /// Whether the act is allowed in a closed plan. People can still lose or change seats, invitations can be
    /// withdrawn, launches can be called off or published, and the plan can be reopened.
    pub(super) fn is_allowed_when_closed(&self) -> bool {
        matches!(
            self,
            Self::Reopen
                | Self::Seat { .. }
                | Self::Unseat { .. }
                | Self::Revoke { .. }
                | Self::CallOff { .. }
                | Self::Publish { .. }
        )
    }
}

/// The reason why an act is refused and changes nothing. Each is a sentence for the person who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum ActRefusal {
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
    #[error("This invitation does not exist. Ask the person who sent it for a new one.")]
    NoInvitation,
    #[error("This invitation has been used already. Each one is for one person.")]
    Used,
    #[error("This invitation was withdrawn. Ask the person who sent it for a new one.")]
    Revoked,
    #[error("This invitation has expired. Ask the person who sent it for a new one.")]
    Expired,
    #[error("There is no such document in this plan.")]
    NoDocument,
    #[error("This document is already as you want it to be.")]
    Unchanged,
    #[error("A plan's title has between 1 and {MAX_PLAN_TITLE_CHARS} characters.")]
    Title,
    #[error("Each side needs at least one signatory, and at most {MAX_SIGNATORIES}.")]
    Quorum,
    #[error("Choose at least one release to launch, each commitment once, and name the time zone.")]
    Launch,
    #[error("One of these releases is public already, or waits for its launch.")]
    Launched,
    #[error("There is no such launch, or it is over: what is public stays public.")]
    NoLaunch,
    #[error("The time of this launch has not come yet.")]
    Early,
    #[error("This commitment has releases, and those are permanent. Archive it instead.")]
    Released,
    #[error(
        "This commitment is written in that language already, or is no commitment of this plan."
    )]
    Language,
}
