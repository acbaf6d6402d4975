//! `/account`: the caller's own name, e-mail address, password and sessions.

use super::App;
use super::extract::{Body, Path};
use super::identity::{Caller, Visitor};
use super::links::send_notice;
use super::problem::{Problem, blocking, changing};
use super::session::PersonView;
use crate::letters::AccountChange;
use crate::people::{Lane, Person, SignedIn};
use accord_document::ids::SessionId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The user account of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// The person to whom the account belongs.
    person: PersonView,
    /// The e-mail address, or `null` if the account has none.
    email: Option<String>,
    /// Whether the e-mail address is confirmed.
    email_verified: bool,
    /// Whether the account has a password.
    has_password: bool,
    /// The ids of the sign-in providers that are linked to the account.
    providers: Vec<String>,
    /// The live sessions of the account, the newest first.
    sessions: Vec<SessionEntry>,
}

/// A session: one sign-in on one device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionEntry {
    /// The id of the session.
    id: String,
    /// Whether this request belongs to the session.
    current: bool,
    /// The time at which the session began, in milliseconds since the Unix epoch.
    since: u64,
    /// The time at which the session was last used, in milliseconds since the Unix epoch. It is accurate to about five
    /// minutes.
    seen: u64,
    /// The network address from which the session was begun.
    address: String,
    /// The name of the browser, as the browser sends it (`User-Agent`).
    agent: String,
}

/// A new name for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewName {
    /// The name, as others see it.
    name: String,
}

/// A new password for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    /// The present password. It is empty or absent if the account has no password.
    #[serde(default)]
    current: String,
    /// The new password.
    new: String,
}

/// A new e-mail address for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewEmail {
    /// The new e-mail address.
    email: String,
    /// The present password. It is empty or absent if the account has no password.
    #[serde(default)]
    current: String,
}

/// Returns the caller's account.
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
        email_verified: by.person.email_verified,
        has_password: password.is_some(),
        providers: identities.into_iter().map(|identity| identity.provider).collect(),
        sessions: sessions.collect(),
    }))
}

/// Changes the caller's name.
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

/// Changes the caller's password, ends all of their other sessions, and forgets all of their known devices except the
/// one that sent the request.
#[utoipa::path(put, path = "/api/v1/account/password", request_body = NewPassword, responses(
    (status = 204), (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn set_password(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    caller: Caller,
    Body(wanted): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let email = by.person.email.clone().unwrap_or_default();
    let lane = check_password(&app, &by, &wanted.current).await?;
    let hash = app.passwords.hash(lane, &wanted.new, &[&by.person.name, &email]).await?;
    let (people, person) = (app.people.clone(), by.person.clone());
    changing(move || {
        people.set_password(&by.person.id, &hash)?;
        people.sessions().end_all(&by.person.id, Some(&by.session))?;
        people.forget_devices(&by.person.id, &caller.devices)
    })
    .await?;
    send_notice(&app, &person, AccountChange::Password);
    Ok(StatusCode::NO_CONTENT)
}

/// Checks the password of a signed-in person, if they have one. Returns the lane in which a new password is to be
/// hashed. A lane is a part of the queue for hashing passwords.
async fn check_password(app: &App, by: &SignedIn, password: &str) -> Result<Lane, Problem> {
    let lane = app.throttle.attempt_signed_in(&by.person.id).map_err(Problem::too_many)?;
    let (people, id) = (app.people.clone(), by.person.id.clone());
    if let Some(hash) = blocking(move || people.password(&id)).await?
        && !app.passwords.verify(lane, password, Some(&hash)).await?
    {
        return Err(Problem::invalid("The current password is wrong."));
    }
    Ok(lane)
}

/// Changes the caller's e-mail address.
///
/// The new address is unconfirmed at first. To confirm it, the caller must be signed in and use the link that the
/// server mails to this address.
#[utoipa::path(put, path = "/api/v1/account/email", request_body = NewEmail, responses(
    (status = 204), (status = 401, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn set_email(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Body(wanted): Body<NewEmail>,
) -> Result<StatusCode, Problem> {
    check_password(&app, &by, &wanted.current).await?;
    let (people, id) = (app.people.clone(), by.person.id.clone());
    let person = changing(move || people.set_email(&id, &wanted.email)).await?;
    if person.email != by.person.email {
        send_notice(&app, &by.person, AccountChange::Address);
        // If this mail can't be sent now, the person can ask for another one on the account page.
        let _ = mail_confirmation(&app, person).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Mails the caller a link that confirms their e-mail address.
#[utoipa::path(post, path = "/api/v1/account/email/confirmation", responses(
    (status = 202), (status = 401, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn confirm_email(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
) -> Result<StatusCode, Problem> {
    mail_confirmation(&app, by.person).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn mail_confirmation(app: &App, person: Person) -> Result<(), Problem> {
    let Some(letters) = app.letters.clone() else {
        return Err(Problem::conflict("no_mail", "This server sends no mail."));
    };
    let Some(to) = person.email else {
        return Err(Problem::invalid("Your account has no e-mail address."));
    };
    app.throttle.confirm_by_mail(&person.id, &to).map_err(Problem::too_many)?;
    blocking(move || letters.send_confirmation(&person.id, to)).await
}

/// Ends all of the caller's sessions except the current one, and forgets all of their known devices except the one that
/// sent the request.
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

/// Ends one of the caller's sessions.
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
