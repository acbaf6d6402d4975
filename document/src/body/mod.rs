//! What the entries of a ledger say: plain data, and how each kind is written.
//!
//! One table of kinds serves all ledgers ([`Body`]), so that every entry can be read before one knows whose ledger
//! it is from. This floor holds no state and decides nothing: whether an entry may stand where it does is for
//! [`crate::state`], [`crate::plan`] and [`crate::audit`] to say.

mod act;
mod audit_event;
mod genesis;
mod redaction;
mod step;
mod version;

pub use act::{Act, LaunchedRelease, MAX_PLAN_TITLE_CHARS};
pub use audit_event::{AuditAction, AuditEvent};
pub use genesis::{Genesis, NewLineage};
pub use redaction::{BlankedEntry, MAX_REASON_CHARS, Redaction};
pub use step::{MAX_SIGNATORIES, MAX_STEP_MESSAGE_CHARS, Quorum, Step};
pub use version::{MAX_VERSION_DESCRIPTION_CHARS, MAX_VERSION_NAME_CHARS, Version, VersionError};

use crate::ids::Seq;
use crate::lib0::{ReadError, Reader, Write};
use crate::update::{Provenance, read_claims, write_claims};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use thiserror::Error;

/// The numbers of the kinds of entry (`docs/protocol.md`, section 8).
mod kind {
    pub(super) const GENESIS: u8 = 0;
    /// An edit without claims: the update alone.
    pub(super) const EDIT: u8 = 1;
    pub(super) const ACT: u8 = 2;
    pub(super) const AUDIT_EVENT: u8 = 3;
    pub(super) const REDACTION: u8 = 4;
    /// An edit with claims: `claims update`, the update to the end of the body.
    pub(super) const EDIT_WITH_CLAIMS: u8 = 5;
    /// An edit that restores a moment: `moment claims update`.
    pub(super) const RESTORE: u8 = 6;
    pub(super) const VERSION: u8 = 7;
    pub(super) const STEP: u8 = 8;
    pub(super) const NEW_LINEAGE: u8 = 9;
}

/// Why the bytes of an entry's body can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyError {
    /// A newer version wrote it, or it is damaged.
    #[error("its kind is unknown")]
    UnknownKind,
    /// The JSON of this kind of body can't be read.
    #[error("its body is not readable")]
    Json,
    /// The claims ahead of an update can't be read.
    #[error("its claims are not readable")]
    Claims,
    /// A body is blanked that holds no edit.
    #[error("only an edit can be blanked")]
    BlankedKind,
    /// A value ahead of the update can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Entry 0 of every ledger.
    Genesis(Genesis),
    /// The net effect of one Yjs update, v1, and where its characters come from.
    Edit {
        /// The update, v1.
        update: Vec<u8>,
        /// Which of its characters repeat older ones.
        provenance: Provenance,
    },
    /// In a plan's ledger: an act in the plan.
    Act(Act),
    /// In the audit record: an action of an administrator or facilitator.
    AuditEvent(AuditEvent),
    /// In a document's ledger: a passage was taken out.
    Redaction(Redaction),
    /// In a document's ledger: a moment was named.
    Version(Version),
    /// In a document's ledger: a step on the path to a release.
    Step(Step),
    /// In a document's ledger: from here on the lineage is another one, because a backup was restored.
    NewLineage(NewLineage),
    /// An edit of which something was redacted.
    Blanked {
        /// The salted SHA-256 of the body that the entry had.
        hash: [u8; 32],
        /// An update without the content that was taken out.
        replacement: Vec<u8>,
        /// As in [`Body::Edit`].
        provenance: Provenance,
    },
}

impl Body {
    /// The update of an edit, whole or blanked, and where its characters come from.
    #[must_use]
    pub fn edit(&self) -> Option<(&[u8], &Provenance)> {
        match self {
            Self::Edit { update, provenance }
            | Self::Blanked { replacement: update, provenance, .. } => Some((update, provenance)),
            _ => None,
        }
    }

