//! Launches, which publish releases of a plan together, and the progress of each commitment towards publication.

use super::App;
use super::extract::{Body, Path};
use super::identity::{Visitor, acting};
use super::problem::Problem;
use super::views::ChangeResult;
use crate::people::SignedIn;
use crate::rooms::OpenError;
use accord_document::body::{Act, LaunchedRelease};
use accord_document::ids::{DocumentId, PlanId, Seq};
use accord_document::people::{Action, Sector};
use accord_document::plan::{Launch, LaunchStatus, LaunchTimeError, PlanState, Stage, opening};
use accord_document::release::{Proposal, ProposalStatus, Releases};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The progress of a document towards publication.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// The stage: `drafting`, `proposed` (waits for signatures), `stale` (the text has changed since it was proposed),
    /// `frozen` (signed), `waiting` (for its launch) or `public`.
    stage: &'static str,
    /// The number of the release that the stage is about. While drafting, the number of the last release, or 0 if there
    /// is none.
    number: u32,
    /// The sides that have signed the open proposal, once for each signature.
    signed: Vec<Sector>,
    /// The time at which the release became or will become public, in milliseconds since the Unix epoch. `null` unless
    /// the stage is `waiting` or `public`.
    #[serde(rename = "opens")]
    public_from: Option<u64>,
    /// Whether the document has a release and its last release is not launched yet.
    launchable: bool,
}

impl Progress {
    pub(super) fn of(plan: &PlanState, document: &DocumentId, releases: &Releases) -> Self {
        let last = releases.all().last();
        let number = last.map_or(0, |release| release.number);
        let launchable = number > 0 && plan.launch_for(document, number).is_none();
        if let Some(open) = releases.open() {
            let stage = if releases.is_stale(open) { "stale" } else { "proposed" };
            let signed = open.signatures.iter().map(|mark| mark.sector).collect();
            return Self { stage, number: number + 1, signed, public_from: None, launchable };
        }
        if !releases.is_frozen() {
            return Self { stage: "drafting", number, launchable, ..Self::default() };
        }
        let launch = plan.launch_for(document, number);
        let stage = match launch {
            None => "frozen",
            Some(launch) if launch.is_public() => "public",
            Some(_) => "waiting",
        };
        Self {
            stage,
            number,
            public_from: launch.map(Launch::public_from),
            launchable,
            ..Self::default()
        }
    }
}

/// A launch: releases of a plan that become public together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LaunchView {
    /// The number of the entry that made the launch. Routes identify the launch by this number.
    seq: u64,
    /// The time at which the releases became or will become public, in milliseconds since the Unix epoch.
    #[serde(rename = "opens")]
    public_from: u64,
    /// The time zone in which the time of the launch was chosen (an IANA name).
    zone: String,
    /// The state of the launch: `waiting`, `public` or `called_off`.
    #[serde(rename = "fate")]
    status: &'static str,
    /// The releases of the launch.
    documents: Vec<LaunchedView>,
}

/// A release in a launch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LaunchedView {
    /// The id of the document.
    document: String,
    /// The number of the release.
    number: u32,
    /// The SHA-256 digest of the release, in hexadecimal.
    digest: String,
}

/// A launch to make.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewLaunch {
    /// The ids of the documents whose last releases are launched.
    documents: Vec<String>,
    /// The time at which the releases become public, in milliseconds since the Unix epoch. If absent, they become
    /// public immediately. The time can be at most one minute in the past and a hundred years in the future.
    #[serde(rename = "opens")]
    opens_at: Option<u64>,
    /// The time zone in which the launch time was entered (an IANA name).
    zone: String,
}

pub(super) fn views(plan: &PlanState) -> Vec<LaunchView> {
    let view = |launch: &Launch| LaunchView {
        seq: launch.seq.0,
        public_from: launch.public_from(),
        zone: launch.zone.clone(),
        status: match launch.status {
            LaunchStatus::Waiting => "waiting",
            LaunchStatus::Published(_) => "public",
            LaunchStatus::CalledOff(_) => "called_off",
        },
        documents: launch.releases.iter().map(launched).collect(),
    };
    plan.launches().iter().map(view).collect()
}

fn launched(one: &LaunchedRelease) -> LaunchedView {
    LaunchedView {
        document: one.document.to_string(),
        number: one.number,
        digest: one.digest.to_string(),
    }
}

