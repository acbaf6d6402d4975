//! Checks an update against the index: finds what is new in the update, and decides whether the new content may be
//! integrated.
//!
//! A check changes nothing. Its result is recorded after the update has been integrated ([`StructIndex::commit`]).

use super::index::{
    KnownClient, Location, LocationIndex, LocationRuns, StructIndex, extend, find, index,
};
use super::order::{self, Holder};
use super::refusal::Refusal;
use super::scan::{Id, ItemContent, Parent, Range, Scan, Struct, StructBody};
use super::walk::{Front, Visit, causal_walk};
use crate::ids::PersonId;
use crate::limits;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use yrs::{ClientID, ID, IdSet};

/// The additions and deletions of an update that has passed the check. Pass it to [`StructIndex::commit`] after
/// integrating the update.
#[derive(Debug, Default)]
pub struct CheckedUpdate {
    clocks: BTreeMap<u64, u32>,
    pub(super) locations: Vec<Location>,
    location_indexes: HashMap<Location, LocationIndex>,
    pub(super) location_runs: HashMap<u64, LocationRuns>,
    types: HashMap<Id, u8>,
    /// The elements that the update deletes and that were not deleted before.
    deleted: IdSet,
    /// The first element of each new item that is under a key of a map and has several elements.
    keyed: BTreeSet<Id>,
    /// The new elements of those items, except elements that the update deletes and items whose content was collected.
    values: IdSet,
}

impl CheckedUpdate {
    /// Returns whether the update neither adds nor deletes anything new. This is usual for the sync step 2 that a stock
    /// client sends when it connects again.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clocks.is_empty() && self.deleted.is_empty()
    }

    /// Returns the ids of the clients whose new elements are in the update.
    pub(crate) fn clients(&self) -> impl Iterator<Item = u64> {
        self.clocks.keys().copied()
    }

    /// Returns the first element of each new item that is under a key of a map and has several elements. Under a key,
    /// each value replaces the one before, so these items must stay as they were sent.
    pub(crate) fn keyed(&self) -> &BTreeSet<Id> {
        &self.keyed
    }

    /// Returns whether the update would leave several values under one key of a map (rule U14).
    pub(crate) fn leaves_several_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// Returns the ranges that the update deletes and that were not deleted before, each as its client, its first
    /// clock, and the clock after its last.
    pub(crate) fn new_ranges(&self) -> impl Iterator<Item = (u64, u32, u32)> {
        self.deleted.iter().flat_map(|(client, ranges)| {
            ranges.iter().map(move |range| (client.get(), range.start, range.end))
        })
    }
}

impl StructIndex {
    /// Checks an update by `person` against the index.
    ///
    /// # Errors
    /// Returns the refusal if any part of the update may not be integrated. An update is accepted as a whole or not at
    /// all.
    pub fn check(&self, person: &PersonId, scan: &Scan<'_>) -> Result<CheckedUpdate, Refusal> {
        let mut check = Checker { known: self, new: CheckedUpdate::default() };
        check.structs(person, scan)?;
        check.deletes(scan)?;
        Ok(check.new)
    }

    /// Records an update that has been integrated. `novelty` is the result of [`check`](Self::check). `deleted`
    /// contains all elements that yrs reports as deleted, which includes the content of deleted shared types.
    pub fn commit(&mut self, person: &PersonId, novelty: CheckedUpdate, deleted: &IdSet) {
        self.locations.extend(novelty.locations);
        self.location_indexes.extend(novelty.location_indexes);
        let mut location_runs = novelty.location_runs;
        for (client, next) in novelty.clocks {
            let known = self.clients.entry(client).or_insert_with(|| KnownClient {
                next,
                owner: person.clone(),
                location_runs: LocationRuns::new(),
            });
            known.next = next;
            for (clock, location) in location_runs.remove(&client).unwrap_or_default() {
                extend(&mut known.location_runs, clock, location);
            }
        }
        self.types.extend(novelty.types);
        self.deleted.merge_with(deleted.clone());
    }
}

