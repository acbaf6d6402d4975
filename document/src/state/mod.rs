//! A document as its ledger makes it: the live document, and everything that later entries are judged by.
//!
//! This floor stands above the ledger, the checks of updates and the path to a release, and puts them together:
//! [`DocumentState`] applies stored entries and makes new ones, with the same checks for both.

mod checkpoint;
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
mod versions;
mod void;

pub use edit_outcome::{EditOutcome, LargeEdit};
pub use redactions::RedactionNotice;
pub use versions::NamedVersion;
pub use void::{RedactionError, VoidReason};

use crate::body::{Body, Genesis};
use crate::ids::{LineageId, Seq};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Outcome};
use crate::release::Releases;
use crate::update::{AnnouncedClients, Splits, StructIndex};
use crate::ydoc;
use measures::Measures;
use redactions::RedactionLog;
use yrs::{Doc, ReadTxn, StateVector, Transact};

/// Estimate of the memory that one item takes, in bytes, with what is kept of it beside the document.
const BYTES_PER_ITEM: usize = 320;

/// A document as its ledger made it. Call [`begin`](Self::begin) once, then
/// [`apply`](Self::apply) for each stored entry, or [`edit`](Self::edit) for each new one.
#[derive(Debug)]
pub struct DocumentState {
    doc: Doc,
    index: StructIndex,
    chain: Chain,
    measures: Measures,
    /// The owners of client ids under which nothing was written yet. They are no part of the ledger: only new edits
    /// are held against them.
    announced: AnnouncedClients,
    broken: bool,
    redactions: RedactionLog,
    versions: Vec<NamedVersion>,
    releases: Releases,
}

impl DocumentState {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not a genesis that this version understands.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        Ok(Self {
            // The server's replica never writes: its client id is never used.
            doc: ydoc::new(0),
            index: StructIndex::default(),
            chain,
            measures: Measures::default(),
            announced: AnnouncedClients::default(),
            broken: false,
            redactions: RedactionLog::default(),
            versions: Vec::new(),
            releases: Releases::default(),
        })
    }

    /// Applies a stored entry. Deterministic: reads nothing but the state and the entry.
    ///
    /// # Errors
    /// When the entry is not the next one of this ledger; the state is then as before.
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

    /// Checks that every blanked entry of this ledger was announced by a redaction. Call when the whole ledger is
    /// applied.
    ///
    /// # Errors
    /// When an entry was blanked without one, or in another way.
    pub fn settle(&self) -> Result<(), LedgerError> {
        self.redactions.unexplained().map_or(Ok(()), |seq| Err(LedgerError::Unexplained(seq)))
    }

    /// The entry that started the current draft: the last restore from a backup or reopening, or 0. Edits written in
    /// an earlier draft come in by an explicit act alone (rule U10).
    #[must_use]
    pub fn begun(&self) -> Seq {
        self.chain.restored().unwrap_or_default().max(self.releases.draft_since())
    }

    /// Whether integration failed half way: the state must be rebuilt from the ledger.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Estimate of the memory that the state takes, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        // The text, and yrs' items with what is known of each beside them.
        self.measures.size + self.measures.items.after(&Splits::default()) * BYTES_PER_ITEM
    }

    /// An upper bound of the encoded document, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.measures.size
    }

    /// The end of the ledger, as far as it was applied.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }

    /// The time of the last entry, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.chain.time()
    }

    /// The facts that entry 0 fixed.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.chain.genesis()
    }

    /// The lineage of the ledger now.
    #[must_use]
    pub fn lineage(&self) -> &LineageId {
        &self.chain.position().lineage
    }

    /// The live document. Nothing outside this type writes to it.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// The next clock of each client.
    #[must_use]
    pub fn state_vector(&self) -> StateVector {
        self.doc.transact().state_vector()
    }

    /// Everything that a replica with this state vector lacks, as an update v1.
    #[must_use]
    pub fn encode_since(&self, remote: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(remote)
    }
}
