//! The path to a release: proposing, signing, declining, withdrawing and reopening, and reading proposals and releases.

use super::App;
use super::allowed_steps::AllowedSteps;
use super::cleaning::cleaned;
use super::extract::{Body, Path};
use super::held_answers::NotCounted;
use super::identity::{Readable, Visitor, readable, writing};
use super::problem::Problem;
use super::release_views::release_views;
use super::views::{ChangeResult, people};
use super::written::WholeTextTurn;
use crate::access::{may_propose, may_sign};
use crate::archives::{Archives, Reading};
use crate::fair_queue::{Asker, Requester};
use crate::people::SignedIn;
use crate::record::{ProposalView, ReleaseView};
use crate::releases::SealedRelease;
use crate::rooms::ReleaseStatus;
use crate::sealing::take_step;
use crate::store::StoreError;
use accord_document::body::{Quorum, Step};
use accord_document::ids::{Digest, DocumentId, PersonId, Seq};
use accord_document::people::{Action, Actor};
use accord_document::release::canonical::{Identity, Released};
use accord_document::release::unreleasable::Unreleasable;
use accord_document::release::{ProposalStatus, StepError};
use accord_document::state::DocumentState;
use accord_document::sync::{ProposalRequest, ProposeError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;
use utoipa::ToSchema;

/// The path of a document to its releases: its draft, its proposals, and its releases so far.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleasePath {
    /// The release that the current text would become. A client that proposes or signs computes the digest of this
    /// value.
    #[schema(value_type = Object)]
    draft: Draft,
    /// The SHA-256 digest of the canonical JSON (RFC 8785) of `draft`, in hexadecimal.
    digest: String,
    /// The number of the last entry that the draft contains.
    moment: u64,
    /// The hidden content in the draft, in the plan's title (`plan/title`) and in signatories' names (`people/{id}`).
    /// While there is any such content, the text can't be proposed.
    #[serde(rename = "strange")]
    unreleasable: Vec<Unreleasable>,
    /// Whether the text is frozen: nothing can be written until somebody reopens the document.
    frozen: bool,
    /// The number of signatures from each side that a new proposal would need.
    quorum: Quorum,
    /// The proposals, in the order in which they were made.
    proposals: Vec<ProposalView>,
    /// The releases, in the order of their numbers.
    releases: Vec<ReleaseView>,
    /// The steps that the caller may take.
    #[serde(rename = "may")]
    allowed_steps: AllowedSteps,
    /// The number of signatories of each side.
    signatories: Quorum,
}

/// The draft in a release status. It is serialized without being copied, because the text can be long.
#[derive(Debug)]
struct Draft(Arc<ReleaseStatus>);

impl Serialize for Draft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.draft.serialize(serializer)
    }
}

/// A proposal to make.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewProposal {
    /// The SHA-256 digest of the release that the proposer has read, in hexadecimal.
    digest: String,
    /// A message to the signatories. It can be empty.
    #[serde(default)]
    message: String,
}

/// A signature to give to a proposal.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Signature {
    /// The SHA-256 digest of the release that the signatory has read, in hexadecimal.
    digest: String,
}

/// A refusal to sign a proposal, with its reason.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Declining {
    /// The reason why the person declines to sign. Everybody in the plan can read it.
    reason: String,
}

/// A request to begin the next draft of a frozen text.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Reopening {
    /// A message about the next draft. It can be empty.
    #[serde(default)]
    message: String,
}

/// Returns the path of a document to its releases, with the release that its text would become now.
#[utoipa::path(get, path = "/api/v1/documents/{document}/release", params(("document" = String, Path)),
    responses((status = 200, body = ReleasePath), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let turn = WholeTextTurn::wait(&app, &by).await?;
    let status = app.rooms.handle(&found.id, &by).release_status(turn.clone()).await?;
    let (proposals, released) = release_views(&app, &found, &status.releases).await?;
    let mut unreleasable = unreleasable_names(&app, &found, signatories_of(&found)).await?;
    unreleasable.extend(status.unreleasable.iter().cloned());
    let path = move || ReleasePath {
        digest: status.digest().to_string(),
        moment: status.position.seq.0,
        unreleasable,
        frozen: status.releases.is_frozen(),
        quorum: found.state.quorum(),
        proposals,
        releases: released,
        allowed_steps: AllowedSteps::of(&found.grant),
        signatories: signatories(&found),
        draft: Draft(status),
    };
    turn.written(path).await
}

