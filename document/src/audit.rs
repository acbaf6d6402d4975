//! The audit record: what administrators and facilitators did, as a ledger of its own.

use crate::body::{AuditEvent, Body};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Salt};
use crate::people::Actor;

/// The schema name that the record's genesis carries.
pub const AUDIT_SCHEMA: &str = "accord-audit/1";

/// The end of the record: what the next event is chained to.
#[derive(Debug, Clone)]
pub struct AuditState {
    chain: Chain,
}

impl AuditState {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not the genesis of an audit record.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        if chain.genesis().schema != AUDIT_SCHEMA {
            return Err(LedgerError::NoGenesis);
        }
        Ok(Self { chain })
    }

    /// Follows a stored entry.
    ///
    /// # Errors
    /// When it is not the next one of this ledger.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        self.chain.follows(entry)?;
        if !matches!(entry.body, Body::AuditEvent(_)) {
            return Err(LedgerError::Foreign(entry.seq));
        }
        self.chain.advance(entry);
        Ok(())
    }

    /// The entry that records an event. The state is then ahead of the store until it is durable.
    pub fn record(&mut self, actor: &Actor, now: u64, salt: Salt, event: AuditEvent) -> Entry {
        let entry = self.chain.next(actor.clone(), now, salt, Body::AuditEvent(event));
        self.chain.advance(&entry);
        entry
    }

    /// The end of the record, as far as it was followed.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }
}
