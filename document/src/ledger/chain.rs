//! The order of a ledger: numbers without gaps, times that never run backwards, hashes that chain.

use super::entry::{Body, Entry, Genesis, Salt};
use super::state::LedgerError;
use crate::ids::{Digest, LineageId, Seq};
use crate::people::Actor;

/// The rules version that this code implements.
pub const RULES: u32 = 1;

/// Where a ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub seq: Seq,
    pub head: Digest,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
}

/// A ledger's beginning and its end, as far as it was followed.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    genesis: Genesis,
    /// The lineage that began with a restoration, and the entry that says so.
    restored: Option<(Seq, LineageId)>,
    position: Position,
}

impl Chain {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not a genesis that this version understands.
    pub(crate) fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let Body::Genesis(genesis) = &entry.body else { return Err(LedgerError::NoGenesis) };
        if entry.seq != Seq(0) || entry.previous != Digest::ZERO {
            return Err(LedgerError::NoGenesis);
        }
        if genesis.rules != RULES {
            return Err(LedgerError::Rules(genesis.rules));
        }
        let position = Position { seq: entry.seq, head: entry.hash(), time: entry.time };
        Ok(Self { genesis: genesis.clone(), restored: None, position })
    }

    /// Goes on where a chain was left.
    pub(super) fn resume(
        genesis: Genesis,
        restored: Option<(Seq, LineageId)>,
        position: Position,
    ) -> Self {
        Self { genesis, restored, position }
    }

    /// Whether an entry is the next one.
    ///
    /// # Errors
    /// With what keeps it from following.
    pub(crate) fn follows(&self, entry: &Entry) -> Result<(), LedgerError> {
        if entry.seq.0 != self.position.seq.0 + 1 || entry.time < self.position.time {
            return Err(LedgerError::Order(entry.seq));
        }
        if entry.previous != self.position.head {
            return Err(LedgerError::Chain(entry.seq));
        }
        Ok(())
    }

    /// Makes an entry that [`follows`](Self::follows) the end.
    pub(crate) fn advance(&mut self, entry: &Entry) {
        self.position = Position { seq: entry.seq, head: entry.hash(), time: entry.time };
    }

    /// The next entry. It is not the end yet: [`advance`](Self::advance) makes it so.
    pub(crate) fn next(&self, actor: Actor, now: u64, salt: Salt, body: Body) -> Entry {
        Entry {
            seq: Seq(self.position.seq.0 + 1),
            time: self.time(now),
            actor,
            previous: self.position.head,
            salt,
            body,
        }
    }

    /// The time of an entry made now: never before the entry ahead of it.
    pub(crate) fn time(&self, now: u64) -> u64 {
        now.max(self.position.time)
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    pub(crate) fn lineage(&self) -> &LineageId {
        self.restored.as_ref().map_or(&self.genesis.lineage, |(_, lineage)| lineage)
    }

    /// Begins another lineage with an entry.
    pub(super) fn restore(&mut self, seq: Seq, lineage: LineageId) {
        self.restored = Some((seq, lineage));
    }

    /// The restoration that this lineage began with.
    pub(super) fn restored(&self) -> Option<&(Seq, LineageId)> {
        self.restored.as_ref()
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }
}
