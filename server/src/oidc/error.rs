//! The errors of signing in with a provider.

use thiserror::Error;

/// The reason why a sign-in with a provider failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum OidcError {
    /// No pending sign-in matches: it has expired, was started in another browser, or never existed.
    #[error("this sign-in did not start in this browser, or it took too long")]
    Unknown,
    #[error("the provider can't be reached, or is set up wrongly: {0}")]
    Unreachable(String),
    #[error("the provider refused: {0}")]
    Refused(String),
    #[error("the provider's answer can't be trusted: {0}")]
    Untrusted(String),
    #[error("too many people are waiting for this provider")]
    Busy,
}
