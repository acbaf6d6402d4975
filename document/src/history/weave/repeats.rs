//! Repeated text: which characters repeat older ones, and who wrote the originals.

use super::{CompactId, NEVER, NO_ID, Number, Run, RunContent, Weave};
use crate::update::{Claim, Id, Provenance, Range};

/// Minimum length of a claimed passage that is believed without being back at its old place, in UTF-16 code units.
const MIN_REPEATED_UNITS: u32 = 8;

/// Maximum number of runs that are searched for the element that follows another element.
const MAX_RUNS_BETWEEN: usize = 1024;

impl Weave {
    /// Credits the claimed characters of an entry to their first authors, where the claim is believed. A claim is
    /// believed if the new characters have the same text as the old ones, and are restored, back at their old place, or
    /// too many for a coincidence. A short piece that is neither restored nor back at its old place is not believed,
    /// because anybody could assemble letters of other people into words of their own.
    ///
    /// Text that is restored, that is back at its old place or that consists of whole sentences belongs to its first
    /// author alone. For any other text, the weave also records that this entry placed it.
    pub(in crate::history) fn credit_claims(&mut self, provenance: &Provenance, entry: Number) {
        let is_restore = provenance.restores.is_some();
        let mut rest = provenance.claims.as_slice();
        while !rest.is_empty() {
            // Successive claims form one passage if both their new characters and their old characters follow each other.
            let follows = |pair: &[Claim]| {
                let (last, next) = (pair[0].old.plus(pair[0].len - 1), pair[1].old);
                pair[1].new == pair[0].new.plus(pair[0].len)
                    && self.leads_to(self.compact_id(last), self.compact_id(next), entry)
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

    /// Returns whether a passage consists of whole sentences or blocks, both at its old place and at its new one.
    fn are_sentences(&self, claims: &[Claim], entry: Number) -> bool {
        let (Some(first), Some(last)) = (claims.first(), claims.last()) else { return false };
        let (old_first, old_last) =
            (self.compact_id(first.old), self.compact_id(last.old.plus(last.len - 1)));
        let (new_first, new_last) =
            (self.compact_id(first.new), self.compact_id(last.new.plus(last.len - 1)));
        self.is_whole(new_first, new_last, entry)
            && self.is_whole(old_first, old_last, self.last_present(old_first, entry))
    }

    /// Returns whether the new characters of a claim are at the place where the old ones were, as after an undo. The
    /// old characters must be deleted. Only deleted elements, elements of the same entry, and formatting may be between
    /// the old and the new characters.
    fn is_back(&self, claim: &Claim) -> bool {
        let (new, old) = (self.compact_id(claim.new), self.compact_id(claim.old));
        let Some(run) = self.holding(new) else { return false };
        // If the original is still there, the new characters are a second copy beside it.
        if self.holding(old).is_none_or(|original| original.held.died > run.held.born) {
            return false;
        }
        (run.id == new && run.right_origin == old)
            || self.leads_to(new, old, run.held.born)
            || self.leads_to(old, new, run.held.born)
    }

    /// Returns whether `to` follows `from` directly. Elements between the two are ignored if they are deleted, if `entry`
    /// inserted them, or if they are neither text nor embedded values.
    fn leads_to(&self, from: CompactId, to: CompactId, entry: Number) -> bool {
        let Some(mut run) = self.holding(from) else { return false };
        if from.plus(1) == to && to.clock < run.id.clock + run.len {
            return true;
        }
        for _ in 0..MAX_RUNS_BETWEEN {
            let Some(right) = self.order.runs.get(run.right as usize) else { return false };
            let stands = right.held.died == NEVER && right.held.born != entry;
            let holds = right.id.client == to.client
                && (right.id.clock..right.id.clock + right.len).contains(&to.clock);
            if holds {
                return !stands || right.id == to;
            }
            if stands && matches!(right.held.kind, RunContent::Text(_) | RunContent::Embed(_)) {
                return false;
            }
            run = right;
        }
        false
    }

    /// Records that new characters repeat old ones, up to the first run of text that differs.
    fn repeat(&mut self, claim: &Claim, is_whole: bool) {
        let (new, old) = (self.compact_id(claim.new), self.compact_id(claim.old));
        let mut done = 0;
        while done < claim.len {
            let Some(at) = self.order.starting_at(new.plus(done)) else { return };
            let Some(&source) = self.holding(old.plus(done)) else { return };
            let run = self.order.runs[at as usize];
            let offset = old.clock + done - source.id.clock;
            let len = run.len.min(source.len - offset).min(claim.len - done);
            let (RunContent::Text(mine), RunContent::Text(theirs)) =
                (run.held.kind, source.held.kind)
            else {
                return;
            };
            // An original must be older than its repetition, so that nothing can repeat itself.
            if source.held.born >= run.held.born
                || self.units(mine, len) != self.units(theirs + offset, len)
            {
                return;
            }
            if len < run.len {
                self.order.split(at, len);
            }
            // If the source is itself a repetition, the original is the element that the source repeats.
            let first = match source.held.repeats {
                NO_ID => source.id,
                first => first,
            };
            let held = &mut self.order.runs[at as usize].held;
            held.repeats = first.plus(offset);
            held.placed = if is_whole { source.held.placed } else { held.born };
            done += len;
        }
    }

    /// Returns the original of the run's first element: the element that it repeats, or the element itself.
    pub(in crate::history) fn first(&self, run: &Run) -> Id {
        let first = if run.held.repeats == NO_ID { run.id } else { run.held.repeats };
        Id { client: self.order.client(first), clock: first.clock }
    }

    /// Returns `ranges` and all characters that have the same originals, including the originals.
    pub(in crate::history) fn copies_of(&self, ranges: &[Range]) -> Vec<Range> {
        let overlap = |first: Id, len: u32, range: &Range| {
            let start = first.clock.max(range.clock);
            let end = (first.clock + len).min(range.clock + range.len);
            (first.client == range.client && start < end).then(|| (start, end - start))
        };
        let text = |run: &&Run| matches!(run.held.kind, RunContent::Text(_));
        // The originals of the characters in `ranges`.
        let mut origins = Vec::new();
        for run in self.order.runs.iter().filter(text) {
            let (own, first) = (self.id_of(run), self.first(run));
            for (start, len) in ranges.iter().filter_map(|range| overlap(own, run.len, range)) {
                let clock = first.clock + (start - own.clock);
                origins.push(Range { client: first.client, clock, len });
            }
        }
        let mut all = ranges.to_vec();
        for run in self.order.runs.iter().filter(text) {
            let (own, first) = (self.id_of(run), self.first(run));
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

    /// Returns the entry that placed the repeated words of a run in a new sentence, or `None` if no entry did. The same
    /// person can have written the words.
    pub(in crate::history) fn placed(&self, run: &Run) -> Option<Number> {
        (run.held.placed != 0).then_some(run.held.placed)
    }

    /// Returns the entry that first wrote the characters of a run.
    pub(in crate::history) fn first_written(&self, run: &Run) -> Number {
        let first = self.holding(run.held.repeats).map(|first| first.held.born);
        first.unwrap_or(run.held.born)
    }
}
