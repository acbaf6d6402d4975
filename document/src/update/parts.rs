//! Cuts a large update into parts, each of which can be integrated once the parts before it are integrated.
//!
//! A room integrates one update at a time, and the other people in the document wait meanwhile. The update of somebody
//! who wrote offline for a week, or an update made by hand, would delay the others for a second. When the update is
//! taken in parts, the others have their turns between two parts.
//!
//! Rule C8.

use super::check::CheckedUpdate;
use super::claim::Claim;
use super::deletions::put_deletions;
use super::refusal::Refusal;
use super::scan::{ClientStructs, Id, Range, Scan, Struct, read_client, read_struct};
use super::scan_error::ScanError;
use super::walk::{Front, Visit, causal_walk};
use crate::lib0::{Reader, Write};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A part of a larger update, with the claims that concern the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatePart {
    /// The part, encoded as an update of its own.
    pub update: Vec<u8>,
    /// The claims about elements in this part.
    pub claims: Vec<Claim>,
}

/// The most that one part has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartLimits {
    /// Maximum number of new structs, and of deleted ranges.
    pub(crate) steps: usize,
    /// Maximum number of deleted elements that the document contains already.
    pub(crate) deleted: u32,
}

/// Cuts an update that has been scanned and checked into parts within `limits`.
///
/// `known` takes a client id, and returns the client's first clock that the document does not contain yet. Structs that
/// the document contains already are left out.
///
/// A deleted range goes into the part with the elements that the range deletes. If the document contains those elements
/// already, the range goes into the part that inserts something beside them: usually the text that replaces them.
/// Readers then don't see the old and the new text together for long, and are not left with both if a later part is
/// refused. Ranges for which there is no such part, or whose part is full, follow in later parts without structs.
///
/// # Errors
/// Returns an error if the bytes are not an update, or if a struct refers to content that is neither in the document
/// nor in the update.
pub(crate) fn parts(
    update: &[u8],
    scan: &Scan<'_>,
    checked: &CheckedUpdate,
    claims: &[Claim],
    known: impl Fn(u64) -> u32,
    limits: PartLimits,
) -> Result<Vec<UpdatePart>, Refusal> {
    let mut cutter =
        Cutter { limits, parts: Vec::new(), holding: HashMap::new(), beside: HashMap::new() };
    cutter.structs(scan, &struct_bytes(update)?, &known)?;
    cutter.deletions(checked.new_ranges(), checked.keyed());
    Ok(cutter.parts.iter().map(|part| part.finish(claims)).collect())
}

/// Cuts a whole encoded document into updates of at most `max_structs` structs each, in causal order, with all deleted ranges
/// in the last one. Integrating them in one transaction makes the same document as integrating the whole. `causal_order` is
/// the index of the run of each struct, in an order in which the structs can be integrated.
///
/// # Errors
/// Returns an error if the bytes are not a document.
pub(crate) fn causal_parts(
    document: &[u8],
    scan: &Scan<'_>,
    causal_order: &[u32],
    max_structs: usize,
) -> Result<Vec<Vec<u8>>, ScanError> {
    let (starts, firsts) = struct_starts(document)?;
    // For each run, the number of structs that earlier parts contain.
    let mut done = vec![0; firsts.len()];
    let mut parts = Vec::new();
    for chunk in causal_order.chunks(max_structs) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        chunk.iter().for_each(|&run| *counts.entry(run as usize).or_default() += 1);
        let mut out = Vec::new();
        out.put_var(counts.len() as u64);
        for (run, count) in counts {
            let ClientStructs { client, structs } = &scan.runs[run];
            out.put_var(count as u64);
            out.put_var(*client);
            out.put_var(u64::from(structs[done[run]].clock));
            let first = firsts[run] + done[run];
            out.extend_from_slice(&document[starts[first]..starts[first + count]]);
            done[run] += count;
        }
        put_deletions(&mut out, &[]);
        parts.push(out);
    }
    let mut deletions = vec![0];
    put_deletions(&mut deletions, &scan.deletes);
    parts.push(deletions);
    Ok(parts)
}

