//! `/documents`: the routes of one document, which is a commitment in one language.

use super::App;
use super::cleaning::cleaned;
use super::extract::{Body, Path};
use super::identity::{Visitor, acting, readable, writing};
use super::launches::{self, Progress};
use super::problem::{Problem, blocking};
use super::views::{FaceView, faces};
use super::written::WholeTextTurn;
use crate::archives::{Archive, Reading};
use crate::fair_queue::Requester;
use crate::rooms::{Passage, RedactError};
use crate::store::StoreError;
use accord_document::body::Act;
use accord_document::body::AuditAction;
use accord_document::ids::{DocumentId, Seq};
use accord_document::model::Target;
use accord_document::people::{Action, Seat, Sector, permits};
use accord_document::plan::{ActRefusal, Stage};
use accord_document::release::Release;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// A document: a commitment in one language.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    /// The id of the document.
    id: String,
    /// The id of the plan.
    plan: String,
    /// The title of the plan.
    plan_title: String,
    /// The language of the document (BCP 47).
    language: String,
    /// The caller's seat (role) in the plan.
    seat: Seat,
    /// The side that the caller represents.
    sector: Sector,
    /// Whether the caller may write here: their seat permits it, and `resting` is `null`.
    may_write: bool,
    /// The reason why nobody may write: the document is `archived`, or its plan is `closed`. `null` otherwise.
    resting: Option<&'static str>,
    /// Whether the caller may read the history of the document.
    may_read_history: bool,
    /// Whether the caller may redact passages: remove them from the document and its history.
    may_redact: bool,
    /// The redactions of the document, in the order in which they were made.
    redactions: Vec<RedactionView>,
    /// The progress of the document towards its next release.
    release: Progress,
    /// The languages in which the commitment exists, including the language of this document.
    languages: Vec<LanguageView>,
}

/// A language in which the commitment exists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LanguageView {
    /// The id of the document in that language.
    document: String,
    /// The language (BCP 47).
    language: String,
}

/// A redaction: a passage that was removed from the document and its history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedactionView {
    /// The time of the redaction, in milliseconds since the Unix epoch.
    time: u64,
    /// The person who redacted the passage, or `null` if the server has no record of them.
    by: Option<FaceView>,
    /// The reason for the redaction.
    reason: String,
}

/// A passage to redact.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewRedaction {
    /// The text that contains the passage: the key of a field, or `milestones/{id}/{key}`.
    target: String,
    /// The offset of the passage in the text or, with `compared`, in the comparison, in UTF-16 code units.
    from: u32,
    /// The characters of the passage, as the caller sees them. If the text at the offset differs, nothing is redacted.
    text: String,
    /// The two moments of the comparison (`GET …/diff`) in which the caller found the passage. If absent, the passage
    /// is in the current text.
    compared: Option<Compared>,
    /// The reason for the redaction. Everybody who reads the document can read it.
    reason: String,
}

/// Two compared moments of a document. Each is given as the number of the entry that it follows.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Compared {
    /// The moment from which the comparison starts. It can be later than `to`.
    from: u64,
    /// The moment with which `from` is compared.
    to: u64,
}

/// A ticket: a secret with which a program can connect to one document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// The secret. The program sends it as `?ticket=` to `/sync/{document}`, for the first time within 60 seconds after
    /// the ticket was made.
    ticket: String,
}

/// A change that archives a document, or takes it back from the archive.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DocumentChange {
    /// Whether the document is archived. An archived document can be read but not changed, until somebody takes it back
    /// from the archive.
    archived: bool,
}

