//! The index of all integrated structs: the owner of each client id, the container of each element, and the deleted
//! elements.
//!
//! yrs has no public way to ask for these facts. All of them follow from the ledger alone, so an update is judged in
//! the same way on every node and at every replay. After a checkpoint is loaded, the [`Order`] lacks the elements that
//! yrs has collected as garbage. The index must still know the containers of those elements, so it has a map of
//! locations beside the order.

use super::causal_histories::CausalHistories;
use super::order::{self, Order};
use super::scan::Id;
use crate::ids::PersonId;
use std::collections::HashMap;
use yrs::IdSet;
#[cfg(feature = "readable")]
use yrs::{ClientID, ID};

/// The location of an element: its container, or `Collected` if the container is unknown because the sender of the
/// element had already collected the element, its parent or a neighbour as garbage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Location {
    In(order::Container),
    Collected,
}

pub(super) type LocationIndex = u32;

/// The locations of one client's elements, as runs. Each location applies from its clock up to the clock of the next
/// run.
pub(super) type LocationRuns = Vec<(u32, LocationIndex)>;

/// The facts about the structs of one client. They are in one record, because a document has many clients.
#[derive(Debug, Clone)]
pub(super) struct KnownClient {
    /// The first clock that the document does not contain yet.
    pub(super) next: u32,
    /// The person to whom the client id belongs.
    pub(super) owner: PersonId,
    pub(super) location_runs: LocationRuns,
}

/// The facts about all integrated structs by which later updates are checked.
#[derive(Debug, Clone, Default)]
pub struct StructIndex {
    pub(super) clients: HashMap<u64, KnownClient>,
    pub(super) deleted: IdSet,
    pub(super) locations: Vec<Location>,
    pub(super) location_indexes: HashMap<Location, LocationIndex>,
    /// The nesting depth of each shared type, by the element that created the type.
    pub(super) types: HashMap<Id, u8>,
    pub(super) order: Order<()>,
    pub(super) seen: CausalHistories,
}

impl StructIndex {
    /// Returns the person to whom a client id belongs, or `None` if nobody has written under it.
    #[must_use]
    pub fn owner(&self, client: u64) -> Option<&PersonId> {
        self.clients.get(&client).map(|known| &known.owner)
    }

    #[cfg(feature = "readable")]
    /// Applies `judge` to each container. Returns the results that are `Some`, without those of containers in which all
    /// elements are deleted.
    pub(crate) fn occupied<T>(&self, judge: impl Fn(&order::Container) -> Option<T>) -> Vec<T> {
        let mut judged: Vec<Option<T>> = self
            .locations
            .iter()
            .map(|location| match location {
                Location::In(container) => judge(container),
                Location::Collected => None,
            })
            .collect();
        let mut all = Vec::new();
        for (client, known) in &self.clients {
            let runs = &known.location_runs;
            let ends = runs.iter().skip(1).map(|&(from, _)| from).chain([known.next]);
            for (&(from, location), end) in runs.iter().zip(ends) {
                let judgement = &mut judged[location as usize];
                if judgement.is_none() {
                    continue;
                }
                let mut here = IdSet::new();
                here.insert(ID::new(ClientID::new(*client), from), end - from);
                if !here.diff(&self.deleted).is_empty() {
                    all.extend(judgement.take());
                }
            }
        }
        all
    }

    #[cfg(feature = "readable")]
    /// Returns the container of a known element, or `None` if the element was collected as garbage.
    pub(crate) fn container_of(&self, id: Id) -> Option<&order::Container> {
        match &self.locations[self.location_at(id)? as usize] {
            Location::In(container) => Some(container),
            Location::Collected => None,
        }
    }

    /// Returns the first clock of the run that contains an element in the order, and the clock after the run's last.
    /// The run covers at least the element's item in yrs. Returns `None` if the order does not contain the element.
    pub(super) fn extent(&self, id: Id) -> Option<(u32, u32)> {
        let run = &self.order.runs[self.order.holding(self.order.compact_id(id))? as usize];
        Some((run.id.clock, run.id.clock + run.len))
    }

    /// Returns whether the document contains all `len` elements from `first` on, deleted or not.
    #[must_use]
    pub fn has(&self, first: Id, len: u32) -> bool {
        first.clock + len <= self.next_clock(first.client)
    }

    /// Returns the client's first clock that the document does not contain yet.
    pub(crate) fn next_clock(&self, client: u64) -> u32 {
        self.clients.get(&client).map_or(0, |known| known.next)
    }

    /// Returns the location of an element, or `None` if the document does not contain the element.
    pub(super) fn location_at(&self, id: Id) -> Option<LocationIndex> {
        find(&self.clients.get(&id.client)?.location_runs, id.clock)
    }
}

/// Records that the elements from `clock` on are at a location.
pub(super) fn extend(runs: &mut LocationRuns, clock: u32, location: LocationIndex) {
    if runs.last().is_none_or(|&(_, last)| last != location) {
        runs.push((clock, location));
    }
}

pub(super) fn find(runs: &LocationRuns, clock: u32) -> Option<LocationIndex> {
    let after = runs.partition_point(|&(from, _)| from <= clock);
    after.checked_sub(1).map(|at| runs[at].1)
}

pub(super) fn index(len: usize) -> LocationIndex {
    LocationIndex::try_from(len).expect("fewer places than clocks, which fit 32 bits")
}
