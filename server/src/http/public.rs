//! The pages that everybody can read without signing in: releases that are public. A release that is not public yet
//! looks exactly like one that does not exist.

use super::App;
use super::download::encoded;
use super::identity::Caller;
use super::problem::Problem;
use super::releases::signed_file;
use crate::archives::{Archive, Archives, Reading};
use crate::cache::LruCache;
use crate::fair_queue::Requester;
use crate::pages::{self, Compared, Page, ReleaseContext};
use crate::releases::Published;
use crate::rooms::OpenError;
use accord_document::ids::{Digest, DocumentId, PlanId, Seq};
use accord_document::plan::PlanState;
use accord_files::{FileKind, Publication};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// The cache control of pages. Caches can show a page for a minute without asking again. A public page stays public, so
/// an old copy reveals nothing. After a minute at most, the copy also says that a newer release has replaced the
/// release that it shows.
const FRESH: &str = "public, max-age=60";
/// The cache control of a release's files, which never change.
const PERMANENT: &str = "public, max-age=31536000, immutable";

/// Answers with the public keys that verify releases, one key on each line, the current key last.
pub(super) async fn keys(State(app): State<App>) -> Response {
    let keys: String = app.releases.keys().iter().map(|key| format!("{key}\n")).collect();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, FRESH)], keys)
        .into_response()
}

/// Answers with a plan's public page: the newest public release of each commitment.
pub(super) async fn plan(
    State(app): State<App>,
    Caller { address, .. }: Caller,
    Path(plan): Path<String>,
    headers: HeaderMap,
) -> Result<Response, NotShown> {
    let id = PlanId::new(plan);
    let state = app.plans.get(&id).ok_or(NotShown::Missing)?;
    let mut all = Vec::new();
    for (document, _) in state.documents() {
        all.extend(published(&app, address, document).await?.into_iter().next());
    }
    if all.is_empty() {
        return Err(NotShown::Missing);
    }
    Ok(page(&pages::plan(state.title(), &app.site.base(), id.as_str(), &all), &headers))
}

/// Answers with the page of the newest public release of a commitment.
pub(super) async fn newest(
    State(app): State<App>,
    Caller { address, .. }: Caller,
    Path(document): Path<String>,
    headers: HeaderMap,
) -> Result<Response, NotShown> {
    let context = context(&app, address, &DocumentId::new(document)).await?;
    let newest = context.all.first().ok_or(NotShown::Missing)?;
    Ok(page(&shown(&app, &context, newest).await, &headers))
}

/// Answers with the page of the release that has a given number, at an address that stays valid.
pub(super) async fn release(
    State(app): State<App>,
    Caller { address, .. }: Caller,
    Path((document, number)): Path<(String, u32)>,
    headers: HeaderMap,
) -> Result<Response, NotShown> {
    let context = context(&app, address, &DocumentId::new(document)).await?;
    Ok(page(&shown(&app, &context, find(&context, number)?).await, &headers))
}

async fn shown(app: &App, context: &ReleaseContext, release: &Published) -> Page {
    pages::release(context, release, &app.printer.kinds(&release.sealed).await)
}

/// Answers with the comparison of two releases, the older one first.
pub(super) async fn compare(
    State(app): State<App>,
    Caller { address, .. }: Caller,
    Path((document, a, b)): Path<(String, u32, u32)>,
    headers: HeaderMap,
) -> Result<Response, NotShown> {
    if a > b {
        return Ok(Redirect::permanent(&format!("/r/{}/compare/{b}/{a}", encoded(&document)))
            .into_response());
    }
    let id = DocumentId::new(document);
    let context = context(&app, address, &id).await?;
    let (first, second) = (find(&context, a)?, find(&context, b)?);
    // Releases never change, so a comparison of two releases never changes either and can be cached.
    let key = (first.sealed.statement.digest, second.sealed.statement.digest);
    let compared = match app.comparisons.0.get(&key) {
        Some(known) => known,
        None => {
            let (from, to) = (first.sealed.moment, second.sealed.moment);
            match compare_in(&app, address, id, from, to).await {
                Ok(made) => {
                    app.comparisons.0.insert(key, made.clone(), made.memory_bytes());
                    made
                }
                Err(problem) => return Ok(problem.sentence()),
            }
        }
    };
    Ok(page(&pages::compare(&context, (first, second), &compared), &headers))
}

/// Compares two moments of a document, once it is the turn of the readers in this address's group.
async fn compare_in(
    app: &App,
    address: IpAddr,
    id: DocumentId,
    from: Seq,
    to: Seq,
) -> Result<Arc<Compared>, Problem> {
    let compare = move |archives: &Archives, reading: &Reading| {
        archives.read(reading, &id, |archive| compared(archive, from, to))
    };
    Ok(Arc::new(app.archives.in_turn(&Requester::at(address), compare).await?))
}

