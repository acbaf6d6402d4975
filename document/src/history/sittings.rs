//! Sittings: periods of work without a long pause, with the amount of work of each person on each text.

use super::diff::MAX_REST_MS;
use super::weave::{NEVER, Number, RunContent};
use super::{AuthorIndex, History, Moment};
use crate::ids::Seq;
use crate::model::Target;
use serde::Serialize;
use std::collections::BTreeMap;

/// A sitting: edits with no pause between them longer than a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sitting {
    /// The moment before the first entry of the sitting.
    pub before: Seq,
    /// The first entry of the sitting.
    pub first: Seq,
    /// The last entry of the sitting.
    pub last: Seq,
    /// The time of the first entry, in milliseconds since the Unix epoch.
    pub began: u64,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub ended: u64,
    /// The work in the sitting, by text in the order of the page, then by author.
    pub tallies: Vec<Tally>,
}

/// The work of one person on one text in one sitting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Tally {
    /// The person, as an index into the history's authors.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub author: AuthorIndex,
    /// The text, or `None` for work outside texts, such as on dates, or adding and removing milestones.
    pub target: Option<Target>,
    /// Number of UTF-16 code units inserted, including newlines.
    pub inserted: u32,
    /// Number of UTF-16 code units deleted, including newlines.
    pub deleted: u32,
    /// Number of other changes: to marks, links and the format of paragraphs; outside texts, the number of edits.
    pub formatted: u32,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    inserted: u32,
    deleted: u32,
    formatted: u32,
}

impl History {
    /// Returns all sittings, the oldest first. Entries that are not edits belong to no sitting, nor does the template with which
    /// a document begins (entries 0 and 1).
    #[must_use]
    pub fn sittings(&self) -> Vec<Sitting> {
        let mut sittings: Vec<Sitting> = Vec::new();
        for number in 2..self.moments.len() {
            let Moment { time, edits, .. } = self.moments[number];
            if !edits {
                continue;
            }
            let seq = Seq(number as u64);
            match sittings.last_mut() {
                Some(last) if time.saturating_sub(last.ended) <= MAX_REST_MS => {
                    last.last = seq;
                    last.ended = time;
                }
                _ => sittings.push(Sitting {
                    before: Seq(seq.0 - 1),
                    first: seq,
                    last: seq,
                    began: time,
                    ended: time,
                    tallies: Vec::new(),
                }),
            }
        }
        self.tally(&mut sittings);
        sittings
    }

    fn tally(&self, sittings: &mut [Sitting]) {
        // The key is the sitting, the text and the author. The text is given as its index in `texts`. Work on dates and
        // milestones is counted under the index after the last text.
        let mut counts: BTreeMap<(usize, usize, AuthorIndex), Count> = BTreeMap::new();
        let texts = self.texts();
        let mut told = vec![false; self.moments.len()];
        for (text, (_, container)) in texts.iter().enumerate() {
            for run in self.weave.walk(container) {
                for (number, was_born) in [(run.held.born, true), (run.held.died, false)] {
                    let Some(sitting) = sitting_of(sittings, number) else { continue };
                    told[number as usize] = true;
                    let author = self.moments[number as usize].author;
                    let count = counts.entry((sitting, text, author)).or_default();
                    match (run.held.kind, was_born) {
                        (RunContent::Format(_), _) => count.formatted += 1,
                        (_, true) => count.inserted += run.len,
                        (_, false) => count.deleted += run.len,
                    }
                }
            }
        }
        let untold = |(number, moment): &(usize, &Moment)| moment.edits && !told[*number];
        for (number, moment) in self.moments.iter().enumerate().filter(untold) {
            let Some(sitting) = sitting_of(sittings, number as Number) else { continue };
            counts.entry((sitting, texts.len(), moment.author)).or_default().formatted += 1;
        }
        for ((sitting, text, author), Count { inserted, deleted, formatted }) in counts {
            let target = texts.get(text).map(|(target, _)| target.clone());
            sittings[sitting].tallies.push(Tally { author, target, inserted, deleted, formatted });
        }
    }
}

fn sitting_of(sittings: &[Sitting], number: Number) -> Option<usize> {
    if number == NEVER {
        return None;
    }
    let after = sittings.partition_point(|sitting| sitting.first.0 <= u64::from(number));
    after.checked_sub(1)
}
