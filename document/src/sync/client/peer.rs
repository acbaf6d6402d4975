//! The other clients in a document, as their awareness messages describe them.

use crate::model::Target;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yrs::StickyIndex;

/// Another client in the document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peer {
    /// The client id.
    pub client: u64,
    /// The identity of the person who uses the client, as the server knows it.
    #[cfg_attr(feature = "schema", schema(value_type = crate::sync::PresenceUser))]
    pub user: Value,
    /// The caret of the client: a text, and the fixed and the moving end of the selection in this text, in UTF-16 code
    /// units. `None` if the client shows no caret, or if the text around the caret has not arrived.
    pub cursor: Option<(Target, u32, u32)>,
}

/// The last awareness entry of a peer.
#[derive(Debug)]
pub(super) struct AwarenessEntry {
    pub(super) clock: u64,
    pub(super) state: Value,
}

/// The position of a caret, in the form of awareness messages.
#[derive(Debug, Deserialize)]
pub(super) struct Cursor {
    pub(super) anchor: StickyIndex,
    pub(super) head: StickyIndex,
}