/// Proposes the current text for a release. Only facilitators and signatories can propose.
#[utoipa::path(post, path = "/api/v1/documents/{document}/proposals", params(("document" = String, Path)),
    request_body = NewProposal, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn propose(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Body(new): Body<NewProposal>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = writing(&app, &by, &found, Action::Propose)?;
    if !may_propose(found.grant.standing) {
        return Err(Problem::forbidden("Only a facilitator or a signatory can propose a release."));
    }
    let (digest, quorum) = (parse_digest(&new.digest)?, found.state.quorum());
    let message = cleaned(&new.message)?;
    let hidden = unreleasable_names(&app, &found, signatories_of(&found)).await?;
    if !hidden.is_empty() {
        return Err(ProposeError::Unreleasable(hidden).into());
    }
    let wanted = ProposalRequest { document: found.id.clone(), digest, quorum, message };
    let seq = app.rooms.handle(&found.id, &by).propose(&actor, wanted).await?;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Signs a proposal for the caller's side. The last signature that the quorum needs freezes the text.
#[utoipa::path(put, path = "/api/v1/documents/{document}/proposals/{proposal}/signature",
    params(("document" = String, Path), ("proposal" = u64, Path)),
    request_body = Signature, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn sign(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, proposal)): Path<(String, u64)>,
    Body(signature): Body<Signature>,
) -> Result<Json<ChangeResult>, Problem> {
    let known = readable(&app, &by, &document)?.id;
    let _guard = app.rooms.stop_deletion(&known).ok_or(StoreError::Conflict)?;
    // The commitment could have been deleted before there was the guard.
    let found = readable(&app, &by, &document)?;
    let actor = signing(&app, &by, &found)?;
    let room = app.rooms.handle(&found.id, &by);
    let releases = room.releases().await?;
    let open = releases.proposals().iter().find(|known| known.by.seq == Seq(proposal));
    let others = open.into_iter().flat_map(|open| &open.signatures);
    let signed = others.map(|mark| mark.person.clone()).chain([by.person.id.clone()]);
    let hidden = unreleasable_names(&app, &found, signed.collect()).await?;
    if !hidden.is_empty() {
        return Err(ProposeError::Unreleasable(hidden).into());
    }
    let step = Step::Approve { proposal: Seq(proposal), digest: parse_digest(&signature.digest)? };
    let seq = take_step(&app.releases, &room, &actor, step).await?.seq;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Declines to sign a proposal and gives the reason. This ends the proposal.
#[utoipa::path(post, path = "/api/v1/documents/{document}/proposals/{proposal}/decline",
    params(("document" = String, Path), ("proposal" = u64, Path)),
    request_body = Declining, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn decline(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, proposal)): Path<(String, u64)>,
    Body(declining): Body<Declining>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = signing(&app, &by, &found)?;
    let reason = cleaned(&declining.reason)?;
    let step = Step::Decline { proposal: Seq(proposal), reason };
    let room = app.rooms.handle(&found.id, &by);
    let seq = take_step(&app.releases, &room, &actor, step).await?.seq;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Withdraws a proposal. Facilitators can withdraw any proposal, other people only their own proposals.
#[utoipa::path(delete, path = "/api/v1/documents/{document}/proposals/{proposal}",
    params(("document" = String, Path), ("proposal" = u64, Path)), responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, proposal)): Path<(String, u64)>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = writing(&app, &by, &found, Action::Propose)?;
    let step = Step::Withdraw { proposal: Seq(proposal) };
    let room = app.rooms.handle(&found.id, &by);
    let seq = take_step(&app.releases, &room, &actor, step).await?.seq;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Begins the next draft of a frozen text. The release stays as it is.
