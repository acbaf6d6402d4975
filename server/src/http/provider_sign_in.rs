//! `/providers/…/start` and `/providers/callback`: signing in with OpenID Connect. The browser goes to the provider and
//! comes back to the callback, which redirects the browser to a page that shows the result.

use super::App;
use super::extract::{Path, Query};
use super::identity::{Caller, by_cookie};
use super::invitations::{join_with_session, offer, or_discard};
use super::links::send_notice;
use super::problem::{Problem, blocking, changing};
use super::session;
use crate::letters::AccountChange;
use crate::oidc::{Claimed, OidcError, ProviderRedirect, SignInPurpose};
use crate::people::{Identity, Provider};
use crate::store::StoreError;
use accord_document::ids::PersonId;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use utoipa::IntoParams;

/// The purpose for which a browser goes to a sign-in provider. If no parameter is given, the person signs in to an
/// existing account.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Start {
    /// The secret of an invitation that the person accepts.
    invitation: Option<String>,
    /// Whether the signed-in person links the provider to their account.
    #[serde(default)]
    link: bool,
}

/// The parameters that a provider adds when it sends the browser back.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Returned {
    /// The value that the server gave to the provider for this sign-in (RFC 6749, section 4.1.2).
    #[serde(default)]
    state: String,
    /// The authorization code (RFC 6749, section 4.1.2).
    code: Option<String>,
    /// The code of the error with which the provider refused the sign-in (RFC 6749, section 4.1.2.1).
    error: Option<String>,
}

/// Returns the address to which providers send browsers back.
pub(super) fn redirect(app: &App) -> String {
    format!("{}/api/v1/providers/callback", app.site.base())
}

/// Redirects the browser to a sign-in provider.
#[utoipa::path(get, tag = "providers", path = "/api/v1/providers/{provider}/start", params(("provider" = String, Path), Start),
    responses((status = 303), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(wanted): Query<Start>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Err(wait) = app.throttle.start(caller.group()) {
        return Ok(hold_off(&headers, &wanted.landing(), Problem::too_many(wait)));
    }
    let people = app.people.clone();
    let found = blocking(move || people.provider(&id)).await?;
    let provider = found.ok_or_else(|| Problem::missing("provider"))?;
    let purpose = if wanted.link {
        let by = by_cookie(&headers, &app).await?.ok_or_else(Problem::signed_out)?;
        SignInPurpose::Link(by.person.id)
    } else {
        wanted.invitation.map_or(SignInPurpose::SignIn, SignInPurpose::Join)
    };
    let landing = landing(&purpose);
    match app.oidc.begin(provider, &redirect(&app), purpose).await {
        Ok(ProviderRedirect { address, secret }) => {
            let cookie = app.site.sign_in_cookie(&secret);
            Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&address))
                .into_response())
        }
        Err(OidcError::Busy) => Ok(hold_off(&headers, &landing, Problem::busy(BUSY))),
        Err(error) => Ok(refused(&landing, &error)),
    }
}

const BUSY: &str =
    "Too many people are waiting for this sign-in provider. Try again in a few seconds.";

/// Refuses a sign-in that comes too soon after others, or while too many people wait for the provider. A browser that
/// asks for a page is redirected to the page at the path `landing`, which shows why the sign-in was refused. Other
/// callers get the HTTP status of `problem`.
fn hold_off(headers: &HeaderMap, landing: &str, problem: Problem) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        return Redirect::to(&format!("{landing}?refused=provider_busy")).into_response();
    }
    problem.into_response()
}

