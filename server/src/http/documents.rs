//! `/documents`: one commitment in one language.

use super::App;
use super::identity::{Visitor, readable};
use super::problem::{Problem, blocking};
use super::session::{seat_name, sector_name};
use accord_document::ids::DocumentId;
use accord_document::model::content::Content;
use accord_document::people::{Action, permits};
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    id: String,
    plan: String,
    plan_title: String,
    /// BCP 47.
    language: String,
    /// One's own seat in its plan.
    seat: String,
    sector: String,
    may_write: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// Send it as `?ticket=` to `/sync/{document}` within 60 seconds.
    ticket: String,
}

/// What a document is, and what one may do with it.
#[utoipa::path(get, path = "/api/v1/documents/{document}", params(("document" = String, Path)),
    responses((status = 200, body = DocumentView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor(by): Visitor,
    Path(document): Path<String>,
) -> Result<Json<DocumentView>, Problem> {
    let (record, seat) = readable(&app, &by, &DocumentId::new(document)).await?;
    app.rooms.probe(&record.id).await?;
    let (people, plan) = (app.people.clone(), record.plan.clone());
    let plan = blocking(move || people.plan(&plan)).await?;
    Ok(Json(DocumentView {
        id: record.id.to_string(),
        plan: record.plan,
        plan_title: plan.map(|plan| plan.title).unwrap_or_default(),
        language: record.language,
        seat: seat_name(seat.seat),
        sector: sector_name(seat.sector),
        may_write: permits(seat.seat, Action::Write),
    }))
}

/// What a document says, as far as it is on disk: each text field as a Delta under its key, then
/// `milestones` and `facts`.
#[utoipa::path(get, path = "/api/v1/documents/{document}/content", params(("document" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn content(
    State(app): State<App>,
    Visitor(by): Visitor,
    Path(document): Path<String>,
) -> Result<Json<Content>, Problem> {
    let (record, _) = readable(&app, &by, &DocumentId::new(document)).await?;
    Ok(Json(app.rooms.content(&record.id).await?))
}

/// A ticket for a sync client that has no cookie.
#[utoipa::path(post, path = "/api/v1/documents/{document}/tickets", params(("document" = String, Path)),
    responses((status = 200, body = Ticket), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn ticket(
    State(app): State<App>,
    Visitor(by): Visitor,
    Path(document): Path<String>,
) -> Result<Json<Ticket>, Problem> {
    let (record, _) = readable(&app, &by, &DocumentId::new(document)).await?;
    let people = app.people.clone();
    let ticket = blocking(move || people.ticket(&record.id, &by)).await?;
    Ok(Json(Ticket { ticket }))
}
