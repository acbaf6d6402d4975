//! The history of a document: its sessions of work (sittings), comparisons of two moments, versions, and restorations.

use super::App;
use super::cleaning::{cleaned, cleaned_line};
use super::extract::{Body, Path, Query};
use super::identity::{Readable, Visitor, acting, readable, writing};
use super::problem::{Problem, blocking};
use super::release_views::release_views;
use super::views::{ChangeResult, people};
use super::written::written;
use crate::archives::{Archive, Archives, Reading};
use crate::fair_queue::{Asker, Requester};
use crate::people::SignedIn;
use crate::record::{AuthorView, MomentView, ProposalView, ReleaseView, VersionView};
use crate::rooms::Restore;
use accord_document::StateVector;
use accord_document::body::{Version, VersionError};
use accord_document::history::{
    Author, Change, History, MilestoneDiff, RestoreScope, Sitting, TextDiff,
};
use accord_document::ids::{PersonId, Seq};
use accord_document::limits;
use accord_document::model::Replica;
use accord_document::people::{Action, permits};
use accord_document::state::NamedVersion;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use utoipa::{IntoParams, ToSchema};

/// A restoration: an edit that restored the text of an earlier moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestorationView {
    /// The moment right after the restoration.
    at: MomentView,
    /// The earlier moment whose text was restored.
    to: MomentView,
    /// The author of the restoration, as an index into `authors`, or `null` if the author is unknown.
    by: Option<u32>,
}

/// The history of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryView {
    /// The moment at which the document was created from the template.
    began: MomentView,
    /// The latest moment.
    head: MomentView,
    /// Everybody who made an entry in the document's ledger, once for each seat and side that they had. Other fields
    /// refer to them by their index in this list.
    authors: Vec<AuthorView>,
    /// The sessions of work, the oldest first.
    sittings: Vec<Sitting>,
    /// The named versions, in the order in which they were named.
    versions: Vec<VersionView>,
    /// The restorations, the oldest first.
    restorations: Vec<RestorationView>,
    /// The proposals for a release with their outcomes, the oldest first.
    proposals: Vec<ProposalView>,
    /// The releases, in the order of their numbers.
    releases: Vec<ReleaseView>,
    /// The number of the last entry that the caller has seen in the history, as last set with `PUT …/history/seen`, or
    /// `null` if it was never set.
    seen: Option<u64>,
    /// Whether the caller may name versions now.
    may_name: bool,
    /// Whether the caller may restore an earlier moment now.
    may_restore: bool,
}

/// The point up to which the caller has seen the history.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SeenUpto {
    /// The number of the last entry that the caller has seen.
    seq: u64,
}

/// The comparison of two moments of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiffView {
    /// The moment from which the comparison starts. It can be later than `to`.
    from: MomentView,
    /// The moment with which `from` is compared.
    to: MomentView,
    /// Everybody who made an entry in the document's ledger. Other fields refer to them by their index in this list.
    authors: Vec<AuthorView>,
    /// The texts of both moments, compared, in the order of the page.
    texts: Vec<TextDiff>,
    /// The milestones of both moments, compared.
    milestones: Vec<MilestoneDiff>,
    /// The dates of the commitment at the moment `from`, by key.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    facts_before: BTreeMap<String, serde_json::Value>,
    /// The dates of the commitment at the moment `to`, by key.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    facts_after: BTreeMap<String, serde_json::Value>,
    /// The changes from the moment `from` to the moment `to`: first those of texts, in the order of the page, then
    /// those of dates and milestones.
    changes: Vec<Change>,
}

/// The two moments to compare.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Between {
    /// The moment from which the comparison starts: the number of the entry that it follows. It can be later than `to`.
    /// If absent, the comparison starts at the beginning of the document.
    from: Option<u64>,
    /// The moment with which `from` is compared: the number of the entry that it follows. If absent, the latest moment.
    to: Option<u64>,
}

/// A name for a moment.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewVersion {
    /// The name of the version.
    name: String,
    /// The description of the version. It can be empty.
    #[serde(default)]
    description: String,
    /// The moment that gets the name: the number of the entry that the moment follows. If absent, the latest moment.
    moment: Option<u64>,
}

/// A moment to restore.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewRestoration {
    /// The moment whose text is restored: the number of the entry that the moment follows.
    moment: u64,
    /// The part to restore: the key of a text field, or `milestones`. If absent, the whole document.
    part: Option<String>,
}

