//! `/administration`: the routes for administrators of the installation.

use super::App;
use super::extract::{Body, Path};
use super::identity::{Visitor, administrator};
use super::problem::{Problem, blocking, changing};
use super::provider_sign_in::redirect;
use super::providers::ProviderEntry;
use super::seats::{LinkMade, make_reset};
use super::views::{StandingView, people};
use crate::people::{DeviceSecrets, Person};
use accord_document::body::Act;
use accord_document::body::AuditAction;
use accord_document::ids::PersonId;
use accord_document::people::Seat;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The installation, as its administrators see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Administration {
    /// The version of the server.
    version: &'static str,
    /// All user accounts, sorted by name.
    people: Vec<AccountEntry>,
    /// All plans of the installation.
    plans: Vec<PlanEntry>,
    /// The sign-in providers.
    providers: Vec<ProviderEntry>,
    /// The address to which a provider must send browsers back. The provider asks for it when Accord is registered
    /// there.
    provider_redirect: String,
    /// The disk space of the data folder.
    storage: StorageView,
    /// The state of the running server.
    health: HealthView,
}

/// A user account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountEntry {
    /// The id of the person.
    id: String,
    /// The name of the person.
    name: String,
    /// The e-mail address, or `null` if the account has none.
    email: Option<String>,
    /// Whether the e-mail address is confirmed.
    email_verified: bool,
    /// Whether this person is an administrator of the installation.
    administrator: bool,
    /// The time at which the account was created, in milliseconds since the Unix epoch.
    since: u64,
    /// Number of sessions in which this person is signed in.
    sessions: usize,
    /// The seats (roles) of this person in plans.
    seats: Vec<SeatIn>,
}

/// A person's seat (role) in a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeatIn {
    /// The id of the plan.
    plan: String,
    /// The title of the plan.
    plan_title: String,
    #[serde(flatten)]
    standing: StandingView,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanEntry {
    /// The id of the plan.
    id: String,
    /// The title of the plan.
    title: String,
    /// Whether the plan is closed.
    closed: bool,
    /// Number of people who have a seat in the plan.
    people: usize,
    /// Number of documents of the plan.
    documents: usize,
    /// Whether at least one person is a facilitator of the plan.
    has_facilitator: bool,
}

/// The disk space of the data folder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StorageView {
    /// Space that the stored data takes, in bytes.
    used: u64,
    /// Free space on the disk, in bytes.
    free: u64,
}

/// The state of the running server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// Whether the last commit was saved to disk.
    saving: bool,
    /// Number of documents that are open in memory.
    open_documents: i64,
    /// Number of open sync connections.
    connections: i64,
    /// The ids of plans that are not served because their stored data is damaged.
    damaged_plans: Vec<String>,
}

/// A change of a person's rights in the installation.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PersonChange {
    /// Whether the person is an administrator from now on.
    administrator: bool,
}

