//! Restoring: an edit that gives the document, or a part of it, the content of an earlier moment.
//!
//! A restoration is an ordinary edit. It is merged with what others type at the same time, and can be undone. The text
//! that it brings back is claimed to repeat the old text, so that the text keeps its authors.

use super::History;
use super::diff_runs::{DiffRun, diff_runs};
use super::weave::{Container, Holder, Number, RunContent};
use crate::ids::Seq;
use crate::model::delta::Op;
use crate::model::{Milestone, Replica, Target};
use crate::template::FACTS;
use crate::update::Range;
use serde_json::Value;

/// The part of a document that is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreScope {
    /// The whole document.
    Whole,
    /// One text field.
    Field(String),
    /// All milestones.
    Milestones,
}

impl History {
    /// Edits `replica` so that `part` has the content that it had at `moment`. `replica` must be at this history's last
    /// moment.
    pub fn restore(&self, replica: &mut Replica, moment: Seq, part: &RestoreScope) {
        let moment = self.number(moment);
        let milestones = matches!(part, RestoreScope::Whole | RestoreScope::Milestones);
        for (target, container) in self.texts() {
            let wanted = match part {
                RestoreScope::Whole => true,
                RestoreScope::Field(key) => target == Target::field(key),
                RestoreScope::Milestones => target.milestone_text().is_some(),
            };
            // The texts of a milestone that was not shown at `moment` are not restored, because `restore_milestones`
            // removes the whole milestone.
            let was_there = target.milestone_text().is_none_or(|(id, _)| self.is_shown(id, moment));
            if wanted && was_there && self.is_current(&target, &container) {
                let (ops, sources) = self.way_back(&container, moment);
                if ops
                    .iter()
                    .any(|op| !matches!(op, Op::Retain { attributes, .. } if attributes.is_empty()))
                {
                    replica.repeat(&target, &ops, &sources);
                }
            }
        }
        if milestones {
            self.restore_milestones(replica, moment);
        }
        if *part == RestoreScope::Whole {
            let now = self.facts_at(self.last());
            let facts = Holder::Root(FACTS.into());
            for key in self.weave.keys(&facts) {
                let then = self.value_at(&facts, key, moment);
                let then = then.as_ref().and_then(Value::as_str).unwrap_or_default();
                if now.get(&**key).and_then(Value::as_str).unwrap_or_default() != then {
                    replica.set_fact(key, then);
                }
            }
        }
    }

    fn last(&self) -> Number {
        self.number(Seq(u64::MAX))
    }

    fn restore_milestones(&self, replica: &mut Replica, moment: Number) {
        for id in self.milestone_ids() {
            match (self.shown_at(id, moment), self.shown_at(id, self.last())) {
                (Some(then), now) => {
                    let same = |read: fn(&Milestone) -> &str| {
                        now.as_ref().is_some_and(|now| read(now) == read(&then))
                    };
                    if !same(|milestone| &milestone.order) {
                        replica.show_milestone(id, &then.order);
                    }
                    if !same(|milestone| &milestone.due) {
                        replica.set_milestone(id, "due", &then.due);
                    }
                    if !same(|milestone| &milestone.due_text) {
                        replica.set_milestone(id, "due_text", &then.due_text);
                    }
                }
                (None, Some(_)) => replica.remove_milestone(id),
                (None, None) => {}
            }
        }
    }

    /// Returns whether `container` is the text to which `target` refers now. A milestone's text can have been replaced by
    /// another text under the same target.
    fn is_current(&self, target: &Target, container: &Container) -> bool {
        let last = self.last();
        match target.milestone_text() {
            Some((id, key)) => self.milestone_text(id, key, last).as_ref() == Some(container),
            None => true,
        }
    }

    /// Returns the steps that turn the current content of a text into its content at `moment`, and the old elements
    /// that the inserted characters repeat.
    fn way_back(&self, container: &Container, moment: Number) -> (Vec<Op>, Vec<Range>) {
        let (mut ops, mut sources) = (Vec::new(), Vec::new());
        diff_runs(self, container, (self.last(), moment), &mut |run| match run {
            DiffRun::Kept(now, then) => {
                ops.push(Op::retain(now.len, now.before.changes_to(&then.after)));
            }
            DiffRun::Deleted(now) => ops.push(Op::delete(now.len)),
            DiffRun::Inserted(then) => {
                let attributes = then.after.clone();
                if let RunContent::Text(at) = then.run.held.kind {
                    let units = self.weave.units(at + then.skip, then.len);
                    let id = self.weave.id_of(then.run).plus(then.skip);
                    sources.push(Range { client: id.client, clock: id.clock, len: then.len });
                    ops.push(Op::insert(&String::from_utf16_lossy(units), attributes));
                } else if let RunContent::Embed(at) = then.run.held.kind {
                    let insert = self.weave.value(at).clone();
                    ops.push(Op::Insert { insert, attributes });
                }
            }
        });
        (ops, sources)
    }
}
