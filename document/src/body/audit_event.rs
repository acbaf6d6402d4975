//! Audit events: the entries of the audit record.

use crate::body::Act;
use crate::ids::{DocumentId, PersonId, PlanId, Seq};
use serde::{Deserialize, Serialize};

/// An audit event: an action, and the network address from which it was requested. The entry itself records the actor
/// and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The recorded action.
    #[serde(flatten)]
    pub action: AuditAction,
    /// The network address of the request, or `None` if the action was carried out from the server's own shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// An action that the audit record contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum AuditAction {
    /// A plan was created.
    CreatePlan {
        /// The identifier of the new plan.
        plan: PlanId,
    },
    /// An act was added to the ledger of a plan.
    InPlan {
        /// The plan in which the act took place.
        plan: PlanId,
        /// The act, as the ledger of the plan records it.
        #[serde(rename = "what")]
        act: Act,
    },
    /// A passage was redacted from a document. Entry `seq` of the document's ledger contains the reason.
    Redact {
        /// The plan that contains the document.
        plan: PlanId,
        /// The redacted document.
        document: DocumentId,
        /// The number of the redaction's entry in the document's ledger.
        seq: Seq,
    },
    /// A person became an administrator.
    MakeAdministrator {
        /// The person who became an administrator.
        person: PersonId,
    },
    /// A person stopped being an administrator.
    EndAdministrator {
        /// The person who was an administrator.
        person: PersonId,
    },
    /// A link was created with which a person can set a new password.
    MakeResetLink {
        /// The person for whose account the link was created.
        person: PersonId,
    },
    /// All sessions of a person were ended.
    EndSessions {
        /// The person who was signed out.
        person: PersonId,
    },
    /// The name and addresses of a person were erased.
    Forget {
        /// The person whose details were erased.
        person: PersonId,
    },
    /// A sign-in provider was added.
    AddProvider {
        /// The address of the provider's issuer.
        issuer: String,
    },
    /// A sign-in provider was removed.
    RemoveProvider {
        /// The address of the provider's issuer.
        issuer: String,
    },
    /// A backup of the whole installation was written.
    Backup,
    /// The whole installation was restored from a backup.
    Restore,
    /// The audit record was exported, in full or for one plan.
    Export {
        /// The exported plan, or `None` if the full record was exported.
        plan: Option<PlanId>,
    },
}

impl AuditAction {
    /// Returns the plan that the action concerns, or `None` if it concerns no single plan. Facilitators of that plan can read
    /// the event.
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

    /// Returns the person whom the action affects, or `None` if it affects nobody in particular.
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