/// Returns the history of a document: its sessions of work, versions, restorations, proposals and releases.
#[utoipa::path(get, path = "/api/v1/documents/{document}/history", params(("document" = String, Path)),
    responses((status = 200, body = HistoryView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Response, Problem> {
    let found = reading(&app, &by, &document).await?;
    let seat = found.grant.standing.seat;
    let may = |action| permits(seat, action) && found.grant.may_write;
    let (may_name, may_restore) = (may(Action::NameVersion), may(Action::Restore));
    let (people, person, id) = (app.people.clone(), by.person.id.clone(), found.id.clone());
    let seen = blocking(move || people.seen(&person, &id)).await?.map(|seq| seq.0);
    let requester = Requester::from(&by);
    let read = in_archive(&app, &requester, &found, move |archive| {
        let history = &archive.history;
        let moment = |seq| moment(history, seq);
        let restorations = history.restores().iter().map(|&(at, to)| RestorationView {
            at: moment(at),
            to: moment(to),
            by: index_of(history, at),
        });
        let view = HistoryView {
            began: moment(Seq(1)),
            head: moment(last(history)),
            authors: Vec::new(),
            sittings: history.sittings(),
            versions: versions(archive),
            restorations: restorations.collect(),
            proposals: Vec::new(),
            releases: Vec::new(),
            seen,
            may_name,
            may_restore,
        };
        (view, history.authors().to_vec(), archive.state.releases().clone())
    });
    let (view, authors, path) = read.await?;
    let (proposals, releases) = release_views(&app, &found, &path).await?;
    let authors = named(&app, authors).await?;
    written(move || HistoryView { authors, proposals, releases, ..view }).await
}

/// Records up to which entry the caller has seen the history of a document.
///
/// `GET …/history` returns the number as `seen`, so that a client can show what is new.
#[utoipa::path(put, path = "/api/v1/documents/{document}/history/seen", params(("document" = String, Path)),
    request_body = SeenUpto, responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn note_seen(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Body(wanted): Body<SeenUpto>,
) -> Result<StatusCode, Problem> {
    let found = reading(&app, &by, &document).await?;
    let head = app.rooms.handle(&found.id, &by).last_entry().await?;
    let upto = Seq(wanted.seq).min(head);
    let (people, person) = (app.people.clone(), by.person.id.clone());
    blocking(move || people.note_seen(&person, &found.id, upto)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Compares two moments of a document.
///
/// The answer contains the text that was inserted and deleted between the two moments, with authors and times.
#[utoipa::path(get, path = "/api/v1/documents/{document}/diff", params(("document" = String, Path), Between),
    responses((status = 200, body = DiffView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn diff(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Query(between): Query<Between>,
) -> Result<Response, Problem> {
    let found = reading(&app, &by, &document).await?;
    let requester = Requester::from(&by);
    let read = in_archive(&app, &requester, &found, move |archive| {
        let history = &archive.history;
        // Entry 1 contains the template, so there is nothing to compare before it.
        let from = Seq(between.from.unwrap_or(1).max(1)).min(last(history));
        let to = between.to.map_or(last(history), |to| Seq(to.max(1))).min(last(history));
        let diff = history.diff(from, to);
        let view = DiffView {
            from: moment(history, from),
            to: moment(history, to),
            authors: Vec::new(),
            changes: history.changes(&diff),
            texts: diff.texts,
            milestones: history.milestones(from, to),
            facts_before: history.facts(from),
            facts_after: history.facts(to),
        };
        (view, history.authors().to_vec())
    });
    let (view, authors) = read.await?;
    let authors = named(&app, authors).await?;
    written(move || DiffView { authors, ..view }).await
}

/// Gives a moment of a document a name. A named moment is a version.
#[utoipa::path(post, path = "/api/v1/documents/{document}/versions", params(("document" = String, Path)),
    request_body = NewVersion, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn name_version(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Body(wanted): Body<NewVersion>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = reading(&app, &by, &document).await?;
    let actor = writing(&app, &by, &found, Action::NameVersion)?;
    let moment = match wanted.moment {
        Some(moment) => Seq(moment),
        None => app.rooms.handle(&found.id, &by).last_entry().await?,
    };
    let version = Version {
        name: cleaned_line(&wanted.name)?,
        description: cleaned(&wanted.description)?,
        moment,
        before_restoring: None,
    };
    let seq = app.rooms.handle(&found.id, &by).name_version(&actor, version).await?;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Restores an earlier text of a document, or of a part of it.
///
/// The restoration is an edit, which everybody in the document sees immediately. The moment before the restoration
/// becomes a version.
#[utoipa::path(post, path = "/api/v1/documents/{document}/restorations", params(("document" = String, Path)),
    request_body = NewRestoration, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn restore(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
    Body(wanted): Body<NewRestoration>,
) -> Result<Json<ChangeResult>, Problem> {
    let found = reading(&app, &by, &document).await?;
    let actor = writing(&app, &by, &found, Action::Restore)?;
    let part = part(wanted.part.as_deref())?;
    let moment = Seq(wanted.moment.max(1));
    // The client id is random, so that no other writer has the same one.
    let client = rand::random::<u64>() & limits::MAX_CLIENT_ID;
    let requester = Requester::from(&by);
    let made = in_archive(&app, &requester, &found, move |archive| {
        if moment > last(&archive.history) {
            return None;
        }
        let mut replica = Replica::new(client);
        let state = archive.state.encode_since(&StateVector::default());
        replica.apply(&state).ok()?;
        let before = replica.state_vector();
        archive.history.restore(&mut replica, moment, &part);
        let (update, claims) = (replica.encode_since(&before), replica.take_claims());
        Some(Restore { update, claims, moment })
    });
    let restore = made.await?.ok_or_else(|| Problem::invalid(VersionError::Future.to_string()))?;
    let seq = app.rooms.handle(&found.id, &by).restore(&actor, restore).await?;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Returns the versions of a document, in the order in which they were named.
pub(super) fn versions(archive: &Archive) -> Vec<VersionView> {
    let history = &archive.history;
    let view = |named: &NamedVersion| VersionView {
        seq: named.seq.0,
        named_at: named.time,
        by: index_of(history, named.seq),
        name: named.version.name.clone(),
        description: named.version.description.clone(),
        moment: moment(history, named.version.moment),
        before_restoring: named.version.before_restoring.map(|seq| moment(history, seq)),
    };
    archive.state.versions().iter().map(view).collect()
}

/// Finds a document whose history a person may read. Also opens the document, so that an unfinished redaction is
/// finished before any of the history is shown.
pub(super) async fn reading(app: &App, by: &SignedIn, document: &str) -> Result<Readable, Problem> {
    let found = readable(app, by, document)?;
    acting(app, by, &found.plan, Action::ReadHistory)?;
    app.rooms.check_openable(&found.id).await?;
    Ok(found)
}

fn part(name: Option<&str>) -> Result<RestoreScope, Problem> {
    use accord_document::template::{FIELDS, MILESTONES};
    match name {
        None => Ok(RestoreScope::Whole),
        Some(MILESTONES) => Ok(RestoreScope::Milestones),
        Some(key) if FIELDS.iter().any(|field| field.key == key) => {
            Ok(RestoreScope::Field(key.to_owned()))
        }
        Some(_) => Err(Problem::invalid("A commitment has no such part.")),
    }
}

/// Waits for the requester's turn to read ledgers, then calls `read` with a document's history.
pub(super) async fn in_archive<T: Send + 'static>(
    app: &App,
    asker: impl Into<Asker<'_>>,
    found: &Readable,
    read: impl FnOnce(&Archive) -> T + Send + 'static,
) -> Result<T, Problem> {
    let id = found.id.clone();
    let read = move |archives: &Archives, reading: &Reading| archives.read(reading, &id, read);
    Ok(app.archives.in_turn(asker, read).await?)
}

pub(super) fn last(history: &History) -> Seq {
    Seq(history.len().saturating_sub(1))
}

pub(super) fn moment(history: &History, seq: Seq) -> MomentView {
    MomentView { seq: seq.0, time: history.time_of(seq) }
}

fn index_of(history: &History, seq: Seq) -> Option<u32> {
    let author = history.author_of(seq)?;
    let index = history.authors().iter().position(|known| known == author)?;
    u32::try_from(index).ok()
}

pub(super) async fn named(app: &App, authors: Vec<Author>) -> Result<Vec<AuthorView>, Problem> {
    let ids = authors.iter().map(|author| author.person.clone()).collect();
    let known: HashMap<PersonId, String> =
        people(app, ids).await?.into_iter().map(|person| (person.id, person.name)).collect();
    let view = |author: Author| AuthorView {
        name: known.get(&author.person).cloned().unwrap_or_default(),
        person: author.person.to_string(),
        seat: author.seat,
        sector: author.sector,
    };
    Ok(authors.into_iter().map(view).collect())
}
