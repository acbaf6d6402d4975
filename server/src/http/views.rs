//! What several resources answer with: people and their places, what was done, and providers to sign in with.

use super::App;
use super::problem::{Problem, blocking};
use crate::people::{Person, Provider};
use accord_document::ids::PersonId;
use accord_document::people::{Seat, Sector, Standing};
use accord_document::plan::PlanState;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A place in a plan.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = Standing)]
pub(crate) struct StandingView {
    pub(crate) seat: Seat,
    pub(crate) sector: Sector,
    /// Whether this person may approve a freeze for their sector.
    #[serde(default)]
    pub(crate) signatory: bool,
}

impl From<Standing> for StandingView {
    fn from(Standing { seat, sector, signatory }: Standing) -> Self {
        Self { seat, sector, signatory }
    }
}

impl StandingView {
    /// The standing it describes.
    ///
    /// # Errors
    /// When there is no such standing.
    pub(crate) fn parse(self) -> Result<Standing, Problem> {
        Standing::new(self.seat, self.sector, self.signatory)
            .map_err(|error| Problem::invalid(error.to_string()))
    }
}

/// Somebody as those in a plan see them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Face)]
pub(crate) struct FaceView {
    pub(crate) id: String,
    /// Empty for a person who was forgotten.
    pub(crate) name: String,
    pub(crate) sector: Sector,
}

/// The people with these ids, as members of a plan see them. A person who never had a seat in it is of the sector
/// `other`.
pub(crate) async fn faces(
    app: &App,
    plan: &PlanState,
    ids: Vec<PersonId>,
) -> Result<HashMap<PersonId, FaceView>, Problem> {
    let people = people(app, ids).await?;
    let face = |person: Person| {
        let sector = plan.last_standing(&person.id).map_or(Sector::Other, |s| s.sector);
        let view = FaceView { id: person.id.to_string(), name: person.name, sector };
        (person.id, view)
    };
    Ok(people.into_iter().map(face).collect())
}

/// The records of people.
pub(crate) async fn people(app: &App, mut ids: Vec<PersonId>) -> Result<Vec<Person>, Problem> {
    ids.sort();
    ids.dedup();
    let people = app.people.clone();
    blocking(move || {
        let found: Result<Vec<_>, _> = ids.iter().map(|id| people.person(id)).collect();
        Ok(found?.into_iter().flatten().collect())
    })
    .await
}

/// Where the ledger stands once something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    pub(super) seq: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderView {
    id: String,
    name: String,
}

impl From<Provider> for ProviderView {
    fn from(Provider { id, name, .. }: Provider) -> Self {
        Self { id, name }
    }
}
