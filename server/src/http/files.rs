//! Drafts and releases as files for other programs, such as PDF and Word.

use super::App;
use super::download;
use super::extract::{Path, Query};
use super::held_answers::NotCounted;
use super::history::{in_archive, last, named, reading};
use super::identity::{Visitor, readable};
use super::problem::Problem;
use super::releases::frozen;
use super::written::WholeTextTurn;
use crate::fair_queue::Requester;
use crate::people::SignedIn;
use crate::releases::SealedRelease;
use crate::rooms::ReleaseStatus;
use accord_document::ids::Seq;
use accord_document::plan::Launch;
use accord_document::release::canonical::{Released, canonical};
use accord_files::{FileKind, Manuscript, Publication};
use accord_words::names::with_side;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// The moment since which a file shows changes.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Since {
    /// The moment since which the file shows all changes: the number of the entry that it follows. If absent, the file
    /// shows no changes. Only for `docx`.
    since: Option<u64>,
}

/// Returns the current text of a document as a file.
///
/// The kind is `pdf`, `docx`, `html`, `md`, or `json`, which is the release that the text would become, as canonical
/// JSON. With `since`, a DOCX shows the changes since that moment as tracked changes.
#[utoipa::path(get, path = "/api/v1/documents/{document}/draft/{kind}",
    params(("document" = String, Path), ("kind" = String, Path), Since), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn draft(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, extension)): Path<(String, String)>,
    Query(Since { since }): Query<Since>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let name = format!("{}-draft.{extension}", found.id);
    let end = format!("draft.{extension}");
    if let Some(since) = since {
        return tracked(&app, &by, &document, &extension, Seq(since)).await;
    }
    if extension == "json" {
        let turn = WholeTextTurn::wait(&app, &by).await?;
        let status = app.rooms.handle(&found.id, &by).release_status(turn.clone()).await?;
        let title = status.draft.title();
        let made = turn.blocking(move || Ok(canonical_draft(&status))).await?;
        return Ok(download::titled("application/json", (&title, &end), &name, made));
    }
    let kind = kind(&extension)?;
    let turn = app.printer.turn(&Requester::from(&by)).await?;
    let status = app.rooms.handle(&found.id, &by).release_status(turn.personal().clone()).await?;
    let draft = &status.draft;
    let title = draft.title();
    let (plan_title, now) = (found.state.title().to_owned(), app.clock.now_ms());
    let made = app.printer.draft(turn, draft, None, plan_title, now, kind).await?;
    Ok(NotCounted::mark(download::titled(kind.media(), (&title, &end), &name, made)))
}

/// Returns a draft as DOCX with the changes since a moment, each with its author and time.
async fn tracked(
    app: &App,
    by: &SignedIn,
    document: &str,
    extension: &str,
    since: Seq,
) -> Result<Response, Problem> {
    let found = reading(app, by, document).await?;
    if kind(extension)? != FileKind::Docx {
        return Err(Problem::invalid("Only a Word file (DOCX) can show changes."));
    }
    let turn = app.printer.turn(&Requester::from(by)).await?;
    let id = found.id.clone();
    let read = in_archive(app, turn.personal(), &found, move |archive| {
        let (history, state) = (&archive.history, &archive.state);
        let to = last(history);
        let from = since.max(Seq(1)).min(to);
        let number = state.releases().all().len() as u32 + 1;
        let released = Released::of(state.identity(&id, number), &history.content_at(to));
        ((released, Manuscript::between(history, from, to)), history.authors().to_vec())
    });
    let ((text, manuscript), authors) = read.await?;
    let authors = named(app, authors).await?;
    let authors = authors.iter().map(|one| with_side(&one.name, one.sector)).collect();
    let (plan_title, now) = (found.state.title().to_owned(), app.clock.now_ms());
    let (title, changes) = (text.title(), Some((manuscript, authors)));
    let made = app.printer.draft(turn, &text, changes, plan_title, now, FileKind::Docx).await?;
    let name = format!("{}-changes.docx", found.id);
    let file = download::titled(FileKind::Docx.media(), (&title, "changes.docx"), &name, made);
    Ok(NotCounted::mark(file))
}

/// Returns a draft as canonical JSON.
fn canonical_draft(status: &ReleaseStatus) -> Vec<u8> {
    canonical(&serde_json::to_value(&status.draft).unwrap_or_default())
}

/// Returns a release as a file of the kind `pdf`, `docx`, `html` or `md`, whether it is public or not.
#[utoipa::path(get, path = "/api/v1/documents/{document}/releases/{number}/{kind}",
    params(("document" = String, Path), ("number" = u32, Path), ("kind" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn release(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path((document, number, extension)): Path<(String, u32, String)>,
) -> Result<Response, Problem> {
    let found = readable(&app, &by, &document)?;
    let kind = kind(&extension)?;
    let requester = Requester::from(&by);
    let frozen = frozen(&app, &requester, &found.id, number).await?;
    let public = found.state.launch_for(&found.id, number).and_then(public);
    let base = app.site.base();
    let made = app.printer.release(&requester, frozen.clone(), public, base, kind).await?;
    Ok(released(&frozen, kind, made))
}

/// Returns the answer with a release's file.
pub(super) fn released(frozen: &SealedRelease, kind: FileKind, made: Bytes) -> Response {
    let (document, number) = (&frozen.released.document, frozen.released.number);
    let name = format!("{document}-release-{number}.{}", kind.extension());
    let end = format!("release {number}.{}", kind.extension());
    NotCounted::mark(download::titled(kind.media(), (&frozen.released.title(), &end), &name, made))
}

fn public(launch: &Launch) -> Option<Publication> {
    let public = || Publication { since: launch.public_from(), zone: launch.zone.clone() };
    launch.is_public().then(public)
}

fn kind(extension: &str) -> Result<FileKind, Problem> {
    FileKind::of(extension).ok_or_else(|| Problem::missing("kind of file"))
}
