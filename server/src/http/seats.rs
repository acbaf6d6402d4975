//! `/plans/{plan}/people`: the people who have a seat in a plan, and the invitations to the plan.

use super::App;
use super::extract::{Body, Path};
use super::identity::{Visitor, acting};
use super::invitations::{InvitationEntry, entries};
use super::problem::{Problem, blocking};
use super::views::{FaceView, StandingView, people};
use crate::people::{Purpose, RESET_VALIDITY_MS, SignedIn};
use accord_document::body::Act;
use accord_document::body::AuditAction;
use accord_document::ids::{PersonId, PlanId};
use accord_document::people::{Action, Seat};
use accord_document::plan::ActRefusal;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// The people and invitations of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanPeople {
    /// The title of the plan.
    plan_title: String,
    /// Whether the caller may invite people and change their seats.
    may_manage: bool,
    /// The people who have a seat in the plan, sorted by name.
    people: Vec<SeatEntry>,
    /// The invitations that are neither used nor withdrawn, the newest first. Empty unless the caller may manage
    /// people.
    invitations: Vec<InvitationEntry>,
}

/// A person with their seat (role) in a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeatEntry {
    /// The person who has the seat.
    person: FaceView,
    #[serde(flatten)]
    standing: StandingView,
    /// The e-mail address. `null` unless the caller may manage people.
    email: Option<String>,
    /// Whether the e-mail address is confirmed. Always false unless the caller may manage people.
    email_verified: bool,
}

/// A link with which a person can set a new password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkMade {
    /// The link. It works once, and must be given only to the person whose password it sets.
    pub(super) link: String,
    /// The time until which the link is valid, in milliseconds since the Unix epoch.
    expires: u64,
}

/// Returns the people who have a seat in a plan, and the open invitations.
#[utoipa::path(get, path = "/api/v1/plans/{plan}/people", params(("plan" = String, Path)),
    responses((status = 200, body = PlanPeople), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(plan): Path<String>,
) -> Result<Json<PlanPeople>, Problem> {
    let id = PlanId::new(plan);
    let (_, plan) = acting(&app, &by, &id, Action::SeePeople)?;
    let may_manage = acting(&app, &by, &id, Action::ManagePeople).is_ok();
    let seated = plan.seats().map(|(id, _)| id.clone()).collect();
    let mut entries_of_people = Vec::new();
    for person in people(&app, seated).await? {
        let Some(standing) = plan.standing(&person.id) else { continue };
        let (id, sector) = (person.id.to_string(), standing.sector);
        entries_of_people.push(SeatEntry {
            person: FaceView { id, name: person.name, sector },
            standing: standing.into(),
            email_verified: person.email_verified && may_manage,
            email: person.email.filter(|_| may_manage),
        });
    }
    entries_of_people.sort_by(|a, b| a.person.name.cmp(&b.person.name));
    Ok(Json(PlanPeople {
        plan_title: plan.title().to_owned(),
        may_manage,
        people: entries_of_people,
        invitations: if may_manage { entries(&app, &plan).await? } else { Vec::new() },
    }))
}

/// Changes the seat of a person in a plan. An administrator can also give a seat to a person who has a user account but
/// no seat in the plan.
#[utoipa::path(put, path = "/api/v1/plans/{plan}/people/{person}",
    params(("plan" = String, Path), ("person" = String, Path)), request_body = StandingView,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path((plan, person)): Path<(String, String)>,
    Body(wanted): Body<StandingView>,
) -> Result<StatusCode, Problem> {
    let (plan, person) = (PlanId::new(plan), PersonId::new(person));
    let (mut actor, state) = acting(&app, &by, &plan, Action::ManagePeople)?;
    if state.standing(&person).is_none() {
        if !by.person.administrator {
            return Err(ActRefusal::NotSeated.into());
        }
        let found = people(&app, vec![person.clone()]).await?;
        if !found.iter().any(|person| !person.forgotten) {
            return Err(Problem::missing("person"));
        }
        actor = by.administrator();
    }
    let act = Act::Seat { person, standing: wanted.parse()? };
    app.plans.act(&plan, &actor, act, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the seat of a person in a plan.
#[utoipa::path(delete, path = "/api/v1/plans/{plan}/people/{person}",
    params(("plan" = String, Path), ("person" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn end(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path((plan, person)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (plan, person) = (PlanId::new(plan), PersonId::new(person));
    let (actor, _) = acting(&app, &by, &plan, Action::ManagePeople)?;
    app.plans.act(&plan, &actor, Act::Unseat { person }, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link with which a person of the plan can set a new password.
///
/// A facilitator can do this only for a person who is no administrator and has no seat in a plan that the facilitator
/// does not run.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/people/{person}/reset",
    params(("plan" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = LinkMade), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn reset(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path((plan, person)): Path<(String, String)>,
) -> Result<Json<LinkMade>, Problem> {
    let (plan, person) = (PlanId::new(plan), PersonId::new(person));
    let (actor, state) = acting(&app, &by, &plan, Action::ManagePeople)?;
    if state.standing(&person).is_none() {
        return Err(ActRefusal::NotSeated.into());
    }
    if actor.seat == Seat::Facilitator {
        may_reset(&app, &by, &person).await?;
    }
    let made = make_reset(&app, person.clone()).await?;
    app.plans.record(&actor, AuditAction::MakeResetLink { person }, Some(from)).await?;
    Ok(Json(made))
}

/// Checks that a facilitator may make a link with which a person can set a new password. The link gives access to all
/// plans of this person. So the facilitator must run all of these plans, and the person must not be an administrator.
async fn may_reset(app: &App, by: &SignedIn, person: &PersonId) -> Result<(), Problem> {
    let facilitates_all = app.plans.seating(person).iter().all(|(_, state)| {
        state.standing(&by.person.id).is_some_and(|standing| standing.seat == Seat::Facilitator)
    });
    let found = people(app, vec![person.clone()]).await?;
    if facilitates_all && !found.iter().any(|person| person.administrator) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "This person also has a role in plans that you don't run, so only an administrator can create a link for them.",
    ))
}

/// Makes a link with which a person can set a new password, without checking who asks for the link.
pub(super) async fn make_reset(app: &App, person: PersonId) -> Result<LinkMade, Problem> {
    let people = app.people.clone();
    let purpose = Purpose::Reset { person, mailed_to: None };
    let secret = blocking(move || people.make_link(purpose, RESET_VALIDITY_MS)).await?;
    let link = format!("{}/links/{secret}", app.site.base());
    Ok(LinkMade { link, expires: app.clock.now_ms() + RESET_VALIDITY_MS })
}
