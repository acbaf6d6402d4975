//! Events of the audit record: the entries of its ledger.

use crate::body::Act;
use crate::ids::{DocumentId, PersonId, PlanId, Seq};
use serde::{Deserialize, Serialize};

/// Something that was done, and where from. Who did it, and when, stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The action.
    #[serde(flatten)]
    pub deed: AuditAction,
    /// The network address it came from; none for what was done at the server's own shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum AuditAction {
    /// A plan was made.
    CreatePlan {
        /// The new plan.
        plan: PlanId,
    },
    /// An act in a plan's own ledger.
    InPlan {
        /// The plan.
        plan: PlanId,
        /// The act.
        #[serde(rename = "what")]
        act: Act,
    },
    /// A passage was taken out of a document: entry `seq` of its ledger says why.
    Redact {
        /// The plan of the document.
        plan: PlanId,
        /// The document.
        document: DocumentId,
        /// The entry of the redaction.
        seq: Seq,
    },
    /// A person became an administrator.
    MakeAdministrator {
        /// The person.
        person: PersonId,
    },
    /// A person is no administrator any more.
    EndAdministrator {
        /// The person.
        person: PersonId,
    },
    /// A link was made by which somebody can set a new password.
    MakeResetLink {
        /// The person.
        person: PersonId,
    },
    /// Somebody was signed out everywhere.
    EndSessions {
        /// The person.
        person: PersonId,
    },
    /// A person's name and addresses were erased.
    Forget {
        /// The person.
        person: PersonId,
    },
    /// A way to sign in was set up.
    AddProvider {
        /// The issuer's address.
        issuer: String,
    },
    /// A way to sign in was removed.
    RemoveProvider {
        /// The issuer's address.
        issuer: String,
    },
    /// Everything was written into a backup.
    Backup,
    /// Everything was restored from a backup.
    Restore,
    /// The record itself was exported: of one plan, or all of it.
    Export {
        /// The plan; none for all of the record.
        plan: Option<PlanId>,
    },
}

impl AuditAction {
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
