//! The views that several routes return: people and their seats, the result of a change, and sign-in providers.

use super::App;
use super::problem::{Problem, blocking};
use crate::people::{Person, Provider};
use accord_document::ids::PersonId;
use accord_document::people::{Seat, Sector, Standing};
use accord_document::plan::PlanState;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// The standing of a person in a plan: their seat (role), their side, and whether they can sign.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = Standing)]
pub(crate) struct StandingView {
    /// The seat (role).
    pub(crate) seat: Seat,
    /// The side that the person represents.
    pub(crate) sector: Sector,
    /// Whether this person may sign releases for their side.
    #[serde(default)]
    pub(crate) signatory: bool,
}

impl From<Standing> for StandingView {
    fn from(Standing { seat, sector, signatory }: Standing) -> Self {
        Self { seat, sector, signatory }
    }
}

impl StandingView {
    /// Returns the standing that the view describes.
    ///
    /// # Errors
    /// Returns an error if the seat, the side and the mark of a signatory do not go together.
    pub(crate) fn parse(self) -> Result<Standing, Problem> {
        Standing::new(self.seat, self.sector, self.signatory)
            .map_err(|error| Problem::invalid(error.to_string()))
    }
}

/// A person, as the members of a plan see them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Face)]
pub(crate) struct FaceView {
    /// The id of the person.
    pub(crate) id: String,
    /// The name of the person. Empty for a person who was forgotten.
    pub(crate) name: String,
    /// The side that the person represents. `other` for a person who never had a seat in the plan.
    pub(crate) sector: Sector,
}

/// Returns the people with these ids, as the members of a plan see them, in a map by id. A person who never had a seat
/// in the plan gets the sector `other`.
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

/// Returns the records of the people with these ids, each record once. Unknown ids are left out.
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

/// The result of a change to a document or plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Done)]
pub(crate) struct ChangeResult {
    /// The number of the change's last entry in the ledger. If nothing had to change, the number of the ledger's last
    /// entry.
    pub(super) seq: u64,
}

/// A sign-in provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderView {
    /// The id of the provider.
    id: String,
    /// The name of the provider on the sign-in page.
    name: String,
}

impl From<Provider> for ProviderView {
    fn from(Provider { id, name, .. }: Provider) -> Self {
        Self { id, name }
    }
}
