//! The report of unreleasable content to a person.

use crate::readable::Reason;
use serde::{Deserialize, Serialize};

/// The kind of unreleasable content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Kind))]
pub enum UnreleasableKind {
    /// Content outside the template.
    Part,
    /// A value in a text that is not a character, such as a picture.
    Embedded,
    /// Formatting that this version does not know.
    Formatting,
    /// A link to an address that can't be followed safely.
    Address,
    /// A character that readers do not see as it is: for example one that is hidden, reorders others, or is unassigned.
    Character,
    /// A milestone's id that is not a short name of ASCII letters, digits, `-` and `_`. Ids are signed but shown nowhere, so
    /// they must not carry a message.
    Identifier,
    /// A person's name with a word that mixes scripts, which can look like another person's name.
    Name,
    /// A value that is not a date, in the place of a date.
    Date,
    /// Imported text in the notes, which has no place in the template yet.
    Notes,
}

/// Unreleasable content, with its place in the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Strange))]
pub struct Unreleasable {
    /// The key of a field, `milestones/{id}/{key}`, `facts/{key}`, or the name of a part that the template does not
    /// have.
    pub place: String,
    /// The kind of content.
    pub kind: UnreleasableKind,
    /// The name or the value of the unreleasable content. For a character, its code point, such as `U+202E`.
    #[serde(rename = "said")]
    pub content: String,
    /// Details of the character, or `None` if the content is not a character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character: Option<FoundCharacter>,
    /// Whether cleaning can remove or replace the content without changing what readers see.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleanable: bool,
}

impl Unreleasable {
    pub(super) fn new(place: &str, kind: UnreleasableKind, content: &str) -> Self {
        Self {
            place: place.to_owned(),
            kind,
            content: content.to_owned(),
            character: None,
            cleanable: false,
        }
    }
}

/// A character that readers do not see as it is, described at its first place in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FoundCharacter {
    /// The reason why readers do not see the character as it is.
    pub reason: Reason,
    /// The Unicode name of the character in lower case, if it is a common one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The first position of the character in the text, in UTF-16 code units.
    pub offset: u32,
    /// Number of times that the character occurs in the text.
    pub count: u32,
    /// Visible text directly before the character, from the same line.
    pub before: String,
    /// Visible text directly after the character, from the same line.
    pub after: String,
}
