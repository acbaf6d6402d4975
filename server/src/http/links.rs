//! `/links`: the one-time links with which people become the first administrator, set a new password, or confirm an
//! e-mail address.

use super::App;
use super::extract::{Body, Path};
use super::identity::{Caller, by_cookie};
use super::problem::{Problem, blocking, changing};
use super::session::{self, SessionView};
use super::views::ProviderView;
use crate::letters::AccountChange;
use crate::people::{AccountError, Person, Purpose};
use crate::plans::installation;
use accord_document::body::AuditAction;
use accord_document::ids::PersonId;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A one-time link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// The purpose: `setup` makes the first administrator, `reset` sets a new password, and `confirm` confirms an
    /// e-mail address.
    purpose: &'static str,
    /// The name of the person whose password a `reset` sets, or whose address a `confirm` confirms. `null` for a
    /// `setup`.
    name: Option<String>,
    /// The e-mail address that a `confirm` confirms. `null` for other purposes.
    email: Option<String>,
    /// The providers that the person can sign in with. A `reset` can unlink them. Empty for other purposes.
    providers: Vec<ProviderView>,
}

/// A new user account.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// The name of the person, as others see it.
    pub(super) name: String,
    /// The e-mail address with which the person signs in.
    pub(super) email: String,
    /// The password with which the person signs in.
    pub(super) password: String,
}

/// The data for using a link. The members depend on the purpose of the link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum UseLink {
    /// For a link of the purpose `setup`: the user account of the first administrator.
    Setup(NewAccount),
    /// For a link of the purpose `reset`.
    Reset {
        /// The new password.
        password: String,
        /// The ids of the providers to unlink, so that they can't be used to sign in any more.
        #[serde(default)]
        end_providers: Vec<String>,
    },
    /// For a link of the purpose `confirm`.
    Confirm {
        /// The confirmation of the e-mail address. It must be `true`.
        confirm: bool,
    },
}

/// A request for a new password.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LostPassword {
    /// The e-mail address of the account.
    email: String,
}

/// Sends a link for a new password by mail, if a user account has the e-mail address.
///
/// The answer and its timing are the same whether or not there is such a user account.
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
        Problem::busy("Too many people are asking for mail right now. Try again in a few seconds.")
    })?;
    Ok(StatusCode::ACCEPTED)
}

/// Returns the purpose of a link.
#[utoipa::path(get, path = "/api/v1/links/{secret}", params(("secret" = String, Path)), responses(
    (status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Path(secret): Path<String>,
) -> Result<Json<LinkView>, Problem> {
    let people = app.people.clone();
    let found = blocking(move || {
        let Some(link) = people.link(&secret)? else { return Ok(None) };
        let (purpose, person, email) = match link.purpose {
            Purpose::Setup => ("setup", None, None),
            Purpose::Reset { person, .. } => ("reset", Some(person), None),
            Purpose::Confirm { person, email } => ("confirm", Some(person), Some(email)),
        };
        let name = person.as_ref().map_or(Ok(None), |person| people.person(person))?;
        let mut providers = Vec::new();
        if let Some(person) = person.filter(|_| purpose == "reset") {
            let own = people.identities(&person)?;
            let known = people.providers()?.into_iter();
            providers = known
                .filter(|provider| own.iter().any(|one| one.provider == provider.id))
                .map(ProviderView::from)
                .collect();
        }
        let name = name.map(|person| person.name);
        Ok(Some(LinkView { purpose, name, email, providers }))
    });
    found.await?.map(Json).ok_or_else(Problem::bad_link)
}

/// Uses a link, once.
///
/// A link of the purpose `setup` or `reset` also signs its person in. A link of the purpose `confirm` requires that its
/// person is signed in already.
#[utoipa::path(post, path = "/api/v1/links/{secret}", params(("secret" = String, Path)),
    request_body = UseLink, responses(
    (status = 200, body = session::SessionView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn take(
    State(app): State<App>,
    Path(secret): Path<String>,
    caller: Caller,
    headers: HeaderMap,
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
            let action = AuditAction::MakeAdministrator { person: person.id.clone() };
            app.plans.record(&installation(), action, Some(caller.address)).await?;
            person
        }
        (Purpose::Reset { person, mailed_to }, UseLink::Reset { password, end_providers }) => {
            let asked = people.clone();
            let found = blocking(move || asked.person(&person)).await?;
            let person = found.filter(|person| !person.forgotten).ok_or_else(Problem::bad_link)?;
            let email = person.email.clone().unwrap_or_default();
            let hash = app.passwords.hash(lane, &password, &[&person.name, &email]).await?;
            let id = person.id.clone();
            let done = changing(move || {
                people.use_link(&secret, |_| {
                    people.reset_password(&id, &hash, mailed_to.as_deref(), &end_providers)
                })
            });
            done.await?.ok_or_else(Problem::bad_link)?;
            send_notice(&app, &person, AccountChange::Password);
            person
        }
        (Purpose::Confirm { person, email }, UseLink::Confirm { confirm: true }) => {
            return confirm(&app, &headers, &secret, person, email).await;
        }
        (Purpose::Setup, _) => return Err(AccountError::Name.into()),
        _ => return Err(Problem::bad_link()),
    };
    session::begin(&app, &caller, &person).await
}

/// Confirms an e-mail address. The link proves that its user can read the mailbox, but not that the user account is
/// theirs. So the request must also come from a session of the user account.
async fn confirm(
    app: &App,
    headers: &HeaderMap,
    secret: &str,
    person: PersonId,
    email: String,
) -> Result<Response, Problem> {
    let by = by_cookie(headers, app).await?.ok_or_else(Problem::signed_out)?;
    if by.person.id != person {
        return Err(Problem::forbidden(
            "This link is for another account. Sign in as the person whose address it confirms.",
        ));
    }
    let (people, secret) = (app.people.clone(), secret.to_owned());
    let done =
        changing(move || people.use_link(&secret, |_| Ok(people.verify_email(&person, &email)?)));
    done.await?.ok_or_else(Problem::bad_link)?;
    Ok(Json(SessionView::of(&by.person)).into_response())
}

/// Sends a person a mail that says how their user account has changed, if the server sends mail.
pub(super) fn send_notice(app: &App, person: &Person, change: AccountChange) {
    if let (Some(letters), Some(to)) = (&app.letters, person.email.clone()) {
        letters.send_notice(to, change);
    }
}
