//! `/session`: signing in and out.

use super::App;
use super::identity::{Caller, Visitor};
use super::problem::{Body, Problem, blocking};
use super::views::{SeatName, SectorName};
use crate::demo;
use crate::people::Person;
use accord_document::ids::PersonId;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    id: String,
    name: String,
    /// Whether this person runs the installation.
    administrator: bool,
}

impl From<&Person> for PersonView {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name.clone(),
            administrator: person.administrator,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    person: PersonView,
}

impl SessionView {
    pub(super) fn of(person: &Person) -> Self {
        Self { person: person.into() }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SignIn {
    Password {
        email: String,
        password: String,
    },
    Demo {
        /// The sign-in name of a demo person.
        demo: String,
    },
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemoPerson {
    /// What to send to sign in.
    demo: String,
    name: String,
    seat: SeatName,
    sector: SectorName,
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
                seat: seat.into(),
                sector: sector.into(),
            })
            .collect(),
    )
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem)))]
pub(super) async fn current(Visitor { by, .. }: Visitor) -> Json<SessionView> {
    Json(SessionView::of(&by.person))
}

/// Signs in, with a session cookie.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn, responses(
    (status = 200, body = SessionView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn sign_in(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<SignIn>,
) -> Result<Response, Problem> {
    let person = match wanted {
        SignIn::Password { email, password } => {
            by_password(&app, &caller, email, &password).await?
        }
        SignIn::Demo { demo } => demo_person(&app, demo).await?,
    };
    begin(&app, &caller, &person).await
}

async fn by_password(
    app: &App,
    caller: &Caller,
    email: String,
    password: &str,
) -> Result<Person, Problem> {
    let (people, account) = (app.people.clone(), email.clone());
    let found = blocking(move || {
        let person = people.by_email(&account)?;
        let hash = person.as_ref().map_or(Ok(None), |person| people.password(&person.id))?;
        Ok((person, hash))
    });
    let (person, hash) = found.await?;
    let id = person.as_ref().map(|person| &person.id);
    app.throttle.attempt(&email, id, caller.address).map_err(Problem::too_many)?;
    let right = app.passwords.verify(password, hash.as_deref()).await?;
    match person.filter(|_| right) {
        Some(person) => {
            app.throttle.succeeded(&person.id, caller.address);
            Ok(person)
        }
        None => {
            app.metrics.sign_ins_refused.inc();
            tracing::info!(address = %caller.address, "a sign-in was refused");
            Err(Problem::wrong_credentials())
        }
    }
}

async fn demo_person(app: &App, name: String) -> Result<Person, Problem> {
    if !app.demo {
        return Err(Problem::forbidden("This server does not run the demo."));
    }
    if !demo::PEOPLE.iter().any(|(known, ..)| *known == name) {
        return Err(Problem::invalid("There is no demo person of that name."));
    }
    let people = app.people.clone();
    let found = blocking(move || people.person(&demo::person_id(&name))).await?;
    found.filter(|person| !person.forgotten).ok_or_else(|| Problem::missing("person"))
}

/// Begins a session and answers with its cookie.
pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    person: &Person,
) -> Result<Response, Problem> {
    let secret = open(app, caller, person.id.clone()).await?;
    Ok(answer(app, person, &secret))
}

/// Begins a session and gives its secret.
pub(super) async fn open(app: &App, caller: &Caller, person: PersonId) -> Result<String, Problem> {
    let (people, Caller { address, agent }) = (app.people.clone(), caller.clone());
    blocking(move || people.sessions().begin(&person, &address.to_string(), &agent)).await
}

/// The cookie of a session.
pub(super) fn cookie(app: &App, secret: &str) -> String {
    app.site.cookie(secret, app.session_seconds)
}

/// The answer that signs somebody in.
pub(super) fn answer(app: &App, person: &Person, secret: &str) -> Response {
    let cookie = cookie(app, secret);
    let view = Json(SessionView::of(person));
    (AppendHeaders([(header::SET_COOKIE, cookie)]), view).into_response()
}

/// Signs out and ends the session.
#[utoipa::path(delete, path = "/api/v1/session", responses(
    (status = 204), (status = 401, body = Problem)))]
pub(super) async fn sign_out(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
) -> Result<impl IntoResponse, Problem> {
    let people = app.people.clone();
    blocking(move || people.sessions().end(&by.session)).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, app.site.cookie("", 0))])))
}
