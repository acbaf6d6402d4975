//! Why a sign-in with a provider did not work.

use thiserror::Error;

/// Why a sign-in with a provider did not work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum OidcError {
    /// Nothing is known of it: too old, of another browser, or invented.
    #[error("this sign-in was not begun here, or took too long")]
    Unknown,
    #[error("the provider can't be reached, or is set up wrongly: {0}")]
    Unreachable(String),
    #[error("the provider refused: {0}")]
    Refused(String),
    #[error("what the provider says can't be trusted: {0}")]
    Untrusted(String),
    #[error("too many people wait for this provider")]
    Busy,
}
