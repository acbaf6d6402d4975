//! What makes a release verifiable by anybody: a note, signed with the installation's key, that says which text
//! was frozen, who signed it and when, and which entry of which ledger says so.
//!
//! - [`note`] is the signed note of the C2SP (<https://c2sp.org/signed-note>), with Ed25519 (RFC 8032).
//! - [`keys`] keeps the key in the data folder, and rotates it.
//! - [`verify`] judges a release's file without a server, [`strict`] reads it so that it has one meaning, [`fault`] lists
//!   what can be wrong with it, and [`words`] says what it proves. What is printed of it passes through [`shown`].

#![warn(missing_docs)]

pub mod fault;
pub mod keys;
pub mod note;
pub mod shown;
pub mod strict;
pub mod verify;
pub mod words;

use accord_document::body::Quorum;
use accord_document::ids::{Digest, DocumentId, LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_document::people::Sector;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first line of every note about a release.
pub const FIRST_LINE: &str = "accord-release/1";

/// A release as it is downloaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    /// What both sides signed: its canonical JSON has the digest that the note names.
    pub release: Value,
    /// The signed note: a first line, the [`Statement`] as canonical JSON, and the signature.
    pub note: String,
    /// The public key that the note was signed with, as the file says. It proves nothing by itself: a verifier compares it
    /// with a key that it has from elsewhere.
    pub key: String,
}

/// What a note says of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The digest of the text.
    pub digest: Digest,
    /// The commitment.
    pub document: DocumentId,
    /// The number of the release in its commitment, from 1.
    pub number: u32,
    /// The plan of the commitment.
    pub plan: PlanId,
    /// As it was called then.
    pub plan_title: String,
    /// Where the last signature stands.
    #[serde(with = "StrictPosition")]
    pub ledger: LedgerPosition,
    /// When it was frozen, in milliseconds since the Unix epoch.
    pub frozen: u64,
    /// How many of each side had to sign.
    pub quorum: Quorum,
    /// Who signed, in the order of their signatures.
    pub signatories: Vec<Signatory>,
}

/// How a position is read from a release's file: no other members may stand beside these.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "LedgerPosition")]
struct StrictPosition {
    lineage: LineageId,
    seq: Seq,
    head: Digest,
}

/// Somebody who signed for their side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// The person's id.
    pub person: PersonId,
    /// Their name when the release was sealed.
    pub name: String,
    /// The side that they signed for.
    pub sector: Sector,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
}

impl Statement {
    /// The text of the note.
    #[must_use]
    pub fn text(&self) -> String {
        let value = serde_json::to_value(self).expect("plain strings and numbers");
        let json = accord_document::release::canonical::canonical(&value);
        format!("{FIRST_LINE}\n{}\n", String::from_utf8_lossy(&json))
    }

    /// Reads the text of a note.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let statement: Self =
            serde_json::from_str(text.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?).ok()?;
        // There is one way to write it.
        (statement.text() == text).then_some(statement)
    }
}
