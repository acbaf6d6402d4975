//! Makes a release verifiable by anybody. A note, signed with the installation's key, names the frozen text, its
//! signatories with their times, and the ledger entry that records the last signature.
//!
//! - [`note`] reads and writes signed notes of the C2SP (<https://c2sp.org/signed-note>), with Ed25519 (RFC 8032).
//! - [`keys`] stores the key in the data folder, and rotates it.
//! - [`verify`] verifies a release's file without a server. [`strict`] reads the file so that it can have only one
//!   meaning, [`fault`] lists the possible faults of a file, and [`words`] says what a verified file proves. Text of
//!   the file is printed only through [`shown`].

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

/// The file of a release, as people download it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    /// The text that both sides signed. Its canonical JSON has the digest that the note names.
    pub release: Value,
    /// The signed note: [`FIRST_LINE`], the [`Statement`] as canonical JSON, and the signature.
    pub note: String,
    /// The public key that signed the note, according to the file. It proves nothing by itself: a verifier compares it
    /// with a key from a trusted place.
    pub key: String,
}

/// The statement that a note makes about a release: which text, who signed it, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The digest of the text.
    pub digest: Digest,
    /// The id of the commitment.
    pub document: DocumentId,
    /// The number of the release in its commitment, from 1.
    pub number: u32,
    /// The id of the commitment's plan.
    pub plan: PlanId,
    /// The title of the plan when the release was frozen.
    pub plan_title: String,
    /// The ledger entry with the last signature.
    #[serde(with = "StrictPosition")]
    pub ledger: LedgerPosition,
    /// The time of the freeze, in milliseconds since the Unix epoch.
    pub frozen: u64,
    /// Number of people of each side who had to sign.
    pub quorum: Quorum,
    /// The people who signed, in the order of their signatures.
    pub signatories: Vec<Signatory>,
}

/// The form in which a release's file contains a [`LedgerPosition`]: other members are refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "LedgerPosition")]
struct StrictPosition {
    lineage: LineageId,
    seq: Seq,
    head: Digest,
}

/// A person who signed for their side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// The id of the person.
    pub person: PersonId,
    /// The name of the person when the release was frozen.
    pub name: String,
    /// The side for which the person signed.
    pub sector: Sector,
    /// The time of the signature, in milliseconds since the Unix epoch.
    pub time: u64,
}

impl Statement {
    /// Returns the text of the note that makes this statement.
    #[must_use]
    pub fn text(&self) -> String {
        let value = serde_json::to_value(self).expect("plain strings and numbers");
        let json = accord_document::release::canonical::canonical(&value);
        format!("{FIRST_LINE}\n{}\n", String::from_utf8_lossy(&json))
    }

    /// Reads the text of a note. Returns `None` if it is not exactly the text that Accord writes.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let statement: Self =
            serde_json::from_str(text.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?).ok()?;
        // A statement has one valid form, so writing it again must give the same text.
        (statement.text() == text).then_some(statement)
    }
}
