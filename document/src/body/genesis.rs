//! The entries that begin a ledger, or a new lineage of an existing ledger.

use crate::ids::LineageId;
use serde::{Deserialize, Serialize};

/// The body of entry 0: the facts with which a ledger begins. None of them changes later, except that a restore from a
/// backup replaces the lineage ([`NewLineage`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// The first lineage of the ledger; a [`NewLineage`] can replace it later.
    pub lineage: LineageId,
    /// The subject of the ledger: a template with its version, a plan, or the audit record.
    pub schema: String,
    /// The language of the document, as a BCP 47 tag; empty for a ledger that has no language.
    pub language: String,
    /// The version of the rules that check and apply the entries of this ledger.
    pub rules: u32,
}

/// A new lineage of a document, which begins when the document is restored from a backup. A client that knows an older lineage
/// can have edits that the backup lacks. The client keeps those edits and asks the person at the device what to do with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLineage {
    /// The lineage of the ledger from this entry on.
    pub lineage: LineageId,
}
