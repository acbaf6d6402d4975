//! Decides whether copied characters are whole sentences or whole blocks, both at their old place and at their new one.
//!
//! A copied sentence still belongs to its author. A sentence that somebody assembles from pieces of another person's
//! sentences is new: the words belong to the other person, but the sentence does not.

use super::{CompactId, NONE, Number, Run, RunContent, Weave};

/// Maximum number of runs that are searched for the neighbour of a character. If the search ends without a result, the
/// passage does not count as whole sentences.
const MAX_RUNS_LOOKED_AT: usize = 1_024;

/// The neighbour of a character in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// The beginning or the end of a text or of a block.
    Edge,
    /// The code unit of a character, or U+FFFC for an embedded value.
    Unit(u16),
    /// The neighbour was not found within [`MAX_RUNS_LOOKED_AT`] runs.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
}

impl Weave {
    /// Returns whether, at a moment, the characters from `first` to `last` began and ended where sentences or blocks
    /// begin and end.
    pub(super) fn is_whole(&self, first: CompactId, last: CompactId, moment: Number) -> bool {
        let text_ends = self.last_visible(last, moment).is_some_and(ends_sentence);
        let starts = match self.beside(first, Direction::Left, moment) {
            Beside::Edge => true,
            Beside::Unit(unit) => ends_sentence(unit),
            Beside::Unknown => false,
        };
        starts && (text_ends || self.beside(last, Direction::Right, moment) == Beside::Edge)
    }

    /// Returns the last moment before `entry` at which an element was in the document.
    pub(super) fn last_present(&self, id: CompactId, entry: Number) -> Number {
        let died = self.holding(id).map_or(entry, |run| run.held.died.min(entry));
        died.saturating_sub(1)
    }

    /// Returns the code unit of an element, or `None` if the element is not text.
    fn unit(&self, id: CompactId) -> Option<u16> {
        let run = self.holding(id)?;
        let RunContent::Text(at) = run.held.kind else { return None };
        self.units(at, run.len).get((id.clock - run.id.clock) as usize).copied()
    }

    /// Returns the last code unit up to the element `last` that is neither white space nor a mark around a sentence, or
    /// `None` if no such code unit is found in the same block.
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

    /// Returns the neighbour of an element at a moment, skipping white space and marks around sentences.
    fn beside(&self, id: CompactId, direction: Direction, moment: Number) -> Beside {
        let Some(start) = self.order.holding(id) else { return Beside::Unknown };
        let mut at = start;
        let mut looked_at = 0;
        while let Some(run) = self.order.runs.get(at as usize) {
            looked_at += 1;
            if looked_at > MAX_RUNS_LOOKED_AT {
                return Beside::Unknown;
            }
            let own = (at == start).then(|| id.clock - run.id.clock);
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

    /// Returns the neighbour of an element if that neighbour is in `run`. If `run` contains the element itself, `own` is the
    /// offset of the element, and only the code units beyond it are searched.
    fn in_run(
        &self,
        run: &Run,
        own: Option<u32>,
        direction: Direction,
        moment: Number,
    ) -> Option<Beside> {
        if own.is_none() && !run.held.is_present_at(moment) {
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

/// Returns whether a code unit is white space or a mark around a sentence: a quotation mark, a bracket, a bullet or a dash.
fn is_passed_over(unit: u16) -> bool {
    character(unit).is_some_and(|c| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '(' | ')' | '[' | ']' | '«' | '»' | '‹' | '›' | '‘'..='‟')
            || matches!(c, '「'..='』' | '（' | '）' | '*' | '•' | '-' | '–' | '—')
    })
}

/// Returns whether a code unit ends a sentence (Unicode's Sentence_Terminal, in the scripts that Accord supports), ends a
/// clause, as a semicolon does, or introduces a list, as a colon does.
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
