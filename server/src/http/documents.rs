//! `/documents`: one commitment in one language.

use super::App;
use super::cleaning::cleaned;
use super::identity::{Visitor, acting, readable};
use super::launches::{self, Progress};
use super::problem::{Body, Problem, blocking};
use super::views::{FaceView, faces};
use super::written::{WholeTextTurn, written};
use crate::archives::{Archive, Reading};
use crate::fair_queue::Requester;
use crate::rooms::{Passage, RedactError};
use accord_document::body::Act;
use accord_document::body::AuditAction;
use accord_document::ids::{DocumentId, Seq};
use accord_document::model::Target;
use accord_document::people::{Action, Seat, Sector, permits};
use accord_document::plan::{ActRefusal, Stage};
use accord_document::release::Release;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    id: String,
    plan: String,
    plan_title: String,
    /// BCP 47.
    language: String,
    /// One's own seat in its plan.
    seat: Seat,
    sector: Sector,
    may_write: bool,
    /// Why nobody may write: `archived`, or the plan is `closed`.
    resting: Option<&'static str>,
    /// Whether one may read what it said before.
    may_read_history: bool,
    /// Whether one may take passages out of it and its history.
    may_redact: bool,
    /// The redactions: who took a passage out, and why.
    redactions: Vec<RedactionView>,
    /// How far it is on its way to a release.
    release: Progress,
    /// The commitment in all its languages.
    languages: Vec<LanguageView>,
}

/// A commitment in one of its languages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LanguageView {
    document: String,
    /// BCP 47.
    language: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedactionView {
    /// Milliseconds since the Unix epoch.
    time: u64,
    by: Option<FaceView>,
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewRedaction {
    /// Which text: the key of a field, or `milestones/{id}/{key}`.
    target: String,
    /// Where the passage begins, in UTF-16 code units.
    from: u32,
    /// The passage as the caller sees it. If the document says something else there, nothing is redacted.
    text: String,
    /// Two moments in whose comparison it stands, as `GET …/diff` tells it: the text as it is now, if absent.
    compared: Option<Compared>,
    /// Everybody reads it.
    reason: String,
}

/// Two moments: the numbers of the entries that they follow.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Compared {
    from: u64,
    to: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// Send it as `?ticket=` to `/sync/{document}` within 60 seconds.
    ticket: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DocumentChange {
    /// An archived document can be read, and taken back.
    archived: bool,
}

/// What a document is, and what one may do with it.
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

/// What a document says, as far as it is on disk: each text field as a Delta under its key, then
/// `milestones` and `facts`.
#[utoipa::path(get, path = "/api/v1/documents/{document}/content", params(("document" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn content(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let _turn = WholeTextTurn::wait(&app, &by).await?;
    let content = app.rooms.handle(&found.id, &by).content().await?;
    written(move || content).await
}

/// A ticket for a sync client that has no cookie.
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

/// Takes a passage out of a document and of everything that is stored of it, for good. Who did it, when
/// and why stays for everybody to see.
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
    let (actor, _) = acting(&app, &by, &found.plan, Action::Redact)?;
    if !found.grant.may_write {
        return Err(Problem::conflict("resting", "Nothing can be changed in this document now."));
    }
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
            // A passage that was deleted and brought back is stored more than once.
            let ranges = history.copies_of(&ranges.ok_or(RedactError::Elsewhere)?);
            let releases = state.releases();
            let says =
                |release: &&Release| history.stood(&ranges, releases.proposal_of(release).moment);
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
    let deed = AuditAction::Redact { plan: found.plan, document: found.id, seq };
    app.plans.record(&actor, deed, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Archives a document, or takes it back.
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

/// Deletes a document, for everybody and for good.
#[utoipa::path(delete, path = "/api/v1/documents/{document}", params(("document" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(document): Path<String>,
) -> Result<StatusCode, Problem> {
    let found = readable(&app, &visitor.by, &document)?;
    // What is damaged can be deleted: nobody could read a release of it.
    if launches::was_released(&app, &visitor.by, &found.id).await.unwrap_or(false) {
        acting(&app, &visitor.by, &found.plan, Action::RetireDocument)?;
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
