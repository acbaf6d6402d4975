//! `/session`: signing in and out. So far only as one of the demo people.

use super::App;
use super::identity::{COOKIE, Visitor, foreign, is_same_origin};
use super::problem::{Problem, blocking};
use crate::demo;
use crate::people::Person;
use accord_document::people::{Seat, Sector};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    id: String,
    name: String,
    /// `government`, `civil_society`, `other` or `adviser`.
    sector: String,
}

impl From<&Person> for PersonView {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name.clone(),
            sector: sector_name(person.sector),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    person: PersonView,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SignIn {
    /// The sign-in name of a demo person.
    demo: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemoPerson {
    /// What to send to sign in.
    demo: String,
    name: String,
    /// `facilitator`, `author`, `adviser` or `observer`.
    seat: String,
    sector: String,
}

pub(super) fn sector_name(sector: Sector) -> String {
    plain(&sector)
}

pub(super) fn seat_name(seat: Seat) -> String {
    plain(&seat)
}

fn plain<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Who can be signed in with one click. Empty unless the server runs the demo.
#[utoipa::path(get, path = "/api/v1/demo", responses((status = 200, body = [DemoPerson])))]
pub(super) async fn demo_people(State(app): State<App>) -> Json<Vec<DemoPerson>> {
    let people = demo::PEOPLE.into_iter().filter(|_| app.demo);
    Json(
        people
            .map(|(demo, name, seat, sector)| DemoPerson {
                demo: demo.into(),
                name: name.into(),
                seat: seat_name(seat),
                sector: sector_name(sector),
            })
            .collect(),
    )
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem)))]
pub(super) async fn current(Visitor(by): Visitor) -> Json<SessionView> {
    Json(SessionView { person: (&by.person).into() })
}

/// Signs in, with a session cookie.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn, responses(
    (status = 200, body = SessionView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    Json(wanted): Json<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    if !is_same_origin(&headers, true) {
        return Err(foreign());
    }
    if !app.demo {
        return Err(Problem::forbidden("This server does not run the demo."));
    }
    if !demo::PEOPLE.iter().any(|(name, ..)| *name == wanted.demo) {
        return Err(Problem::invalid("There is no demo person of that name."));
    }
    let people = app.people.clone();
    let signed_in = blocking(move || {
        let id = demo::person_id(&wanted.demo);
        let person = people.person(&id)?;
        let secret = people.sign_in(&id)?;
        Ok(person.map(|person| (person, secret)))
    });
    let (person, secret) = signed_in.await?.ok_or_else(|| Problem::missing("person"))?;
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000");
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Json(SessionView { person: (&person).into() }),
    ))
}

/// Signs out and ends the session.
#[utoipa::path(delete, path = "/api/v1/session", responses(
    (status = 204), (status = 401, body = Problem)))]
pub(super) async fn sign_out(
    State(app): State<App>,
    Visitor(by): Visitor,
) -> Result<impl IntoResponse, Problem> {
    let people = app.people.clone();
    blocking(move || people.sign_out(&by.session)).await?;
    let cookie = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}
