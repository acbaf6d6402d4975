//! `/invitations`: the links with which people join a plan.

use super::App;
use super::cleaning::cleaned_line;
use super::extract::{Body, Path};
use super::identity::{Caller, Visitor, acting, by_cookie};
use super::links::NewAccount;
use super::problem::{Problem, blocking, changing};
use super::session::{self, NewSession, SessionView};
use super::views::{FaceView, StandingView, faces};
use crate::people::{Invited, Person, SignedIn, digest, secret};
use crate::plans::ActError;
use accord_document::body::Act;
use accord_document::ids::{Digest, PlanId, SessionId};
use accord_document::people::Action;
use accord_document::plan::{ActRefusal, Invitation, InvitationStatus, PlanState};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Default validity of an invitation, in days.
const DEFAULT_VALIDITY_DAYS: u32 = 14;
/// Maximum validity of an invitation, in days.
const MAX_VALIDITY_DAYS: u32 = 90;
/// Maximum number of invitations in one request.
const MAX_INVITATIONS_PER_REQUEST: usize = 200;
/// Maximum length of a label, in characters.
const MAX_LABEL_CHARS: usize = 200;

/// Invitations to make.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewInvitations {
    /// The invitations, from 1 to 200.
    invitations: Vec<NewInvitation>,
    /// Number of days for which the invitations are valid, from 1 to 90. If absent, 14.
    days: Option<u32>,
}

/// An invitation to make, for one person.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewInvitation {
    /// A label that says for whom the invitation is, in any words.
    #[serde(default)]
    label: String,
    #[serde(flatten)]
    standing: StandingView,
}

/// A new invitation with its link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeInvitation {
    /// The id of the invitation.
    id: String,
    /// The label that says for whom the invitation is.
    label: String,
    /// The link. Only this answer contains it. The first person who accepts the invitation with the link joins the
    /// plan.
    link: String,
}

/// An open invitation, as the people who manage the plan see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationEntry {
    /// The id of the invitation.
    id: String,
    /// The label that says for whom the invitation is.
    label: String,
    #[serde(flatten)]
    standing: StandingView,
    /// The person who made the invitation, or `null` if the server has no record of them.
    made_by: Option<FaceView>,
    /// The time at which the invitation was made, in milliseconds since the Unix epoch.
    made: u64,
    /// The time until which the invitation is valid, in milliseconds since the Unix epoch.
    expires: u64,
    /// Whether the invitation has expired.
    expired: bool,
}

/// An invitation, as the invited person sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationView {
    /// The id of the plan.
    plan: String,
    /// The title of the plan.
    plan_title: String,
    /// The person who made the invitation, or `null` if the server has no record of them.
    invited_by: Option<FaceView>,
    #[serde(flatten)]
    standing: StandingView,
    /// The time until which the invitation is valid, in milliseconds since the Unix epoch.
    expires: u64,
    /// Whether the signed-in person already has a seat in this plan.
    seated: bool,
}

/// The user account with which somebody joins a plan.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Joining {
    /// The user account to create, for a visitor who is not signed in. If absent, the signed-in person joins the plan.
    account: Option<NewAccount>,
}

/// Returns the open invitations of a plan, the newest first.
pub(super) async fn entries(app: &App, plan: &PlanState) -> Result<Vec<InvitationEntry>, Problem> {
    let open =
        plan.invitations().filter(|(_, invitation)| invitation.status == InvitationStatus::Open);
    let open: Vec<_> = open.map(|(digest, invitation)| (*digest, invitation.clone())).collect();
    let makers = open.iter().map(|(_, invitation)| invitation.made_by.clone()).collect();
    let known = faces(app, plan, makers).await?;
    let people = app.people.clone();
    let digests: Vec<_> = open.iter().map(|(digest, _)| *digest).collect();
    let labels = blocking(move || {
        digests.iter().map(|digest| people.invited(digest)).collect::<Result<Vec<_>, _>>()
    });
    let now = app.clock.now_ms();
    let mut entries: Vec<_> = open
        .into_iter()
        .zip(labels.await?)
        .map(|((digest, invitation), invited)| InvitationEntry {
            id: digest.to_string(),
            label: invited.unwrap_or_default().label,
            standing: invitation.standing.into(),
            made_by: known.get(&invitation.made_by).cloned(),
            made: invitation.made,
            expires: invitation.expires,
            expired: now >= invitation.expires,
        })
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.made));
    Ok(entries)
}

