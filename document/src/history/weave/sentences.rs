//! Whether characters that were copied are whole sentences, or whole blocks, both where they were and where they
//! are now.
//!
//! Who copies a sentence of somebody else's leaves it theirs. Who puts a new sentence together from pieces of
//! theirs has written it: the words are theirs, the sentence is not.

use super::{CompactId, NONE, Number, Run, RunContent, Weave};

/// How many runs are looked at to find what stands beside a character: beyond that, nothing is believed.
const MAX_RUNS_LOOKED_AT: usize = 1_024;

/// What stands beside a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// The beginning or the end of a text or of a block.
    Edge,
    /// A character, or an embedded value.
    Unit(u16),
    /// Too far away to be found.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
}

impl Weave {
    /// Whether the characters from `first` to `last` began and ended where sentences or blocks do, at a moment.
    pub(super) fn is_whole(&self, first: CompactId, last: CompactId, moment: Number) -> bool {
        let text_ends = self.last_visible(last, moment).is_some_and(ends_sentence);
        let starts = match self.beside(first, Direction::Left, moment) {
            Beside::Edge => true,
            Beside::Unit(unit) => ends_sentence(unit),
            Beside::Unknown => false,
        };
        starts && (text_ends || self.beside(last, Direction::Right, moment) == Beside::Edge)
    }

    /// The moment at which characters were last there before an entry.
    pub(super) fn last_stood(&self, name: CompactId, entry: Number) -> Number {
        let died = self.holding(name).map_or(entry, |run| run.held.died.min(entry));
        died.saturating_sub(1)
    }

    /// The unit of an element of a text.
    fn unit(&self, name: CompactId) -> Option<u16> {
        let run = self.holding(name)?;
        let RunContent::Text(at) = run.held.kind else { return None };
        self.units(at, run.len).get((name.clock - run.name.clock) as usize).copied()
    }

    /// The last unit up to an element that is neither white space nor a closing mark.
    fn last_visible(&self, last: CompactId, moment: Number) -> Option<u16> {
        let unit = self.unit(last)?;
        if !is_passed_over(unit) {
            return Some(unit);
        }
        match self.beside(last, Direction::Left, moment) {
            Beside::Unit(unit) => Some(unit),
            Beside::Edge | Beside::Unknown => None,
        }
    }

    /// What stands beside an element at a moment, passing over white space and marks that open or close.
    fn beside(&self, name: CompactId, direction: Direction, moment: Number) -> Beside {
        let Some(start) = self.order.holding(name) else { return Beside::Unknown };
        let mut at = start;
        let mut looked_at = 0;
        while let Some(run) = self.order.runs.get(at as usize) {
            looked_at += 1;
            if looked_at > MAX_RUNS_LOOKED_AT {
                return Beside::Unknown;
            }
            let own = (at == start).then(|| name.clock - run.name.clock);
            if let Some(found) = self.in_run(run, own, direction, moment) {
                return found;
            }
            at = if direction == Direction::Left { run.left } else { run.right };
            if at == NONE {
                break;
            }
        }
        Beside::Edge
    }

    /// What in a run stands beside: of the run that is begun in, only what is beyond the element at `own`.
    fn in_run(
        &self,
        run: &Run,
        own: Option<u32>,
        direction: Direction,
        moment: Number,
    ) -> Option<Beside> {
        if own.is_none() && !run.held.stood_at(moment) {
            return None;
        }
        let units = match run.held.kind {
            RunContent::Text(at) => self.units(at, run.len),
            RunContent::Embed(_) if own.is_none() => return Some(Beside::Unit(0xfffc)),
            _ => return None,
        };
        let own = own.map(|at| at as usize);
        let stops = |unit: &u16| *unit == u16::from(b'\n') || !is_passed_over(*unit);
        let found = match direction {
            Direction::Left => units[..own.unwrap_or(units.len())].iter().rev().find(|u| stops(u)),
            Direction::Right => units[own.map_or(0, |at| at + 1)..].iter().find(|u| stops(u)),
        }?;
        Some(if *found == u16::from(b'\n') { Beside::Edge } else { Beside::Unit(*found) })
    }
}

fn character(unit: u16) -> Option<char> {
    char::from_u32(unit.into())
}

/// White space and what stands around a sentence: quotation marks and brackets.
fn is_passed_over(unit: u16) -> bool {
    character(unit).is_some_and(|c| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '(' | ')' | '[' | ']' | '«' | '»' | '‹' | '›' | '‘'..='‟')
            || matches!(c, '「'..='』' | '（' | '）' | '*' | '•' | '-' | '–' | '—')
    })
}

/// Whether a character ends a sentence (Unicode's Sentence_Terminal, in the scripts of our languages), or introduces a list
/// or ends a clause, as a colon and a semicolon do.
fn ends_sentence(unit: u16) -> bool {
    character(unit).is_some_and(|c| {
        matches!(
            c,
            '.' | '!'
                | '?'
                | '…'
                | ':'
                | ';'
                | '։'
                | '؟'
                | '۔'
                | '।'
                | '॥'
                | '།'
                | '။'
                | '።'
                | '៖'
                | '។'
        ) || matches!(c, '。' | '！' | '？' | '；' | '：' | '．')
    })
}
