//! `/account`: one's own name, password and sessions.

use super::App;
use super::identity::{Caller, Visitor};
use super::problem::{Body, Problem, blocking, changing};
use super::session::PersonView;
use accord_document::ids::SessionId;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    person: PersonView,
    email: Option<String>,
    has_password: bool,
    /// The providers one signs in with.
    providers: Vec<String>,
    /// The newest first.
    sessions: Vec<SessionEntry>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionEntry {
    id: String,
    /// Whether this request belongs to it.
    current: bool,
    /// Milliseconds since the Unix epoch.
    since: u64,
    /// When it was last used, within some minutes.
    seen: u64,
    /// The network address it was begun from.
    address: String,
    /// The browser, as it describes itself.
    agent: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewName {
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    /// The password so far; empty for whoever has none.
    #[serde(default)]
    current: String,
    new: String,
}

/// One's own account.
#[utoipa::path(get, path = "/api/v1/account", responses(
    (status = 200, body = AccountView), (status = 401, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
) -> Result<Json<AccountView>, Problem> {
    let (people, id) = (app.people.clone(), by.person.id.clone());
    let found = blocking(move || Ok((people.password(&id)?, people.identities(&id)?))).await?;
    let (password, identities) = found;
    let sessions = app.people.sessions().of(&by.person.id);
    let sessions = sessions.into_iter().map(|(id, info)| SessionEntry {
        current: id == by.session,
        id: id.to_string(),
        since: info.since,
        seen: info.seen,
        address: info.address,
        agent: info.agent,
    });
    Ok(Json(AccountView {
        person: (&by.person).into(),
        email: by.person.email.clone(),
        has_password: password.is_some(),
        providers: identities.into_iter().map(|identity| identity.provider).collect(),
        sessions: sessions.collect(),
    }))
}

/// Changes one's name.
#[utoipa::path(patch, path = "/api/v1/account", request_body = NewName, responses(
    (status = 200, body = PersonView), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn rename(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Body(new): Body<NewName>,
) -> Result<Json<PersonView>, Problem> {
    let people = app.people.clone();
    let person = changing(move || people.rename(&by.person.id, &new.name)).await?;
    Ok(Json((&person).into()))
}

/// Changes one's password, and signs out everywhere else.
#[utoipa::path(put, path = "/api/v1/account/password", request_body = NewPassword, responses(
    (status = 204), (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn set_password(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    caller: Caller,
    Body(wanted): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let (people, id) = (app.people.clone(), by.person.id.clone());
    let email = by.person.email.clone().unwrap_or_default();
    let lane = app.throttle.attempt_signed_in(&by.person.id).map_err(Problem::too_many)?;
    if let Some(old) = blocking(move || people.password(&id)).await?
        && !app.passwords.verify(lane, &wanted.current, Some(&old)).await?
    {
        return Err(Problem::invalid("That is not your password so far."));
    }
    let hash = app.passwords.hash(lane, &wanted.new, &[&by.person.name, &email]).await?;
    let people = app.people.clone();
    changing(move || {
        people.set_password(&by.person.id, &hash)?;
        people.sessions().end_all(&by.person.id, Some(&by.session))?;
        people.forget_devices(&by.person.id, &caller.devices)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs out everywhere but here.
#[utoipa::path(delete, path = "/api/v1/account/sessions", responses(
    (status = 204), (status = 401, body = Problem)))]
pub(super) async fn end_others(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let people = app.people.clone();
    changing(move || {
        people.sessions().end_all(&by.person.id, Some(&by.session))?;
        people.forget_devices(&by.person.id, &caller.devices)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's sessions.
#[utoipa::path(delete, path = "/api/v1/account/sessions/{session}", params(("session" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn end_one(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(session): Path<String>,
) -> Result<StatusCode, Problem> {
    let session = SessionId::new(session);
    if app.people.sessions().person(&session).as_ref() != Some(&by.person.id) {
        return Err(Problem::missing("session"));
    }
    let people = app.people.clone();
    blocking(move || people.sessions().end(&session)).await?;
    Ok(StatusCode::NO_CONTENT)
}
