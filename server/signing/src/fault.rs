//! The faults that a release's file can have, each with a sentence for the person who holds the file and a name that the
//! web app shares.

use super::shown::Shown;
use super::strict::Unreadable;
use accord_document::ids::Digest;
use thiserror::Error;

/// What is wrong with a file. Each is a sentence for the person who holds it. What comes from the file stands in
/// it as [`Shown`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It can't be read in one way only.
    #[error("This is not a release of Accord: {0}.")]
    Unreadable(#[from] Unreadable),
    /// It is JSON, but not a release, with what is missing.
    #[error("This is not a release of Accord: {0}.")]
    NoRelease(&'static str),
    /// The text is not what was signed.
    #[error(
        "The text was changed: its digest is {found}, and the digest of the signed text is {signed}. It is not what both sides agreed to."
    )]
    Text {
        /// The digest of the text in the file.
        found: Digest,
        /// The digest that was signed.
        signed: Digest,
    },
    /// The statement does not fit its signature.
    #[error(
        "The signed statement was changed: who signed, when, or which text. The signature does not match it."
    )]
    Statement,
    /// The statement is not in the one form that Accord writes.
    #[error(
        "The signed statement is not one that Accord writes. The signature matches it, so ask who holds the key."
    )]
    Form,
    /// It is signed with another key than the trusted one.
    #[error(
        "It was signed by somebody else: with the key {found}, and not with the key {trusted}, which you trust."
    )]
    Foreign {
        /// The key that it is signed with.
        found: Shown,
        /// The trusted key.
        trusted: Shown,
    },
    /// It is signed with another key than the one that it carries.
    #[error(
        "It was signed by somebody else: with the key {found}, while the file names the key {own} as its own."
    )]
    OwnKey {
        /// The key that it is signed with.
        found: Shown,
        /// The key in the file.
        own: Shown,
    },
    /// Text and statement have different numbers.
    #[error(
        "The text says that it is release {text}, but the signed statement is about release {signed}: one release was passed off as another."
    )]
    Number {
        /// The number in the text.
        text: u32,
        /// The number in the statement.
        signed: u32,
    },
    /// Text and statement are of different commitments.
    #[error("The text and the signed statement are about two different commitments.")]
    Document,
    /// Nobody has signed for this side.
    #[error("The signed statement names no signatory of {0}: both sides must have signed.")]
    Side(&'static str),
    /// Fewer people have signed for a side than the statement says were needed.
    #[error(
        "The signed statement says that {needed} people had to sign for {side}, but it names {found} who did."
    )]
    Quorum {
        /// The side, in words.
        side: &'static str,
        /// How many had to sign.
        needed: u32,
        /// How many signed.
        found: usize,
    },
    /// One person is a signatory twice.
    #[error("The signed statement names one person twice as a signatory: {0}.")]
    Twice(Shown),
    /// A signatory is of neither side.
    #[error("The signed statement names a signatory who belongs to neither side: {0}.")]
    NeitherSide(Shown),
    /// It is another release than the one that was asked for.
    #[error("You asked for release {wanted}, but this is release {found}.")]
    OtherNumber {
        /// The number that was asked for.
        wanted: u32,
        /// The number of this release.
        found: u32,
    },
}

impl Fault {
    /// Its name in `tests/data/verify` and in the messages of `/verify`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreadable(Unreadable::Twice(_)) => "twice",
            Self::Unreadable(_) | Self::NoRelease(_) => "none",
            Self::Text { .. } => "text",
            Self::Statement => "statement",
            Self::Form => "form",
            Self::Foreign { .. } | Self::OwnKey { .. } => "foreign",
            Self::Number { .. } | Self::OtherNumber { .. } => "number",
            Self::Document => "document",
            Self::Side(_) => "side",
            Self::Quorum { .. } => "quorum",
            Self::Twice(_) | Self::NeitherSide(_) => "signatories",
        }
    }
}
