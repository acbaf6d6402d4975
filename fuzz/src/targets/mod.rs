//! The targets, one in each file.

pub(crate) mod acts;
pub(crate) mod frames;
pub(crate) mod imports;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod notes;
pub(crate) mod scan;
pub(crate) mod witness;
