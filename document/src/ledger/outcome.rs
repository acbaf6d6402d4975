//! What applying an entry gives: it was applied, it is void, or the ledger can't be followed.

use crate::ids::Seq;
use crate::ledger::header::EntryError;
use thiserror::Error;

/// Why a ledger can't be applied. Each case means that the stored bytes are not those that were written, or that a newer
/// version wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// Its number or its time does not follow.
    #[error("entry {0} does not follow the one before it")]
    Order(Seq),
    /// It names another entry as the one before it.
    #[error("entry {0} does not match the hash chain")]
    Chain(Seq),
    /// Entry 0 is no genesis, or one of another kind of ledger.
    #[error("the ledger does not begin with its genesis")]
    NoGenesis,
    /// A newer version began it.
    #[error("the ledger follows rules version {0}, which this version does not know")]
    Rules(u32),
    /// Its body is of a kind that this ledger doesn't hold.
    #[error("entry {0} belongs in a ledger of another kind")]
    Foreign(Seq),
    /// It is blanked without a redaction, or in another way than the redaction says.
    #[error("entry {0} was blanked, and no redaction says so")]
    Unexplained(Seq),
    /// Its bytes can't be read.
    #[error("entry {seq}: {error}")]
    Entry {
        /// The number under which it is stored.
        seq: Seq,
        /// What is wrong with it.
        error: EntryError,
    },
    /// The document must be rebuilt from its ledger.
    #[error("the document broke while an update was integrated, and must be rebuilt")]
    Broken,
}

/// The effect of a stored entry. `R` says why an entry is void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<R> {
    /// It changed the state.
    Applied,
    /// It is not allowed at its place in the ledger, so it changes nothing, on any node.
    Void(R),
}
