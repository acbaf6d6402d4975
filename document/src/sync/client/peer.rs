//! Somebody else who is in the document.

use crate::model::Target;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yrs::StickyIndex;

/// Somebody else in the document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peer {
    /// The client id.
    pub client: u64,
    /// The identity that the server has set.
    #[cfg_attr(feature = "schema", schema(value_type = crate::sync::PresenceUser))]
    pub user: Value,
    /// Where their caret is: a text, and the ends of the selection in it.
    pub cursor: Option<(Target, u32, u32)>,
}

/// What a peer's last message said.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) clock: u64,
    pub(super) state: Value,
}

/// Where a caret is, as awareness messages carry it.
#[derive(Debug, Deserialize)]
pub(super) struct Cursor {
    pub(super) anchor: StickyIndex,
    pub(super) head: StickyIndex,
}