/// Returns the user accounts, the plans, the sign-in providers, the storage and the state of the installation.
#[utoipa::path(get, path = "/api/v1/administration", responses(
    (status = 200, body = Administration), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn show(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
) -> Result<Json<Administration>, Problem> {
    administrator(&by)?;
    let (records, store) = (app.people.clone(), app.store.clone());
    let (everybody, providers, space) =
        blocking(move || Ok((records.everybody()?, records.providers()?, store.space()?))).await?;
    let plans = app.plans.all();
    let mut entries: Vec<_> = everybody
        .into_iter()
        .filter(|person| !person.forgotten)
        .map(|person| AccountEntry {
            sessions: app.people.sessions().of(&person.id).len(),
            seats: plans
                .iter()
                .filter_map(|(id, plan)| {
                    Some(SeatIn {
                        plan: id.to_string(),
                        plan_title: plan.title().to_owned(),
                        standing: plan.standing(&person.id)?.into(),
                    })
                })
                .collect(),
            id: person.id.to_string(),
            name: person.name,
            email: person.email,
            email_verified: person.email_verified,
            administrator: person.administrator,
            since: person.since,
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let plan_entries = plans.iter().map(|(id, plan)| PlanEntry {
        id: id.to_string(),
        title: plan.title().to_owned(),
        closed: plan.is_closed(),
        people: plan.seats().count(),
        documents: plan.documents().len(),
        has_facilitator: plan.seats().any(|(_, standing)| standing.seat == Seat::Facilitator),
    });
    Ok(Json(Administration {
        version: env!("CARGO_PKG_VERSION"),
        people: entries,
        plans: plan_entries.collect(),
        providers: providers.into_iter().map(ProviderEntry::from).collect(),
        provider_redirect: redirect(&app),
        storage: StorageView { used: space.used, free: space.free },
        health: HealthView {
            saving: app.committer.is_healthy(),
            open_documents: app.metrics.rooms_open.get(),
            connections: app.metrics.connections_open.get(),
            damaged_plans: app.plans.damaged().iter().map(ToString::to_string).collect(),
        },
    }))
}

/// Gives a person the rights of an administrator of the installation, or takes these rights away.
#[utoipa::path(patch, path = "/api/v1/administration/people/{person}", params(("person" = String, Path)),
    request_body = PersonChange, responses((status = 204), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn change(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(person): Path<String>,
    Body(change): Body<PersonChange>,
) -> Result<StatusCode, Problem> {
    administrator(&by)?;
    let person = PersonId::new(person);
    existing(&app, &person).await?;
    let (people, id) = (app.people.clone(), person.clone());
    changing(move || people.set_administrator(&id, change.administrator)).await?;
    let action = if change.administrator {
        AuditAction::MakeAdministrator { person }
    } else {
        AuditAction::EndAdministrator { person }
    };
    app.plans.record(&by.administrator(), action, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link with which a person can set a new password.
#[utoipa::path(post, path = "/api/v1/administration/people/{person}/reset", params(("person" = String, Path)),
    responses((status = 200, body = LinkMade), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn reset(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(person): Path<String>,
) -> Result<Json<LinkMade>, Problem> {
    administrator(&by)?;
    let person = PersonId::new(person);
    existing(&app, &person).await?;
    let made = make_reset(&app, person.clone()).await?;
    app.plans
        .record(&by.administrator(), AuditAction::MakeResetLink { person }, Some(from))
        .await?;
    Ok(Json(made))
}

/// Ends all sessions of a person, and forgets all of their known devices.
#[utoipa::path(delete, path = "/api/v1/administration/people/{person}/sessions", params(("person" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn end_sessions(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(person): Path<String>,
) -> Result<StatusCode, Problem> {
    administrator(&by)?;
    let person = PersonId::new(person);
    existing(&app, &person).await?;
    let (people, id) = (app.people.clone(), person.clone());
    changing(move || {
        people.sessions().end_all(&id, None)?;
        people.forget_devices(&id, &DeviceSecrets::default())
    })
    .await?;
    app.plans.record(&by.administrator(), AuditAction::EndSessions { person }, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a person for good.
///
/// The person's name, e-mail address and user account are erased, and their seats end. Their text stays, and is
/// attributed to their side.
#[utoipa::path(delete, path = "/api/v1/administration/people/{person}", params(("person" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn forget(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(person): Path<String>,
) -> Result<StatusCode, Problem> {
    administrator(&by)?;
    let id = PersonId::new(person);
    let person = existing(&app, &id).await?;
    let seats = app.plans.seating(&id);
    for (_, plan) in &seats {
        if plan.standing(&id).is_some_and(|standing| standing.signatory) {
            return Err(Problem::conflict(
                "signatory",
                format!(
                    "{} is a signatory in “{}”. Remove them as a signatory first, so that everybody in that plan sees it.",
                    person.name,
                    plan.title()
                ),
            ));
        }
    }
    let (people, asked) = (app.people.clone(), id.clone());
    changing(move || people.may_forget(&asked)).await?;
    for (plan, _) in seats {
        let act = Act::Unseat { person: id.clone() };
        app.plans.act(&plan, &by.administrator(), act, Some(from)).await?;
    }
    let (people, forgotten) = (app.people.clone(), id.clone());
    changing(move || people.forget(&forgotten)).await?;
    app.plans.record(&by.administrator(), AuditAction::Forget { person: id }, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn existing(app: &App, id: &PersonId) -> Result<Person, Problem> {
    let found = people(app, vec![id.clone()]).await?.pop();
    found.filter(|person| !person.forgotten).ok_or_else(|| Problem::missing("person"))
}
