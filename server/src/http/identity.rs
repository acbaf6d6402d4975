//! Who has sent a request, according to the session cookie and the network address, and what this person may do in a
//! plan.

use super::App;
use super::problem::{Problem, blocking};
use crate::fair_queue::Requester;
use crate::people::{DeviceSecrets, SignedIn};
use crate::site::{AddressGroup, Source};
use crate::store::StoreError;
use accord_document::ids::{DocumentId, PlanId};
use accord_document::people::{Action, Actor, Seat, permits};
use accord_document::plan::{Grant, PlanState};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// A person who is signed in by a session cookie.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) by: SignedIn,
    pub(crate) from: IpAddr,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Ok(Caller { address, .. }) = Caller::from_request_parts(parts, app).await;
        let by = by_cookie(&parts.headers, app).await?.ok_or_else(Problem::signed_out)?;
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.is(Requester::from(&by));
        }
        Ok(Self { by, from: address })
    }
}

/// The person who sent a request. The request carries this value, which is empty until the person has been identified
/// by their cookie. Clones share the value.
#[derive(Debug, Clone, Default)]
pub(super) struct Asker(Arc<OnceLock<Requester>>);

impl Asker {
    fn is(&self, requester: Requester) {
        let _ = self.0.set(requester);
    }

    /// Returns the person as a requester, or `None` if the person has not been identified.
    pub(super) fn requester(&self) -> Option<Requester> {
        self.0.get().cloned()
    }
}

impl From<&SignedIn> for Requester {
    fn from(by: &SignedIn) -> Self {
        Self::Person(by.person.id.clone())
    }
}

/// The sender of a request, signed in or not.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// The name of the browser, as the browser sends it (`User-Agent`).
    pub(crate) agent: String,
    /// The secrets from the browser's cookie that show who has signed in on this device before.
    pub(crate) devices: DeviceSecrets,
}

impl Caller {
    /// Returns the address group of the caller. Limits by address are limits of address groups.
    pub(crate) fn group(&self) -> AddressGroup {
        AddressGroup::of(self.address)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned();
        let devices = app.site.devices(&parts.headers).map(DeviceSecrets::parse);
        let address = app.site.address(peer, &parts.headers);
        Ok(Self { address, agent, devices: devices.unwrap_or_default() })
    }
}

/// Guards requests that change something. A request from another site's page is refused, because the browser would send
/// our visitor's cookie with it. An accepted request runs to its end even if the caller hangs up, because some requests
/// take several steps. For example, a user account is created first, and then its seat in a plan.
pub(super) async fn guard_changes(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(next.run(request).await);
    }
    if app.site.source(request.headers()) == Source::Foreign {
        return Err(foreign());
    }
    let (_here, gone) = watch::channel(());
    request.extensions_mut().insert(CallerGone(gone));
    let done = tokio::spawn(next.run(request)).await;
    done.map_err(|error| StoreError::Failed(error.to_string()).into())
}

/// The signal that the caller of a request has hung up. The work of the request does not end by itself in this case,
/// but it can wait for this signal and stop where that is safe.
#[derive(Debug, Clone)]
pub(crate) struct CallerGone(watch::Receiver<()>);

impl CallerGone {
    /// Waits until the caller has hung up.
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent on this channel. An error means that the other end was dropped, because the caller has
        // hung up.
        while self.0.changed().await.is_ok() {}
    }
}

pub(crate) fn foreign() -> Problem {
    Problem::forbidden(
        "This request does not come from Accord's own pages. If you opened Accord at this address, ask its operator to set the address with --public-url.",
    )
}

pub(crate) async fn by_cookie(headers: &HeaderMap, app: &App) -> Result<Option<SignedIn>, Problem> {
    let Some(secret) = app.site.session(headers) else { return Ok(None) };
    let (people, secret) = (app.people.clone(), secret.to_owned());
    blocking(move || {
        let by = people.signed_in(&secret)?;
        if let Some(by) = &by {
            people.sessions().touch(&by.session)?;
        }
        Ok(by)
    })
    .await
}

/// Returns the actor for an action of a person in a plan, and the state of the plan. The person acts in their seat if
/// the seat permits the action. Otherwise they act as an administrator of the installation, if they are one and
/// administrators may take the action.
pub(crate) fn acting(
    app: &App,
    by: &SignedIn,
    plan: &PlanId,
    action: Action,
) -> Result<(Actor, Arc<PlanState>), Problem> {
    let missing = || Problem::missing("plan");
    let state = app.plans.get(plan).ok_or_else(missing)?;
    let standing = state.standing(&by.person.id);
    if let Some(standing) = standing.filter(|standing| permits(standing.seat, action)) {
        return Ok((by.actor(standing), state));
    }
    if by.person.administrator && permits(Seat::Administrator, action) {
        return Ok((by.administrator(), state));
    }
    if standing.is_none() && !by.person.administrator {
        return Err(missing());
    }
    Err(Problem::forbidden("Your role in this plan does not allow this. Ask its facilitator."))
}

/// Checks that a person is an administrator of the installation.
pub(crate) fn administrator(by: &SignedIn) -> Result<(), Problem> {
    if by.person.administrator {
        return Ok(());
    }
    Err(Problem::forbidden("Only an administrator may do that."))
}

/// A document that the person who asks may read.
#[derive(Debug)]
pub(crate) struct Readable {
    pub(crate) id: DocumentId,
    pub(crate) plan: PlanId,
    pub(crate) state: Arc<PlanState>,
    pub(crate) grant: Grant,
}

/// Finds a document that a person may read. The error is the same whether the document does not exist or the person may
/// not read it.
pub(crate) fn readable(app: &App, by: &SignedIn, document: &str) -> Result<Readable, Problem> {
    let id = DocumentId::new(document);
    let missing = || Problem::missing("commitment");
    let (plan, state) = app.plans.home(&id).ok_or_else(missing)?;
    let grant = state.grant(&by.person.id, &id).ok_or_else(missing)?;
    Ok(Readable { id, plan, state, grant })
}

/// Returns the actor for a change to a document, if the person may make the change and the document can be changed now.
pub(super) fn writing(
    app: &App,
    by: &SignedIn,
    found: &Readable,
    action: Action,
) -> Result<Actor, Problem> {
    let (actor, _) = acting(app, by, &found.plan, action)?;
    if !found.grant.may_write {
        return Err(Problem::conflict(
            "resting",
            "This commitment can't be changed: it is archived, or its plan is closed.",
        ));
    }
    Ok(actor)
}
