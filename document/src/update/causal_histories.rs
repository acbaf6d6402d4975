//! Causal histories: the elements that each client must have seen when it wrote its own.
//!
//! A causal history follows from what the client wrote. It consists of the client's own earlier elements, the elements
//! to which these refer, and everything that the writers of the referenced elements had seen when they wrote them.

mod search;

use super::scan::Id;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What one client (the viewer) had seen of another one. Each pair is the clock of an element of the viewer, and the other
/// client's first clock that the viewer had not seen when it wrote that element.
pub(super) type Sightings = Vec<(u32, u32)>;

/// The causal histories of all clients.
#[derive(Debug, Clone, Default)]
pub(super) struct CausalHistories {
    /// The sightings of each viewer of each other client, by the ids of both.
    by_viewer: BTreeMap<(u64, u64), Sightings>,
    /// The same sightings, in another order. Each is the client that was seen, its first clock that the viewer had not seen,
    /// the viewer, and the clock of the viewer's element.
    by_seen: BTreeSet<(u64, u32, u64, u32)>,
}

impl CausalHistories {
    /// Records that the element of `client` at `clock` refers to the element `seen`. Returns whether the reference
    /// extends the causal history of `client`.
    pub(super) fn note(&mut self, client: u64, clock: u32, seen: Id) -> bool {
        if client == seen.client {
            return false;
        }
        let sightings = self.by_viewer.entry((client, seen.client)).or_default();
        let is_news = sightings.last().is_none_or(|&(_, upto)| upto <= seen.clock);
        if is_news {
            let upto = seen.clock + 1;
            sightings.push((clock, upto));
            self.by_seen.insert((seen.client, upto, client, clock));
        }
        is_news
    }

    /// Takes back the last sighting that `client` had of `seen`.
    pub(super) fn forget(&mut self, client: u64, seen: u64) {
        let Entry::Occupied(mut sightings) = self.by_viewer.entry((client, seen)) else { return };
        if let Some((at, upto)) = sightings.get_mut().pop() {
            self.by_seen.remove(&(seen, upto, client, at));
        }
        // A refused update must leave nothing behind, also not in checkpoints.
        if sightings.get().is_empty() {
            sightings.remove();
        }
    }

    /// Returns the clients that had seen others, in ascending order, each with the number of those others.
    pub(super) fn viewers(&self) -> impl Iterator<Item = (u64, usize)> {
        let mut pairs = self.by_viewer.keys().peekable();
        std::iter::from_fn(move || {
            let &(viewer, _) = pairs.next()?;
            let mut others = 1;
            while pairs.next_if(|pair| pair.0 == viewer).is_some() {
                others += 1;
            }
            Some((viewer, others))
        })
    }

    /// Returns the clients that a viewer had seen, each with the viewer's sightings of it.
    pub(super) fn sightings_of(&self, viewer: u64) -> impl Iterator<Item = (u64, &Sightings)> {
        let of_viewer = self.by_viewer.range((viewer, 0)..=(viewer, u64::MAX));
        of_viewer.map(|(&(_, seen), sightings)| (seen, sightings))
    }

    /// Returns the causal histories with these sightings. Each pair of ids is that of a viewer and of a client that it had
    /// seen.
    pub(super) fn restore(sightings: Vec<((u64, u64), Sightings)>) -> Self {
        let by_seen = sightings.iter().flat_map(|((viewer, seen), all)| {
            all.iter().map(|&(at, upto)| (*seen, upto, *viewer, at))
        });
        Self { by_seen: by_seen.collect(), by_viewer: sightings.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests;