    /// The number of this kind of body.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Genesis(_) => kind::GENESIS,
            Self::Edit { provenance, .. } | Self::Blanked { provenance, .. } => match provenance {
                Provenance { restores: Some(_), .. } => kind::RESTORE,
                Provenance { claims, .. } if claims.is_empty() => kind::EDIT,
                Provenance { .. } => kind::EDIT_WITH_CLAIMS,
            },
            Self::Act(_) => kind::ACT,
            Self::AuditEvent(_) => kind::AUDIT_EVENT,
            Self::Redaction(_) => kind::REDACTION,
            Self::Version(_) => kind::VERSION,
            Self::Step(_) => kind::STEP,
            Self::NewLineage(_) => kind::NEW_LINEAGE,
        }
    }

    /// The bytes of the body, as its kind is written.
    pub(crate) fn encode(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Genesis(genesis) => json(genesis).into(),
            Self::Edit { update, provenance }
            | Self::Blanked { replacement: update, provenance, .. } => {
                let Provenance { claims, restores } = provenance;
                if claims.is_empty() && restores.is_none() {
                    return update.into();
                }
                let mut out = Vec::with_capacity(update.len() + claims.len() * 16);
                restores.iter().for_each(|moment| out.put_var(moment.0));
                write_claims(&mut out, claims);
                out.extend_from_slice(update);
                out.into()
            }
            Self::Act(act) => json(act).into(),
            Self::AuditEvent(event) => json(event).into(),
            Self::Redaction(redaction) => json(redaction).into(),
            Self::Version(version) => json(version).into(),
            Self::Step(step) => json(step).into(),
            Self::NewLineage(lineage) => json(lineage).into(),
        }
    }

    /// Reads a body that is whole.
    ///
    /// # Errors
    /// When the kind is unknown or the bytes are not a body of it.
    pub(crate) fn decode(kind: u8, bytes: &[u8]) -> Result<Self, BodyError> {
        match kind {
            kind::GENESIS => read_json(bytes).map(Self::Genesis),
            kind::EDIT | kind::EDIT_WITH_CLAIMS | kind::RESTORE => {
                let (provenance, update) = read_edit(kind, bytes)?;
                Ok(Self::Edit { update, provenance })
            }
            kind::ACT => read_json(bytes).map(Self::Act),
            kind::AUDIT_EVENT => read_json(bytes).map(Self::AuditEvent),
            kind::REDACTION => read_json(bytes).map(Self::Redaction),
            kind::VERSION => read_json(bytes).map(Self::Version),
            kind::STEP => read_json(bytes).map(Self::Step),
            kind::NEW_LINEAGE => read_json(bytes).map(Self::NewLineage),
            _ => Err(BodyError::UnknownKind),
        }
    }

    /// Reads the replacement that stands in a blanked entry. `hash` is that of the body it had.
    ///
    /// # Errors
    /// When the kind is no edit, or the bytes are not one.
    pub(crate) fn decode_blanked(
        kind: u8,
        hash: [u8; 32],
        bytes: &[u8],
    ) -> Result<Self, BodyError> {
        if !matches!(kind, kind::EDIT | kind::EDIT_WITH_CLAIMS | kind::RESTORE) {
            return Err(BodyError::BlankedKind);
        }
        let (provenance, replacement) = read_edit(kind, bytes)?;
        Ok(Self::Blanked { hash, replacement, provenance })
    }
}

fn read_edit(kind: u8, bytes: &[u8]) -> Result<(Provenance, Vec<u8>), BodyError> {
    if kind == kind::EDIT {
        return Ok((Provenance::default(), bytes.to_vec()));
    }
    let mut r = Reader::new(bytes);
    let restores = if kind == kind::RESTORE { Some(Seq(r.var_u64()?)) } else { None };
    let claims = read_claims(&mut r).map_err(|_| BodyError::Claims)?;
    Ok((Provenance { claims, restores }, r.take(r.remaining())?.to_vec()))
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("bodies are plain strings and numbers")
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    serde_json::from_slice(bytes).map_err(|_| BodyError::Json)
}
