//! The name of one text of a document.

use crate::template::MILESTONES;
use serde::Serialize;

/// The name of a text: the key of a field, or `milestones/{id}/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Target(pub String);

impl Target {
    /// Returns the target for the text of a field.
    #[must_use]
    pub fn field(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// Returns the target for a text of a milestone.
    #[must_use]
    pub fn milestone(id: &str, key: &str) -> Self {
        Self(format!("{MILESTONES}/{id}/{key}"))
    }

    /// Returns the id of the milestone and the key of its text, or `None` if the target is the text of a field.
    #[must_use]
    pub fn milestone_text(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix(MILESTONES)?.strip_prefix('/')?.split_once('/')
    }
}
