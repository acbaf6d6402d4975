//! Content that can't be released, as a person is told of it.

use crate::readable::Reason;
use serde::{Deserialize, Serialize};

/// What kind of thing is unreleasable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Kind))]
pub enum UnreleasableKind {
    /// Content outside the template.
    Part,
    /// A value in a text that is no character, like a picture.
    Embedded,
    /// Formatting that this version does not know.
    Formatting,
    /// A link to an address that can't be followed safely.
    Address,
    /// A character that is not shown, changes how others are, or is none.
    Character,
    /// A milestone's id that is more than a short name: signed, and shown nowhere.
    Identifier,
    /// The name of a person with a word that mixes scripts, so that it may look like another's.
    Name,
    /// A date that is none.
    Date,
    /// Notes that have no place yet.
    Notes,
}

/// Something unreleasable, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Strange))]
pub struct Unreleasable {
    /// The key of a field, `milestones/{id}/{key}`, `facts/{key}`, or the name of what is no part of the
    /// template.
    pub place: String,
    /// The kind of content.
    pub kind: UnreleasableKind,
    /// The name or value itself; of a character its code point, like `U+202E`.
    pub said: String,
    /// More of a character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character: Option<FoundCharacter>,
    /// Whether it can be cleaned without a change to what is read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleanable: bool,
}

impl Unreleasable {
    pub(super) fn new(place: &str, kind: UnreleasableKind, said: &str) -> Self {
        Self {
            place: place.to_owned(),
            kind,
            said: said.to_owned(),
            character: None,
            cleanable: false,
        }
    }
}

/// A character that is not seen as it is, where it stands first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FoundCharacter {
    /// The reason why it is not seen as it is.
    pub reason: Reason,
    /// Unicode's name of it, in lower case, where it is a common one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands first, in UTF-16 code units.
    pub offset: u32,
    /// How often it stands in this text.
    pub count: u32,
    /// What is seen before and behind it.
    pub before: String,
    /// The text behind it that is seen.
    pub after: String,
}
