//! The data of the co-creation record of a commitment: who wrote it, its versions, proposals and releases. Routes
//! return it as JSON, and pages render it.

use accord_document::body::Quorum;
use accord_document::history::{Share, Sitting};
use accord_document::people::{Seat, Sector};
use serde::Serialize;
use utoipa::ToSchema;

/// The co-creation record of a commitment: who shaped it, when, and for which side.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    /// The id of the commitment's document.
    pub(crate) document: String,
    /// The id of the plan.
    pub(crate) plan: String,
    /// The title of the plan.
    pub(crate) plan_title: String,
    /// The title of the commitment as it is written now.
    pub(crate) title: String,
    /// The language of the commitment (BCP 47).
    pub(crate) language: String,
    /// The moment at which the document was created.
    pub(crate) began: MomentView,
    /// The document's latest moment at the time when the record was made. The record covers all entries of the document
    /// up to this moment.
    pub(crate) head: MomentView,
    /// Everybody who made an entry in the document's ledger, once for each seat and side that they had. Other fields
    /// refer to them by their index in this list.
    pub(crate) authors: Vec<AuthorView>,
    /// The amount of the current text that each author wrote originally, for each section.
    pub(crate) shares: Vec<Share>,
    /// The sessions of work with the amounts that each author inserted and deleted, the oldest first.
    pub(crate) sittings: Vec<Sitting>,
    /// The named versions, in the order in which they were named.
    pub(crate) versions: Vec<VersionView>,
    /// The proposals for a release with their outcomes, the oldest first.
    pub(crate) proposals: Vec<ProposalView>,
    /// The releases, in the order of their numbers.
    pub(crate) releases: Vec<ReleaseView>,
}

/// An author: a person who acted in a document, with the seat and side that they had then.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthorView {
    /// The id of the person.
    pub(crate) person: String,
    /// The name of the person. Empty for a person who was forgotten.
    pub(crate) name: String,
    /// The seat (role) that the person had.
    pub(crate) seat: Seat,
    /// The side that the person represented.
    pub(crate) sector: Sector,
}

/// A moment: the state of the document right after an entry of its ledger.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct MomentView {
    /// The number of the entry.
    pub(crate) seq: u64,
    /// The time of the entry, in milliseconds since the Unix epoch.
    pub(crate) time: u64,
}

/// A version: a moment with a name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// The number of the entry that named the version.
    pub(crate) seq: u64,
    /// The time at which the version was named, in milliseconds since the Unix epoch.
    pub(crate) named_at: u64,
    /// The author who named the version, as an index into `authors`. `null` if `authors` does not contain this author.
    pub(crate) by: Option<u32>,
    /// The name. Empty for a version that was made automatically before a restoration.
    pub(crate) name: String,
    /// The description. It can be empty.
    pub(crate) description: String,
    /// The moment that has the name.
    pub(crate) moment: MomentView,
    /// The moment to which the document was restored next, if the version was made automatically before a restoration.
    /// Otherwise `null`.
    pub(crate) before_restoring: Option<MomentView>,
}

/// A step on the path to a release: who took it, when, and for which side.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarkView {
    /// The id of the person.
    pub(crate) person: String,
    /// The name of the person. Empty for a person who was forgotten.
    pub(crate) name: String,
    /// The side that the person represented.
    pub(crate) sector: Sector,
    /// The time of the step, in milliseconds since the Unix epoch.
    pub(crate) time: u64,
}

/// A proposal: a text put forward to be signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// The number of the entry that made the proposal. Routes identify the proposal by it.
    pub(crate) seq: u64,
    /// The person who proposed the text.
    pub(crate) by: MarkView,
    /// The number of the entry that the proposed text follows: the text is the state right after this entry.
    pub(crate) moment: u64,
    /// The SHA-256 digest of the release that the text would become: of its canonical JSON (RFC 8785), in hexadecimal.
    pub(crate) digest: String,
    /// The number of signatures that the proposal needs from each side.
    pub(crate) quorum: Quorum,
    /// The keys of the checklist items that the text does not meet.
    pub(crate) gaps: Vec<String>,
    /// The message of the proposer. It can be empty.
    pub(crate) message: String,
    /// The signatures so far, in the order in which they were given.
    pub(crate) signatures: Vec<MarkView>,
    /// The state of the proposal: `open`, `stale` (the text has changed since, so nobody can sign it), `frozen` (it
    /// became a release), `declined`, `withdrawn` or `superseded` (its text had changed, and another proposal replaced
    /// it).
    #[serde(rename = "fate")]
    pub(crate) status: &'static str,
    /// The person who declined or withdrew the proposal, or `null` in all other states.
    pub(crate) ended: Option<MarkView>,
    /// The reason why the proposal was declined. Empty in all other states.
    pub(crate) reason: String,
    /// The number of the release that the proposal became, or `null`.
    pub(crate) release: Option<u32>,
}

/// A release: a signed text that never changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseView {
    /// The number of the release in its document, from 1.
    pub(crate) number: u32,
    /// The SHA-256 digest of the release's canonical JSON (RFC 8785), in hexadecimal.
    pub(crate) digest: String,
    /// The moment of the frozen text: the number of the entry that it follows.
    pub(crate) moment: u64,
    /// The time of the last signature, which froze the text, in milliseconds since the Unix epoch.
    pub(crate) frozen: u64,
    /// The signatures, in the order in which they were given.
    pub(crate) signatures: Vec<MarkView>,
    /// The keys of the checklist items that the text does not meet.
    pub(crate) gaps: Vec<String>,
    /// The person who began the next draft after this release, or `null` if nobody has.
    pub(crate) reopened: Option<MarkView>,
    /// The time at which the release became or will become public, in milliseconds since the Unix epoch. `null` without
    /// a launch.
    #[serde(rename = "opens")]
    pub(crate) public_from: Option<u64>,
    /// Whether the release is public now.
    pub(crate) public: bool,
}
