//! `/plans`: what a plan holds, and new commitments in it.

use super::App;
use super::cleaning::cleaned_line;
use super::identity::{Visitor, acting};
use super::launches::{self, LaunchView, Progress};
use super::problem::{Body, Problem};
use super::views::{FaceView, faces};
use crate::people::SignedIn;
use crate::plans::fresh_plan;
use crate::rooms::OpenError;
use accord_document::body::{Act, Quorum};
use accord_document::ids::{DocumentId, PersonId, PlanId};
use accord_document::model::Draft;
use accord_document::model::delta::Op;
use accord_document::people::{Action, Seat, Sector, permits};
use accord_document::plan::{Document, PlanState, Stage};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest title of a new commitment, in characters.
const TITLE: usize = 500;
/// How many documents of a list are asked at the same time: each may take 10 s to answer somebody whose budget is used up.
const ASKED_AT_ONCE: usize = 8;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    id: String,
    title: String,
    closed: bool,
    seat: Seat,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanDetail {
    id: String,
    title: String,
    closed: bool,
    /// One's own seat. Administrators without one see the plan, but none of its documents.
    seat: Seat,
    sector: Sector,
    may_create: bool,
    /// Whether one may archive and delete documents.
    may_retire: bool,
    /// Whether one may invite people, change seats, and name, close and reopen the plan.
    may_manage: bool,
    /// Whether one may launch releases, and call that off.
    may_launch: bool,
    /// How many of each side must sign a release.
    quorum: Quorum,
    documents: Vec<DocumentSummary>,
    /// What was launched, or will be, the newest last.
    launches: Vec<LaunchView>,
    /// What the server's clock says, in milliseconds since the Unix epoch.
    now: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentSummary {
    id: String,
    /// As written so far; may be empty.
    title: String,
    language: String,
    /// The commitment that this is another language of.
    translates: Option<String>,
    /// `drafting` or `archived`.
    status: String,
    checklist: Vec<CheckView>,
    /// How far it is on its way to a release.
    release: Progress,
    /// Who is in it right now.
    here: Vec<FaceView>,
    /// Milliseconds since the Unix epoch.
    changed_at: u64,
    changed_by: Option<FaceView>,
    /// Whether it can't be opened because what is stored is damaged.
    damaged: bool,
    /// Whether it could not answer because it is busy: its title, checklist, release and people are left out, and are
    /// there a moment later.
    busy: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    need: String,
    met: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewPlan {
    title: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PlanChange {
    title: Option<String>,
    /// A closed plan can be read; nothing in it can be changed.
    closed: Option<bool>,
    /// How many of each side must sign a release.
    quorum: Option<Quorum>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewDocument {
    title: String,
    /// BCP 47; English, if absent.
    language: Option<String>,
    /// The commitment that it is to be another language of.
    translates: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Created {
    id: String,
}

/// The plans in which one has a seat; for an administrator, all plans.
#[utoipa::path(get, path = "/api/v1/plans", responses(
    (status = 200, body = [PlanView]), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
) -> Json<Vec<PlanView>> {
    let all = app.plans.all().into_iter();
    let mine = all.filter_map(|(id, plan)| {
        let seat = plan.standing(&by.person.id).map(|standing| standing.seat);
        let seat = seat.or(by.person.administrator.then_some(Seat::Administrator))?;
        Some(PlanView {
            id: id.to_string(),
            title: plan.title().to_owned(),
            closed: plan.is_closed(),
            seat,
        })
    });
    Json(mine.collect())
}

/// Makes a plan. For administrators.
#[utoipa::path(post, path = "/api/v1/plans", request_body = NewPlan, responses(
    (status = 201, body = Created), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn create(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Body(new): Body<NewPlan>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    if !by.person.administrator {
        return Err(Problem::forbidden("Only an administrator can make a plan."));
    }
    let id = fresh_plan();
    app.plans
        .create(id.clone(), cleaned_line(&new.title)?, &by.administrator(), Some(from))
        .await?;
    Ok((StatusCode::CREATED, Json(Created { id: id.to_string() })))
}

/// A plan and its commitments.
#[utoipa::path(get, path = "/api/v1/plans/{plan}", params(("plan" = String, Path)), responses(
    (status = 200, body = PlanDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(plan): Path<String>,
) -> Result<Json<PlanDetail>, Problem> {
    let id = PlanId::new(plan);
    let (actor, plan) = acting(&app, &by, &id, Action::SeePeople)?;
    let read = permits(actor.seat, Action::Read);
    let listed = plan.documents().into_iter().filter(|_| read);
    let asked: Vec<_> =
        listed.map(|(id, document)| summarise(&app, &by, &plan, id, document)).collect();
    let documents = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
    let may = |action| acting(&app, &by, &id, action).is_ok();
    Ok(Json(PlanDetail {
        title: plan.title().to_owned(),
        closed: plan.is_closed(),
        seat: actor.seat,
        sector: actor.sector,
        may_create: may(Action::CreateDocument) && !plan.is_closed(),
        may_retire: may(Action::RetireDocument) && !plan.is_closed(),
        may_manage: may(Action::ManagePeople),
        may_launch: may(Action::SteerReleases) && !plan.is_closed(),
        quorum: plan.quorum(),
        launches: launches::views(&plan),
        now: app.clock.now_ms(),
        documents,
        id: id.to_string(),
    }))
}

async fn summarise(
    app: &App,
    by: &SignedIn,
    plan: &PlanState,
    id: &DocumentId,
    document: &Document,
) -> Result<DocumentSummary, Problem> {
    let base = DocumentSummary {
        id: id.to_string(),
        title: String::new(),
        language: document.language.clone(),
        translates: document.translates.as_ref().map(ToString::to_string),
        release: Progress::default(),
        status: match document.stage {
            Stage::Archived => "archived".into(),
            Stage::Drafting | Stage::Deleted => "drafting".into(),
        },
        checklist: Vec::new(),
        here: Vec::new(),
        changed_at: document.created,
        changed_by: None,
        damaged: false,
        busy: false,
    };
    let summary = match app.rooms.handle(id, by).summary().await {
        Ok(summary) => summary,
        // One that is busy or damaged must not hide the others.
        Err(error) => {
            let busy = is_busy(&error);
            return Ok(DocumentSummary { busy, damaged: !busy, ..base });
        }
    };
    let checklist = summary.checklist.iter().map(|check| CheckView {
        need: serde_json::to_value(check.need)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        met: check.met,
    });
    let named: Vec<PersonId> = summary.here.iter().chain(&summary.last_editor).cloned().collect();
    let known = faces(app, plan, named).await?;
    let face = |person: &PersonId| known.get(person).cloned();
    Ok(DocumentSummary {
        release: Progress::of(plan, id, &summary.releases),
        title: summary.title,
        checklist: checklist.collect(),
        here: summary.here.iter().filter_map(face).collect(),
        changed_at: summary.time,
        changed_by: summary.last_editor.as_ref().and_then(face),
        ..base
    })
}

/// Whether a document only has no time for this person now.
fn is_busy(error: &OpenError) -> bool {
    matches!(error, OpenError::Busy(_) | OpenError::Stopping)
}

/// Names, closes or reopens a plan.
#[utoipa::path(patch, path = "/api/v1/plans/{plan}", params(("plan" = String, Path)),
    request_body = PlanChange, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Body(change): Body<PlanChange>,
) -> Result<StatusCode, Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::ManagePlan)?;
    let closed = change.closed.map(|closed| if closed { Act::Close } else { Act::Reopen });
    // Reopened first and closed last: the title can be changed in between.
    let (first, last) = match closed {
        Some(Act::Reopen) => (closed, None),
        _ => (None, closed),
    };
    let title = change.title.map(|title| cleaned_line(&title)).transpose()?;
    let title = title.map(|title| Act::Title { title });
    let quorum = change.quorum.map(|quorum| Act::Quorum { quorum });
    let acts = [first, title, quorum, last].into_iter().flatten().collect();
    app.plans.act_all(&plan, &actor, acts, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Creates a commitment from the template.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/documents", params(("plan" = String, Path)),
    request_body = NewDocument, responses(
    (status = 201, body = Created), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create_document(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(plan): Path<String>,
    Body(new): Body<NewDocument>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::CreateDocument)?;
    let title = cleaned_line(&new.title)?;
    if title.is_empty() {
        return Err(Problem::invalid("A commitment needs a title."));
    }
    if title.chars().count() > TITLE {
        return Err(Problem::invalid(format!("A title has at most {TITLE} characters.")));
    }
    let language = language_of(new.language)?;
    let translates = new.translates.map(DocumentId::new);
    let draft = Draft { texts: vec![("title", vec![Op::text(&title)])], ..Draft::default() };
    let id = DocumentId::new(crate::people::fresh_id());
    app.plans.add_document(&plan, &actor, id.clone(), &language, translates, &draft).await?;
    Ok((StatusCode::CREATED, Json(Created { id: id.to_string() })))
}

/// The language of a new commitment.
pub(super) fn language_of(wanted: Option<String>) -> Result<String, Problem> {
    let language = wanted.unwrap_or_else(|| "en".into());
    if is_language(&language) {
        return Ok(language);
    }
    Err(Problem::invalid("A language is named by its code, like en, ka or pt-BR (BCP 47)."))
}

/// Whether it has the form of a language's code (BCP 47): letters, then parts of letters and digits.
fn is_language(code: &str) -> bool {
    let mut parts = code.split('-');
    let first = parts.next().unwrap_or_default();
    let is_first = (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_lowercase());
    let fits = |part: &str| {
        (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    is_first && code.len() <= 35 && parts.all(fits)
}
