//! A change, as pages and the record show it.

use crate::history::AuthorIndex;
use crate::history::diff::EditSpan;
use crate::model::Target;
use crate::model::attributes::Attributes;
use serde::Serialize;
use serde_json::Value;

/// The fewest characters that are reported as moved: shorter passages occur in several places by chance.
pub(super) const MIN_MOVED_CHARS: usize = 12;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// The text it happened in; nothing for dates of the commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Where, in UTF-16 code units of that text at the second moment.
    pub at: u32,
    /// The change itself.
    #[serde(flatten)]
    pub what: What,
    /// The person who made it, and the entries.
    pub by: EditSpan,
    /// The authors of the text that was deleted or replaced, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>, required = false))]
    pub wrote: Vec<AuthorIndex>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Text was added.
    Inserted {
        /// The text.
        text: String,
    },
    /// Text was deleted.
    Deleted {
        /// The text.
        text: String,
    },
    /// Text was replaced.
    Replaced {
        /// The text before.
        old: String,
        /// The text after.
        new: String,
    },
    /// A paragraph was made two.
    Split {
        /// The text before the split.
        before: String,
        /// The text behind the split.
        after: String,
    },
    /// Two paragraphs were made one.
    Joined {
        /// The text of the first paragraph.
        before: String,
        /// The text of the second paragraph.
        after: String,
    },
    /// A paragraph became one of another kind: a heading, a list item, indented.
    Block {
        /// The text of the paragraph.
        text: String,
        /// Its attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Its attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Characters were given other marks, or another link.
    Marked {
        /// The characters.
        text: String,
        /// Their attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Their attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Text was taken from one place to another.
    Moved {
        /// The text.
        text: String,
        /// The text that it was taken from.
        from: Target,
    },
    /// A milestone was added.
    MilestoneAdded {
        /// The milestone.
        id: String,
    },
    /// A milestone was removed.
    MilestoneRemoved {
        /// The milestone.
        id: String,
    },
    /// A milestone was moved among the others.
    MilestoneMoved {
        /// The milestone.
        id: String,
    },
    /// A date was changed: of a milestone, or of the commitment.
    Value {
        /// The key of the date.
        key: String,
        /// The milestone; none for a date of the commitment.
        id: Option<String>,
        /// The value before, if there was one.
        old: Option<Value>,
        /// The value after, if there is one.
        new: Option<Value>,
    },
}
