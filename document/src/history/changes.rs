//! The changes between two moments, each described as a person would describe it.

mod change;
mod shaping;

pub use change::{Change, What};

use super::History;
use super::diff::Diff;
use super::weave::{Holder, Number};
use crate::model::Target;
use crate::template::FACTS;
use change::MIN_MOVED_CHARS;
use serde_json::Value;
use shaping::in_text;

impl History {
    /// Returns the changes between the two moments of `diff`: first those of texts, in the order of the page, then those of
    /// dates and milestones.
    #[must_use]
    pub fn changes(&self, diff: &Diff) -> Vec<Change> {
        let mut all: Vec<Change> = diff.texts.iter().flat_map(in_text).collect();
        pair_moves(&mut all);
        all.extend(self.value_changes(diff));
        all
    }

    /// Returns the changed dates, and the milestones that were added, removed or reordered.
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

/// Combines a deletion and an insertion into one move if the same person made both with the same text. Texts shorter
/// than [`MIN_MOVED_CHARS`] are left as they are.
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
