//! `/plans`: what a plan holds, and new commitments in it.

use super::App;
use super::identity::{Visitor, seated};
use super::problem::{Problem, blocking};
use super::session::{PersonView, seat_name, sector_name};
use crate::documents;
use crate::people::{DocumentRecord, actor};
use accord_document::ids::PersonId;
use accord_document::model::delta::Op;
use accord_document::model::template::Draft;
use accord_document::people::{Action, permits};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest title of a new commitment, in characters.
const TITLE: usize = 500;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    id: String,
    title: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanDetail {
    id: String,
    title: String,
    /// One's own seat: `facilitator`, `author`, `adviser` or `observer`.
    seat: String,
    sector: String,
    may_create: bool,
    documents: Vec<DocumentSummary>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentSummary {
    id: String,
    /// As written so far; may be empty.
    title: String,
    language: String,
    /// `drafting`.
    status: String,
    checklist: Vec<CheckView>,
    /// Who is in it right now.
    here: Vec<PersonView>,
    /// Milliseconds since the Unix epoch.
    changed_at: u64,
    changed_by: Option<PersonView>,
    /// Whether it can't be opened because what is stored is damaged.
    damaged: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    need: String,
    met: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewDocument {
    title: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Created {
    id: String,
}

/// The plans in which one has a seat.
#[utoipa::path(get, path = "/api/v1/plans", responses(
    (status = 200, body = [PlanView]), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Visitor(by): Visitor,
) -> Result<Json<Vec<PlanView>>, Problem> {
    let people = app.people.clone();
    let plans = blocking(move || {
        let mut mine = Vec::new();
        for plan in people.plans()? {
            if people.seat(&plan.id, &by.person.id)?.is_some() {
                mine.push(PlanView { id: plan.id, title: plan.title });
            }
        }
        Ok(mine)
    });
    plans.await.map(Json)
}

/// A plan and its commitments.
#[utoipa::path(get, path = "/api/v1/plans/{plan}", params(("plan" = String, Path)), responses(
    (status = 200, body = PlanDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor(by): Visitor,
    Path(plan): Path<String>,
) -> Result<Json<PlanDetail>, Problem> {
    let seat = seated(&app, &by, &plan, Action::Read).await?;
    let people = app.people.clone();
    let found = blocking(move || Ok((people.plan(&plan)?, people.documents(&plan)?))).await?;
    let (Some(plan), records) = found else { return Err(Problem::missing("plan")) };
    let mut documents = Vec::with_capacity(records.len());
    for record in records {
        documents.push(summarise(&app, record).await?);
    }
    Ok(Json(PlanDetail {
        id: plan.id,
        title: plan.title,
        seat: seat_name(seat.seat),
        sector: sector_name(seat.sector),
        may_create: permits(seat.seat, Action::CreateDocument),
        documents,
    }))
}

async fn summarise(app: &App, record: DocumentRecord) -> Result<DocumentSummary, Problem> {
    let base = DocumentSummary {
        id: record.id.to_string(),
        title: String::new(),
        language: record.language,
        status: "drafting".into(),
        checklist: Vec::new(),
        here: Vec::new(),
        changed_at: record.created,
        changed_by: None,
        damaged: true,
    };
    // One damaged document must not hide the others.
    let Ok(summary) = app.rooms.summary(&record.id).await else { return Ok(base) };
    let checklist = summary.checklist.iter().map(|check| CheckView {
        need: serde_json::to_value(check.need)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        met: check.met,
    });
    Ok(DocumentSummary {
        title: summary.title,
        checklist: checklist.collect(),
        here: faces(app, summary.here).await?,
        changed_at: summary.position.time,
        changed_by: faces(app, summary.last_editor.into_iter().collect()).await?.pop(),
        damaged: false,
        ..base
    })
}

async fn faces(app: &App, ids: Vec<PersonId>) -> Result<Vec<PersonView>, Problem> {
    let people = app.people.clone();
    blocking(move || {
        let found: Result<Vec<_>, _> = ids.iter().map(|id| people.person(id)).collect();
        Ok(found?.iter().flatten().map(PersonView::from).collect())
    })
    .await
}

/// Creates a commitment from the template.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/documents", params(("plan" = String, Path)),
    request_body = NewDocument, responses(
    (status = 201, body = Created), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create_document(
    State(app): State<App>,
    Visitor(by): Visitor,
    Path(plan): Path<String>,
    Json(new): Json<NewDocument>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let seat = seated(&app, &by, &plan, Action::CreateDocument).await?;
    let title = new.title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        return Err(Problem::invalid("A commitment needs a title."));
    }
    if title.chars().count() > TITLE {
        return Err(Problem::invalid(format!("A title has at most {TITLE} characters.")));
    }
    let draft = Draft { texts: vec![("title", vec![Op::text(&title)])], ..Draft::default() };
    let created = app.clock.now_ms();
    let record = DocumentRecord { id: documents::fresh(), plan, language: "en".into(), created };
    let id = record.id.to_string();
    documents::create(&app.committer, &app.people, &actor(&by, seat), record, &draft).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}
