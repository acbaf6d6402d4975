//! The entries that begin something: a ledger, or another lineage of it.

use crate::ids::LineageId;
use serde::{Deserialize, Serialize};

/// The facts that entry 0 fixes for a ledger's whole life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// The lineage that the ledger begins with.
    pub lineage: LineageId,
    /// The subject of the ledger: a template's name and version, a plan, the audit record.
    pub schema: String,
    /// BCP 47; empty for what has no language.
    pub language: String,
    /// The version of the rules by which entries are checked and applied.
    pub rules: u32,
}

/// A new lineage of a document, begun when a backup was restored. A client that remembers another lineage may know
/// more than the backup did: it keeps that, and asks its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLineage {
    /// The lineage from this entry on.
    pub lineage: LineageId,
}