#[utoipa::path(post, path = "/api/v1/documents/{document}/reopening", params(("document" = String, Path)),
    request_body = Reopening, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn reopen(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Body(reopening): Body<Reopening>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = writing(&app, &by, &found, Action::SteerReleases)?;
    let step = Step::Reopen { message: cleaned(&reopening.message)? };
    let room = app.rooms.handle(&found.id, &by);
    let seq = take_step(&app.releases, &room, &actor, step).await?.seq;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Returns the text of a proposal, as the ledger records it.
#[utoipa::path(get, path = "/api/v1/documents/{document}/proposals/{proposal}",
    params(("document" = String, Path), ("proposal" = u64, Path)), responses(
    (status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn proposed(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, proposal)): Path<(String, u64)>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let turn = WholeTextTurn::wait(&app, &by).await?;
    let path = app.rooms.handle(&found.id, &by).release_status(turn.clone()).await?;
    let releases = &path.releases;
    let known = releases.proposals().iter().find(|known| known.by.seq == Seq(proposal));
    let known = known.ok_or(StepError::NoProposal)?;
    // If a proposal is open and not stale, its text is the current text. If it has become a release, its text is the
    // text of the release. Neither case needs the history.
    if matches!(known.status, ProposalStatus::Open)
        && digest_of(&turn, &path).await? == known.digest
    {
        return turn.written(move || Draft(path)).await;
    }
    if let ProposalStatus::Frozen { number } = known.status {
        let frozen = frozen(&app, turn.personal(), &found.id, number).await?;
        return turn.written(move || frozen.released.clone()).await;
    }
    let id = found.id;
    let read = move |archives: &Archives, reading: &Reading| {
        archives.content(reading, &id, |state| pick(state, &id, Seq(proposal)))
    };
    let read = app.archives.in_turn(turn.personal(), read).await?;
    let (identity, content) = read.ok_or(StepError::NoProposal)?;
    turn.written(move || Released::of(identity, &content)).await
}

/// Computes the digest of a draft on a thread for blocking work, because the text can be long.
async fn digest_of(turn: &WholeTextTurn, status: &Arc<ReleaseStatus>) -> Result<Digest, Problem> {
    let status = status.clone();
    turn.blocking(move || Ok(status.digest())).await
}

/// Returns the moment of a proposal, and the identity that [`Released::of`] needs to build its text.
fn pick(state: &DocumentState, id: &DocumentId, proposal: Seq) -> Option<(Seq, Identity)> {
    let releases = state.releases();
    let known = releases.proposals().iter().find(|known| known.by.seq == proposal)?;
    let before = releases.all().iter().take_while(|release| release.frozen.seq < proposal);
    Some((known.moment, state.identity(id, before.count() as u32 + 1)))
}

/// Returns a release as a JSON file that anybody can verify.
#[utoipa::path(get, path = "/api/v1/documents/{document}/releases/{number}",
    params(("document" = String, Path), ("number" = u32, Path)), responses(
    (status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn download(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, number)): Path<(String, u32)>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    Ok(signed_file(&*frozen(&app, &Requester::from(&by), &found.id, number).await?))
}

/// Returns a release by its number. First opens the document, so that an unfinished redaction is finished.
pub(super) async fn frozen(
    app: &App,
    asker: impl Into<Asker<'_>>,
    document: &DocumentId,
    number: u32,
) -> Result<Arc<SealedRelease>, Problem> {
    app.rooms.check_openable(document).await?;
    let read = app.releases.get(asker, document, number).await?;
    read.ok_or_else(|| Problem::missing("release"))
}

/// Returns the answer with a release's signed JSON file.
pub(super) fn signed_file(frozen: &SealedRelease) -> Response {
    let name = format!("{}-release-{}.json", frozen.released.document, frozen.released.number);
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut response = frozen.file.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(name) = name {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    NotCounted::mark(response)
}

fn signing(app: &App, by: &SignedIn, found: &Readable) -> Result<Actor, Problem> {
    let actor = writing(app, by, found, Action::Sign)?;
    if may_sign(found.grant.standing) { Ok(actor) } else { Err(StepError::Side.into()) }
}

/// Returns all people of a plan who can sign.
fn signatories_of(found: &Readable) -> Vec<PersonId> {
    let seats = found.state.seats().filter(|(_, standing)| may_sign(*standing));
    seats.map(|(person, _)| person.clone()).collect()
}

/// Returns the hidden content in the plan's title and in people's names, both of which become part of a release's note.
async fn unreleasable_names(
    app: &App,
    found: &Readable,
    ids: Vec<PersonId>,
) -> Result<Vec<Unreleasable>, Problem> {
    let mut all = Unreleasable::in_text("plan/title", found.state.title());
    for person in people(app, ids).await? {
        all.extend(Unreleasable::in_name(&format!("people/{}", person.id), &person.name));
    }
    Ok(all)
}

fn signatories(found: &Readable) -> Quorum {
    use accord_document::people::Sector;
    let count = |sector| {
        let signing = found.state.seats().filter(|(_, standing)| standing.sector == sector);
        signing.filter(|(_, standing)| may_sign(*standing)).count() as u32
    };
    Quorum { government: count(Sector::Government), civil_society: count(Sector::CivilSociety) }
}

fn parse_digest(digest: &str) -> Result<Digest, Problem> {
    digest
        .parse()
        .map_err(|error: &str| Problem::invalid(format!("This is not a digest: {error}.")))
}