/// Returns where each struct of an update starts in its bytes, and for each run, the index of its first struct in that list.
/// In the list, the end of the last struct of a run follows that struct.
fn struct_starts(update: &[u8]) -> Result<(Vec<usize>, Vec<usize>), ScanError> {
    let mut r = Reader::new(update);
    let (mut starts, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..r.count()? {
        let count = r.count()?;
        read_client(&mut r)?;
        r.var_u32()?;
        firsts.push(starts.len());
        for _ in 0..count {
            starts.push(update.len() - r.remaining());
            read_struct(&mut r)?;
        }
        starts.push(update.len() - r.remaining());
    }
    Ok((starts, firsts))
}

/// Returns the encoded bytes of each struct: one list for each run, in the order of the update.
fn struct_bytes(update: &[u8]) -> Result<Vec<Vec<&[u8]>>, ScanError> {
    let mut r = Reader::new(update);
    let mut runs = Vec::new();
    for _ in 0..r.count()? {
        let count = r.count()?;
        read_client(&mut r)?;
        r.var_u32()?;
        let mut run = Vec::with_capacity(count);
        for _ in 0..count {
            let mut start = r.clone();
            read_struct(&mut r)?;
            run.push(start.take(start.remaining() - r.remaining())?);
        }
        runs.push(run);
    }
    Ok(runs)
}

/// The consecutive structs of one client within a part.
struct Run<'u> {
    /// The first clock of the run, and the clock after its last.
    clocks: (u32, u32),
    structs: Vec<&'u [u8]>,
}

#[derive(Default)]
struct Part<'u> {
    runs: BTreeMap<u64, Run<'u>>,
    structs: usize,
    deleted: Vec<Range>,
    /// Number of deleted elements that the document contains already.
    known_deleted: u32,
}

struct Cutter<'u> {
    limits: PartLimits,
    parts: Vec<Part<'u>>,
    /// For each client, the indices of the parts that contain its elements, in ascending order of clocks.
    holding: HashMap<u64, Vec<usize>>,
    /// For each insertion point, the index of the first part that inserts something there. [`Struct::neighbours`]
    /// says how insertion points are named.
    beside: HashMap<Id, usize>,
}

