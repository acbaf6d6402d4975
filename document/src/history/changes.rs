//! The differences between two moments, each as a person would name it.

mod shaping;

use super::diff::{Diff, EditSpan};
use super::weave::{Holder, Number};
use super::{AuthorIndex, History};
use crate::model::Target;
use crate::model::delta::Attributes;
use crate::template::FACTS;
use serde::Serialize;
use serde_json::Value;
use shaping::in_text;

/// The fewest characters that are reported as moved: shorter passages occur in several places by chance.
const MIN_MOVED_CHARS: usize = 12;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// The text it happened in; nothing for dates of the commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Where, in UTF-16 code units of that text at the second moment.
    pub at: u32,
    /// The change itself.
    #[serde(flatten)]
    pub what: What,
    /// The person who made it, and the entries.
    pub by: EditSpan,
    /// The authors of the text that was deleted or replaced, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>, required = false))]
    pub wrote: Vec<AuthorIndex>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Text was added.
    Inserted {
        /// The text.
        text: String,
    },
    /// Text was deleted.
    Deleted {
        /// The text.
        text: String,
    },
    /// Text was replaced.
    Replaced {
        /// The text before.
        old: String,
        /// The text after.
        new: String,
    },
    /// A paragraph was made two.
    Split {
        /// The text before the split.
        before: String,
        /// The text behind the split.
        after: String,
    },
    /// Two paragraphs were made one.
    Joined {
        /// The text of the first paragraph.
        before: String,
        /// The text of the second paragraph.
        after: String,
    },
    /// A paragraph became one of another kind: a heading, a list item, indented.
    Block {
        /// The text of the paragraph.
        text: String,
        /// Its attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Its attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Characters were given other marks, or another link.
    Marked {
        /// The characters.
        text: String,
        /// Their attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Their attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Text was taken from one place to another.
    Moved {
        /// The text.
        text: String,
        /// The text that it was taken from.
        from: Target,
    },
    /// A milestone was added.
    MilestoneAdded {
        /// The milestone.
        id: String,
    },
    /// A milestone was removed.
    MilestoneRemoved {
        /// The milestone.
        id: String,
    },
    /// A milestone was moved among the others.
    MilestoneMoved {
        /// The milestone.
        id: String,
    },
    /// A date was changed: of a milestone, or of the commitment.
    Value {
        /// The key of the date.
        key: String,
        /// The milestone; none for a date of the commitment.
        id: Option<String>,
        /// The value before, if there was one.
        old: Option<Value>,
        /// The value after, if there is one.
        new: Option<Value>,
    },
}

impl History {
    /// What happened between two moments, in the order of the page.
    #[must_use]
    pub fn changes(&self, diff: &Diff) -> Vec<Change> {
        let mut all: Vec<Change> = diff.texts.iter().flat_map(in_text).collect();
        pair_moves(&mut all);
        all.extend(self.value_changes(diff));
        all
    }

    /// Dates, and milestones that came, went or were moved.
    fn value_changes(&self, diff: &Diff) -> Vec<Change> {
        let (from, to) = (self.number(diff.from), self.number(diff.to));
        let mut out = Vec::new();
        let facts = Holder::Root(FACTS.into());
        for key in self.weave.keys(&facts) {
            let key = key.to_string();
            let what = |old, new| What::Value { key: key.clone(), id: None, old, new };
            out.extend(self.value_change(&facts, &key, (from, to), None, what));
        }
        for id in self.milestone_ids() {
            let Some(map) = self.milestone_map(id, to).or_else(|| self.milestone_map(id, from))
            else {
                continue;
            };
            let target = Some(Target::milestone(id, "what"));
            let id = id.to_owned();
            match (self.is_shown(&id, from), self.is_shown(&id, to)) {
                (false, false) => {}
                (false, true) => {
                    let what = |_, _| What::MilestoneAdded { id: id.clone() };
                    out.extend(self.value_change(&map, "removed", (from, to), target, what));
                }
                (true, false) => {
                    let what = |_, _| What::MilestoneRemoved { id: id.clone() };
                    out.extend(self.value_change(&map, "removed", (from, to), target, what));
                }
                (true, true) => {
                    let what = |_, _| What::MilestoneMoved { id: id.clone() };
                    out.extend(self.value_change(&map, "order", (from, to), target.clone(), what));
                    for key in ["due", "due_text"] {
                        let id = Some(id.clone());
                        let what = |old, new| What::Value { key: key.to_owned(), id, old, new };
                        out.extend(self.value_change(&map, key, (from, to), target.clone(), what));
                    }
                }
            }
        }
        out
    }

    fn value_change(
        &self,
        holder: &Holder,
        key: &str,
        (from, to): (Number, Number),
        target: Option<Target>,
        what: impl FnOnce(Option<Value>, Option<Value>) -> What,
    ) -> Option<Change> {
        let (old, new) = (self.value_at(holder, key, from), self.value_at(holder, key, to));
        if old == new {
            return None;
        }
        let (first, last) = (from.min(to), from.max(to));
        let cause = self.weave.last_written(holder, key, first, last)?;
        Some(Change {
            target,
            at: 0,
            what: what(old, new),
            by: self.span(cause),
            wrote: Vec::new(),
        })
    }
}

/// Replaces a deletion and an insertion of the same text by the same person with one move.
fn pair_moves(all: &mut Vec<Change>) {
    let mut gone = Vec::new();
    for deleted in 0..all.len() {
        let What::Deleted { text } = &all[deleted].what else { continue };
        let text = text.clone();
        if text.trim().chars().count() < MIN_MOVED_CHARS {
            continue;
        }
        let author = all[deleted].by.author;
        let same = |change: &Change| {
            matches!(&change.what, What::Inserted { text: new } if new.trim() == text.trim())
                && change.by.author == author
        };
        let Some(inserted) = all.iter().position(same) else { continue };
        let from = all[deleted].target.clone().unwrap_or_else(|| Target::field(""));
        all[inserted].what = What::Moved { text, from };
        gone.push(deleted);
    }
    let mut index = 0;
    all.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}