/// The cache of comparisons, by the digests of both releases. Because of the cache, nobody can make the server repeat
/// the same comparison again and again.
#[derive(Debug)]
pub(crate) struct Comparisons(LruCache<(Digest, Digest), Arc<Compared>>);

impl Comparisons {
    /// Maximum approximate memory of all cached comparisons together, in bytes.
    const MAX_CACHED_BYTES: usize = 8 * 1024 * 1024;

    pub(crate) fn new() -> Self {
        Self(LruCache::new(Self::MAX_CACHED_BYTES))
    }
}

fn compared(archive: &Archive, from: Seq, to: Seq) -> Compared {
    let history = &archive.history;
    let (before, after) = (history.facts(from), history.facts(to));
    let said = |facts: &std::collections::BTreeMap<String, serde_json::Value>, key: &str| {
        facts.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    let fact = |key: &str| (key.to_owned(), said(&before, key), said(&after, key));
    Compared {
        texts: history.diff(from, to).texts,
        milestones: history.milestones(from, to),
        facts: ["period_from", "period_to"].map(fact).to_vec(),
    }
}

/// Answers with a file of a release. `release.json` is the file that anybody can verify.
pub(super) async fn file(
    State(app): State<App>,
    Caller { address, .. }: Caller,
    Path((document, number, name)): Path<(String, u32, String)>,
) -> Result<Response, NotShown> {
    let context = context(&app, address, &DocumentId::new(document)).await?;
    let found = find(&context, number)?;
    let extension = name.strip_prefix("release.").ok_or(NotShown::Missing)?;
    if extension == "json" {
        return Ok(permanent(signed_file(&found.sealed)));
    }
    let kind = FileKind::of(extension).ok_or(NotShown::Missing)?;
    let public = Publication { since: found.time, zone: found.zone.clone() };
    let (requester, base) = (Requester::at(address), app.site.base());
    let made = app.printer.release(&requester, found.sealed.clone(), Some(public), base, kind);
    Ok(match made.await {
        Ok(made) => permanent(super::files::released(&found.sealed, kind, made)),
        Err(error) => Problem::from(error).sentence(),
    })
}

fn permanent(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(PERMANENT));
    response
}

fn find(context: &ReleaseContext, number: u32) -> Result<&Published, NotShown> {
    context.all.iter().find(|one| one.sealed.released.number == number).ok_or(NotShown::Missing)
}

async fn context(
    app: &App,
    address: IpAddr,
    document: &DocumentId,
) -> Result<ReleaseContext, NotShown> {
    let all = published(app, address, document).await?;
    if all.is_empty() {
        return Err(NotShown::Missing);
    }
    let (plan, state) = app.plans.home(document).ok_or(NotShown::Missing)?;
    Ok(ReleaseContext {
        all,
        languages: languages(&state, document),
        plan: plan.to_string(),
        plan_title: state.title().to_owned(),
        base: app.site.base(),
    })
}

/// Returns the other languages in which a commitment is public: the id of each document, and its language.
fn languages(plan: &PlanState, document: &DocumentId) -> Vec<(String, String)> {
    let others = plan.languages_of(document).filter(|(id, _)| *id != document);
    let public = others.filter(|(id, _)| plan.published(id).next().is_some());
    public.map(|(id, known)| (id.to_string(), known.language.clone())).collect()
}

/// Returns the public releases of a document, the newest first.
async fn published(
    app: &App,
    address: IpAddr,
    document: &DocumentId,
) -> Result<Vec<Published>, NotShown> {
    match app.releases.public(&Requester::at(address), document).await {
        Ok(all) => Ok(all),
        Err(OpenError::Busy(busy)) => Err(NotShown::Failed(busy.into())),
        Err(error) => {
            tracing::error!(%error, %document, "a public release can't be shown");
            let is_lost = matches!(error, OpenError::Missing);
            Err(if is_lost { NotShown::Missing } else { NotShown::Failed(error) })
        }
    }
}

/// The reason why a public page is not shown.
#[derive(Debug)]
pub(super) enum NotShown {
    /// The page does not exist, or is not public yet. The answer does not reveal which.
    Missing,
    /// The release has to be built from its ledger, which can't be read: because too many requests to read ledgers are
    /// running or waiting now, or because the store fails.
    Failed(OpenError),
}

impl IntoResponse for NotShown {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Missing => (StatusCode::NOT_FOUND, pages::missing()).into_response(),
            Self::Failed(error) => return Problem::from(error).sentence(),
        };
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, no_store);
        response
    }
}

/// Answers with a page that caches can keep for a while, or with 304 if the browser already has it.
fn page(page: &Page, asked: &HeaderMap) -> Response {
    let html = page.html();
    let tag = format!("\"{}\"", HEXLOWER.encode(&Sha256::digest(&html)[..16]));
    let is_known =
        asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).is_some_and(
            |known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag),
        );
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (Page::headers(), html).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FRESH));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
