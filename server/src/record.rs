//! The co-creation record of a commitment: who wrote it, its versions, proposals and releases. Routes answer with it, and
//! pages show it.

use accord_document::body::Quorum;
use accord_document::history::{Share, Sitting};
use accord_document::people::{Seat, Sector};
use serde::Serialize;
use utoipa::ToSchema;

/// The co-creation record of a commitment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    pub(crate) document: String,
    pub(crate) plan: String,
    pub(crate) plan_title: String,
    /// As it is written now.
    pub(crate) title: String,
    /// BCP 47.
    pub(crate) language: String,
    pub(crate) began: MomentView,
    /// The moment that the record is of.
    pub(crate) head: MomentView,
    /// Everybody who wrote in the document. The other fields name them by their index here.
    pub(crate) authors: Vec<AuthorView>,
    /// Who wrote the text that stands.
    pub(crate) shares: Vec<Share>,
    /// Who did how much to what, the oldest first.
    pub(crate) sittings: Vec<Sitting>,
    pub(crate) versions: Vec<VersionView>,
    /// What was proposed for a release, and what became of it, the oldest first.
    pub(crate) proposals: Vec<ProposalView>,
    pub(crate) releases: Vec<ReleaseView>,
}

/// Somebody who did something in a document, in the seat and for the side they had then.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthorView {
    pub(crate) person: String,
    /// Empty for a person who was forgotten.
    pub(crate) name: String,
    pub(crate) seat: Seat,
    pub(crate) sector: Sector,
}

/// A moment: the document once this entry was applied.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct MomentView {
    pub(crate) seq: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// The entry that named it.
    pub(crate) seq: u64,
    /// When it was named, in milliseconds since the Unix epoch.
    pub(crate) named_at: u64,
    /// Who named it: an index into `authors`.
    pub(crate) by: Option<u32>,
    /// Empty for one that was made before going back.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) moment: MomentView,
    /// The moment that was gone back to right after.
    pub(crate) before_restoring: Option<MomentView>,
}

/// Who took a step, when, and for which side.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarkView {
    pub(crate) person: String,
    /// Empty for a person who was forgotten.
    pub(crate) name: String,
    pub(crate) sector: Sector,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// The number of its entry: its name.
    pub(crate) seq: u64,
    pub(crate) by: MarkView,
    pub(crate) moment: u64,
    pub(crate) digest: String,
    pub(crate) quorum: Quorum,
    pub(crate) gaps: Vec<String>,
    pub(crate) message: String,
    pub(crate) signatures: Vec<MarkView>,
    /// `open`, `stale` (the text has changed since), `frozen`, `declined`, `withdrawn` or `superseded`.
    pub(crate) fate: &'static str,
    /// Who declined or withdrew it.
    pub(crate) ended: Option<MarkView>,
    /// Why it was declined.
    pub(crate) reason: String,
    /// The release that it became.
    pub(crate) release: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseView {
    pub(crate) number: u32,
    pub(crate) digest: String,
    /// The moment that was frozen.
    pub(crate) moment: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) frozen: u64,
    pub(crate) signatures: Vec<MarkView>,
    pub(crate) gaps: Vec<String>,
    /// Who began the next draft, and when.
    pub(crate) reopened: Option<MarkView>,
    /// When it became public, or will.
    pub(crate) opens: Option<u64>,
    pub(crate) public: bool,
}
