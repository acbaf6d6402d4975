//! The action that a seat must permit for each act, and the reasons to refuse an act.

use crate::body::{Act, MAX_PLAN_TITLE_CHARS, MAX_SIGNATORIES};
use crate::people::{Action, StandingError};
use thiserror::Error;

impl Act {
    /// Returns the action that the actor's seat must permit for this act, or `None` for joining, which needs an invitation
    /// instead.
    pub(super) fn needs(&self) -> Option<Action> {
        Some(match self {
            Self::Join { .. } => return None,
            Self::Title { .. } | Self::Close | Self::Reopen | Self::Quorum { .. } => {
                Action::ManagePlan
            }
            Self::Launch { .. } | Self::CallOff { .. } => Action::SteerReleases,
            // The server itself publishes launches, and acts as an administrator. Whether the time of the launch has
            // come is a separate check (`check_launch`).
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

/// The reason why an act is refused and changes nothing. The message of each variant is a sentence for the person who tried to
/// act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum ActRefusal {
    #[error("Your role in this plan does not allow this. Ask its facilitator.")]
    Seat,
    #[error("This plan is closed. You can read it, but nobody can change it.")]
    Closed,
    #[error("A plan needs a facilitator. Make somebody else a facilitator first.")]
    LastFacilitator,
    #[error(transparent)]
    Standing(#[from] StandingError),
    #[error("That person has no role in this plan.")]
    NotSeated,
    #[error("You already have a role in this plan.")]
    AlreadySeated,
    #[error("This invitation does not exist. Ask the person who sent it for a new one.")]
    NoInvitation,
    #[error(
        "This invitation has already been used. Each one works once. Ask the person who sent it for a new one."
    )]
    Used,
    #[error("This invitation was withdrawn. Ask the person who sent it for a new one.")]
    Revoked,
    #[error("This invitation has expired. Ask the person who sent it for a new one.")]
    Expired,
    #[error("There is no such commitment in this plan.")]
    NoDocument,
    #[error("This has already been done. Nothing was changed.")]
    Unchanged,
    #[error("A plan's title must have 1 to {MAX_PLAN_TITLE_CHARS} characters.")]
    Title,
    #[error("A release needs 1 to {MAX_SIGNATORIES} signatures from each side.")]
    Quorum,
    #[error("Choose at least one release to launch, each commitment once, and name the time zone.")]
    Launch,
    #[error("One of these releases is already public, or is waiting for its launch.")]
    Launched,
    #[error("There is no such launch, or it has already happened. Public releases stay public.")]
    NoLaunch,
    #[error("The time of this launch has not come yet.")]
    Early,
    /// The plan's own check finds only launched releases. The server returns this refusal for any release.
    #[error("This commitment has releases, and those are permanent. Archive it instead.")]
    Released,
    #[error("This commitment already exists in that language, or it is not in this plan.")]
    Language,
}
