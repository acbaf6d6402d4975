//! Drafts from elsewhere become commitments.

use super::App;
use super::identity::{Visitor, acting};
use super::plans::language_of;
use super::problem::Problem;
use crate::bring::{self, BringError};
use accord_document::ids::{DocumentId, PlanId};
use accord_document::people::Action;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Import {
    /// The name of the file: its end says what it is, and a text without a title is called like it.
    #[serde(default)]
    name: String,
    /// BCP 47: `en`, if absent.
    language: Option<String>,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// The document of the new commitment.
    id: String,
    /// The text fields that say something now, by key.
    fields: Vec<&'static str>,
    milestones: usize,
    /// Whether something stands in the notes, to be given a place.
    notes: bool,
    /// Pictures, which were left out.
    pictures: usize,
}

/// Makes a commitment of a Word document (`.docx`) or of Markdown (`.md`): its body is the file, of at most 16 MiB.
/// Headings, labels and cells of tables that are called like parts of a commitment open these; the rest is kept
/// in the notes.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/imports", params(("plan" = String, Path), Import),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = Imported), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn import(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(plan): Path<String>,
    Query(Import { name, language }): Query<Import>,
    file: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Imported>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::CreateDocument)?;
    let language = language_of(language)?;
    let file = file.map_err(|_| {
        Problem::large("A file has at most 16 MiB. Save it without its pictures, and try again.")
    })?;
    let spoken = language.clone();
    let read = tokio::task::spawn_blocking(move || bring::bring(&name, &file, &spoken)).await;
    let placed = read.map_err(crate::rooms::OpenError::from)??;
    let id = DocumentId::new(crate::people::fresh_id());
    app.plans.add_document(&plan, &actor, id.clone(), &language, None, &placed.draft).await?;
    let imported = Imported {
        id: id.to_string(),
        fields: placed.fields,
        milestones: placed.draft.milestones.len(),
        notes: placed.has_notes,
        pictures: placed.pictures,
    };
    Ok((StatusCode::CREATED, Json(imported)))
}

impl From<BringError> for Problem {
    fn from(error: BringError) -> Self {
        Self::invalid(error.to_string())
    }
}