/// Receives the browser back from a sign-in provider, and redirects the browser to a page of the application.
#[utoipa::path(get, tag = "providers", path = "/api/v1/providers/callback", params(Returned), responses((status = 303)))]
pub(super) async fn callback(
    State(app): State<App>,
    Query(returned): Query<Returned>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(secret) = app.site.sign_in_secret(&headers).map(str::to_owned) else {
        return Ok(refused("/", &OidcError::Unknown));
    };
    let code = returned.code.ok_or_else(|| returned.error.unwrap_or_default());
    let finished = app.oidc.finish(&secret, &returned.state, code, &redirect(&app)).await;
    let (provider, claimed, purpose) = match finished {
        Ok(finished) => finished,
        Err(OidcError::Busy) => return Ok(hold_off(&headers, "/", Problem::busy(BUSY))),
        Err(error) => {
            app.metrics.sign_ins_refused.inc();
            return Ok(refused("/", &error));
        }
    };
    let landing = landing(&purpose);
    // The sign-in takes several steps, so it runs to its end even if the browser hangs up.
    let own = app.clone();
    let done = tokio::spawn(async move { run(&own, &caller, provider, claimed, purpose).await });
    let done = done.await.map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(match done {
        Ok(FinishedSignIn { new_session, to }) => {
            let cookies = new_session.iter().flat_map(|new_session| new_session.cookies(&app));
            let mut response = Redirect::to(&to).into_response();
            for (name, value) in cookies.chain([(header::SET_COOKIE, app.site.sign_in_cookie(""))])
            {
                if let Ok(value) = value.parse() {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        Err(problem) => {
            Redirect::to(&format!("{landing}?refused={}", problem.name())).into_response()
        }
    })
}

impl Start {
    /// Returns the path of the page from which a browser starts with these parameters.
    fn landing(&self) -> String {
        match &self.invitation {
            _ if self.link => "/account".into(),
            Some(secret) => invitation_page(secret),
            None => "/".into(),
        }
    }
}

/// Returns the path of the page from which a browser goes to a provider. If the sign-in fails, the browser is
/// redirected to this page.
fn landing(purpose: &SignInPurpose) -> String {
    match purpose {
        SignInPurpose::SignIn => "/".into(),
        SignInPurpose::Join(secret) => invitation_page(secret),
        SignInPurpose::Link(_) => "/account".into(),
    }
}

fn invitation_page(secret: &str) -> String {
    let fits = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if fits { format!("/invitations/{secret}") } else { "/".into() }
}

fn refused(landing: &str, error: &OidcError) -> Response {
    tracing::warn!(%error, "a sign-in with a provider failed");
    let name = match error {
        OidcError::Unknown => "provider_unknown",
        OidcError::Unreachable(_) => "provider_unreachable",
        OidcError::Refused(_) => "provider_refused",
        OidcError::Untrusted(_) => "provider_untrusted",
        OidcError::Busy => "provider_busy",
    };
    Redirect::to(&format!("{landing}?refused={name}")).into_response()
}

struct FinishedSignIn {
    new_session: Option<session::NewSession>,
    to: String,
}

async fn run(
    app: &App,
    caller: &Caller,
    provider: Provider,
    claimed: Claimed,
    purpose: SignInPurpose,
) -> Result<FinishedSignIn, Problem> {
    let (people, issuer, subject) =
        (app.people.clone(), claimed.issuer.clone(), claimed.subject.clone());
    let known = blocking(move || {
        let id = people.identified(&issuer, &subject)?;
        id.map_or(Ok(None), |id| people.person(&id))
    });
    let known = known.await?.filter(|person| !person.forgotten);
    let identity = |person: &PersonId| Identity {
        person: person.clone(),
        provider: provider.id.clone(),
        issuer: claimed.issuer.clone(),
        subject: claimed.subject.clone(),
    };
    match purpose {
        SignInPurpose::SignIn => {
            let person = known.ok_or_else(|| {
                Problem::refused(
                    "unknown_identity",
                    "No account here uses this way to sign in yet.",
                )
            })?;
            note_verified(app, &provider, &claimed, &person.id).await?;
            let new_session = session::open(app, caller, person.id).await?;
            Ok(FinishedSignIn { new_session: Some(new_session), to: "/".into() })
        }
        SignInPurpose::Link(person) => {
            let (people, identity) = (app.people.clone(), identity(&person));
            let (added, to) = changing(move || {
                let before = people.identities(&identity.person)?.len();
                people.identify(&identity)?;
                let added = people.identities(&identity.person)?.len() > before;
                Ok((added, people.person(&identity.person)?))
            })
            .await?;
            note_verified(app, &provider, &claimed, &person).await?;
            if let Some(to) = to.filter(|_| added) {
                send_notice(app, &to, AccountChange::Provider);
            }
            Ok(FinishedSignIn { new_session: None, to: "/account".into() })
        }
        SignInPurpose::Join(invitation) => {
            let offer = offer(app, &invitation)?;
            let to = format!("/plans/{}", offer.plan);
            let (person, is_new) = match known {
                Some(person) => (person, false),
                None => {
                    let used = app.throttle.use_secret(&invitation, caller.group());
                    used.map_err(Problem::too_many)?;
                    let people = app.people.clone();
                    let (name, email) = (claimed.name.clone(), claimed.email.clone());
                    let made = changing(move || {
                        // If the provider gives no name, the person can enter one on their account page.
                        let name = name.or(email.clone()).unwrap_or_else(|| "—".into());
                        people.create(&name, email.as_deref(), None, false)
                    });
                    (made.await?, true)
                }
            };
            let new_identity = is_new.then(|| identity(&person.id));
            let seated = async {
                if let Some(identity) = new_identity {
                    let people = app.people.clone();
                    changing(move || people.identify(&identity)).await?;
                    note_verified(app, &provider, &claimed, &person.id).await?;
                }
                join_with_session(app, caller, &offer, &person).await
            };
            let seated = seated.await;
            let new_session = if is_new { or_discard(app, person, seated).await? } else { seated? };
            Ok(FinishedSignIn { new_session: Some(new_session), to })
        }
    }
}

/// Marks a person's e-mail address as confirmed if a trusted provider has confirmed the same address. But an equal
/// e-mail address never links an identity at a provider to a user account: nobody can sign in with an unknown identity.
async fn note_verified(
    app: &App,
    provider: &Provider,
    claimed: &Claimed,
    person: &PersonId,
) -> Result<(), Problem> {
    let email = claimed.email.clone().filter(|_| provider.trust_email && claimed.email_verified);
    let Some(email) = email else { return Ok(()) };
    let (people, person) = (app.people.clone(), person.clone());
    blocking(move || people.verify_email(&person, &email)).await
}
