//! The comparison of a text at two moments, run by run. Each run was there at both moments, at one of them, or at neither.
//!
//! Characters that were deleted and then brought back, by an undo or a restore, have new ids at the old place. They count
//! as kept, like characters that were never deleted.

use super::History;
use super::read::set;
use super::weave::{Container, Number, Run, RunContent};
use crate::model::attributes::Attributes;
use crate::update::Id;
use std::collections::{BTreeMap, HashMap};

/// A part of a run, with the attributes that apply to it at both moments.
#[derive(Debug, Clone)]
pub(super) struct RunPart<'w> {
    pub(super) run: &'w Run,
    /// Number of elements of the run before this part.
    pub(super) skip: u32,
    pub(super) len: u32,
    /// The attributes of this part at the first moment. Those at the second moment are in `after`.
    pub(super) before: Attributes,
    pub(super) after: Attributes,
    /// The last entry that made the attributes differ, or `None` if they are equal.
    pub(super) reformatted: Option<Number>,
}

impl RunPart<'_> {
    fn part(&self, skip: u32, len: u32) -> Self {
        Self { skip: self.skip + skip, len, ..self.clone() }
    }
}

/// The result of comparing a part of a text at two moments.
#[derive(Debug)]
pub(super) enum DiffRun<'w> {
    /// The part was there at both moments. The first value describes its elements at the first moment, the second value
    /// those at the second moment. The two are different elements if the text was deleted and brought back in between.
    Kept(RunPart<'w>, RunPart<'w>),
    Deleted(RunPart<'w>),
    Inserted(RunPart<'w>),
}

/// Compares a text at the moments `from` and `to`. Calls `report` for each part that was there at one of the two
/// moments or at both, in order.
pub(super) fn diff_runs<'w>(
    history: &'w History,
    container: &Container,
    (from, to): (Number, Number),
    report: &mut dyn FnMut(DiffRun<'w>),
) {
    let mut walk = Walk {
        history,
        backwards: to < from,
        before: Attributes::new(),
        after: Attributes::new(),
        causes: HashMap::new(),
        reformatted: None,
        pending: Vec::new(),
    };
    for run in history.weave.walk(container) {
        let (was_there, is_there) = (run.held.is_present_at(from), run.held.is_present_at(to));
        if !was_there && !is_there {
            continue;
        }
        if let RunContent::Format(at) = run.held.kind {
            walk.format(run, at, was_there, is_there);
            continue;
        }
        let seen = walk.part_of(run);
        if was_there && is_there {
            walk.settle(report);
            report(DiffRun::Kept(seen.clone(), seen));
        } else {
            walk.pending.push((was_there, seen));
        }
    }
    walk.settle(report);
}

struct Walk<'w> {
    history: &'w History,
    /// Whether the second moment is earlier than the first.
    backwards: bool,
    /// The attributes at the current place of the walk, at the first moment. Those at the second moment are in `after`.
    before: Attributes,
    after: Attributes,
    /// For each attribute, the entry that made its value differ between the moments.
    causes: HashMap<String, Number>,
    reformatted: Option<Number>,
    /// The parts since the last kept part that were there at only one of the moments. The boolean is true for the first
    /// moment, and false for the second.
    pending: Vec<(bool, RunPart<'w>)>,
}

impl<'w> Walk<'w> {
    fn part_of(&self, run: &'w Run) -> RunPart<'w> {
        RunPart {
            run,
            skip: 0,
            len: run.len,
            before: self.before.clone(),
            after: self.after.clone(),
            reformatted: self.reformatted,
        }
    }

    fn format(&mut self, run: &Run, at: u32, was_there: bool, is_there: bool) {
        let (name, value) = self.history.weave.format(at);
        if was_there {
            set(&mut self.before, name, value);
        }
        if is_there {
            set(&mut self.after, name, value);
        }
        if was_there == is_there {
            self.causes.remove(&**name);
        } else {
            self.causes.insert(name.to_string(), cause(run, was_there, self.backwards));
        }
        let differs = |name: &str| self.before.get(name) != self.after.get(name);
        let causes = self.causes.iter().filter(|(name, _)| differs(name));
        self.reformatted = causes.map(|(_, &cause)| cause).max();
    }

    /// Reports the pending parts. A deleted and an inserted character are reported together as one kept character if both repeat
    /// the same original.
    fn settle(&mut self, report: &mut dyn FnMut(DiffRun<'w>)) {
        let all = std::mem::take(&mut self.pending);
        let side = |wanted: bool| all.iter().filter(move |(was, _)| *was == wanted);
        let was: Vec<_> = side(true).map(|(_, seen)| seen.clone()).collect();
        let is: Vec<_> = side(false).map(|(_, seen)| seen.clone()).collect();
        let same = self.same(&was, &is);
        if same.is_empty() {
            all.into_iter().for_each(|(was, seen)| report(single(was, seen)));
            return;
        }
        let (mut was, mut is) = (Rest::of(was), Rest::of(is));
        for Match { old, new, len } in same {
            was.take(old, &mut |seen| report(DiffRun::Deleted(seen)));
            is.take(new, &mut |seen| report(DiffRun::Inserted(seen)));
            report(DiffRun::Kept(was.part(old, len), is.part(new, len)));
        }
        was.take(END, &mut |seen| report(DiffRun::Deleted(seen)));
        is.take(END, &mut |seen| report(DiffRun::Inserted(seen)));
    }

    /// Returns the characters that occur both in the old parts `was` and in the new parts `is`, because both repeat the same
    /// originals. Characters that changed their order are left out.
    fn same(&self, was: &[RunPart<'w>], is: &[RunPart<'w>]) -> Vec<Match> {
        // Maps the original of each new part's first element (client, then clock) to the index of the part.
        let mut parts_by_original: HashMap<u64, BTreeMap<u32, usize>> = HashMap::new();
        for (index, seen) in is.iter().enumerate() {
            let first = self.first(seen);
            parts_by_original.entry(first.client).or_default().insert(first.clock, index);
        }
        let mut common = Vec::new();
        for (index, seen) in was.iter().enumerate() {
            let first = self.first(seen);
            let Some(parts_by_original) = parts_by_original.get(&first.client) else { continue };
            let end = first.clock + seen.len;
            let before = parts_by_original
                .range(..=first.clock)
                .next_back()
                .map_or(first.clock, |(at, _)| *at);
            for (&at, &other) in parts_by_original.range(before..end) {
                let (from, to) = (at.max(first.clock), (at + is[other].len).min(end));
                if from < to {
                    let (old, new) = ((index, from - first.clock), (other, from - at));
                    common.push(Match { old, new, len: to - from });
                }
            }
        }
        common.sort_by_key(|same| same.old);
        longest_rising(common)
    }

    /// Returns the original of the part's first element: the element that it repeats, or the element itself.
    fn first(&self, seen: &RunPart<'_>) -> Id {
        self.history.weave.first(seen.run).plus(seen.skip)
    }
}

/// A place in the old or in the new parts of a comparison: the index of a part, and an offset into that part, in elements.
type PartOffset = (usize, u32);

/// The place after all parts.
const END: PartOffset = (usize::MAX, 0);

/// A match: characters that occur both in the old parts and in the new parts of a comparison.
#[derive(Debug, Clone, Copy)]
struct Match {
    old: PartOffset,
    new: PartOffset,
    len: u32,
}

/// Returns the longest chain of matches whose places in the old parts and in the new parts have the same order (patience
/// sorting). `common` must be sorted by the places in the old parts.
fn longest_rising(common: Vec<Match>) -> Vec<Match> {
    // `ends[n]` is the last match of the best chain of n + 1 matches, which is the chain that ends earliest in the new
    // parts. `before` links each match to its predecessor in a chain.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(common.len());
    for (index, same) in common.iter().enumerate() {
        let length = ends.partition_point(|&end| common[end].new < same.new);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut chain = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(index) = at {
        chain.push(common[index]);
        at = before[index];
    }
    chain.reverse();
    trim_overlaps(chain)
}

/// Trims the matches of a chain so that none overlaps the one before it. Matches overlap where text was pasted again,
/// because the old or the new parts then contain the same characters twice.
fn trim_overlaps(chain: Vec<Match>) -> Vec<Match> {
    let (mut old_end, mut new_end): (PartOffset, PartOffset) = ((0, 0), (0, 0));
    let mut out = Vec::with_capacity(chain.len());
    for Match { old, new, len } in chain {
        let over = |spot: PartOffset, end: PartOffset| {
            if spot.0 == end.0 { end.1.saturating_sub(spot.1) } else { 0 }
        };
        let skip = over(old, old_end).max(over(new, new_end));
        if skip < len {
            let (old, new, len) = ((old.0, old.1 + skip), (new.0, new.1 + skip), len - skip);
            (old_end, new_end) = ((old.0, old.1 + len), (new.0, new.1 + len));
            out.push(Match { old, new, len });
        }
    }
    out
}

/// The old or the new parts of a comparison, with the place up to which they have been reported.
struct Rest<'w> {
    parts: Vec<RunPart<'w>>,
    reported: PartOffset,
}

impl<'w> Rest<'w> {
    fn of(parts: Vec<RunPart<'w>>) -> Self {
        Self { parts, reported: (0, 0) }
    }

    /// Calls `report` for everything that is not reported yet and precedes the place `upto`.
    fn take(&mut self, upto: PartOffset, report: &mut dyn FnMut(RunPart<'w>)) {
        while self.reported < upto {
            let (index, skip) = self.reported;
            let Some(part) = self.parts.get(index) else { return };
            let end = if index == upto.0 { upto.1 } else { part.len };
            if skip < end {
                report(part.part(skip, end - skip));
            }
            self.reported = if index == upto.0 { upto } else { (index + 1, 0) };
        }
    }

    fn part(&mut self, (index, skip): PartOffset, len: u32) -> RunPart<'w> {
        self.reported = (index, skip + len);
        self.parts[index].part(skip, len)
    }
}

fn single(was: bool, seen: RunPart<'_>) -> DiffRun<'_> {
    if was { DiffRun::Deleted(seen) } else { DiffRun::Inserted(seen) }
}

/// Returns the entry that explains why a run was there at only one of two moments: the entry that deleted the run, or
/// the entry that inserted it.
pub(super) fn cause(run: &Run, was_there: bool, backwards: bool) -> Number {
    if was_there == backwards { run.held.born } else { run.held.died }
}
