//! The origins of transactions: where a change comes from.

/// A person edits here.
pub(super) const EDIT: &str = "edit";
/// The replica sets itself up.
pub(super) const SETUP: &str = "setup";
/// An update from elsewhere is applied.
pub(super) const REMOTE: &str = "remote";
