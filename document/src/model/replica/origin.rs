//! The origins of transactions, which tell local changes from remote ones.

/// The origin of a local edit by a person. Only changes with this origin can be undone.
pub(super) const EDIT: &str = "edit";
/// The origin of a change that prepares the document for an edit, and that can't be undone.
pub(super) const SETUP: &str = "setup";
/// The origin of an update that comes from the server or from the device's store.
pub(super) const REMOTE: &str = "remote";
