//! The audit record: a ledger of the actions of administrators and facilitators.

use crate::body::{AuditEvent, Body};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Salt};
use crate::people::Actor;

/// The schema name in the genesis of the audit record.
pub const AUDIT_SCHEMA: &str = "accord-audit/1";

/// The state of the audit record: the end of its hash chain, to which the next event is linked.
#[derive(Debug, Clone)]
pub struct AuditState {
    chain: Chain,
}

impl AuditState {
    /// Creates the state from entry 0 of the record.
    ///
    /// # Errors
    /// Returns an error if `entry` is not a genesis that this version understands, or if it begins a ledger other than the
    /// audit record.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        if chain.genesis().schema != AUDIT_SCHEMA {
            return Err(LedgerError::NoGenesis);
        }
        Ok(Self { chain })
    }

    /// Advances the state by a stored entry.
    ///
    /// # Errors
    /// Returns an error if `entry` does not follow the last entry, or if it is not an audit event.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        self.chain.follows(entry)?;
        if !matches!(entry.body, Body::AuditEvent(_)) {
            return Err(LedgerError::Foreign(entry.seq));
        }
        self.chain.advance(entry);
        Ok(())
    }

    /// Returns a new entry that records `event`, and advances the state to this entry. The state is ahead of the store
    /// until the caller has stored the entry durably. `now` is in milliseconds since the Unix epoch.
    pub fn record(&mut self, actor: &Actor, now: u64, salt: Salt, event: AuditEvent) -> Entry {
        let entry = self.chain.next(actor.clone(), now, salt, Body::AuditEvent(event));
        self.chain.advance(&entry);
        entry
    }

    /// Returns the position of the last entry that was applied or recorded.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }
}
