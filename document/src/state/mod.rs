//! The state of a document, made by applying its ledger: the live document, and everything that decides whether later
//! entries are allowed.
//!
//! This module builds on the ledger, the checks of updates and the path to a release. [`DocumentState`] applies stored
//! entries and makes new ones, with the same checks for both.

mod check_basis;
mod checkpoint;
#[cfg(test)]
mod client_tests;
mod commands;
#[cfg(test)]
mod costs;
mod edit;
mod edit_outcome;
mod large_edit;
mod measures;
mod measuring;
mod redactions;
#[cfg(test)]
mod release_tests;
mod source;
#[cfg(test)]
mod tests;
#[cfg(feature = "readable")]
mod text_copy;
mod versions;
mod void;

pub use edit_outcome::{EditOutcome, LargeEdit};
pub use large_edit::{CheckedEdit, LargeCheck};
pub use redactions::RedactionNotice;
#[cfg(feature = "readable")]
pub use text_copy::TextCopy;
pub use versions::NamedVersion;
pub use void::{RedactionError, VoidReason};

use crate::body::{Body, Genesis};
use crate::ids::{LineageId, Seq};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Outcome};
use crate::release::Releases;
use crate::update::Splits;
use crate::ydoc;
use check_basis::CheckBasis;
use redactions::RedactionLog;
use yrs::{Doc, ReadTxn, StateVector, Transact};

/// Estimated memory of one item, in bytes, including the data about the item outside the yrs document.
const BYTES_PER_ITEM: usize = 320;

/// The state of a document, made by applying its ledger. Call [`begin`](Self::begin) once, then [`apply`](Self::apply)
/// for each stored entry, or [`edit`](Self::edit) for each new one.
#[derive(Debug)]
pub struct DocumentState {
    doc: Doc,
    basis: CheckBasis,
    chain: Chain,
    broken: bool,
    redactions: RedactionLog,
    versions: Vec<NamedVersion>,
    releases: Releases,
}

impl DocumentState {
    /// Creates the state from entry 0.
    ///
    /// # Errors
    /// Returns an error if `entry` is not a genesis that this version understands.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        Ok(Self {
            // The server's replica never writes, so its client id is never used.
            doc: ydoc::new(0),
            basis: CheckBasis::default(),
            chain,
            broken: false,
            redactions: RedactionLog::default(),
            versions: Vec::new(),
            releases: Releases::default(),
        })
    }

    /// Applies a stored entry. The outcome depends only on the state and the entry, so it is the same at every replay.
    ///
    /// # Errors
    /// Returns an error if the entry does not follow the last entry, or if its kind does not belong in a document's
    /// ledger. The state is then unchanged. Returns [`LedgerError::Broken`] if integration failed halfway. The state
    /// must then be rebuilt.
    pub fn apply(&mut self, entry: &Entry) -> Result<Outcome<VoidReason>, LedgerError> {
        self.chain.follows(entry)?;
        let outcome = match &entry.body {
            Body::Edit { update, .. } => self.integrate_stored(entry, update),
            Body::Blanked { replacement, .. } => {
                self.redactions.found_blanked(entry.seq, &entry.body);
                self.integrate_stored(entry, replacement)
            }
            Body::Redaction(redaction) => self.apply_redaction(entry, redaction),
            Body::Version(version) => self.apply_version(entry, version),
            Body::Step(step) => self.apply_step(entry, step),
            Body::NewLineage(lineage) => self.apply_new_lineage(entry, lineage),
            Body::Genesis(_) | Body::Act(_) | Body::AuditEvent(_) => {
                return Err(LedgerError::Foreign(entry.seq));
            }
        };
        let outcome = match outcome {
            Ok(()) => Outcome::Applied,
            Err(_) if self.broken => return Err(LedgerError::Broken),
            Err(reason) => Outcome::Void(reason),
        };
        self.chain.advance(entry);
        Ok(outcome)
    }

    /// Checks that a redaction announced every blanked entry of this ledger. Call it after the whole ledger is applied.
    ///
    /// # Errors
    /// Returns an error if an entry was blanked without a redaction, or differently than its redaction announced.
    pub fn check_blanked(&self) -> Result<(), LedgerError> {
        match self.redactions.unexplained().next() {
            Some(blanked) => Err(LedgerError::Unexplained(blanked.seq)),
            None => Ok(()),
        }
    }

    /// Returns the entry that started the current draft: the last restore from a backup or the last reopening,
    /// whichever is later, or entry 0 if there was neither. Edits from an earlier draft enter the current one only by
    /// an explicit act (rule U10).
    #[must_use]
    pub fn draft_start(&self) -> Seq {
        self.chain.restored().unwrap_or_default().max(self.releases.draft_since())
    }

    /// Returns whether an integration failed halfway. The state must then be rebuilt from the ledger.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Returns the estimated memory of the state, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        // The encoded size approximates the memory of the text. The memory of the items, including the data about them
        // outside yrs, is added.
        self.basis.measures.size
            + self.basis.measures.items.after(&Splits::default()) * BYTES_PER_ITEM
    }

    /// Returns an upper bound of the size of the encoded document, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.basis.measures.size
    }

    /// Returns the estimated work of reading all texts: the number of items, plus the number of attributes times the
    /// number of pieces. Reading about four items or attributes takes a microsecond.
    #[must_use]
    pub fn reading_cost(&self) -> usize {
        self.basis.measures.items.after(&Splits::default())
            + self.basis.measures.formatting.attributes_times_pieces()
    }

    /// Returns the position of the last entry that was applied.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }

    /// Returns the time of the last entry, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.chain.time()
    }

    /// Returns the genesis, which is the body of entry 0 and never changes.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.chain.genesis()
    }

    /// Returns the current lineage of the ledger.
    #[must_use]
    pub fn lineage(&self) -> &LineageId {
        &self.chain.position().lineage
    }

    /// Returns the live document. Only this type writes to it.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// Returns the state vector: the next clock of each client.
    #[must_use]
    pub fn state_vector(&self) -> StateVector {
        self.doc.transact().state_vector()
    }

    /// Encodes everything that a replica with the state vector `remote` lacks, as an update v1.
    #[must_use]
    pub fn encode_since(&self, remote: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(remote)
    }
}
