//! Reading the content of the document at a moment.

use super::History;
use super::weave::{Container, Holder, Number, Run, RunContent, TextBuffer};
use crate::ids::Seq;
use crate::model::attributes::Attributes;
use crate::model::content::{Content, belongs_to_content};
use crate::model::delta::Op;
use crate::model::{Milestone, Target};
use crate::template::{FACTS, FIELDS, MILESTONE_TEXTS, MILESTONES};
use crate::update::shared_type;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

impl History {
    /// Returns the content of the document at a moment.
    #[must_use]
    pub fn content_at(&self, moment: Seq) -> Content {
        let moment = self.number(moment);
        let texts = FIELDS
            .iter()
            .map(|field| (field.key.to_owned(), self.text_at(&root_text(field.key), moment)))
            .filter(belongs_to_content)
            .collect();
        let mut milestones: Vec<_> =
            self.milestone_ids().filter_map(|id| self.shown_at(id, moment)).collect();
        Milestone::sort(&mut milestones);
        Content { texts, milestones, facts: self.facts_at(moment) }
    }

    pub(super) fn facts_at(&self, moment: Number) -> BTreeMap<String, Value> {
        let root = Holder::Root(FACTS.into());
        let keys = self.weave.keys(&root).iter();
        keys.filter_map(|key| Some((key.to_string(), self.value_at(&root, key, moment)?))).collect()
    }

    /// Returns the ids of all milestones that ever existed.
    pub(super) fn milestone_ids(&self) -> impl Iterator<Item = &str> {
        self.weave.keys(&Holder::Root(MILESTONES.into())).iter().map(|id| &**id)
    }

    pub(super) fn is_shown(&self, id: &str, moment: Number) -> bool {
        self.shown_at(id, moment).is_some()
    }

    /// Returns a milestone at a moment, or `None` if it was not shown.
    pub(super) fn shown_at(&self, id: &str, moment: Number) -> Option<Milestone> {
        let map = self.milestone_map(id, moment)?;
        let string = |key| match self.value_at(&map, key, moment) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let text = |key| {
            let container = self.type_at(&map, key, moment, shared_type::TEXT);
            container.map_or_else(Vec::new, |parent| {
                self.text_at(&Container { parent, key: None }, moment)
            })
        };
        let milestone = Milestone {
            id: id.to_owned(),
            order: string("order"),
            what: text("what"),
            outputs: text("outputs"),
            who: text("who"),
            due: string("due"),
            due_text: string("due_text"),
        };
        let is_removed = self.value_at(&map, "removed", moment) != Some(Value::Bool(false));
        (!is_removed || milestone.has_text()).then_some(milestone)
    }

    pub(super) fn milestone_map(&self, id: &str, moment: Number) -> Option<Holder> {
        self.type_at(&Holder::Root(MILESTONES.into()), id, moment, shared_type::MAP)
    }

    /// Returns all texts that ever existed: the fields in the order of the page, then the texts of milestones in the order in
    /// which the milestones were added. If a milestone's text was replaced by another, the list has both.
    pub(super) fn texts(&self) -> Vec<(Target, Container)> {
        let mut all: Vec<_> =
            FIELDS.iter().map(|f| (Target::field(f.key), root_text(f.key))).collect();
        let root = Holder::Root(MILESTONES.into());
        for id in self.milestone_ids() {
            for map in self.types_ever(&root, id, shared_type::MAP) {
                for key in MILESTONE_TEXTS {
                    for parent in self.types_ever(&map, key, shared_type::TEXT) {
                        all.push((Target::milestone(id, key), Container { parent, key: None }));
                    }
                }
            }
        }
        all
    }

    /// Returns the text that a milestone had under `key` at a moment, or `None` if it had none.
    pub(super) fn milestone_text(&self, id: &str, key: &str, moment: Number) -> Option<Container> {
        let map = self.milestone_map(id, moment)?;
        let parent = self.type_at(&map, key, moment, shared_type::TEXT)?;
        Some(Container { parent, key: None })
    }

    fn types_ever(&self, holder: &Holder, key: &str, kind: u8) -> Vec<Holder> {
        let container = Container { parent: holder.clone(), key: Some(key.into()) };
        let made =
            self.weave.walk(&container).filter(|run| run.held.kind == RunContent::Type(kind));
        made.map(|run| Holder::Nested(self.weave.id_of(run))).collect()
    }

    fn type_at(&self, holder: &Holder, key: &str, moment: Number, kind: u8) -> Option<Holder> {
        let run = self.weave.at_key(holder, key, moment)?;
        (run.held.kind == RunContent::Type(kind)).then(|| Holder::Nested(self.weave.id_of(run)))
    }

    pub(super) fn value_at(&self, holder: &Holder, key: &str, moment: Number) -> Option<Value> {
        let run = self.weave.at_key(holder, key, moment)?;
        match run.held.kind {
            RunContent::Values(at) => Some(self.weave.value(at + run.len - 1).clone()),
            RunContent::Embed(at) => Some(self.weave.value(at).clone()),
            RunContent::Text(at) => {
                Some(String::from_utf16_lossy(self.weave.units(at, run.len)).into())
            }
            _ => None,
        }
    }

    /// Returns the content of a text at a moment, as a Delta.
    fn text_at(&self, container: &Container, moment: Number) -> Vec<Op> {
        let mut out = Vec::new();
        let mut text = TextBuffer::default();
        let mut attributes = Attributes::new();
        let flush = |text: &mut TextBuffer, attributes: &Attributes, out: &mut Vec<Op>| {
            if !text.is_empty() {
                out.push(Op::insert(&text.take(), attributes.clone()));
            }
        };
        for run in self.weave.walk(container).filter(|run| run.held.is_present_at(moment)) {
            match run.held.kind {
                RunContent::Text(at) => self.weave.append_text(&mut text, (at, run.len), moment),
                RunContent::Format(at) => {
                    flush(&mut text, &attributes, &mut out);
                    let (name, value) = self.weave.format(at);
                    set(&mut attributes, name, value);
                }
                _ => {
                    flush(&mut text, &attributes, &mut out);
                    let attributes = attributes.clone();
                    out.extend(self.embedded(run).map(|insert| Op::Insert { insert, attributes }));
                }
            }
        }
        flush(&mut text, &attributes, &mut out);
        out
    }

    /// Returns the value that a run embeds in a text, or `None` if the run has other content.
    pub(super) fn embedded(&self, run: &Run) -> Option<Value> {
        match run.held.kind {
            RunContent::Embed(at) => Some(self.weave.value(at).clone()),
            RunContent::Type(_) => Some(serde_json::json!({ "unknown": true })),
            _ => None,
        }
    }
}

fn root_text(key: &str) -> Container {
    Container { parent: Holder::Root(key.into()), key: None }
}

/// Sets an attribute to a value, or removes it if the value is `null`.
pub(super) fn set(attributes: &mut Attributes, name: &Arc<str>, value: &Arc<Value>) {
    if value.is_null() {
        attributes.remove(name);
    } else {
        attributes.insert_shared(name, value);
    }
}
