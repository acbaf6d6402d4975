//! Searches whether a writer had seen one of some elements, from the writer back or from the elements forward. Each step of
//! a search looks at one sighting.

use super::{CausalHistories, Sightings};
use crate::update::scan::Id;
use std::collections::{BTreeMap, HashMap, btree_map, btree_set};

impl CausalHistories {
    /// Returns whether the writer of an element must have seen one of other elements when it wrote. `sought` contains, for
    /// each client, the clock of its first element that is asked for. Also returns the number of look-ups that this took.
    ///
    /// Two searches run in turns, and the first that is done decides. One goes back through everything that the writer had
    /// seen. The other goes forward through everybody who has seen the other elements, who are few if the elements are new,
    /// however many clients wrote before. Only the look-ups of one search are counted.
    pub(in crate::update) fn has_seen(
        &self,
        writer: Id,
        sought: &HashMap<u64, u32>,
    ) -> (bool, u64) {
        if sought.get(&writer.client).is_some_and(|&first| first <= writer.clock) {
            return (true, 1);
        }
        let mut backward = Backward::from(self, writer, sought);
        let mut forward = Forward::from(self, writer, sought);
        let mut looked_at = 1;
        loop {
            if let Some(answer) = backward.step().or_else(|| forward.step()) {
                return (answer, looked_at);
            }
            looked_at += 1;
        }
    }
}

/// A search through everything that the writer had seen.
pub(super) struct Backward<'h> {
    histories: &'h CausalHistories,
    sought: &'h HashMap<u64, u32>,
    /// For each client, the first clock that the writer had not seen, as far as it is known.
    seen: HashMap<u64, u32>,
    /// Clients whose sightings are still to be looked at, each with the clock up to which the writer had seen it.
    open: Vec<(u64, u32)>,
    looking_at: Option<SightingsUpTo<'h>>,
}

/// The sightings of one client that are still to be looked at, and the clock up to which the writer had seen the client.
type SightingsUpTo<'h> = (u32, btree_map::Range<'h, (u64, u64), Sightings>);

impl<'h> Backward<'h> {
    pub(super) fn from(
        histories: &'h CausalHistories,
        writer: Id,
        sought: &'h HashMap<u64, u32>,
    ) -> Self {
        let upto = writer.clock + 1;
        let seen = HashMap::from([(writer.client, upto)]);
        Self { histories, sought, seen, open: vec![(writer.client, upto)], looking_at: None }
    }

    /// Looks at one sighting. Returns the answer once it is known.
    pub(super) fn step(&mut self) -> Option<bool> {
        loop {
            if let Some((upto, sightings)) = &mut self.looking_at
                && let Some((&(_, other), all)) = sightings.next()
            {
                let before = all.partition_point(|&(at, _)| at < *upto);
                // Without such a sighting, the writer had not seen the other client by this way.
                let clock = before.checked_sub(1).map_or(0, |last| all[last].1);
                return self.reach(other, clock);
            }
            let Some((client, upto)) = self.open.pop() else { return Some(false) };
            let of_client = (client, 0)..=(client, u64::MAX);
            self.looking_at = Some((upto, self.histories.by_viewer.range(of_client)));
        }
    }

    /// Records that the writer had seen a client up to a clock.
    fn reach(&mut self, client: u64, clock: u32) -> Option<bool> {
        if self.sought.get(&client).is_some_and(|&first| first < clock) {
            return Some(true);
        }
        let known = self.seen.entry(client).or_default();
        if *known < clock {
            *known = clock;
            self.open.push((client, clock));
        }
        None
    }
}

/// A search through everybody who has seen one of the elements.
pub(super) struct Forward<'h> {
    histories: &'h CausalHistories,
    writer: Id,
    /// For each client, its first clock that counts as one of the elements, or at which it had seen one.
    first: BTreeMap<u64, u32>,
    /// Clients whose viewers are still to be looked at. Each range of clocks contains those elements of the client that have
    /// been found to count, and that had not been found before.
    open: Vec<(u64, std::ops::Range<u32>)>,
    looking_at: Option<btree_set::Range<'h, (u64, u32, u64, u32)>>,
}

impl<'h> Forward<'h> {
    pub(super) fn from(
        histories: &'h CausalHistories,
        writer: Id,
        sought: &'h HashMap<u64, u32>,
    ) -> Self {
        let mut search =
            Self { histories, writer, first: BTreeMap::new(), open: Vec::new(), looking_at: None };
        sought.iter().for_each(|(&client, &clock)| search.reach(client, clock));
        search
    }

    /// Records that the elements of a client count from a clock on.
    fn reach(&mut self, client: u64, clock: u32) {
        let known = self.first.entry(client).or_insert(u32::MAX);
        if clock < *known {
            self.open.push((client, clock..*known));
            *known = clock;
        }
    }

    /// Looks at one sighting. Returns the answer once it is known.
    pub(super) fn step(&mut self) -> Option<bool> {
        loop {
            if let Some(sightings) = &mut self.looking_at
                && let Some(&(_, _, viewer, at)) = sightings.next()
            {
                self.reach(viewer, at);
                return None;
            }
            let Some((client, clocks)) = self.open.pop() else { return Some(false) };
            if client == self.writer.client && clocks.start <= self.writer.clock {
                return Some(true);
            }
            // A viewer that had seen an element of `clocks` appears in `by_seen` with a later clock of this client.
            let range = (client, clocks.start + 1, 0, 0)..=(client, clocks.end, u64::MAX, u32::MAX);
            self.looking_at = Some(self.histories.by_seen.range(range));
        }
    }
}
