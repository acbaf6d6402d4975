//! What a document said at any moment, and what changed between any two, by whom and when.
//!
//! A history is made from a ledger, entry by entry, and never from anything else. Moments are the numbers
//! of its entries: a moment is the document once that entry was applied.
//!
//! - [`weave`] keeps the order of everything ever written, [`read`] walks it at one moment.
//! - [`diff_runs`] walks it at two, and matches what was deleted and brought back; [`diff`] tells what became of
//!   each run of text between them, [`milestones`] of milestones and dates.
//! - [`changes`] puts that into the words a person would use: this paragraph was split, that link changed.
//! - [`restore`] writes what was there once more.
//! - [`sittings`] groups entries into spells of work, [`shares`] says who wrote what stands.

mod changes;
mod diff;
mod diff_runs;
#[cfg(test)]
mod hostile;
mod milestones;
mod read;
mod restore;
mod shares;
mod sittings;
#[cfg(test)]
mod tests;
mod weave;

pub use changes::{Change, What};
pub use diff::{Diff, EditSpan, Piece, PieceStatus, TextDiff};
pub use milestones::MilestoneDiff;
pub use restore::RestoreScope;
pub use shares::Share;
pub use sittings::{Sitting, Tally};

use crate::ids::{PersonId, Seq};
use crate::ledger::Entry;
use crate::model::Target;
use crate::people::{Actor, Seat, Sector};
use crate::update::{Range, scan};
use serde::Serialize;
use std::collections::HashMap;
use weave::{Number, Weave};

/// A person as the ledger knows them: in the seat and for the side that they had.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Author {
    /// The person.
    pub person: PersonId,
    /// The seat that they had.
    pub seat: Seat,
    /// The side that they sat for.
    pub sector: Sector,
}

impl From<&Actor> for Author {
    fn from(actor: &Actor) -> Self {
        Self { person: actor.person.clone(), seat: actor.seat, sector: actor.sector }
    }
}

/// An index into a history's [`authors`](History::authors).
pub type AuthorIndex = u32;

/// An entry, as far as history tells of it.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Milliseconds since the Unix epoch.
    time: u64,
    author: AuthorIndex,
    /// Whether it changed the document: versions and steps to a release do not.
    edits: bool,
}

/// All that a ledger tells of a document's text. Give it every entry, in order, with
/// [`record`](Self::record).
#[derive(Debug, Default)]
pub struct History {
    moments: Vec<Moment>,
    authors: Vec<Author>,
    known: HashMap<Author, AuthorIndex>,
    weave: Weave,
    /// The entries that went back, and to which moments.
    restores: Vec<(Seq, Seq)>,
}

impl History {
    /// Takes in the next entry, and whether it was applied: a void one changes nothing.
    ///
    /// Entries come from a [`DocumentState`](crate::state::DocumentState), which has verified and checked
    /// them.
    pub fn record(&mut self, entry: &Entry, applied: bool) {
        debug_assert_eq!(entry.seq.0, self.moments.len() as u64, "entries come in order");
        let author = Author::from(&entry.actor);
        let author = self.known.get(&author).copied().unwrap_or_else(|| {
            let new = self.authors.len() as AuthorIndex;
            self.authors.push(author.clone());
            self.known.insert(author, new);
            new
        });
        let number = self.moments.len() as Number;
        let edits = applied && entry.body.edit().is_some();
        self.moments.push(Moment { time: entry.time, author, edits });
        if !applied {
            return;
        }
        if let Some((update, provenance)) = entry.body.edit()
            && let Ok(scan) = scan(update)
        {
            self.weave.integrate(&scan, number);
            self.weave.believe(provenance, number);
            if let Some(moment) = provenance.restores {
                self.restores.push((entry.seq, moment));
            }
        }
    }

    /// How many entries it has taken in.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.moments.len() as u64
    }

    /// Whether no entry was recorded yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// Everybody who did anything here, once for each seat and side they had.
    #[must_use]
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// The entries that went back, and the moment that each went back to.
    #[must_use]
    pub fn restores(&self) -> &[(Seq, Seq)] {
        &self.restores
    }

    /// All characters that these are or repeat, and all that repeat them: what must go with them, when they
    /// are redacted.
    #[must_use]
    pub fn copies_of(&self, ranges: &[Range]) -> Vec<Range> {
        self.weave.copies_of(ranges)
    }

    /// Whether any of these elements stood in the document at a moment.
    #[must_use]
    pub fn stood(&self, ranges: &[Range], moment: Seq) -> bool {
        let moment = self.number(moment);
        ranges.iter().any(|range| self.weave.stood(range, moment))
    }

    /// The elements of a passage as a comparison tells it: the characters of `passage` from an offset
    /// (UTF-16) on in a text's pieces, what was kept, inserted and deleted one after the other. None when the
    /// pieces say something else there.
    #[must_use]
    pub fn passage(
        &self,
        (from, to): (Seq, Seq),
        target: &Target,
        offset: u32,
        passage: &str,
    ) -> Option<Vec<Range>> {
        let moments = (self.number(from), self.number(to));
        let wanted: Vec<u16> = passage.encode_utf16().collect();
        let end = offset.checked_add(u32::try_from(wanted.len()).ok()?)?;
        // Where a text was replaced by another, each is told by itself.
        let places = self.texts().into_iter().filter(|(known, _)| known == target);
        places
            .map(|(_, place)| self.elements(&place, moments, offset..end))
            .find_map(|(ranges, said)| (!wanted.is_empty() && said == wanted).then_some(ranges))
    }

    /// Who made an entry.
    #[must_use]
    pub fn author_of(&self, moment: Seq) -> Option<&Author> {
        let moment = self.moments.get(usize::try_from(moment.0).ok()?)?;
        self.authors.get(moment.author as usize)
    }

    /// When a moment was, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn time_of(&self, moment: Seq) -> u64 {
        self.moments.get(self.number(moment) as usize).map_or(0, |moment| moment.time)
    }

    /// The last moment not after a time (milliseconds since the Unix epoch); the first, when all are.
    #[must_use]
    pub fn moment_at(&self, time: u64) -> Seq {
        let after = self.moments.partition_point(|moment| moment.time <= time);
        Seq(after.saturating_sub(1) as u64)
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weave.weight() + self.moments.len() * size_of::<Moment>()
    }

    /// The moment as a number, the last one for those that have not come yet.
    fn number(&self, moment: Seq) -> Number {
        moment.0.min(self.len().saturating_sub(1)) as Number
    }
}
