//! Estimates the cost of the splits that an update causes, before the update is integrated.
//!
//! yrs keeps the items of each client in one vector, sorted by clock. An update that refers to the middle of an item,
//! or deletes a part of it, splits the item: yrs copies its text, inserts the rest as an item behind it, and moves all
//! later items of the vector. The cost is the number of splits times the length of the item, or times the number of
//! later items. An update of a few megabytes that is made by hand could take minutes.
//!
//! Rule U11.

use super::check::CheckedUpdate;
use super::index::StructIndex;
use super::scan::{Id, Scan, Struct};
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

/// Number of items by which the estimated count may exceed twice the last exact count. Above this bound, the items are
/// counted exactly again.
const MAX_ITEMS_OVERCOUNTED: usize = 16_384;

/// The cost of moving one item, in units of looking at one code unit of text.
const ITEM_MOVE_COST: u64 = 2;
/// Number of code units that are copied in the time that it takes to look at one.
const UNITS_COPIED_AT_ONCE: u64 = 8;

/// An estimate of the number of items that yrs has for each client. The estimate is never too low. Items that yrs has
/// squashed still count separately, so the document is counted again when the estimate exceeds a limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemCounts {
    by_client: HashMap<u64, u32>,
    total: usize,
    /// Number of items at the last exact count.
    counted: usize,
}

/// The effect of integrating an update on yrs' vectors of items.
#[derive(Debug, Default)]
pub(crate) struct Splits {
    /// For each client, the maximum number of items that the update adds.
    added: HashMap<u64, u32>,
    /// Number of splits that the update causes.
    pub(crate) count: usize,
    /// The estimated cost of the splits, in units of looking at one code unit of text. A unit takes at most 1 ns.
    pub(crate) cost: u64,
}

impl Splits {
    /// Returns the maximum number of items that the update adds to the document.
    pub(crate) fn added(&self) -> usize {
        self.added.values().map(|&added| added as usize).sum()
    }
}

impl ItemCounts {
    /// Counts the items of a whole document in its encoded form.
    pub(crate) fn of(document: &Scan<'_>) -> Self {
        let mut counts = Self::default();
        for run in &document.runs {
            counts.add(run.client, len(run.structs.len()));
        }
        counts.counted = counts.total;
        counts
    }

    /// Returns whether so much was added since the last exact count that the estimated number of items can be far too
    /// high.
    pub(crate) fn is_vague(&self) -> bool {
        self.total > 2 * self.counted + MAX_ITEMS_OVERCOUNTED
    }

    /// Returns how many items the document has at most after an update.
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

    /// Returns how many items of a client id the document has at most after an update.
    pub(crate) fn of_client_after(&self, client: u64, splits: &Splits) -> u64 {
        self.of_client(client) + u64::from(splits.added.get(&client).copied().unwrap_or(0))
    }

    /// Returns how many items of a client id the document has at most.
    pub(crate) fn of_client(&self, client: u64) -> u64 {
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

/// Those structs of one client in an update that the document does not contain yet.
struct NewRun<'s> {
    structs: &'s [Struct<'s>],
}

impl<'s> NewRun<'s> {
    fn of(known: &StructIndex, run: &'s super::scan::ClientStructs<'s>) -> Self {
        let next = known.next_clock(run.client);
        let old = run.structs.partition_point(|item| item.end() <= next);
        Self { structs: &run.structs[old..] }
    }

    /// Returns the clocks of the struct that contains an element, and the number of structs from that one on. Returns
    /// `None` if the element is not in this run.
    fn holding(&self, clock: u32) -> Option<(ClockRange, u64)> {
        let at = self.structs.partition_point(|item| item.end() <= clock);
        let item = self.structs.get(at).filter(|item| item.clock <= clock)?;
        Some(((item.clock, item.end()), (self.structs.len() - at) as u64))
    }
}

/// The first clock of an item, and the clock after its last.
type ClockRange = (u32, u32);

struct Estimate<'s> {
    counts: &'s ItemCounts,
    runs: HashMap<u64, NewRun<'s>>,
    /// For each client, the clocks before which the update splits an item. Contains the splits that the estimate has
    /// found so far.
    cuts: HashMap<u64, BTreeSet<u32>>,
    splits: Splits,
}

impl Estimate<'_> {
    fn structs(&mut self, known: &StructIndex, scan: &Scan<'_>) {
        for run in &scan.runs {
            let structs = self.runs[&run.client].structs;
            *self.splits.added.entry(run.client).or_default() += len(structs.len());
            for item in structs {
                for neighbour in item.neighbours() {
                    self.split(known, neighbour, true);
                }
            }
        }
    }

    /// Adds the cost of the splits at both ends of each deleted range. yrs takes the ranges in ascending order, so no
    /// split moves the pieces that earlier splits made.
    fn ranges(&mut self, known: &StructIndex, ranges: impl Iterator<Item = (u64, u32, u32)>) {
        for (client, from, to) in ranges {
            self.split(known, Id { client, clock: from }, false);
            self.split(known, Id { client, clock: to }, false);
        }
    }

    /// Adds the cost of splitting an item before an element, unless an item begins there already. `moves_earlier` says
    /// whether the split can move the pieces that earlier splits of the update made.
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
        // The pieces that earlier splits made are moved again only if one of them is behind the new split. Replacing a
        // text from beginning to end therefore moves no piece twice.
        let earlier = if moves_earlier && next_cut.is_some() { cuts.len() as u64 } else { 0 };
        let (left, right) = (u64::from(before.clock - start), u64::from(end - before.clock));
        // yrs looks for the offset from the start of the item on, and copies the text behind the offset.
        self.splits.cost +=
            left + right / UNITS_COPIED_AT_ONCE + ITEM_MOVE_COST * (behind + earlier);
        self.splits.count += 1;
        *self.splits.added.entry(before.client).or_default() += 1;
    }
}

fn len(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
