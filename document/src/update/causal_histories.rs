//! Causal histories: the elements that each client must have seen when it wrote its own.
//!
//! A causal history follows from what the client wrote. It consists of the client's own earlier elements, the elements
//! to which these refer, and everything that the writers of the referenced elements had seen when they wrote them.

use super::scan::Id;
use std::collections::{BTreeMap, HashMap};

/// The elements of every other client that one client (the viewer) had seen, by the other client's id. Each pair is the
/// clock of an element of the viewer, and the other client's first clock that the viewer had not seen when it wrote
/// that element.
pub(super) type Sightings = BTreeMap<u64, Vec<(u32, u32)>>;

/// The causal histories of all clients.
#[derive(Debug, Default)]
pub(super) struct CausalHistories(pub(super) HashMap<u64, Sightings>);

impl CausalHistories {
    /// Records that the element of `client` at `clock` refers to the element `seen`. Returns whether the reference
    /// extends the causal history of `client`.
    pub(super) fn note(&mut self, client: u64, clock: u32, seen: Id) -> bool {
        if client == seen.client {
            return false;
        }
        let sightings = self.0.entry(client).or_default().entry(seen.client).or_default();
        let is_news = sightings.last().is_none_or(|&(_, upto)| upto <= seen.clock);
        if is_news {
            sightings.push((clock, seen.clock + 1));
        }
        is_news
    }

    pub(super) fn forget(&mut self, client: u64, seen: u64) {
        if let Some(sightings) = self.0.get_mut(&client).and_then(|all| all.get_mut(&seen)) {
            sightings.pop();
        }
    }

    /// Returns the causal history of an element's writer at the time of writing: for each client, the first clock
    /// that the writer had not seen. Also returns the number of look-ups that this took.
    pub(super) fn history_of(&self, writer: Id) -> (HashMap<u64, u32>, u64) {
        let mut looked_at = 1;
        let mut seen = HashMap::from([(writer.client, writer.clock + 1)]);
        let mut open = vec![(writer.client, writer.clock + 1)];
        while let Some((client, upto)) = open.pop() {
            for (&other, sightings) in self.0.get(&client).into_iter().flatten() {
                looked_at += 1;
                let before = sightings.partition_point(|&(at, _)| at < upto);
                let Some(&(_, clock)) = before.checked_sub(1).map(|at| &sightings[at]) else {
                    continue;
                };
                let known = seen.entry(other).or_default();
                if *known < clock {
                    *known = clock;
                    open.push((other, clock));
                }
            }
        }
        (seen, looked_at)
    }
}
