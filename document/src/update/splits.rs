//! How much work the splits of an update are, estimated before it is integrated.
//!
//! yrs keeps the items of each client in one vector, sorted by clock. An update that refers to the middle of an
//! item, or deletes a part of it, splits it: the text of the item is copied, the rest is inserted behind it, and
//! all items further behind are moved. Many splits of a long item, or in front of many items, thus cost their
//! product: minutes, for an update of a few megabytes made by hand.
//!
//! Rule U11.

use super::check::CheckedUpdate;
use super::index::StructIndex;
use super::scan::{Id, Scan, Struct};
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

/// So many items may be counted too many, beside as many as there are.
const MAX_ITEMS_OVERCOUNTED: usize = 16_384;

/// What moving one item costs, against looking at one code unit of text.
const ITEM_MOVE_COST: u64 = 2;
/// Code units that are copied in the time in which one is looked at.
const UNITS_COPIED_AT_ONCE: u64 = 8;

/// How many items yrs holds for each client: never fewer than there are. Squashed items are counted apart, so
/// the number is counted again where it seems to pass a limit.
#[derive(Debug, Default)]
pub(crate) struct ItemCounts {
    by_client: HashMap<u64, u32>,
    total: usize,
    /// How many there were when they were last counted.
    counted: usize,
}

/// What integrating an update would do to the vectors of items.
#[derive(Debug, Default)]
pub(crate) struct Splits {
    /// By how many items the document grows at most, for each client.
    added: HashMap<u64, u32>,
    /// How many items are split.
    pub(crate) count: usize,
    /// How much is moved, looked at and copied: about as many nanoseconds.
    pub(crate) moves: u64,
}

impl Splits {
    /// By how many items the document grows at most.
    pub(crate) fn added(&self) -> usize {
        self.added.values().map(|&added| added as usize).sum()
    }
}

impl ItemCounts {
    /// Counts the items of a whole document, as it is encoded.
    pub(crate) fn of(document: &Scan<'_>) -> Self {
        let mut counts = Self::default();
        for run in &document.runs {
            counts.add(run.client, len(run.structs.len()));
        }
        counts.counted = counts.total;
        counts
    }

    /// Whether so much came in since that the number may be far too large.
    pub(crate) fn is_vague(&self) -> bool {
        self.total > 2 * self.counted + MAX_ITEMS_OVERCOUNTED
    }

    /// How many items there would be after an update.
    pub(crate) fn after(&self, splits: &Splits) -> usize {
        self.total + splits.added()
    }

    pub(crate) fn take(&mut self, splits: &Splits) {
        for (&client, &added) in &splits.added {
            self.add(client, added);
        }
    }

    fn add(&mut self, client: u64, items: u32) {
        let count = self.by_client.entry(client).or_default();
        *count = count.saturating_add(items);
        self.total += items as usize;
    }

    /// How many items of a client there would be after an update.
    pub(crate) fn of_client_after(&self, client: u64, splits: &Splits) -> u64 {
        self.of_client(client) + u64::from(splits.added.get(&client).copied().unwrap_or(0))
    }

    fn of_client(&self, client: u64) -> u64 {
        self.by_client.get(&client).copied().unwrap_or(0).into()
    }

    /// Estimates the splits of an update that has been checked.
    pub(crate) fn splits(
        &self,
        known: &StructIndex,
        scan: &Scan<'_>,
        novelty: &CheckedUpdate,
    ) -> Splits {
        let mut estimate = Estimate {
            counts: self,
            runs: scan.runs.iter().map(|run| (run.client, NewRun::of(known, run))).collect(),
            cuts: HashMap::new(),
            splits: Splits::default(),
        };
        estimate.structs(known, scan);
        estimate.ranges(known, novelty.new_ranges());
        estimate.splits
    }
}

/// The structs of a client that are new.
struct NewRun<'s> {
    structs: &'s [Struct<'s>],
}

impl<'s> NewRun<'s> {
    fn of(known: &StructIndex, run: &'s super::scan::ClientStructs<'s>) -> Self {
        let next = known.next_clock(run.client);
        let old = run.structs.partition_point(|item| item.end() <= next);
        Self { structs: &run.structs[old..] }
    }

    /// The struct that holds an element, by its clocks, and how many stand behind it.
    fn holding(&self, clock: u32) -> Option<(ClockRange, u64)> {
        let at = self.structs.partition_point(|item| item.end() <= clock);
        let item = self.structs.get(at).filter(|item| item.clock <= clock)?;
        Some(((item.clock, item.end()), (self.structs.len() - at) as u64))
    }
}

/// The first clock of an item, and the one behind its last.
type ClockRange = (u32, u32);

struct Estimate<'s> {
    counts: &'s ItemCounts,
    runs: HashMap<u64, NewRun<'s>>,
    /// Where items were split already, for each client: before these clocks.
    cuts: HashMap<u64, BTreeSet<u32>>,
    splits: Splits,
}

impl Estimate<'_> {
    fn structs(&mut self, known: &StructIndex, scan: &Scan<'_>) {
        for run in &scan.runs {
            let structs = self.runs[&run.client].structs;
            *self.splits.added.entry(run.client).or_default() += len(structs.len());
            for item in structs {
                for place in item.neighbours() {
                    self.split(known, place, true);
                }
            }
        }
    }

    /// yrs takes the deleted ranges in ascending order: what it has split before is not moved again.
    fn ranges(&mut self, known: &StructIndex, ranges: impl Iterator<Item = (u64, u32, u32)>) {
        for (client, from, to) in ranges {
            self.split(known, Id { client, clock: from }, false);
            self.split(known, Id { client, clock: to }, false);
        }
    }

    /// Notes that an item is split before an element, unless one begins there.
    fn split(&mut self, known: &StructIndex, before: Id, moves_earlier: bool) {
        let found = if before.clock < known.next_clock(before.client) {
            known.extent(before).map(|extent| (extent, self.counts.of_client(before.client)))
        } else {
            self.runs.get(&before.client).and_then(|run| run.holding(before.clock))
        };
        let Some(((start, end), behind)) = found else { return };
        let cuts = self.cuts.entry(before.client).or_default();
        if start == before.clock || !cuts.insert(before.clock) {
            return;
        }
        let next_cut = cuts.range((Excluded(before.clock), Unbounded)).next().copied();
        let end = next_cut.map_or(end, |cut| cut.min(end));
        let start = cuts.range(..before.clock).next_back().map_or(start, |&cut| cut.max(start));
        // Pieces in front of this one stay: replacing from the beginning to the end moves none twice.
        let earlier = if moves_earlier && next_cut.is_some() { cuts.len() as u64 } else { 0 };
        let (left, right) = (u64::from(before.clock - start), u64::from(end - before.clock));
        // The place is looked for from the item's beginning on, and what is behind it is copied.
        self.splits.moves +=
            left + right / UNITS_COPIED_AT_ONCE + ITEM_MOVE_COST * (behind + earlier);
        self.splits.count += 1;
        *self.splits.added.entry(before.client).or_default() += 1;
    }
}

fn len(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