/// Returns a document's properties, and what the caller may do with it.
#[utoipa::path(get, path = "/api/v1/documents/{document}", params(("document" = String, Path)),
    responses((status = 200, body = DocumentView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Json<DocumentView>, Problem> {
    let found = readable(&app, &by, &document)?;
    let room = app.rooms.handle(&found.id, &by);
    let (redactions, releases) = room.redactions_and_releases().await?;
    let (plan, standing) = (found.state, found.grant.standing);
    let redactors = redactions.iter().map(|redacted| redacted.person.clone()).collect();
    let known = faces(&app, &plan, redactors).await?;
    let redactions = redactions.into_iter().map(|redacted| RedactionView {
        time: redacted.time,
        by: known.get(&redacted.person).cloned(),
        reason: redacted.reason,
    });
    let (language, stage) = plan
        .document(&found.id)
        .map_or((String::new(), Stage::Deleted), |known| (known.language.clone(), known.stage));
    let resting = match stage {
        _ if plan.is_closed() => Some("closed"),
        Stage::Archived => Some("archived"),
        Stage::Drafting | Stage::Deleted => None,
    };
    Ok(Json(DocumentView {
        id: found.id.to_string(),
        plan: found.plan.to_string(),
        plan_title: plan.title().to_owned(),
        language,
        seat: standing.seat,
        sector: standing.sector,
        may_write: found.grant.may_write,
        resting,
        may_read_history: permits(standing.seat, Action::ReadHistory),
        may_redact: permits(standing.seat, Action::Redact) && found.grant.may_write,
        redactions: redactions.collect(),
        release: Progress::of(&plan, &found.id, &releases),
        languages: plan
            .languages_of(&found.id)
            .map(|(id, known)| LanguageView {
                document: id.to_string(),
                language: known.language.clone(),
            })
            .collect(),
    }))
}

/// Returns the content of a document.
///
/// The content has each text field as a Delta under the key of the field, and then `milestones` and `facts`. Only
/// changes that are on disk are included.
#[utoipa::path(get, path = "/api/v1/documents/{document}/content", params(("document" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn content(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let turn = WholeTextTurn::wait(&app, &by).await?;
    let content = app.rooms.handle(&found.id, &by).content(turn.clone()).await?;
    turn.written(move || content).await
}

/// Makes a ticket for a sync client that has no session cookie.
#[utoipa::path(post, path = "/api/v1/documents/{document}/tickets", params(("document" = String, Path)),
    responses((status = 200, body = Ticket), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn ticket(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Json<Ticket>, Problem> {
    let found = readable(&app, &by, &document)?;
    let people = app.people.clone();
    let ticket = blocking(move || people.ticket(&found.id, &by)).await?;
    Ok(Json(Ticket { ticket }))
}

/// Redacts a passage: removes it for good from a document and from everything that is stored of the document.
///
/// The person, the time and the reason of the redaction stay visible to everybody who reads the document.
#[utoipa::path(post, path = "/api/v1/documents/{document}/redactions", params(("document" = String, Path)),
    request_body = NewRedaction, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn redact(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(document): Path<String>,
    Body(wanted): Body<NewRedaction>,
) -> Result<StatusCode, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = writing(&app, &by, &found, Action::Redact)?;
    let compared = wanted.compared.map(|Compared { from, to }| (Seq(from.max(1)), Seq(to.max(1))));
    let passage =
        Passage { target: Target(wanted.target), from: wanted.from, text: wanted.text, compared };
    let reason = cleaned(&wanted.reason)?;
    let (archives, id, sought) = (app.archives.clone(), found.id.clone(), passage.clone());
    let place = archives.redaction(&Requester::Person(by.person.id.clone()))?;
    let find = move |reading: &Reading, located: Option<Vec<_>>| {
        let found = archives.read_for_redaction(reading, &id, |Archive { history, state }| {
            let Passage { target, from, text, compared } = &sought;
            let passage = |moments| history.passage(moments, target, *from, text);
            let ranges = located.or_else(|| compared.and_then(passage));
            // A passage that was deleted and brought back is stored in several copies, and all of them must go.
            let ranges = history.copies_of(&ranges.ok_or(RedactError::PassageMoved)?);
            let releases = state.releases();
            let says = |release: &&Release| {
                history.was_present(&ranges, releases.proposal_of(release).moment)
            };
            match releases.all().iter().find(says) {
                Some(release) => Err(RedactError::Released(release.number)),
                None => Ok(ranges),
            }
        });
        found?
    };
    let room = app.rooms.handle(&found.id, &by);
    let seq = room.redact(&actor, passage, reason, &place, find).await?;
    app.archives.forget(&found.id);
    let action = AuditAction::Redact { plan: found.plan, document: found.id, seq };
    app.plans.record(&actor, action, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Archives a document, or takes it back from the archive.
#[utoipa::path(patch, path = "/api/v1/documents/{document}", params(("document" = String, Path)),
    request_body = DocumentChange, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Path(document): Path<String>,
    Body(change): Body<DocumentChange>,
) -> Result<StatusCode, Problem> {
    let act = |document| {
        if change.archived { Act::Archive { document } } else { Act::Unarchive { document } }
    };
    retire(&app, visitor, &document, act).await
}

/// Deletes a document for everybody, for good.
#[utoipa::path(delete, path = "/api/v1/documents/{document}", params(("document" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(document): Path<String>,
) -> Result<StatusCode, Problem> {
    let found = readable(&app, &visitor.by, &document)?;
    acting(&app, &visitor.by, &found.plan, Action::RetireDocument)?;
    let _guard = app.rooms.stop_signing(&found.id).ok_or(StoreError::Conflict)?;
    if launches::was_released(&app, &visitor.by, &found.id).await? {
        return Err(ActRefusal::Released.into());
    }
    retire(&app, visitor, &document, |document| Act::Delete { document }).await
}

async fn retire(
    app: &App,
    Visitor { by, from }: Visitor,
    document: &str,
    act: impl FnOnce(DocumentId) -> Act,
) -> Result<StatusCode, Problem> {
    let found = readable(app, &by, document)?;
    let (actor, _) = acting(app, &by, &found.plan, Action::RetireDocument)?;
    let from: Option<IpAddr> = Some(from);
    app.plans.act(&found.plan, &actor, act(found.id), from).await?;
    Ok(StatusCode::NO_CONTENT)
}
