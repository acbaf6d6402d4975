//! `/session`: signing in and out.

use super::App;
use super::extract::Body;
use super::identity::{Caller, Visitor};
use super::problem::{Problem, blocking};
use crate::demo;
use crate::people::{DeviceSecrets, KEEP_DEVICE_MS, Person};
use accord_document::ids::PersonId;
use accord_document::people::{Seat, Sector};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    /// The id of the person.
    id: String,
    /// The name of the person.
    name: String,
    /// Whether this person is an administrator of the installation.
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

/// The session of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The signed-in person.
    person: PersonView,
}

impl SessionView {
    pub(super) fn of(person: &Person) -> Self {
        Self { person: person.into() }
    }
}

/// The data for signing in: an e-mail address with a password or, in the demo, a demo person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SignIn {
    /// Signs in to a user account with a password.
    Password {
        /// The e-mail address of the account.
        email: String,
        /// The password of the account.
        password: String,
    },
    /// Signs in as a demo person, on a server that runs the demo.
    Demo {
        /// The sign-in name of a demo person.
        demo: String,
    },
}

/// A person of the demo.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemoPerson {
    /// The sign-in name to send as `demo` when signing in.
    demo: String,
    /// The full name.
    name: String,
    /// The seat (role) in the demo plan.
    seat: Seat,
    /// The side that the person represents.
    sector: Sector,
}

/// Returns the demo people. Anybody on the server's machine can sign in as one of them. The list is empty unless the
/// server runs the demo.
#[utoipa::path(get, path = "/api/v1/demo", responses((status = 200, body = [DemoPerson])))]
pub(super) async fn demo_people(State(app): State<App>) -> Json<Vec<DemoPerson>> {
    let people = demo::PEOPLE.into_iter().filter(|_| app.demo);
    Json(
        people
            .map(|(demo, name, seat, sector)| DemoPerson {
                demo: demo.into(),
                name: name.into(),
                seat,
                sector,
            })
            .collect(),
    )
}

/// Returns the signed-in person.
#[utoipa::path(get, path = "/api/v1/session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem)))]
pub(super) async fn current(Visitor { by, .. }: Visitor) -> Json<SessionView> {
    Json(SessionView::of(&by.person))
}

/// Signs in and sets the session cookie.
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
    let (devices, from) = (caller.devices.clone(), caller.group());
    let found = blocking(move || people.credentials(&account, &devices, from)).await?;
    let lane = app.throttle.attempt(&email, from, found.familiar).map_err(Problem::too_many)?;
    let right = app.passwords.verify(lane, password, found.hash.as_deref()).await?;
    match found.person.filter(|_| right) {
        Some(person) => Ok(person),
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

/// The secrets that a browser gets when somebody signs in.
pub(super) struct NewSession {
    /// The secret of the session.
    pub(super) session: String,
    devices: DeviceSecrets,
}

impl NewSession {
    /// Returns the two `Set-Cookie` headers: first the header for the session, then the header that makes the browser a
    /// known device.
    pub(super) fn cookies(&self, app: &App) -> [(HeaderName, String); 2] {
        let session = app.site.cookie(&self.session, app.session_seconds);
        let devices = app.site.devices_cookie(&self.devices.cookie(), KEEP_DEVICE_MS / 1_000);
        [(header::SET_COOKIE, session), (header::SET_COOKIE, devices)]
    }
}

/// Begins a session for a person, and returns the answer that signs them in.
pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    person: &Person,
) -> Result<Response, Problem> {
    let new_session = open(app, caller, person.id.clone()).await?;
    Ok(answer(app, person, &new_session))
}

/// Begins a session for a person, and marks the caller's device as a known device of this person.
pub(super) async fn open(
    app: &App,
    caller: &Caller,
    person: PersonId,
) -> Result<NewSession, Problem> {
    let (people, caller) = (app.people.clone(), caller.clone());
    blocking(move || {
        let address = caller.address.to_string();
        let session = people.sessions().begin(&person, &address, &caller.agent)?;
        let devices = people.remember_device(&person, &caller.devices, caller.group())?;
        Ok(NewSession { session, devices })
    })
    .await
}

/// Returns the answer that signs a person in: it sets the cookies of the new session.
pub(super) fn answer(app: &App, person: &Person, new_session: &NewSession) -> Response {
    let view = Json(SessionView::of(person));
    (AppendHeaders(new_session.cookies(app)), view).into_response()
}

/// Signs out: ends the session and deletes its cookie.
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
