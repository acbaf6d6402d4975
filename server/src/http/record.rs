//! The co-creation record of a commitment, for people who evaluate how the commitment was written: who shaped what,
//! when, and for which side, with the versions. It is available as a page to read and print, as a table (CSV), or as
//! JSON.

use super::App;
use super::download::{file, push_row, quoted};
use super::extract::{Path, Query};
use super::history::{in_archive, last, moment, named, reading, versions};
use super::identity::Visitor;
use super::problem::Problem;
use super::release_views::release_views;
use super::written::written;
use crate::fair_queue::Requester;
use crate::pages;
use crate::record::RecordView;
use accord_document::ids::Seq;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// The format of the co-creation record.
#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RecordFormat)]
pub(crate) enum Format {
    /// JSON, the default.
    #[default]
    Json,
    /// An HTML page to read and print.
    Html,
    /// A CSV table: one line for the work of one person on one text in one session of work.
    Csv,
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct RecordQuery {
    /// The format of the answer. The default is `json`.
    #[serde(default)]
    format: Format,
}

/// Returns the co-creation record of a document.
#[utoipa::path(get, path = "/api/v1/documents/{document}/record", params(("document" = String, Path), RecordQuery),
    responses((status = 200, body = RecordView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Query(query): Query<RecordQuery>,
) -> Result<Response, Problem> {
    let found = reading(&app, &by, &document).await?;
    let language = found.state.document(&found.id).map(|known| known.language.clone());
    let (id, plan) = (found.id.to_string(), found.plan.to_string());
    let plan_title = found.state.title().to_owned();
    let requester = Requester::from(&by);
    let read = in_archive(&app, &requester, &found, move |archive| {
        let history = &archive.history;
        let head = last(history);
        let view = RecordView {
            document: id,
            plan,
            plan_title,
            title: history.content_at(head).plain("title").trim().to_owned(),
            language: language.unwrap_or_default(),
            began: moment(history, Seq(1)),
            head: moment(history, head),
            authors: Vec::new(),
            shares: history.shares(head),
            sittings: history.sittings(),
            versions: versions(archive),
            proposals: Vec::new(),
            releases: Vec::new(),
        };
        (view, history.authors().to_vec(), archive.state.releases().clone())
    });
    let (view, authors, path) = read.await?;
    let (proposals, releases) = release_views(&app, &found, &path).await?;
    let view = RecordView { authors: named(&app, authors).await?, proposals, releases, ..view };
    Ok(match query.format {
        Format::Json => written(move || view).await?,
        Format::Html => pages::record(&view).into_response(),
        Format::Csv => file("text/csv; charset=utf-8", "accord-co-creation.csv", table(&view)),
    })
}

fn table(view: &RecordView) -> String {
    let mut table =
        "began_ms,ended_ms,person,name,seat,sector,text,inserted,deleted,formatted\r\n".to_owned();
    for sitting in &view.sittings {
        for tally in &sitting.tallies {
            let Some(author) = view.authors.get(tally.author as usize) else { continue };
            let name = |value: serde_json::Value| quoted(value.as_str().unwrap_or_default());
            let cells = [
                sitting.began.to_string(),
                sitting.ended.to_string(),
                quoted(&author.person),
                quoted(&author.name),
                name(serde_json::to_value(author.seat).unwrap_or_default()),
                name(serde_json::to_value(author.sector).unwrap_or_default()),
                quoted(tally.target.as_ref().map_or("", |target| &target.0)),
                tally.inserted.to_string(),
                tally.deleted.to_string(),
                tally.formatted.to_string(),
            ];
            push_row(&mut table, &cells);
        }
    }
    table
}
