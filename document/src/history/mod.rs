//! The history of a document: its content at any moment, and the changes between any two moments, by whom and when.
//!
//! A history is built from the entries of a ledger, in order, and from nothing else. A moment is the number of an entry,
//! and means the document after that entry was applied.
//!
//! - [`weave`] keeps the order of every element that was ever written, and [`read`] reads the content at one moment.
//! - [`diff_runs`] compares a text at two moments, and matches deleted text with text that was brought back. [`diff`]
//!   combines the result into pieces, and [`milestones`] compares milestones and dates.
//! - [`changes`] describes a comparison as a person would: a paragraph was split, a link was changed.
//! - [`restore`] makes the edit that goes back to a moment.
//! - [`sittings`] groups entries into sittings, and [`shares`] says how much of the text at a moment counts as each
//!   person's.

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

/// An author: a person with the seat and the sector that they had when they acted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Author {
    /// The id of the person.
    pub person: PersonId,
    /// The seat that the person had.
    pub seat: Seat,
    /// The sector that the person represented.
    pub sector: Sector,
}

impl From<&Actor> for Author {
    fn from(actor: &Actor) -> Self {
        Self { person: actor.person.clone(), seat: actor.seat, sector: actor.sector }
    }
}

/// An index into a history's [`authors`](History::authors).
pub type AuthorIndex = u32;

/// The facts about an entry that a history keeps.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// The time of the entry, in milliseconds since the Unix epoch.
    time: u64,
    author: AuthorIndex,
    /// Whether the entry is an edit that was applied. Void entries, versions and steps to a release, for example, are
    /// not.
    edits: bool,
}

/// The history of one document. Pass it every entry of the document's ledger, in order, with [`record`](Self::record).
#[derive(Debug, Default)]
pub struct History {
    moments: Vec<Moment>,
    authors: Vec<Author>,
    known: HashMap<Author, AuthorIndex>,
    weave: Weave,
    /// One pair for each entry that restored a moment: the number of that entry, and the moment that it restored.
    restores: Vec<(Seq, Seq)>,
}

impl History {
    /// Adds the next entry of the ledger. `applied` is false for a void entry, which changes nothing.
    ///
    /// The entry must have been applied to a [`DocumentState`](crate::state::DocumentState), which verifies and checks
    /// entries. The history itself checks nothing.
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
            self.weave.credit_claims(provenance, number);
            if let Some(moment) = provenance.restores {
                self.restores.push((entry.seq, moment));
            }
        }
    }

    /// Returns the number of recorded entries.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.moments.len() as u64
    }

    /// Returns whether no entry has been recorded yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// Returns all people who made an entry, once for each seat and sector that they had.
    #[must_use]
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// Returns one pair for each entry that restored a moment: the number of that entry, and the moment that it restored.
    #[must_use]
    pub fn restores(&self) -> &[(Seq, Seq)] {
        &self.restores
    }

    /// Returns all characters that repeat the same originals as `ranges`, including the originals and `ranges` themselves. A
    /// redaction of `ranges` must remove them all.
    #[must_use]
    pub fn copies_of(&self, ranges: &[Range]) -> Vec<Range> {
        self.weave.copies_of(ranges)
    }

    /// Returns whether any element of `ranges` was in the document at a moment.
    #[must_use]
    pub fn was_present(&self, ranges: &[Range], moment: Seq) -> bool {
        let moment = self.number(moment);
        ranges.iter().any(|range| self.weave.was_present(range, moment))
    }

    /// Returns the elements of a passage that a person selected in a comparison, or `None` if the text at that place of
    /// the comparison is not `passage`. `offset` is the start of the passage in UTF-16 code units of all pieces of the
    /// compared text, whether kept, inserted or deleted.
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
        // If a text was replaced by another, both have the same target, and each is compared separately.
        let containers = self.texts().into_iter().filter(|(known, _)| known == target);
        containers
            .map(|(_, container)| self.elements(&container, moments, offset..end))
            .find_map(|(ranges, text)| (!wanted.is_empty() && text == wanted).then_some(ranges))
    }

    /// Returns the author of an entry, or `None` if the entry has not been recorded.
    #[must_use]
    pub fn author_of(&self, moment: Seq) -> Option<&Author> {
        let moment = self.moments.get(usize::try_from(moment.0).ok()?)?;
        self.authors.get(moment.author as usize)
    }

    /// Returns the time of a moment, in milliseconds since the Unix epoch. For a number beyond the last moment, returns
    /// the time of the last moment.
    #[must_use]
    pub fn time_of(&self, moment: Seq) -> u64 {
        self.moments.get(self.number(moment) as usize).map_or(0, |moment| moment.time)
    }

    /// Returns the last moment that is not later than `time` (milliseconds since the Unix epoch), or the first moment if all
    /// moments are later.
    #[must_use]
    pub fn moment_at(&self, time: u64) -> Seq {
        let after = self.moments.partition_point(|moment| moment.time <= time);
        Seq(after.saturating_sub(1) as u64)
    }

    /// Returns the approximate memory use of the history, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.weave.memory_bytes() + self.moments.len() * size_of::<Moment>()
    }

    /// Converts a moment to a number. A moment after the last one becomes the last one.
    fn number(&self, moment: Seq) -> Number {
        moment.0.min(self.len().saturating_sub(1)) as Number
    }
}
