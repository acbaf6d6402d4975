//! The bodies of ledger entries: plain data, and the encoding of each kind.
//!
//! All ledgers share one table of kinds, [`Body`], so that an entry can be decoded before the reader knows which ledger
//! contains it. This module has no state and decides nothing: [`crate::state`], [`crate::plan`] and [`crate::audit`]
//! decide whether an entry is allowed at its place in a ledger.

mod act;
mod audit_event;
mod genesis;
mod redaction;
mod step;
mod version;

pub use act::{Act, LaunchedRelease, MAX_PLAN_TITLE_CHARS};
pub use audit_event::{AuditAction, AuditEvent};
pub use genesis::{Genesis, NewLineage};
pub use redaction::{BlankedEntry, MAX_REDACTION_REASON_CHARS, Redaction};
pub use step::{MAX_SIGNATORIES, MAX_STEP_MESSAGE_CHARS, Quorum, Step};
pub use version::{MAX_VERSION_DESCRIPTION_CHARS, MAX_VERSION_NAME_CHARS, Version, VersionError};

use crate::ids::Seq;
use crate::lib0::{ReadError, Reader, Write};
use crate::update::{Provenance, read_claims, write_claims};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use thiserror::Error;

/// The numbers of the kinds of entry, as section 8 of `docs/protocol.md` lists them.
mod kind {
    pub(super) const GENESIS: u8 = 0;
    /// An edit that has no claims and restores no moment. Its body is the update alone.
    pub(super) const EDIT: u8 = 1;
    pub(super) const ACT: u8 = 2;
    pub(super) const AUDIT_EVENT: u8 = 3;
    pub(super) const REDACTION: u8 = 4;
    /// An edit that has claims and restores no moment. Its body is the encoded claims, followed by the update, which
    /// extends to the end of the body.
    pub(super) const EDIT_WITH_CLAIMS: u8 = 5;
    /// An edit that restores a moment. Its body is the number of that moment, the encoded claims (possibly none), and the
    /// update.
    pub(super) const RESTORE: u8 = 6;
    pub(super) const VERSION: u8 = 7;
    pub(super) const STEP: u8 = 8;
    pub(super) const NEW_LINEAGE: u8 = 9;
}

/// The reason why the bytes of an entry's body can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyError {
    /// The kind is unknown: a newer version wrote the entry, or the entry is damaged.
    #[error("its kind is unknown")]
    UnknownKind,
    /// The body is not valid JSON for its kind.
    #[error("its body can't be read")]
    Json,
    /// The claims that precede the update in the body of an edit can't be decoded.
    #[error("its claims can't be read")]
    Claims,
    /// The entry is marked as blanked, but its kind is not a kind of edit. Only edits can be blanked.
    #[error("only an edit can be blanked")]
    BlankedKind,
    /// The number of the restored moment, with which the body of a restoration begins, can't be decoded.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The body of an entry: the change that the entry makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The genesis, which is entry 0 of every ledger.
    Genesis(Genesis),
    /// In a document's ledger: an edit, as the net effect of one Yjs update.
    Edit {
        /// The update, in version 1 of Yjs' encoding.
        update: Vec<u8>,
        /// The claims that characters of the update repeat older ones, and the moment that the edit restores, if any.
        provenance: Provenance,
    },
    /// In a plan's ledger: an act in the plan.
    Act(Act),
    /// In the audit record: an event, such as an action of an administrator or facilitator.
    AuditEvent(AuditEvent),
    /// In a document's ledger: a redaction, which takes a passage out of the text and the ledger.
    Redaction(Redaction),
    /// In a document's ledger: a version, which names a moment.
    Version(Version),
    /// In a document's ledger: a step on the path to a release.
    Step(Step),
    /// In a document's ledger: the start of a new lineage, after a restore from a backup.
    NewLineage(NewLineage),
    /// In a document's ledger: an edit from which a redaction removed content.
    Blanked {
        /// The salted SHA-256 of the original body.
        hash: [u8; 32],
        /// The original update without the redacted content.
        replacement: Vec<u8>,
        /// The provenance of the original edit, unchanged.
        provenance: Provenance,
    },
}

impl Body {
    /// Returns the update of an edit and its provenance, or `None` for any other kind of body. For a blanked edit, the
    /// update is its replacement.
    #[must_use]
    pub fn edit(&self) -> Option<(&[u8], &Provenance)> {
        match self {
            Self::Edit { update, provenance }
            | Self::Blanked { replacement: update, provenance, .. } => Some((update, provenance)),
            _ => None,
        }
    }

    /// Returns the number of the body's kind. A blanked edit has the kind of the original edit.
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

    /// Returns the encoding of the body, as its kind prescribes it. The bytes do not include the kind.
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

    /// Decodes a body that was not blanked.
    ///
    /// # Errors
    /// Returns an error if `kind` is unknown, or if `bytes` can't be decoded as a body of that kind.
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

    /// Decodes the replacement body of a blanked entry. `hash` is the salted hash of the original body.
    ///
    /// # Errors
    /// Returns an error if `kind` is not a kind of edit, or if `bytes` can't be decoded as an edit of that kind.
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
