//! The audit record: what administrators and facilitators did, as a ledger of its own.

use crate::ids::{DocumentId, PersonId, PlanId, Seq};
use crate::ledger::{Body, Chain, Entry, LedgerError, Position, Salt};
use crate::people::Actor;
use crate::plan::Act;
use serde::{Deserialize, Serialize};

/// The schema name that the record's genesis carries.
pub const SCHEMA: &str = "accord-audit/1";

/// Something that was done, and where from. Who did it, and when, stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    #[serde(flatten)]
    pub deed: Deed,
    /// The network address it came from; none for what was done at the server's own shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    CreatePlan {
        plan: PlanId,
    },
    /// An act in a plan's own ledger.
    InPlan {
        plan: PlanId,
        #[serde(rename = "what")]
        act: Act,
    },
    /// A passage was taken out of a document: entry `seq` of its ledger says why.
    Redact {
        plan: PlanId,
        document: DocumentId,
        seq: Seq,
    },
    MakeAdministrator {
        person: PersonId,
    },
    EndAdministrator {
        person: PersonId,
    },
    /// A link was made by which somebody can set a new password.
    MakeResetLink {
        person: PersonId,
    },
    /// Somebody was signed out everywhere.
    EndSessions {
        person: PersonId,
    },
    /// A person's name and addresses were erased.
    Forget {
        person: PersonId,
    },
    /// A way to sign in was set up.
    AddProvider {
        issuer: String,
    },
    RemoveProvider {
        issuer: String,
    },
    /// Everything was written into a backup.
    Backup,
    /// Everything was restored from a backup.
    Restore,
    /// The record itself was exported: of one plan, or all of it.
    Export {
        plan: Option<PlanId>,
    },
}

impl Deed {
    /// The plan it concerns, whose facilitators may read it.
    #[must_use]
    pub fn plan(&self) -> Option<&PlanId> {
        match self {
            Self::CreatePlan { plan } | Self::InPlan { plan, .. } | Self::Redact { plan, .. } => {
                Some(plan)
            }
            Self::Export { plan } => plan.as_ref(),
            _ => None,
        }
    }

    /// The person it was done to.
    #[must_use]
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::MakeAdministrator { person }
            | Self::EndAdministrator { person }
            | Self::MakeResetLink { person }
            | Self::EndSessions { person }
            | Self::Forget { person }
            | Self::InPlan { act: Act::Seat { person, .. } | Act::Unseat { person }, .. } => {
                Some(person)
            }
            _ => None,
        }
    }
}

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
        if chain.genesis().schema != SCHEMA {
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
        if !matches!(entry.body, Body::Event(_)) {
            return Err(LedgerError::Foreign(entry.seq));
        }
        self.chain.advance(entry);
        Ok(())
    }

    /// The entry that records an event. The state is then ahead of the store until it is durable.
    pub fn record(&mut self, actor: &Actor, now: u64, salt: Salt, event: Event) -> Entry {
        let entry = self.chain.next(actor.clone(), now, salt, Body::Event(event));
        self.chain.advance(&entry);
        entry
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.chain.position()
    }
}
