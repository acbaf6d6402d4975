//! The result of applying an entry: the entry was applied, the entry is void, or the ledger can't be applied any
//! further.

use crate::ids::Seq;
use crate::ledger::header::EntryError;
use thiserror::Error;

/// The reason why a ledger can't be applied. Except for `Broken`, each variant means that the stored bytes are damaged, or
/// that a newer version wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// The number or the time of the entry does not follow from the entry before.
    #[error("entry {0} does not follow the one before it")]
    Order(Seq),
    /// The entry's previous hash is not the hash of the entry before.
    #[error("entry {0} does not match the hash chain")]
    Chain(Seq),
    /// The ledger does not begin with a genesis, or its genesis belongs to another kind of ledger.
    #[error("the ledger does not begin with a genesis entry")]
    NoGenesis,
    /// The ledger follows a version of the rules that this code does not know.
    #[error("the ledger follows rules version {0}, which this version does not know")]
    Rules(u32),
    /// The kind of the entry is not allowed in this kind of ledger.
    #[error("entry {0} belongs in a ledger of another kind")]
    Foreign(Seq),
    /// The entry is blanked, but no redaction announced the replacement that it contains.
    #[error("entry {0} was blanked without a redaction that says so")]
    Unexplained(Seq),
    /// The bytes of an entry can't be decoded.
    #[error("entry {seq}: {error}")]
    Entry {
        /// The number under which the entry is stored.
        seq: Seq,
        /// The reason why the bytes can't be decoded.
        error: EntryError,
    },
    /// The Yjs document broke while it integrated an update, so the state must be rebuilt from the ledger.
    #[error("an update failed half-way, so the document must be loaded again from its ledger")]
    Broken,
}

/// The effect of a stored entry. `R` is the type of the reason why an entry is void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<R> {
    /// The entry changed the state.
    Applied,
    /// The entry is void: the rules do not allow it at its place in the ledger, so it changes nothing, whenever it is
    /// applied.
    Void(R),
}
