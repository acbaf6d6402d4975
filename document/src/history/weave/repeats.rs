//! Which characters are older ones written again, and whose they were first.

use super::{CompactId, NEVER, NO_ID, Number, Run, RunContent, Weave};
use crate::update::{Claim, Id, Provenance, Range};

/// The fewest characters that are believed to be repeated from elsewhere.
const MIN_REPEATED_UNITS: u32 = 8;

/// How many deleted runs may lie between two parts of one passage.
const MAX_RUNS_BETWEEN: usize = 1024;

impl Weave {
    /// Believes what an entry's characters claim to repeat, where that is the same text, and either is back
    /// where it had been or is long enough to be no coincidence: nobody shall put others' letters together to
    /// words of their own. Where it is back, or is whole sentences, it is its first author's; a part of one is
    /// noted as placed by the author of the entry.
    pub(in crate::history) fn believe(&mut self, provenance: &Provenance, entry: Number) {
        let is_restore = provenance.restores.is_some();
        let mut rest = provenance.claims.as_slice();
        while !rest.is_empty() {
            // Pieces that follow each other, both as they are repeated and as they were.
            let follows = |pair: &[Claim]| {
                let (last, next) = (pair[0].old.plus(pair[0].len - 1), pair[1].old);
                pair[1].new == pair[0].new.plus(pair[0].len)
                    && self.leads_to(self.name(last), self.name(next), entry)
            };
            let count = 1 + rest.windows(2).take_while(|pair| follows(pair)).count();
            let chain: u32 = rest[..count].iter().map(|claim| claim.len).sum();
            let (these, others) = rest.split_at(count);
            let is_back = is_restore || these.iter().all(|claim| self.is_back(claim));
            if is_back || chain >= MIN_REPEATED_UNITS {
                let is_whole = is_back || self.are_sentences(these, entry);
                these.iter().for_each(|claim| self.repeat(claim, is_whole));
            }
            rest = others;
        }
    }

    /// Whether a passage is whole sentences or blocks, where it was and where it is.
    fn are_sentences(&self, claims: &[Claim], entry: Number) -> bool {
        let (Some(first), Some(last)) = (claims.first(), claims.last()) else { return false };
        let (old_first, old_last) = (self.name(first.old), self.name(last.old.plus(last.len - 1)));
        let (new_first, new_last) = (self.name(first.new), self.name(last.new.plus(last.len - 1)));
        self.is_whole(new_first, new_last, entry)
            && self.is_whole(old_first, old_last, self.last_stood(old_first, entry))
    }

    /// Whether characters came back to the place where their original had been: as after an undo, or with
    /// nothing between the two but what is deleted or came along.
    fn is_back(&self, claim: &Claim) -> bool {
        let (new, old) = (self.name(claim.new), self.name(claim.old));
        let Some(run) = self.holding(new) else { return false };
        // What still stands has not come back: a second copy of it is beside it.
        if self.holding(old).is_none_or(|original| original.held.died > run.held.born) {
            return false;
        }
        (run.name == new && run.right_origin == old)
            || self.leads_to(new, old, run.held.born)
            || self.leads_to(old, new, run.held.born)
    }

    /// Whether one element is followed by another, with nothing between but what is deleted or came with an
    /// entry.
    fn leads_to(&self, from: CompactId, to: CompactId, entry: Number) -> bool {
        let Some(mut run) = self.holding(from) else { return false };
        if from.plus(1) == to && to.clock < run.name.clock + run.len {
            return true;
        }
        for _ in 0..MAX_RUNS_BETWEEN {
            let Some(right) = self.order.runs.get(run.right as usize) else { return false };
            let stands = right.held.died == NEVER && right.held.born != entry;
            let holds = right.name.client == to.client
                && (right.name.clock..right.name.clock + right.len).contains(&to.clock);
            if holds {
                return !stands || right.name == to;
            }
            if stands && matches!(right.held.kind, RunContent::Text(_) | RunContent::Embed(_)) {
                return false;
            }
            run = right;
        }
        false
    }

    /// Notes what characters repeat, as far as they are the same.
    fn repeat(&mut self, claim: &Claim, is_whole: bool) {
        let (new, old) = (self.name(claim.new), self.name(claim.old));
        let mut done = 0;
        while done < claim.len {
            let Some(at) = self.order.starting_at(new.plus(done)) else { return };
            let Some(&source) = self.holding(old.plus(done)) else { return };
            let run = self.order.runs[at as usize];
            let offset = old.clock + done - source.name.clock;
            let len = run.len.min(source.len - offset).min(claim.len - done);
            let (RunContent::Text(mine), RunContent::Text(theirs)) =
                (run.held.kind, source.held.kind)
            else {
                return;
            };
            // An original is older: nothing repeats itself.
            if source.held.born >= run.held.born
                || self.units(mine, len) != self.units(theirs + offset, len)
            {
                return;
            }
            if len < run.len {
                self.order.split(at, len);
            }
            // Of what is itself a repetition, the first is meant.
            let first = match source.held.repeats {
                NO_ID => source.name,
                first => first,
            };
            let held = &mut self.order.runs[at as usize].held;
            held.repeats = first.plus(offset);
            held.placed = if is_whole { source.held.placed } else { held.born };
            done += len;
        }
    }

    /// The element that a run's first one was when it was written first.
    pub(in crate::history) fn first(&self, run: &Run) -> Id {
        let first = if run.held.repeats == NO_ID { run.name } else { run.held.repeats };
        Id { client: self.order.client(first), clock: first.clock }
    }

    /// All characters that began as any of these did: the originals, and whatever repeats them.
    pub(in crate::history) fn copies_of(&self, ranges: &[Range]) -> Vec<Range> {
        let overlap = |first: Id, len: u32, range: &Range| {
            let start = first.clock.max(range.clock);
            let end = (first.clock + len).min(range.clock + range.len);
            (first.client == range.client && start < end).then(|| (start, end - start))
        };
        let text = |run: &&Run| matches!(run.held.kind, RunContent::Text(_));
        // What they began as.
        let mut origins = Vec::new();
        for run in self.order.runs.iter().filter(text) {
            let (own, first) = (self.id(run), self.first(run));
            for (start, len) in ranges.iter().filter_map(|range| overlap(own, run.len, range)) {
                let clock = first.clock + (start - own.clock);
                origins.push(Range { client: first.client, clock, len });
            }
        }
        let mut all = ranges.to_vec();
        for run in self.order.runs.iter().filter(text) {
            let (own, first) = (self.id(run), self.first(run));
            for (start, len) in origins.iter().filter_map(|origin| overlap(first, run.len, origin))
            {
                let found =
                    Range { client: own.client, clock: own.clock + (start - first.clock), len };
                if !all.contains(&found) {
                    all.push(found);
                }
            }
        }
        all
    }

    /// The entry that put words of others together to something new, if one did.
    pub(in crate::history) fn placed(&self, run: &Run) -> Option<Number> {
        (run.held.placed != 0).then_some(run.held.placed)
    }

    /// The entry in which characters were written first.
    pub(in crate::history) fn first_written(&self, run: &Run) -> Number {
        let first = self.holding(run.held.repeats).map(|first| first.held.born);
        first.unwrap_or(run.held.born)
    }
}
