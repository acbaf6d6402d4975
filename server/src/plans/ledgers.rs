//! The ledgers of plans and of the audit record: making their entries, and reading them back with their hash chains
//! verified.

use crate::clock::Clock;
use crate::people::fresh_id;
use crate::store::{Append, Store, StoreError};
use accord_document::audit::{self, AuditState};
use accord_document::body::Genesis;
use accord_document::ids::{LedgerId, LineageId, PlanId, Seq};
use accord_document::ledger::{Entry, LedgerError, RULES};
use accord_document::plan::PlanState;

/// Returns the body of the first entry for a ledger of a new lineage. `language` is a BCP 47 tag, or empty for ledgers
/// that have no language.
pub(super) fn new_ledger(schema: &str, language: &str) -> Genesis {
    Genesis {
        lineage: LineageId::new(fresh_id()),
        schema: schema.into(),
        language: language.into(),
        rules: RULES,
    }
}

/// Returns the [`Append`] with which the store adds an entry to a ledger.
pub(super) fn appended(ledger: &LedgerId, entry: &Entry) -> Append {
    Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() }
}

/// Returns the [`Append`] with which the store adds an entry to the audit record.
pub(super) fn logged(entry: &Entry) -> Append {
    appended(&LedgerId::Audit, entry)
}

/// Converts an error of a ledger to the store's error for damaged data.
pub(super) fn unreadable(error: LedgerError) -> StoreError {
    StoreError::Damaged(error.to_string())
}

/// Reads all entries of a ledger. Blocks.
///
/// # Errors
/// Returns an error if the store fails or an entry is damaged.
pub(super) fn read(store: &dyn Store, ledger: &LedgerId) -> Result<Vec<Entry>, StoreError> {
    decoded(&store.read(ledger, Seq(0))?, ledger)
}

fn decoded(entries: &[Vec<u8>], of: impl std::fmt::Display) -> Result<Vec<Entry>, StoreError> {
    let damaged = |error| StoreError::Damaged(format!("the ledger of {of}: {error}"));
    entries.iter().map(|bytes| Entry::decode(bytes).map_err(damaged)).collect()
}

/// Verifies the hash chain of the stored audit record. Blocks.
///
/// # Errors
/// Returns an error if the record can't be read or is damaged.
pub(crate) fn verify_audit(store: &dyn Store) -> Result<(), StoreError> {
    let entries = read(store, &LedgerId::Audit)?;
    if entries.is_empty() { Ok(()) } else { follow_audit(&entries).map(drop) }
}

/// Reads a whole plan and verifies its hash chain. Blocks.
///
/// # Errors
/// Returns an error if the plan can't be read or is damaged.
pub(crate) fn read_plan(store: &dyn Store, id: &PlanId) -> Result<PlanState, StoreError> {
    follow_plan(&store.read(&LedgerId::Plan(id.clone()), Seq(0))?)
}

/// Verifies the hash chain of a plan, and returns the state after its last entry.
///
/// # Errors
/// Returns an error if the chain is damaged.
pub(crate) fn follow_plan(entries: &[Vec<u8>]) -> Result<PlanState, StoreError> {
    let entries = decoded(entries, "a plan")?;
    let (first, rest) = entries.split_first().ok_or(unreadable(LedgerError::NoGenesis))?;
    let mut state = PlanState::begin(first).map_err(unreadable)?;
    for entry in rest {
        state.apply(entry).map_err(unreadable)?;
    }
    Ok(state)
}

/// Reads the audit record and returns its state. If there is none, begins one. Blocks.
///
/// # Errors
/// Returns an error if the store fails or the record is damaged.
pub(super) fn open_audit(store: &dyn Store, clock: &Clock) -> Result<AuditState, StoreError> {
    let entries = read(store, &LedgerId::Audit)?;
    if !entries.is_empty() {
        return follow_audit(&entries);
    }
    let genesis = new_ledger(audit::AUDIT_SCHEMA, "");
    let genesis = genesis.entry(super::installation(), clock.now_ms(), rand::random());
    store.append(&[logged(&genesis)])?;
    AuditState::begin(&genesis).map_err(unreadable)
}

/// Verifies the hash chain of the audit record, and returns the state after its last entry.
///
/// # Errors
/// Returns an error if the chain is damaged.
pub(crate) fn follow_audit(entries: &[Entry]) -> Result<AuditState, StoreError> {
    let damaged = |error: LedgerError| StoreError::Damaged(format!("the audit record: {error}"));
    let (first, rest) = entries.split_first().ok_or(damaged(LedgerError::NoGenesis))?;
    let mut state = AuditState::begin(first).map_err(damaged)?;
    for entry in rest {
        state.apply(entry).map_err(damaged)?;
    }
    Ok(state)
}
