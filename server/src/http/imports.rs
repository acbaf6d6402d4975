//! Drafts from elsewhere become commitments.

use super::App;
use super::identity::{CallerGone, Visitor, acting};
use super::plans::language_of;
use super::problem::Problem;
use crate::conversion::{ImporterError, Upload};
use crate::fair_queue::{Place, Requester};
use accord_document::ids::{DocumentId, PlanId};
use accord_document::model::cleaning::clean_draft;
use accord_document::people::Action;
use accord_import::{MAX_IMPORT_BYTES, Placed};
use axum::body::HttpBody as _;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Bytes of a file that is too large after which the connection is closed.
const MAX_DISCARDED_BYTES: usize = 4 * MAX_IMPORT_BYTES;

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
    /// Characters that nobody sees, which were left out, and link addresses that were written in ASCII for them.
    cleaned: usize,
}

/// Makes a commitment of a Word document (`.docx`) or of Markdown (`.md`): its body is the file, of at most 16 MiB.
/// Headings, labels and cells of tables that are called like parts of a commitment open these; the rest is kept
/// in the notes.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/imports", params(("plan" = String, Path), Import),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = Imported), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 408, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn import(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(plan): Path<String>,
    Query(Import { name, language }): Query<Import>,
    Extension(caller): Extension<CallerGone>,
    request: Request,
) -> Result<(StatusCode, Json<Imported>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::CreateDocument)?;
    let language = language_of(language)?;
    let requester = Requester::Person(by.person.id.clone());
    // While the file is read nothing is stored, so the work ends when its caller hangs up.
    let (mut placed, _place) = tokio::select! {
        read = read(&app, &requester, request, (&name, &language)) => read?,
        () = caller.wait() => return Err(Problem::slow("The file was not wanted any more.")),
    };
    let clean = move || {
        let cleaned = clean_draft(&mut placed.draft);
        (placed, cleaned)
    };
    let cleaned = tokio::task::spawn_blocking(clean).await;
    let (placed, cleaned) = cleaned.map_err(crate::rooms::OpenError::from)?;
    let id = DocumentId::new(crate::people::fresh_id());
    app.plans.add_document(&plan, &actor, id.clone(), &language, None, &placed.draft).await?;
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

/// Reads a file from the network, within the deadlines of every body (`listen::Deadlines`). What is too large is read on
/// without being kept, for a while: a client that still sends does not see an answer. Its upload ends before, so that
/// others may send theirs.
async fn receive(request: Request, upload: Upload) -> Result<(Upload, Vec<u8>), Problem> {
    let body = request.into_body();
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut file = Vec::with_capacity(announced.min(MAX_IMPORT_BYTES));
    let mut body = body.into_data_stream();
    let (mut received, mut upload) = (0, Some(upload));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Problem::slow("The file was cut short. Try again."))?;
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
    Err(Problem::large("A file has at most 16 MiB. Save it without its pictures, and try again."))
}

/// Takes a file from the network when there is room for it, and has it read.
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
