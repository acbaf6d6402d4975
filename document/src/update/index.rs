//! The index of all structs that were integrated: whose each client id is, where each element stands, and what is deleted.
//!
//! yrs doesn't say these things. All of them follow from the ledger alone, so that the same update gets the same answer
//! on every node and at every replay. The index keeps its own map of places beside the [`Order`]: once a checkpoint was
//! resumed, the order lacks what yrs has collected as garbage, and the index must still know where that stood.

use super::causal_histories::CausalHistories;
use super::order::{self, Order};
use super::scan::Id;
use crate::ids::PersonId;
use std::collections::{BTreeMap, HashMap};
use yrs::IdSet;
#[cfg(feature = "readable")]
use yrs::{ClientID, ID};

/// Where an element stands, or that its sender had already collected that as garbage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Location {
    In(order::Container),
    Collected,
}

pub(super) type LocationIndex = u32;

/// The places of one client's elements, as runs: from each clock on, until the next.
pub(super) type LocationRuns = Vec<(u32, LocationIndex)>;

/// What has been integrated so far, as far as later updates are judged by it.
#[derive(Debug, Default)]
pub struct StructIndex {
    pub(super) clocks: BTreeMap<u64, u32>,
    pub(super) owners: HashMap<u64, PersonId>,
    pub(super) deleted: IdSet,
    pub(super) places: Vec<Location>,
    pub(super) place_of: HashMap<Location, LocationIndex>,
    pub(super) runs: HashMap<u64, LocationRuns>,
    /// The nesting of each shared type that an element made.
    pub(super) types: HashMap<Id, u8>,
    pub(super) order: Order<()>,
    pub(super) seen: CausalHistories,
}

impl StructIndex {
    /// The person a client id belongs to.
    #[must_use]
    pub fn owner(&self, client: u64) -> Option<&PersonId> {
        self.owners.get(&client)
    }

    #[cfg(feature = "readable")]
    /// What `judge` says of the places that hold something which is not deleted.
    pub(crate) fn occupied<T>(&self, judge: impl Fn(&order::Container) -> Option<T>) -> Vec<T> {
        let mut judged: Vec<Option<T>> = self
            .places
            .iter()
            .map(|place| match place {
                Location::In(place) => judge(place),
                Location::Collected => None,
            })
            .collect();
        let mut all = Vec::new();
        for (client, runs) in &self.runs {
            let ends = runs.iter().skip(1).map(|&(from, _)| from).chain([self.next_clock(*client)]);
            for (&(from, place), end) in runs.iter().zip(ends) {
                let said = &mut judged[place as usize];
                if said.is_none() {
                    continue;
                }
                let mut here = IdSet::new();
                here.insert(ID::new(ClientID::new(*client), from), end - from);
                if !here.diff(&self.deleted).is_empty() {
                    all.extend(said.take());
                }
            }
        }
        all
    }

    #[cfg(feature = "readable")]
    /// Where an element stands, unless it was collected as garbage.
    pub(crate) fn stands_at(&self, id: Id) -> Option<&order::Container> {
        match &self.places[find(self.runs.get(&id.client)?, id.clock)? as usize] {
            Location::In(place) => Some(place),
            Location::Collected => None,
        }
    }

    /// The clocks of the run of elements that holds one, where its place in the order is kept: at least those of
    /// its item.
    pub(super) fn extent(&self, id: Id) -> Option<(u32, u32)> {
        let run = &self.order.runs[self.order.holding(self.order.name(id))? as usize];
        Some((run.name.clock, run.name.clock + run.len))
    }

    /// Whether all of these elements are here, deleted or not.
    #[must_use]
    pub fn has(&self, first: Id, len: u32) -> bool {
        first.clock + len <= self.next_clock(first.client)
    }

    /// The first clock of a client that is not here yet.
    pub(crate) fn next_clock(&self, client: u64) -> u32 {
        self.clocks.get(&client).copied().unwrap_or(0)
    }
}

/// Lets everything from `clock` on stand at `place`.
pub(super) fn extend(runs: &mut LocationRuns, clock: u32, place: LocationIndex) {
    if runs.last().is_none_or(|&(_, last)| last != place) {
        runs.push((clock, place));
    }
}

pub(super) fn find(runs: &LocationRuns, clock: u32) -> Option<LocationIndex> {
    let after = runs.partition_point(|&(from, _)| from <= clock);
    after.checked_sub(1).map(|at| runs[at].1)
}

pub(super) fn index(len: usize) -> LocationIndex {
    LocationIndex::try_from(len).expect("fewer places than clocks, which fit 32 bits")
}
