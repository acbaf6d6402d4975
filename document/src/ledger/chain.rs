//! The hash chain of a ledger: the numbers of its entries have no gaps, their times never decrease, and each entry
//! names the hash of the entry before it.

use crate::body::{Body, Genesis};
use crate::ids::{Digest, LineageId, Seq};
use crate::ledger::Entry;
use crate::ledger::header::Salt;
use crate::ledger::outcome::LedgerError;
use crate::people::Actor;
use serde::{Deserialize, Serialize};

/// The version of the ledger rules that this code implements.
pub const RULES: u32 = 1;

/// A position in a ledger: one entry and its hash, which also fixes all entries before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPosition {
    /// The lineage of the ledger at that entry.
    pub lineage: LineageId,
    /// The number of the entry.
    pub seq: Seq,
    /// The head of the ledger at that entry: the hash of the entry.
    pub head: Digest,
}

/// The hash chain of a ledger: its genesis, its last entry so far, and the restore that began its lineage, if any.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    genesis: Genesis,
    /// The number of the entry that began the current lineage after a restore from a backup, or `None` if the genesis
    /// began this lineage.
    restored: Option<Seq>,
    position: LedgerPosition,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    time: u64,
}

impl Chain {
    /// Creates a chain from entry 0.
    ///
    /// # Errors
    /// Returns an error if `entry` is not a genesis, or if its ledger follows another version of the rules than [`RULES`].
    pub(crate) fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let Body::Genesis(genesis) = &entry.body else { return Err(LedgerError::NoGenesis) };
        if entry.seq != Seq(0) || entry.previous != Digest::ZERO {
            return Err(LedgerError::NoGenesis);
        }
        if genesis.rules != RULES {
            return Err(LedgerError::Rules(genesis.rules));
        }
        let lineage = genesis.lineage.clone();
        let position = LedgerPosition { lineage, seq: entry.seq, head: entry.hash() };
        Ok(Self { genesis: genesis.clone(), restored: None, position, time: entry.time })
    }

    /// Restores a chain from values that were saved at `position`. `restored` is the entry that began the lineage, or `None`
    /// if the ledger's genesis began it.
    pub(crate) fn resume(
        genesis: Genesis,
        restored: Option<Seq>,
        position: LedgerPosition,
        time: u64,
    ) -> Self {
        Self { genesis, restored, position, time }
    }

    /// Checks that `entry` is the direct successor of the last entry.
    ///
    /// # Errors
    /// Returns an error if the number, the time or the previous hash of `entry` does not follow from the last entry.
    pub(crate) fn follows(&self, entry: &Entry) -> Result<(), LedgerError> {
        if entry.seq.0 != self.position.seq.0 + 1 || entry.time < self.time {
            return Err(LedgerError::Order(entry.seq));
        }
        if entry.previous != self.position.head {
            return Err(LedgerError::Chain(entry.seq));
        }
        Ok(())
    }

    /// Makes `entry` the last entry. The caller must have checked `entry` with [`follows`](Self::follows), or have created it
    /// with [`next`](Self::next).
    pub(crate) fn advance(&mut self, entry: &Entry) {
        (self.position.seq, self.position.head) = (entry.seq, entry.hash());
        self.time = entry.time;
    }

    /// Returns an entry that follows the last one. The chain does not change until [`advance`](Self::advance) receives the
    /// entry.
    pub(crate) fn next(&self, actor: Actor, now: u64, salt: Salt, body: Body) -> Entry {
        Entry {
            seq: Seq(self.position.seq.0 + 1),
            time: self.next_time(now),
            actor,
            previous: self.position.head,
            salt,
            body,
        }
    }

    /// Returns the time of an entry that is made at `now`. The result is never earlier than the time of the last entry.
    pub(crate) fn next_time(&self, now: u64) -> u64 {
        now.max(self.time)
    }

    /// Returns the time of the last entry, in milliseconds since the Unix epoch.
    pub(crate) fn time(&self) -> u64 {
        self.time
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Begins another lineage at the entry `seq`.
    pub(crate) fn begin_lineage(&mut self, seq: Seq, lineage: LineageId) {
        self.restored = Some(seq);
        self.position.lineage = lineage;
    }

    /// Returns the entry that began the lineage, or `None` if the genesis began it.
    pub(crate) fn restored(&self) -> Option<Seq> {
        self.restored
    }

    pub(crate) fn position(&self) -> &LedgerPosition {
        &self.position
    }
}