/// Launches the last releases of some documents, so that these releases become public together.
///
/// They become public immediately or at a given time. Only facilitators can launch.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/launches", params(("plan" = String, Path)),
    request_body = NewLaunch, responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn launch(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Body(new): Body<NewLaunch>,
) -> Result<Json<ChangeResult>, Problem> {
    let plan = PlanId::new(plan);
    let (actor, state) = acting(&app, &by, &plan, Action::SteerReleases)?;
    let zone = Zone::read(&new.zone)?;
    zone.opening(new.opens_at, app.clock.now_ms())?;
    let mut releases = Vec::new();
    for document in new.documents.into_iter().map(DocumentId::new) {
        let known = state.document(&document).filter(|known| known.stage != Stage::Deleted);
        known.ok_or_else(|| Problem::missing("commitment"))?;
        let path = app.rooms.handle(&document, &by).releases().await?;
        let Some(last) = path.all().last() else {
            let message =
                "One of these commitments can't be launched yet: both sides must sign it first.";
            return Err(Problem::conflict("unsigned", message));
        };
        let digest = path.proposal_of(last).digest;
        releases.push(LaunchedRelease { document, number: last.number, digest });
    }
    // The time is checked again, because the rooms could have taken long to answer.
    let opens_at = zone.opening(new.opens_at, app.clock.now_ms())?;
    let act = Act::Launch { releases, opens_at, zone: zone.name };
    app.plans.act(&plan, &actor, act, Some(from)).await?;
    let launches = app.plans.get(&plan).map(|state| state.launches().to_vec());
    let seq = launches.unwrap_or_default().last().map_or(Seq(0), |launch| launch.seq);
    // This makes a launch without a delay public before the answer is sent.
    app.plans.publish_due().await?;
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Calls off a launch whose time has not come yet. Only facilitators can call it off.
#[utoipa::path(delete, path = "/api/v1/plans/{plan}/launches/{launch}",
    params(("plan" = String, Path), ("launch" = u64, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn call_off(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path((plan, launch)): Path<(String, u64)>,
) -> Result<StatusCode, Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::SteerReleases)?;
    app.plans.act(&plan, &actor, Act::CallOff { launch: Seq(launch) }, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A time zone of the IANA database.
struct Zone {
    /// The name as the IANA database spells it.
    name: String,
    zone: TimeZone,
}

impl Zone {
    fn read(name: &str) -> Result<Self, Problem> {
        // “Factory” is the zone of a machine on which nobody has set a time zone.
        let is_place = |zone: &TimeZone| !zone.is_unknown() && zone.iana_name() != Some("Factory");
        let known = TimeZone::get(name).ok().filter(is_place);
        let known = known.and_then(|zone| Some((zone.iana_name()?.to_owned(), zone)));
        let (name, zone) = known.ok_or_else(|| Problem::invalid("There is no such time zone."))?;
        Ok(Self { name, zone })
    }

    /// Returns the time at which a launch makes its releases public, in milliseconds since the Unix epoch, or a problem
    /// that says why the wanted time is not allowed.
    fn opening(&self, wanted: Option<u64>, now: u64) -> Result<u64, Problem> {
        opening(wanted, now).map_err(|untimely| {
            let now = i64::try_from(now).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            let now = now.map(|now| self.zone.to_datetime(now).strftime("%-d %B %Y, %H:%M").to_string());
            let (now, zone) = (now.unwrap_or_default(), &self.name);
            Problem::invalid(match untimely {
                LaunchTimeError::Past => format!(
                    "This time is in the past: it is {now} now ({zone}). Choose a later time, or launch now."
                ),
                LaunchTimeError::Far => format!(
                    "This time is more than a hundred years ahead: it is {now} now ({zone}). Choose an earlier time."
                ),
            })
        })
    }
}

/// Returns whether a document was ever frozen, in which case it can't be deleted. A damaged document can be deleted
/// even if it has a release, because nobody could read that release.
pub(super) async fn was_released(
    app: &App,
    by: &SignedIn,
    document: &DocumentId,
) -> Result<bool, OpenError> {
    let is_frozen = |proposal: &Proposal| matches!(proposal.status, ProposalStatus::Frozen { .. });
    match app.rooms.handle(document, by).releases().await {
        Ok(path) => Ok(path.proposals().iter().any(is_frozen)),
        Err(error) if error.is_damage() => Ok(false),
        Err(error) => Err(error),
    }
}
