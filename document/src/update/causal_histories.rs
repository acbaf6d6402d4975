//! What each client had seen, at least, when it wrote: its causal history.
//!
//! It follows from what the client wrote: all of its own earlier elements, all that any of them refers to, and all that
//! the writers of those had seen when they wrote them.

use super::scan::Id;
use std::collections::{BTreeMap, HashMap};

/// What a client had seen of each other client: pairs of the clock with which it first showed that, and the first clock
/// that it had not seen.
pub(super) type Sightings = BTreeMap<u64, Vec<(u32, u32)>>;

/// The causal histories of all clients.
#[derive(Debug, Default)]
pub(super) struct CausalHistories(pub(super) HashMap<u64, Sightings>);

impl CausalHistories {
    /// Notes that `client` refers to an element with the one it writes at a clock. Gives whether that is news.
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

    /// Up to which clock of each client somebody had seen, who wrote an element; and at how much one has to look for
    /// that.
    pub(super) fn by(&self, writer: Id) -> (HashMap<u64, u32>, u64) {
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
