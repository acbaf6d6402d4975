//! The type of a change, which pages and the co-creation record show.

use crate::history::AuthorIndex;
use crate::history::diff::EditSpan;
use crate::model::Target;
use crate::model::attributes::Attributes;
use serde::Serialize;
use serde_json::Value;

/// Minimum length of a text that is reported as moved, in characters. Shorter texts occur in several places by chance.
pub(super) const MIN_MOVED_CHARS: usize = 12;

/// One change between two moments, with the person who made it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// The text in which the change happened. For a change of a milestone outside its texts, this is the milestone's
    /// text `what`. `None` for a date of the commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The place of the change, in UTF-16 code units of the text at the second moment; 0 for dates and milestones.
    pub at: u32,
    /// The kind of the change, and its details.
    #[serde(flatten)]
    pub what: What,
    /// The person who made the change, and the entries in which they made it.
    pub by: EditSpan,
    /// The first authors of the deleted or replaced text, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>, required = false))]
    pub wrote: Vec<AuthorIndex>,
}

/// The kind of a change, with its details.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Text was added.
    Inserted {
        /// The inserted text.
        text: String,
    },
    /// Text was deleted.
    Deleted {
        /// The deleted text.
        text: String,
    },
    /// Text was replaced.
    Replaced {
        /// The text before the change.
        old: String,
        /// The text after the change.
        new: String,
    },
    /// A paragraph was split into two.
    Split {
        /// The text on the left of the split: the first of the two paragraphs.
        before: String,
        /// The text on the right of the split: the second of the two paragraphs.
        after: String,
    },
    /// Two paragraphs were joined into one.
    Joined {
        /// The text of the first paragraph.
        before: String,
        /// The text of the second paragraph.
        after: String,
    },
    /// The format of a paragraph was changed, for example to a heading, a list item or another indentation.
    Block {
        /// The text of the paragraph.
        text: String,
        /// The attributes of the paragraph before the change.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// The attributes of the paragraph after the change.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// The format of characters was changed: marks such as bold, or a link.
    Marked {
        /// The formatted characters.
        text: String,
        /// The attributes of the characters before the change.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// The attributes of the characters after the change.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Text was moved from one place to another.
    Moved {
        /// The moved text.
        text: String,
        /// The field or milestone text from which the text was moved.
        from: Target,
    },
    /// A milestone was added.
    MilestoneAdded {
        /// The id of the milestone.
        id: String,
    },
    /// A milestone was removed.
    MilestoneRemoved {
        /// The id of the milestone.
        id: String,
    },
    /// A milestone was moved to another place among the milestones.
    MilestoneMoved {
        /// The id of the milestone.
        id: String,
    },
    /// A date of a milestone or of the commitment was changed.
    Value {
        /// The key of the date, such as `due`.
        key: String,
        /// The id of the milestone, or `None` for a date of the commitment.
        id: Option<String>,
        /// The value before the change, or `None` if there was none.
        old: Option<Value>,
        /// The value after the change, or `None` if the change removed the value.
        new: Option<Value>,
    },
}
