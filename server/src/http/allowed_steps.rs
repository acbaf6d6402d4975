//! Which steps on the path to a release a person may take.

use crate::access::{may_propose, may_sign};
use accord_document::people::{Action, permits};
use accord_document::plan::Grant;
use serde::Serialize;
use utoipa::ToSchema;

/// The steps on the path to a release that a person may take.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = May)]
pub(crate) struct AllowedSteps {
    /// Whether the person may propose the text.
    propose: bool,
    /// Whether the person may withdraw a proposal of their own.
    withdraw: bool,
    /// Whether the person may also propose a text with gaps, withdraw proposals of others, and reopen a frozen text.
    steer: bool,
    /// Whether the person may sign or decline.
    sign: bool,
}

impl AllowedSteps {
    /// Returns the steps that a person with this access to a document may take.
    pub(super) fn of(grant: &Grant) -> Self {
        let (standing, can_act) = (grant.standing, grant.may_write);
        Self {
            propose: can_act && may_propose(standing),
            withdraw: can_act && permits(standing.seat, Action::Propose),
            steer: can_act && permits(standing.seat, Action::SteerReleases),
            sign: can_act && may_sign(standing),
        }
    }
}
