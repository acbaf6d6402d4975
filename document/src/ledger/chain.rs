//! The order of a ledger: numbers without gaps, times that never run backwards, hashes that chain.

use crate::body::{Body, Genesis};
use crate::ids::{Digest, LineageId, Seq};
use crate::ledger::Entry;
use crate::ledger::header::Salt;
use crate::ledger::outcome::LedgerError;
use crate::people::Actor;
use serde::{Deserialize, Serialize};

/// The rules version that this code implements.
pub const RULES: u32 = 1;

/// A position in a ledger: an entry, and with its hash everything before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPosition {
    /// The lineage at that entry.
    pub lineage: LineageId,
    /// The number of the entry.
    pub seq: Seq,
    /// The hash of the entry.
    pub head: Digest,
}

/// A ledger's beginning and its end, as far as it was followed.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    genesis: Genesis,
    /// The entry that began the lineage, if that was a restore from a backup.
    restored: Option<Seq>,
    position: LedgerPosition,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    time: u64,
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
        let lineage = genesis.lineage.clone();
        let position = LedgerPosition { lineage, seq: entry.seq, head: entry.hash() };
        Ok(Self { genesis: genesis.clone(), restored: None, position, time: entry.time })
    }

    /// Goes on from a position that was followed to before. `restored`: the entry that began the lineage, if it is not
    /// the ledger's first.
    pub(crate) fn resume(
        genesis: Genesis,
        restored: Option<Seq>,
        position: LedgerPosition,
        time: u64,
    ) -> Self {
        Self { genesis, restored, position, time }
    }

    /// Checks that an entry is the next one.
    ///
    /// # Errors
    /// When its number, its time or its previous hash does not follow.
    pub(crate) fn follows(&self, entry: &Entry) -> Result<(), LedgerError> {
        if entry.seq.0 != self.position.seq.0 + 1 || entry.time < self.time {
            return Err(LedgerError::Order(entry.seq));
        }
        if entry.previous != self.position.head {
            return Err(LedgerError::Chain(entry.seq));
        }
        Ok(())
    }

    /// Makes an entry that [`follows`](Self::follows) the end.
    pub(crate) fn advance(&mut self, entry: &Entry) {
        (self.position.seq, self.position.head) = (entry.seq, entry.hash());
        self.time = entry.time;
    }

    /// The next entry. It is not the end yet: [`advance`](Self::advance) makes it so.
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

    /// The time of an entry made now: never before that of the last one.
    pub(crate) fn next_time(&self, now: u64) -> u64 {
        now.max(self.time)
    }

    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub(crate) fn time(&self) -> u64 {
        self.time
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Begins another lineage with the entry `seq`.
    pub(crate) fn begin_lineage(&mut self, seq: Seq, lineage: LineageId) {
        self.restored = Some(seq);
        self.position.lineage = lineage;
    }

    /// The entry that began the lineage, if it is not the ledger's first.
    pub(crate) fn restored(&self) -> Option<Seq> {
        self.restored
    }

    pub(crate) fn position(&self) -> &LedgerPosition {
        &self.position
    }
}
