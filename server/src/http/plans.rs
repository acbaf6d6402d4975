//! `/plans`: the plans, their documents, and new commitments.

use super::App;
use super::cleaning::cleaned_line;
use super::extract::{Body, Path};
use super::identity::{Visitor, acting};
use super::launches::{self, LaunchView, Progress};
use super::problem::Problem;
use super::views::{FaceView, faces};
use crate::people::SignedIn;
use crate::plans::{DocumentToAdd, fresh_plan};
use accord_document::body::{Act, Quorum};
use accord_document::ids::{DocumentId, PersonId, PlanId};
use accord_document::model::Draft;
use accord_document::model::delta::Op;
use accord_document::people::{Action, Seat, Sector, permits};
use accord_document::plan::{Document, PlanState, Stage};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Maximum length of a new commitment's title, in characters.
const MAX_TITLE_CHARS: usize = 500;
/// Maximum number of documents of one list whose rooms are asked for a summary at the same time. They are not asked one
/// after the other, because a room can take 10 s to answer a person whose budget is used up.
const MAX_CONCURRENT_DOCUMENTS: usize = 8;

/// A plan in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// The id of the plan.
    id: String,
    /// The title of the plan.
    title: String,
    /// Whether the plan is closed. A closed plan can be read but not changed.
    closed: bool,
    /// The caller's seat (role) in the plan.
    seat: Seat,
}

/// A plan with its documents and launches.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanDetail {
    /// The id of the plan.
    id: String,
    /// The title of the plan.
    title: String,
    /// Whether the plan is closed. A closed plan can be read but not changed.
    closed: bool,
    /// The caller's seat (role) in the plan. Administrators without a seat see the plan, but none of its documents.
    seat: Seat,
    /// The side that the caller represents.
    sector: Sector,
    /// Whether the caller may create commitments.
    may_create: bool,
    /// Whether the caller may archive and delete documents.
    may_retire: bool,
    /// Whether the caller may invite people, change seats, name, close and reopen the plan, and set its quorum.
    may_manage: bool,
    /// Whether the caller may launch releases.
    may_launch: bool,
    /// Whether the caller may call off launches, also in a closed plan.
    may_call_off: bool,
    /// The number of signatures that a release needs from each side.
    quorum: Quorum,
    /// The documents of the plan. Empty if the caller may not read them.
    documents: Vec<DocumentSummary>,
    /// The launches of the plan, the newest last.
    launches: Vec<LaunchView>,
    /// The time of the server's clock, in milliseconds since the Unix epoch.
    now: u64,
}

/// A document in a list: a commitment in one language.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentSummary {
    /// The id of the document.
    id: String,
    /// The title of the commitment as it is written now. It can be empty.
    title: String,
    /// The language of the document (BCP 47).
    language: String,
    /// The id of the document that this document translates, or `null` for an original.
    translates: Option<String>,
    /// The state: `drafting` or `archived`.
    status: String,
    /// The items that a commitment needs before it should be signed.
    checklist: Vec<CheckView>,
    /// The progress of the document towards publication.
    release: Progress,
    /// The people who are connected to the document now.
    #[serde(rename = "here")]
    present: Vec<FaceView>,
    /// The time of the document's last entry, in milliseconds since the Unix epoch. If the document is busy or damaged,
    /// the time at which the document was created.
    changed_at: u64,
    /// The person who last edited the document, or `null` if the server does not know this person.
    changed_by: Option<FaceView>,
    /// Whether the document can't be opened because its stored data is damaged or can't be read.
    damaged: bool,
    /// Whether the document was too busy to answer the caller. In that case, the title, checklist, progress and people
    /// of the document are left out. The answer to a later request can contain them.
    busy: bool,
}

/// An item of the checklist.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    /// The key of the item.
    need: String,
    /// Whether the text of the commitment meets the item.
    met: bool,
}

/// A plan to create.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewPlan {
    /// The title of the plan.
    title: String,
}

/// The changes to a plan. Absent properties stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PlanChange {
    /// The new title of the plan.
    title: Option<String>,
    /// Whether the plan is closed. A closed plan can be read, but nothing in it can be changed.
    closed: Option<bool>,
    /// The number of signatures that a release needs from each side.
    quorum: Option<Quorum>,
}

/// A commitment to create.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewDocument {
    /// The title of the commitment, of at most 500 characters.
    title: String,
    /// The language of the text (BCP 47). If absent, `en`.
    language: Option<String>,
    /// The id of the document that the new document translates. If absent, the new document is an original.
    translates: Option<String>,
}

