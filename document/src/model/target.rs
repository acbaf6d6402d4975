//! Which text of a document is meant.

use crate::template::MILESTONES;
use serde::Serialize;

/// Which text: the key of a field, or `milestones/{id}/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Target(pub String);

impl Target {
    /// The text of a field.
    #[must_use]
    pub fn field(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// A text of a milestone.
    #[must_use]
    pub fn milestone(id: &str, key: &str) -> Self {
        Self(format!("{MILESTONES}/{id}/{key}"))
    }

    /// The milestone and the key, if it is a text of one.
    #[must_use]
    pub fn milestone_text(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix(MILESTONES)?.strip_prefix('/')?.split_once('/')
    }
}