/// Makes invitations to a plan, each for one person.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/invitations", params(("plan" = String, Path)),
    request_body = NewInvitations, responses(
    (status = 201, body = [MadeInvitation]), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn make(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Body(wanted): Body<NewInvitations>,
) -> Result<(StatusCode, Json<Vec<MadeInvitation>>), Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::ManagePeople)?;
    if wanted.invitations.is_empty() || wanted.invitations.len() > MAX_INVITATIONS_PER_REQUEST {
        return Err(Problem::invalid(format!(
            "Invite 1 to {MAX_INVITATIONS_PER_REQUEST} people at a time."
        )));
    }
    let days = wanted.days.unwrap_or(DEFAULT_VALIDITY_DAYS);
    if !(1..=MAX_VALIDITY_DAYS).contains(&days) {
        return Err(Problem::invalid(format!(
            "An invitation can be valid for 1 to {MAX_VALIDITY_DAYS} days."
        )));
    }
    let expires = app.clock.now_ms() + u64::from(days) * 86_400_000;
    let (mut made, mut acts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for NewInvitation { label, standing } in wanted.invitations {
        let label = cleaned_line(&label)?;
        if label.chars().count() > MAX_LABEL_CHARS {
            return Err(Problem::invalid(format!(
                "A label can have at most {MAX_LABEL_CHARS} characters."
            )));
        }
        let secret = secret();
        let invitation = digest(&secret);
        acts.push(Act::Invite { invitation, standing: standing.parse()?, expires });
        notes.push((invitation, Invited { label: label.clone() }));
        let link = format!("{}/invitations/{secret}", app.site.base());
        made.push(MadeInvitation { id: invitation.to_string(), label, link });
    }
    app.plans.act_all(&plan, &actor, acts, Some(from)).await?;
    let people = app.people.clone();
    blocking(move || people.note_invited(&notes)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Withdraws an invitation to a plan.
#[utoipa::path(delete, path = "/api/v1/plans/{plan}/invitations/{invitation}",
    params(("plan" = String, Path), ("invitation" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn revoke(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path((plan, invitation)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::ManagePeople)?;
    let invitation: Digest = invitation.parse().map_err(|_| ActRefusal::NoInvitation)?;
    app.plans.act(&plan, &actor, Act::Revoke { invitation }, Some(from)).await?;
    let people = app.people.clone();
    blocking(move || people.forget_invited(&invitation)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) struct Offer {
    digest: Digest,
    pub(super) plan: PlanId,
    state: Arc<PlanState>,
    invitation: Invitation,
}

/// Finds an invitation by its secret, and checks that it can be used now.
pub(super) fn offer(app: &App, secret: &str) -> Result<Offer, Problem> {
    let digest = digest(secret);
    let (plan, state) = app.plans.inviting(&digest).ok_or(ActRefusal::NoInvitation)?;
    let invitation = state.invitation(&digest).cloned().ok_or(ActRefusal::NoInvitation)?;
    invitation.check(app.clock.now_ms())?;
    if state.is_closed() {
        return Err(ActRefusal::Closed.into());
    }
    Ok(Offer { digest, plan, state, invitation })
}

/// Returns the plan and the role that an invitation offers.
#[utoipa::path(get, path = "/api/v1/invitations/{secret}", params(("secret" = String, Path)),
    responses((status = 200, body = InvitationView), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Json<InvitationView>, Problem> {
    let Offer { plan, state, invitation, .. } = offer(&app, &secret)?;
    let by = by_cookie(&headers, &app).await?;
    let seated = by.is_some_and(|by| state.standing(&by.person.id).is_some());
    let maker = vec![invitation.made_by.clone()];
    Ok(Json(InvitationView {
        plan: plan.to_string(),
        plan_title: state.title().to_owned(),
        invited_by: faces(&app, &state, maker).await?.remove(&invitation.made_by),
        standing: invitation.standing.into(),
        expires: invitation.expires,
        seated,
    }))
}

/// Accepts an invitation and joins its plan, as the signed-in person or with a new user account.
#[utoipa::path(post, path = "/api/v1/invitations/{secret}", params(("secret" = String, Path)),
    request_body = Joining, responses((status = 200, body = SessionView), (status = 401, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn accept(
    State(app): State<App>,
    Path(secret): Path<String>,
    caller: Caller,
    headers: HeaderMap,
    Body(joining): Body<Joining>,
) -> Result<Response, Problem> {
    let offer = offer(&app, &secret)?;
    let Some(NewAccount { name, email, password }) = joining.account else {
        let by = by_cookie(&headers, &app).await?.ok_or_else(Problem::signed_out)?;
        join(&app, &offer, &by).await?;
        return Ok(Json(SessionView::of(&by.person)).into_response());
    };
    let lane = app.throttle.use_secret(&secret, caller.group()).map_err(Problem::too_many)?;
    let hash = app.passwords.hash(lane, &password, &[&name, &email]).await?;
    let people = app.people.clone();
    let person = changing(move || people.create(&name, Some(&email), Some(&hash), false)).await?;
    let joined = join_with_session(&app, &caller, &offer, &person).await;
    let new_session = or_discard(&app, person.clone(), joined).await?;
    Ok(session::answer(&app, &person, &new_session))
}

/// Begins a session for a person who accepts an invitation, and gives them the seat. If the seat can't be given, the
/// session ends again.
pub(super) async fn join_with_session(
    app: &App,
    caller: &Caller,
    offer: &Offer,
    person: &Person,
) -> Result<NewSession, Problem> {
    let new_session = session::open(app, caller, person.id.clone()).await?;
    let session = SessionId::new(digest(&new_session.session).to_string());
    let by = SignedIn { person: person.clone(), session: session.clone() };
    let Err(refused) = join(app, offer, &by).await else { return Ok(new_session) };
    let people = app.people.clone();
    let ended = blocking(move || people.sessions().end(&session)).await;
    note_left("session", ended);
    Err(refused.into())
}

/// Logs an error if the session or account of a person who could not join can't be removed. The person only gets the
/// reason why they could not join.
fn note_left(what: &str, removed: Result<(), Problem>) {
    if let Err(error) = removed {
        tracing::error!(?error, "the {what} of a person who could not join can't be removed");
    }
}

async fn join(app: &App, offer: &Offer, by: &SignedIn) -> Result<(), ActError> {
    let actor = by.actor(offer.invitation.standing);
    let (plan, invitation) = (&offer.plan, offer.digest);
    app.plans.act(plan, &actor, Act::Join { invitation }, None).await?;
    let people = app.people.clone();
    // The user account of the person who joined now says for whom the invitation was, so the invitation's label is
    // removed. If the removal fails, the remaining label does no harm.
    let _ = tokio::task::spawn_blocking(move || people.forget_invited(&invitation)).await;
    Ok(())
}

/// Returns the outcome for a person with a new user account. If the person could not join, the account is removed
/// again.
pub(super) async fn or_discard<T>(
    app: &App,
    person: Person,
    outcome: Result<T, Problem>,
) -> Result<T, Problem> {
    if outcome.is_err() {
        let people = app.people.clone();
        note_left("account", blocking(move || people.discard(&person)).await);
    }
    outcome
}