/// The result of creating a plan or a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Created {
    /// The id of the new plan or document.
    id: String,
}

/// Returns the plans in which the caller has a seat. Administrators get all plans.
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

/// Creates a plan. Only administrators can create one.
#[utoipa::path(post, path = "/api/v1/plans", request_body = NewPlan, responses(
    (status = 201, body = Created), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn create(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Body(new): Body<NewPlan>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    if !by.person.administrator {
        return Err(Problem::forbidden("Only an administrator can create a plan."));
    }
    let id = fresh_plan();
    app.plans
        .create(id.clone(), cleaned_line(&new.title)?, &by.administrator(), Some(from))
        .await?;
    Ok((StatusCode::CREATED, Json(Created { id: id.to_string() })))
}

/// Returns a plan with its documents and launches.
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
    let documents = stream::iter(asked).buffered(MAX_CONCURRENT_DOCUMENTS).try_collect().await?;
    let may = |action| acting(&app, &by, &id, action).is_ok();
    Ok(Json(PlanDetail {
        title: plan.title().to_owned(),
        closed: plan.is_closed(),
        seat: actor.seat,
        sector: actor.sector,
        may_create: may(Action::CreateDocument) && !plan.is_closed(),
        may_retire: may(Action::RetireDocument) && !plan.is_closed(),
        may_manage: may(Action::ManagePeople) && may(Action::ManagePlan),
        may_launch: may(Action::SteerReleases) && !plan.is_closed(),
        may_call_off: may(Action::SteerReleases),
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
        present: Vec::new(),
        changed_at: document.created,
        changed_by: None,
        damaged: false,
        busy: false,
    };
    let summary = match app.rooms.handle(id, by).summary().await {
        Ok(summary) => summary,
        // A busy or damaged document must not hide the others.
        Err(error) => {
            let damaged = error.is_damage();
            return Ok(DocumentSummary { busy: !damaged, damaged, ..base });
        }
    };
    let checklist = summary.checklist.iter().map(|check| CheckView {
        need: serde_json::to_value(check.need)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        met: check.met,
    });
    let named: Vec<PersonId> =
        summary.present.iter().chain(&summary.last_editor).cloned().collect();
    let known = faces(app, plan, named).await?;
    let face = |person: &PersonId| known.get(person).cloned();
    Ok(DocumentSummary {
        release: Progress::of(plan, id, &summary.releases),
        title: summary.title,
        checklist: checklist.collect(),
        present: summary.present.iter().filter_map(face).collect(),
        changed_at: summary.time,
        changed_by: summary.last_editor.as_ref().and_then(face),
        ..base
    })
}

/// Changes the title or the quorum of a plan, or closes or reopens it.
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
    // A plan is reopened first and closed last, so that the title can be changed in the same request.
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
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Body(new): Body<NewDocument>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::CreateDocument)?;
    let title = cleaned_line(&new.title)?;
    if title.is_empty() {
        return Err(Problem::invalid("A commitment needs a title."));
    }
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(Problem::invalid(format!(
            "A title can have at most {MAX_TITLE_CHARS} characters."
        )));
    }
    let language = language_of(new.language)?;
    let translates = new.translates.map(DocumentId::new);
    let draft = Draft { texts: vec![("title", vec![Op::text(&title)])], ..Draft::default() };
    let id = DocumentId::new(crate::people::fresh_id());
    let new = DocumentToAdd { id: id.clone(), language: &language, translates, draft: &draft };
    app.plans.add_document(&plan, &actor, new, Some(from)).await?;
    Ok((StatusCode::CREATED, Json(Created { id: id.to_string() })))
}

/// Returns the language of a new commitment: the wanted language or, if `wanted` is `None`, English. Returns an error
/// if the code of the language is not valid.
pub(super) fn language_of(wanted: Option<String>) -> Result<String, Problem> {
    let language = wanted.unwrap_or_else(|| "en".into());
    if is_language(&language) {
        return Ok(language);
    }
    Err(Problem::invalid("Give the language as a code, like en, ka or pt-BR (BCP 47)."))
}

/// Returns whether `code` has the form of a language tag (BCP 47): letters, then parts of letters and digits.
fn is_language(code: &str) -> bool {
    let mut parts = code.split('-');
    let first = parts.next().unwrap_or_default();
    let is_first = (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_lowercase());
    let fits = |part: &str| {
        (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    is_first && code.len() <= 35 && parts.all(fits)
}
