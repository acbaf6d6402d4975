//! Importing drafts from Word and Markdown files as new commitments.

use super::App;
use super::extract::{Path, Query};
use super::identity::{CallerGone, Visitor, acting};
use super::plans::language_of;
use super::problem::Problem;
use crate::conversion::{ImporterError, Upload};
use crate::fair_queue::{Place, Requester};
use crate::plans::DocumentToAdd;
use accord_document::ids::{DocumentId, PlanId};
use accord_document::model::cleaning::clean_draft;
use accord_document::people::Action;
use accord_import::{MAX_IMPORT_BYTES, Placed};
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Number of bytes of an oversized file after which the server stops reading and closes the connection.
const MAX_DISCARDED_BYTES: usize = 4 * MAX_IMPORT_BYTES;

/// The name and language of the file.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Import {
    /// The name of the file. The extension of the name tells the format. A text without a title gets the name as its
    /// title.
    #[serde(default)]
    name: String,
    /// The language of the text (BCP 47). If absent, `en`.
    language: Option<String>,
}

/// The result of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// The id of the new document.
    id: String,
    /// The keys of the text fields of the new document that have content.
    fields: Vec<&'static str>,
    /// Number of milestones of the new document.
    milestones: usize,
    /// Whether the notes contain text that has no place in the template yet.
    notes: bool,
    /// Number of pictures in the file. They are left out.
    pictures: usize,
    /// Number of hidden characters that were removed, plus the number of link addresses that were rewritten in ASCII
    /// because they contained hidden characters.
    cleaned: usize,
}

/// Imports a Word (`.docx`) or Markdown (`.md`) file as a new commitment.
///
/// The body of the request is the file, of at most 16 MiB. A heading, label or table cell that is named like a part of
/// a commitment starts that part. Text without a place is put into the notes.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/imports", params(("plan" = String, Path), Import),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = Imported), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 408, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn import(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Query(Import { name, language }): Query<Import>,
    Extension(caller): Extension<CallerGone>,
    request: Request,
) -> Result<(StatusCode, Json<Imported>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::CreateDocument)?;
    let language = language_of(language)?;
    let requester = Requester::Person(by.person.id.clone());
    // Nothing is stored while the file is read, so the work can stop when the caller hangs up.
    let (mut placed, _place) = tokio::select! {
        read = read(&app, &requester, request, (&name, &language)) => read?,
        () = caller.wait() => return Err(Problem::slow("The import was cancelled. Nothing was created.")),
    };
    let clean = move || {
        let cleaned = clean_draft(&mut placed.draft);
        (placed, cleaned)
    };
    let cleaned = tokio::task::spawn_blocking(clean).await;
    let (placed, cleaned) = cleaned.map_err(crate::rooms::OpenError::from)?;
    let id = DocumentId::new(crate::people::fresh_id());
    let new = DocumentToAdd {
        id: id.clone(),
        language: &language,
        translates: None,
        draft: &placed.draft,
    };
    app.plans.add_document(&plan, &actor, new, Some(from)).await?;
    let imported = Imported {
        id: id.to_string(),
        fields: placed.fields,
        milestones: placed.draft.milestones.len(),
        notes: placed.has_notes,
        pictures: placed.pictures,
        cleaned,
    };
    Ok((StatusCode::CREATED, Json(imported)))
}

/// Reads a file from the network, within the deadlines of all bodies (`listen::Deadlines`). If the file is too large,
/// its further bytes are read and dropped, up to [`MAX_DISCARDED_BYTES`] in all, because a client that is still sending
/// would not see an answer. `upload` is dropped before these bytes are read, so that others can send their files.
async fn receive(request: Request, upload: Upload) -> Result<(Upload, Vec<u8>), Problem> {
    let body = request.into_body();
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut file = Vec::with_capacity(announced.min(MAX_IMPORT_BYTES));
    let mut body = body.into_data_stream();
    let (mut received, mut upload) = (0, Some(upload));
    while let Some(chunk) = body.next().await {
        let chunk =
            chunk.map_err(|_| Problem::slow("The file did not arrive completely. Try again."))?;
        received += chunk.len();
        if received <= MAX_IMPORT_BYTES {
            file.extend_from_slice(&chunk);
        } else {
            (file, upload) = (Vec::new(), None);
            if received > MAX_DISCARDED_BYTES {
                break;
            }
        }
    }
    if let Some(upload) = upload {
        return Ok((upload, file));
    }
    Err(Problem::large(&format!(
        "A file can have at most {} MiB. Save it without its pictures, and try again.",
        MAX_IMPORT_BYTES >> 20
    )))
}

/// Waits until the file can be uploaded, receives the file, and lets a worker read it.
async fn read(
    app: &App,
    requester: &Requester,
    request: Request,
    (name, language): (&str, &str),
) -> Result<(Placed, Place), Problem> {
    let upload = app.importer.admit(requester).await?;
    let (upload, file) = receive(request, upload).await?;
    let read = app.importer.read(upload, name, language, file).await;
    Ok(read.inspect_err(|error| {
        if let ImporterError::Work(error) = error {
            tracing::warn!(?requester, %error, "a file can't be imported");
        }
    })?)
}