impl<'u> Cutter<'u> {
    /// Distributes the new structs over the parts, each struct after the structs that it refers to.
    fn structs(
        &mut self,
        scan: &Scan<'_>,
        bytes: &[Vec<&'u [u8]>],
        known: &impl Fn(u64) -> u32,
    ) -> Result<(), Refusal> {
        let mut next: HashMap<u64, u32> = HashMap::new();
        let mut fronts: Vec<Front<'_>> = Vec::with_capacity(scan.runs.len());
        let mut at = Vec::with_capacity(scan.runs.len());
        for run in &scan.runs {
            let old = run.structs.partition_point(|item| item.end() <= known(run.client));
            at.push(old);
            fronts.push(Front { client: run.client, structs: &run.structs[old..] });
        }
        let all = causal_walk(fronts, |run, item| {
            let client = scan.runs[run].client;
            let has = |id: Id| {
                let next = next.get(&id.client).copied().unwrap_or_else(|| known(id.client));
                id.clock < next
            };
            if let Some(id) = item.references().find(|id| !has(*id)) {
                return Ok(Visit::WaitsFor(id));
            }
            next.insert(client, item.end());
            self.put(client, item, bytes[run][at[run]]);
            at[run] += 1;
            Ok::<_, Refusal>(Visit::Done)
        })?;
        if all { Ok(()) } else { Err(Refusal::Unknown) }
    }

    fn put(&mut self, client: u64, item: &Struct<'_>, bytes: &'u [u8]) {
        if self.parts.last().is_none_or(|part| part.structs >= self.limits.steps) {
            self.parts.push(Part::default());
        }
        let last = self.parts.len() - 1;
        let part = &mut self.parts[last];
        part.structs += 1;
        let run = part.runs.entry(client).or_insert_with(|| {
            self.holding.entry(client).or_default().push(last);
            Run { clocks: (item.clock, item.clock), structs: Vec::new() }
        });
        for id in item.neighbours() {
            self.beside.entry(id).or_insert(last);
        }
        run.structs.push(bytes);
        run.clocks.1 = item.end();
    }

    /// Distributes deleted ranges over the parts. A range is given as its client, its first clock, and the clock
    /// after its last.
    ///
    /// `keyed` contains the first elements of items that may be integrated only together with their deletion (rule U14). The
    /// ranges that delete them are distributed first: a part has at most as many such items as steps, so the ranges fit.
    fn deletions(&mut self, ranges: impl Iterator<Item = (u64, u32, u32)>, keyed: &BTreeSet<Id>) {
        let is_keyed = |&(client, from, to): &(u64, u32, u32)| {
            let elements = Id { client, clock: from }..Id { client, clock: to };
            keyed.range(elements).next().is_some()
        };
        let (first, others): (Vec<_>, Vec<_>) = ranges.partition(is_keyed);
        let mut later = Vec::new();
        for (client, mut from, to) in first.into_iter().chain(others) {
            let first = self.first_holding(client, from);
            for nth in first.. {
                let holding = self.holding.get(&client).and_then(|all| all.get(nth));
                let Some(&number) = holding else { break };
                let (start, end) = self.parts[number].runs[&client].clocks;
                if from >= to || to <= start {
                    break;
                }
                if from < start {
                    self.known(Range { client, clock: from, len: start - from }, &mut later);
                    from = start;
                }
                let part = &mut self.parts[number];
                if from < end {
                    let range = Range { client, clock: from, len: to.min(end) - from };
                    from += range.len;
                    let is_full = part.deleted.len() >= self.limits.steps;
                    if is_full { later.push(range) } else { part.deleted.push(range) }
                }
            }
            if from < to {
                self.known(Range { client, clock: from, len: to - from }, &mut later);
            }
        }
        let mut last = Part::default();
        for range in later {
            if !last.has_place(&range, self.limits) {
                self.parts.push(std::mem::take(&mut last));
            }
            last.delete_known(range);
        }
        if !last.deleted.is_empty() {
            self.parts.push(last);
        }
    }

    /// Distributes a deleted range of elements that the document contains already. What no part with structs can take is
    /// added to `later`.
    fn known(&mut self, range: Range, later: &mut Vec<Range>) {
        let Range { client, clock, len } = range;
        for from in (0..len).step_by(self.limits.deleted as usize) {
            let len = (len - from).min(self.limits.deleted);
            later.extend(self.beside_or_later(Range { client, clock: clock + from, len }));
        }
    }

    /// Returns the index, in the client's list in [`holding`](Self::holding), of the first part with elements at or
    /// after the clock `from`. If there is none, returns the length of the list.
    fn first_holding(&self, client: u64, from: u32) -> usize {
        let end = |&part: &usize| self.parts[part].runs[&client].clocks.1;
        self.holding.get(&client).map_or(0, |all| all.partition_point(|part| end(part) <= from))
    }

    /// Adds a deleted range of known elements to the part that inserts something directly before or after the range.
    /// Returns the range if there is no such part, or if that part has no place for the range.
    fn beside_or_later(&mut self, range: Range) -> Option<Range> {
        let first = Id { client: range.client, clock: range.clock };
        let beside = self.beside.get(&first).or_else(|| self.beside.get(&first.plus(range.len)));
        let part = beside.map(|&number| &mut self.parts[number]);
        match part.filter(|part| part.has_place(&range, self.limits)) {
            Some(part) => {
                part.delete_known(range);
                None
            }
            None => Some(range),
        }
    }
}

impl Part<'_> {
    /// Returns whether the part can also delete a range of elements that the document contains already.
    fn has_place(&self, range: &Range, limits: PartLimits) -> bool {
        self.deleted.len() < limits.steps
            && self.known_deleted.saturating_add(range.len) <= limits.deleted
    }

    fn delete_known(&mut self, range: Range) {
        self.known_deleted += range.len;
        self.deleted.push(range);
    }

    fn finish(&self, claims: &[Claim]) -> UpdatePart {
        let brought = |claim: &Claim| {
            let run = self.runs.get(&claim.new.client)?;
            claim.within(run.clocks.0, run.clocks.1)
        };
        UpdatePart { update: self.encode(), claims: claims.iter().filter_map(brought).collect() }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(self.runs.len() as u64);
        for (client, run) in &self.runs {
            out.put_var(run.structs.len() as u64);
            out.put_var(*client);
            out.put_var(u64::from(run.clocks.0));
            run.structs.iter().for_each(|bytes| out.extend_from_slice(bytes));
        }
        put_deletions(&mut out, &self.deleted);
        out
    }
}
