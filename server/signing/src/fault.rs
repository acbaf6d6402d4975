//! The faults that a release's file can have. Each has a message for the person who holds the file, and a name that the
//! web application shares.

use super::shown::Shown;
use super::strict::Unreadable;
use accord_document::ids::Digest;
use thiserror::Error;

/// A fault of a release's file. Its message is for the person who holds the file, and contains text of the file only as
/// [`Shown`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The file can't be read, or could be read in more than one way.
    #[error("This is not an Accord release: {0}.")]
    Unreadable(#[from] Unreadable),
    /// The file is JSON, but not a release. The string says why.
    #[error("This is not an Accord release: {0}.")]
    NotARelease(&'static str),
    /// The text of the file is not the text that was signed.
    #[error(
        "The text was changed: its digest is {found}, and the digest of the signed text is {signed}. It is not what both sides agreed to."
    )]
    Text {
        /// The digest of the text in the file.
        found: Digest,
        /// The digest that was signed.
        signed: Digest,
    },
    /// The statement does not match its signature.
    #[error(
        "The signed statement was changed: who signed, when, or which text. The signature does not match it."
    )]
    Statement,
    /// The signature is valid, but the statement does not have the one form that Accord writes.
    #[error(
        "Accord does not write signed statements like this one. Its signature is valid, so ask the people who run the installation."
    )]
    Form,
    /// The note is signed with a key that is not trusted.
    #[error(
        "It was signed by somebody else: with the key {found}, not with the key {trusted} that you trust."
    )]
    UntrustedKey {
        /// The key that signed the note, as `name+id`.
        found: Shown,
        /// The trusted keys, as `name+id`.
        trusted: Shown,
    },
    /// The note is signed with a key other than the one in the file.
    #[error(
        "It was signed by somebody else: with the key {found}, but the file says that its key is {own}."
    )]
    OwnKey {
        /// The key that signed the note, as `name+id`.
        found: Shown,
        /// The key in the file.
        own: Shown,
    },
    /// The text and the statement have different release numbers.
    #[error(
        "The text says that it is release {text}, but the signed statement is about release {signed}. They do not belong together."
    )]
    Number {
        /// The number in the text.
        text: u32,
        /// The number in the statement.
        signed: u32,
    },
    /// The text and the statement belong to different commitments.
    #[error("The text and the signed statement are about two different commitments.")]
    Document,
    /// The statement names no signatory of this side.
    #[error("The signed statement names no signatory of {0}: both sides must have signed.")]
    Side(&'static str),
    /// A side has fewer signatories than the statement requires, or the number required is itself not allowed.
    #[error(
        "The signed statement says that {needed} people had to sign for {side}, but it names only {found}."
    )]
    Quorum {
        /// The side, in words.
        side: &'static str,
        /// Number of signatories that the statement requires.
        needed: u32,
        /// Number of signatories that the statement names.
        found: usize,
    },
    /// The statement names this person twice as a signatory.
    #[error("The signed statement names one person twice as a signatory: {0}.")]
    Twice(Shown),
    /// The statement names a signatory who belongs to neither side.
    #[error("The signed statement names a signatory who belongs to neither side: {0}.")]
    NeitherSide(Shown),
    /// The file contains a release other than the one that was asked for.
    #[error("You asked for release {wanted}, but this is release {found}.")]
    OtherNumber {
        /// The number that was asked for.
        wanted: u32,
        /// The number of the release in the file.
        found: u32,
    },
}

impl Fault {
    /// Returns the name of the fault in `tests/data/verify` and in the messages of `/verify`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreadable(Unreadable::Twice(_)) => "twice",
            Self::Unreadable(_) | Self::NotARelease(_) => "none",
            Self::Text { .. } => "text",
            Self::Statement => "statement",
            Self::Form => "form",
            Self::UntrustedKey { .. } | Self::OwnKey { .. } => "foreign",
            Self::Number { .. } | Self::OtherNumber { .. } => "number",
            Self::Document => "document",
            Self::Side(_) => "side",
            Self::Quorum { .. } => "quorum",
            Self::Twice(_) | Self::NeitherSide(_) => "signatories",
        }
    }
}