struct Checker<'k> {
    known: &'k StructIndex,
    new: CheckedUpdate,
}

impl Checker<'_> {
    /// Checks the new structs of an update and determines their locations, each struct after the structs that it refers
    /// to.
    fn structs(&mut self, person: &PersonId, scan: &Scan<'_>) -> Result<(), Refusal> {
        let mut fronts: Vec<Front<'_>> = Vec::new();
        for run in &scan.runs {
            let next = self.known.next_clock(run.client);
            let old = run.structs.partition_point(|s| s.end() <= next);
            let new = &run.structs[old..];
            let Some(first) = new.first() else { continue };
            // Rule U3: the new structs of a client continue its clocks without a gap.
            if first.clock > next {
                return Err(Refusal::Gap { client: run.client, expected: next });
            }
            // Rule U2: nobody may write under a client id that belongs to somebody else.
            if self.known.owner(run.client).is_some_and(|owner| owner != person) {
                return Err(Refusal::Forged { client: run.client });
            }
            fronts.push(Front { client: run.client, structs: new });
        }
        // Rule U5: an update brings new structs of at most 64 clients. This also judges stored entries.
        if fronts.len() > limits::MAX_CLIENTS_PER_UPDATE {
            return Err(Refusal::TooManyClients);
        }
        // If the walk ends early, each struct that is left refers to an element that is neither in the document nor in the
        // update, or to another struct that is left, as in a cycle.
        let clients: Vec<u64> = fronts.iter().map(|front| front.client).collect();
        if causal_walk(fronts, |front, item| self.locate(clients[front], item))? {
            Ok(())
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// Determines the location of one struct, and records the struct as visited. Records nothing if the struct refers to
    /// an element that is neither known nor visited yet.
    fn locate(&mut self, client: u64, item: &Struct<'_>) -> Result<Visit, Refusal> {
        let location = match &item.body {
            StructBody::Collected => self.intern(Location::Collected),
            StructBody::Item { origin, right_origin, parent, key, .. } => {
                if let Some(id) = item.references().find(|id| !self.has(*id)) {
                    return Ok(Visit::WaitsFor(id));
                }
                match parent {
                    Some(Parent::Root(name)) => self.at(Holder::Root((*name).into()), *key),
                    Some(Parent::Nested(id)) => self.inside(*id, *key)?,
                    None => self.beside(*origin, *right_origin)?,
                }
            }
        };
        self.continues(client, item, location)?;
        if matches!(item.body, StructBody::Item { content: ItemContent::Type(_), .. }) {
            let depth = self.depth(location) + 1;
            if depth > limits::MAX_NESTING_DEPTH {
                return Err(Refusal::TooDeep);
            }
            let id = Id { client, clock: item.end() - 1 };
            self.new.types.insert(id, depth);
        }
        let from = self.next(client).max(item.clock);
        if item.len > 1 && self.is_keyed(location) {
            self.new.keyed.insert(Id { client, clock: item.clock });
            // Rule U14: only one element under a key is not deleted.
            if !matches!(item.body, StructBody::Item { content: ItemContent::Deleted, .. }) {
                self.new.values.insert(ID::new(ClientID::new(client), from), item.end() - from);
            }
        }
        extend(self.new.location_runs.entry(client).or_default(), from, location);
        self.new.clocks.insert(client, item.end());
        Ok(Visit::Done)
    }

    /// Checks that an item which is partly known names the location of its known part (rule U4). yrs inserts the rest of
    /// the item behind that part, wherever the update says that it belongs. The ledger then names that place, so a replay
    /// could judge the entry in another way.
    fn continues(
        &mut self,
        client: u64,
        item: &Struct<'_>,
        location: LocationIndex,
    ) -> Result<(), Refusal> {
        let next = self.next(client);
        // Garbage has no place.
        if item.clock >= next || matches!(item.body, StructBody::Collected { .. }) {
            return Ok(());
        }
        match self.location_at(Id { client, clock: next - 1 }) {
            Some(known) if known != location => Err(Refusal::Misplaced),
            _ => Ok(()),
        }
    }

    /// Returns the location of an item whose parent is the shared type that `id` created.
    fn inside(&mut self, id: Id, key: Option<&str>) -> Result<LocationIndex, Refusal> {
        if self.type_depth(id).is_some() {
            return Ok(self.at(Holder::Nested(id), key));
        }
        let gone = self.intern(Location::Collected);
        if self.location_at(id) == Some(gone) { Ok(gone) } else { Err(Refusal::Misplaced) }
    }

    fn at(&mut self, parent: Holder, key: Option<&str>) -> LocationIndex {
        self.intern(Location::In(order::Container { parent, key: key.map(Into::into) }))
    }

    /// Returns the location of an item between two elements (rule U4). Both elements must have the same location,
    /// unless one was collected as garbage: the result is then `Collected`.
    fn beside(&mut self, left: Option<Id>, right: Option<Id>) -> Result<LocationIndex, Refusal> {
        let gone = self.intern(Location::Collected);
        let locations: Vec<_> =
            [left, right].into_iter().flatten().filter_map(|id| self.location_at(id)).collect();
        match *locations.as_slice() {
            [location] => Ok(location),
            [a, b] if a == b => Ok(a),
            [a, b] if a == gone || b == gone => Ok(gone),
            _ => Err(Refusal::Misplaced),
        }
    }

    fn next(&self, client: u64) -> u32 {
        self.new.clocks.get(&client).copied().unwrap_or_else(|| self.known.next_clock(client))
    }

    fn has(&self, id: Id) -> bool {
        id.clock < self.next(id.client)
    }

    fn location_at(&self, id: Id) -> Option<LocationIndex> {
        let staged = self.new.location_runs.get(&id.client).and_then(|runs| find(runs, id.clock));
        staged.or_else(|| self.known.location_at(id))
    }

    fn intern(&mut self, location: Location) -> LocationIndex {
        if let Some(&known) = self.known.location_indexes.get(&location) {
            return known;
        }
        if let Some(&staged) = self.new.location_indexes.get(&location) {
            return staged;
        }
        let new = index(self.known.locations.len() + self.new.locations.len());
        self.new.locations.push(location.clone());
        self.new.location_indexes.insert(location, new);
        new
    }

    fn location(&self, index: LocationIndex) -> &Location {
        let index = index as usize;
        let base = self.known.locations.len();
        if index < base { &self.known.locations[index] } else { &self.new.locations[index - base] }
    }

    fn is_keyed(&self, location: LocationIndex) -> bool {
        matches!(self.location(location), Location::In(order::Container { key: Some(_), .. }))
    }

    fn depth(&self, location: LocationIndex) -> u8 {
        match self.location(location) {
            Location::In(order::Container { parent: Holder::Nested(id), .. }) => {
                self.type_depth(*id).unwrap_or(0)
            }
            Location::In(_) | Location::Collected => 0,
        }
    }

    fn type_depth(&self, id: Id) -> Option<u8> {
        self.new.types.get(&id).or_else(|| self.known.types.get(&id)).copied()
    }

    fn deletes(&mut self, scan: &Scan<'_>) -> Result<(), Refusal> {
        // Rule U5. This also judges stored entries.
        if scan.deletes.len() > limits::MAX_DELETED_RANGES {
            return Err(Refusal::TooManyItems);
        }
        // The ranges are inserted into the set in ascending order, so that each is appended at the end of the set. In
        // any other order, each insertion would move the ranges behind the inserted one.
        let mut ranges: Vec<&Range> = scan.deletes.iter().collect();
        ranges.sort_unstable_by_key(|range| (range.client, range.clock));
        for range in ranges {
            if range.clock + range.len > self.next(range.client) {
                return Err(Refusal::DeleteAhead);
            }
            self.new.deleted.insert(ID::new(ClientID::new(range.client), range.clock), range.len);
        }
        self.new.values.diff_with(&self.new.deleted);
        self.new.deleted.diff_with(&self.known.deleted);
        Ok(())
    }
}
