//! Who asks: the session cookie, the origin, and what the person's seat permits.

use super::App;
use super::problem::{Problem, blocking};
use crate::people::{DocumentRecord, SeatRecord, SignedIn};
use accord_document::ids::DocumentId;
use accord_document::people::{Action, permits};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use std::convert::Infallible;

pub(crate) const COOKIE: &str = "accord_session";

/// Somebody signed in by cookie. Requests that change something must come from our own pages.
pub(crate) struct Visitor(pub(crate) SignedIn);

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if parts.method != Method::GET && !is_same_origin(&parts.headers, true) {
            return Err(foreign());
        }
        by_cookie(&parts.headers, app).await?.map(Self).ok_or_else(Problem::signed_out)
    }
}

impl OptionalFromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Infallible> {
        Ok(<Self as FromRequestParts<App>>::from_request_parts(parts, app).await.ok())
    }
}

pub(crate) fn foreign() -> Problem {
    Problem::forbidden("This request does not come from Accord's own pages.")
}

pub(crate) async fn by_cookie(headers: &HeaderMap, app: &App) -> Result<Option<SignedIn>, Problem> {
    let Some(secret) = cookie(headers) else { return Ok(None) };
    let (people, secret) = (app.people.clone(), secret.to_owned());
    blocking(move || people.signed_in(&secret)).await
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// Whether the `Origin` is the host that was asked. Programs that are not browsers send none.
pub(crate) fn is_same_origin(headers: &HeaderMap, none_is_fine: bool) -> bool {
    let text =
        |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => none_is_fine,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
}

/// A person's seat in a plan, if it permits an action.
pub(crate) async fn seated(
    app: &App,
    by: &SignedIn,
    plan: &str,
    action: Action,
) -> Result<SeatRecord, Problem> {
    let (people, plan, person) = (app.people.clone(), plan.to_owned(), by.person.id.clone());
    let seat = blocking(move || people.seat(&plan, &person)).await?;
    let seat = seat.ok_or_else(|| Problem::missing("plan"))?;
    if permits(seat.seat, action) {
        Ok(seat)
    } else {
        Err(Problem::forbidden(
            "Your seat in this plan does not include that. Ask its facilitator.",
        ))
    }
}

/// A document that a person may read, and their seat in its plan.
pub(crate) async fn readable(
    app: &App,
    by: &SignedIn,
    document: &DocumentId,
) -> Result<(DocumentRecord, SeatRecord), Problem> {
    let (people, id) = (app.people.clone(), document.clone());
    let missing = || Problem::missing("document");
    let record = blocking(move || people.document(&id)).await?.ok_or_else(missing)?;
    let seat = seated(app, by, &record.plan, Action::Read).await.map_err(|_| missing())?;
    Ok((record, seat))
}
