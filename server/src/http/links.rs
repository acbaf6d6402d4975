//! `/links`: one-time links to become the first administrator or to set a new password.

use super::App;
use super::identity::Caller;
use super::problem::{Body, Problem, blocking, changing};
use super::session;
use crate::people::{AccountError, DeviceSecrets, Purpose};
use crate::plans::installation;
use accord_document::audit::Deed;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// `setup` or `reset`.
    purpose: &'static str,
    /// Whose password a `reset` sets.
    name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum UseLink {
    Setup(NewAccount),
    Reset { password: String },
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LostPassword {
    email: String,
}

/// Sends a link to set a new password, if there is an account with this address. Whether there is,
/// neither the answer nor its time tells: it is given before that is looked up.
#[utoipa::path(post, path = "/api/v1/links", request_body = LostPassword, responses(
    (status = 202), (status = 409, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn send(
    State(app): State<App>,
    caller: Caller,
    Body(LostPassword { email }): Body<LostPassword>,
) -> Result<StatusCode, Problem> {
    let Some(letters) = &app.letters else {
        let message = "This server sends no mail. Ask your plan’s facilitator for a link.";
        return Err(Problem::conflict("no_mail", message));
    };
    app.throttle.ask_for_mail(&email, caller.group()).map_err(Problem::too_many)?;
    letters.ask_for_password(email).map_err(|_| {
        Problem::busy("Very many people ask for mail at this moment. Try again in a few seconds.")
    })?;
    Ok(StatusCode::ACCEPTED)
}

/// What a link is for.
#[utoipa::path(get, path = "/api/v1/links/{secret}", params(("secret" = String, Path)), responses(
    (status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Path(secret): Path<String>,
) -> Result<Json<LinkView>, Problem> {
    let people = app.people.clone();
    let found = blocking(move || {
        let Some(link) = people.link(&secret)? else { return Ok(None) };
        Ok(Some(match link.purpose {
            Purpose::Setup => LinkView { purpose: "setup", name: None },
            Purpose::Reset { person } => {
                let name = people.person(&person)?.map(|person| person.name);
                LinkView { purpose: "reset", name }
            }
        }))
    });
    found.await?.map(Json).ok_or_else(Problem::bad_link)
}

/// Uses a link, and signs in.
#[utoipa::path(post, path = "/api/v1/links/{secret}", params(("secret" = String, Path)),
    request_body = UseLink, responses(
    (status = 200, body = session::SessionView), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn take(
    State(app): State<App>,
    Path(secret): Path<String>,
    caller: Caller,
    Body(wanted): Body<UseLink>,
) -> Result<Response, Problem> {
    let (people, looked) = (app.people.clone(), secret.clone());
    let link = blocking(move || people.link(&looked)).await?.ok_or_else(Problem::bad_link)?;
    let lane = app.throttle.use_secret(&secret, caller.group()).map_err(Problem::too_many)?;
    let people = app.people.clone();
    let person = match (link.purpose, wanted) {
        (Purpose::Setup, UseLink::Setup(NewAccount { name, email, password })) => {
            let hash = app.passwords.hash(lane, &password, &[&name, &email]).await?;
            let made = changing(move || {
                people.use_link(&secret, |_| people.create(&name, Some(&email), Some(&hash), true))
            });
            let person = made.await?.ok_or_else(Problem::bad_link)?;
            let deed = Deed::MakeAdministrator { person: person.id.clone() };
            app.plans.record(&installation(), deed, Some(caller.address)).await?;
            person
        }
        (Purpose::Reset { person }, UseLink::Reset { password }) => {
            let asked = people.clone();
            let found = blocking(move || asked.person(&person)).await?;
            let person = found.filter(|person| !person.forgotten).ok_or_else(Problem::bad_link)?;
            let email = person.email.clone().unwrap_or_default();
            let hash = app.passwords.hash(lane, &password, &[&person.name, &email]).await?;
            let id = person.id.clone();
            let done = changing(move || {
                people.use_link(&secret, |_| {
                    people.set_password(&id, &hash)?;
                    // Whoever knew the old password is out.
                    people.sessions().end_all(&id, None)?;
                    people.forget_devices(&id, &DeviceSecrets::default())
                })
            });
            done.await?.ok_or_else(Problem::bad_link)?;
            person
        }
        (Purpose::Setup, UseLink::Reset { .. }) => return Err(AccountError::Name.into()),
        (Purpose::Reset { .. }, UseLink::Setup(_)) => return Err(Problem::bad_link()),
    };
    session::begin(&app, &caller, &person).await
}
