//! The outline of a release: its sections without empty fields, in the order in which every page and every file shows
//! them.

use crate::model::delta::{self, Op};
use crate::release::canonical::{Released, ReleasedMilestone};
use crate::template::{FIELDS, Section};

/// A section of a release that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter<'r> {
    /// The section.
    pub section: Section,
    /// The parts of the section that are not empty, in the order of the page.
    pub parts: Vec<ChapterPart<'r>>,
}

/// A part of a section: a text field, a date or a milestone.
#[derive(Debug, Clone, PartialEq)]
pub enum ChapterPart<'r> {
    /// A text field.
    Text {
        /// The key of the field.
        key: &'static str,
        /// The text of the field.
        ops: &'r [Op],
    },
    /// A date of the commitment.
    Date {
        /// The key of the date.
        key: &'static str,
        /// The date as `YYYY-MM-DD`.
        day: &'r str,
    },
    /// A milestone.
    Milestone {
        /// The number of the milestone in this release, counted from 1.
        number: usize,
        /// The milestone.
        milestone: &'r ReleasedMilestone,
    },
}

/// Returns the sections of a release that are not empty, in the order of the page.
#[must_use]
pub fn outline(released: &Released) -> Vec<Chapter<'_>> {
    let chapters = Section::ALL
        .into_iter()
        .map(|section| Chapter { section, parts: parts(released, section) });
    chapters.filter(|chapter| !chapter.parts.is_empty()).collect()
}

fn parts(released: &Released, section: Section) -> Vec<ChapterPart<'_>> {
    match section {
        Section::Milestones => {
            let numbered = (1..).zip(&released.milestones);
            numbered
                .map(|(number, milestone)| ChapterPart::Milestone { number, milestone })
                .collect()
        }
        Section::When => {
            let date =
                |key| Some(ChapterPart::Date { key, day: released.facts.get(key)?.as_str()? });
            let dates = ["period_from", "period_to"].into_iter().filter_map(date);
            dates.filter(|part| !matches!(part, ChapterPart::Date { day: "", .. })).collect()
        }
        _ => {
            let fields = FIELDS.iter().filter(|field| field.section == Some(section));
            let text = |key| Some(ChapterPart::Text { key, ops: released.texts.get(key)? });
            fields.filter_map(|field| text(field.key)).filter(|part| !part.is_empty()).collect()
        }
    }
}

impl ChapterPart<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text { ops, .. } if !has_words(ops))
    }
}

/// Whether a text contains any characters other than white space.
#[must_use]
pub fn has_words(ops: &[Op]) -> bool {
    !delta::plain(ops).trim().is_empty()
}
