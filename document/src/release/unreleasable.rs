//! Finds unreleasable content: content of a document that its readers do not see, or do not see as it is. This includes
//! content outside the template, attributes and embedded values that this version does not know, and characters that
//! hide or reorder others.
//!
//! A draft keeps all such content. But nobody can sign what they can't see, so a text with unreleasable content can't
//! be proposed.
//!
//! Rules U7 and R1.

mod characters;
mod finding;

use crate::model::content::Content;
use crate::model::delta::{Op, utf16_len};
use crate::model::{MAX_MILESTONE_ID_CHARS, is_milestone_id};
use crate::readable::address;
use crate::template::{FACTS, FIELDS, MILESTONE_TEXTS, MILESTONES, NOTES};
use crate::update::{Container, Holder, StructIndex};
use serde_json::Value;
use std::collections::BTreeSet;
use yrs::{Any, Doc, Map, Out, ReadTxn, Transact};

pub use finding::{FoundCharacter, Unreleasable, UnreleasableKind};

/// Maximum length of the list of a document's unreleasable content. Once people have fixed some of the listed content,
/// the list has room for the rest.
const MAX_LISTED: usize = 5_000;

/// Keys of a milestone whose values are plain values instead of texts.
const MILESTONE_VALUES: [&str; 4] = ["order", "due", "due_text", "removed"];
/// Keys of the dates that the template has.
const DATES: [&str; 2] = ["period_from", "period_to"];

/// Returns the content of a document that is outside the template.
pub(crate) fn outside_template(known: &StructIndex) -> Vec<Unreleasable> {
    known.occupied(|container| outside(container, known))
}

/// Returns the unreleasable content of a document: what is [outside the template](outside_template), and what is found in
/// its content. Content that occurs more than once in one place is listed once; a character is listed with the number of
/// its occurrences.
pub(crate) fn unreleasable(
    doc: &Doc,
    content: &Content,
    outside: Vec<Unreleasable>,
) -> Vec<Unreleasable> {
    let mut all = outside;
    for (key, ops) in &content.texts {
        text(key, ops, &mut all);
    }
    if content.texts.contains_key(NOTES) {
        all.push(Unreleasable::new(NOTES, UnreleasableKind::Notes, NOTES));
    }
    for milestone in &content.milestones {
        if !is_milestone_id(&milestone.id) {
            let value: String = milestone
                .id
                .chars()
                .take(MAX_MILESTONE_ID_CHARS)
                .flat_map(char::escape_default)
                .collect();
            all.push(Unreleasable::new(MILESTONES, UnreleasableKind::Identifier, &value));
        }
        let texts = [&milestone.what, &milestone.outputs, &milestone.who];
        for (key, ops) in MILESTONE_TEXTS.iter().zip(texts) {
            text(&format!("{MILESTONES}/{}/{key}", milestone.id), ops, &mut all);
        }
        let place = format!("{MILESTONES}/{}/due_text", milestone.id);
        characters::line(&place, &milestone.due_text, &mut all);
        date(&format!("{MILESTONES}/{}/due", milestone.id), &milestone.due, &mut all);
    }
    for key in DATES {
        match content.facts.get(key) {
            None => {}
            Some(Value::String(value)) => date(&format!("{FACTS}/{key}"), value, &mut all),
            Some(other) => {
                all.push(date_that_is_none(&format!("{FACTS}/{key}"), &other.to_string()))
            }
        }
    }
    misfits(doc, &mut all);
    all.sort();
    all.dedup_by(|next, first| {
        let is_same =
            (&next.place, next.kind, &next.content) == (&first.place, first.kind, &first.content);
        if let (true, Some(next), Some(first)) = (is_same, &next.character, &mut first.character) {
            first.count += next.count;
        }
        is_same
    });
    all.truncate(MAX_LISTED);
    all
}

/// Returns a container as unreleasable content if the template has no such container, or `None` if the template has it.
fn outside(container: &Container, known: &StructIndex) -> Option<Unreleasable> {
    let part = |name: &str| Some(Unreleasable::new(name, UnreleasableKind::Part, name));
    let key = container.key.as_deref();
    match &container.parent {
        Holder::Root(root) => match (&**root, key) {
            (MILESTONES, Some(_)) => None,
            (FACTS, Some(key)) if DATES.contains(&key) => None,
            (FACTS, Some(key)) => part(&format!("{FACTS}/{key}")),
            (root, None) if FIELDS.iter().any(|field| field.key == root) => None,
            (root, _) => part(root),
        },
        Holder::Nested(id) => {
            let holder = known.container_of(*id)?;
            let in_milestone = |container: &Container| {
                matches!(&container.parent, Holder::Root(root) if &**root == MILESTONES)
                    && container.key.is_some()
            };
            if in_milestone(holder) {
                let key = key.unwrap_or_default();
                if MILESTONE_TEXTS.contains(&key) || MILESTONE_VALUES.contains(&key) {
                    return None;
                }
                let id = holder.key.as_deref().unwrap_or_default();
                return part(&format!("{MILESTONES}/{id}/{key}"));
            }
            let text_of_milestone = match &holder.parent {
                Holder::Nested(map) => {
                    let of_milestone = known.container_of(*map).is_some_and(in_milestone);
                    let name = holder.key.as_deref().unwrap_or_default();
                    of_milestone && MILESTONE_TEXTS.contains(&name)
                }
                Holder::Root(_) => false,
            };
            // Content deeper inside an unknown shared type is not listed. The type itself is listed instead.
            if text_of_milestone && key.is_some() { part(key.unwrap_or_default()) } else { None }
        }
    }
}

/// Adds the values of milestones whose type is not the one that the template expects there.
fn misfits(doc: &Doc, all: &mut Vec<Unreleasable>) {
    let txn = doc.transact();
    let Some(root) = txn.get_map(MILESTONES) else { return };
    let mut misfit =
        |place: String| all.push(Unreleasable::new(&place, UnreleasableKind::Part, &place));
    for (id, value) in root.iter(&txn) {
        let Out::YMap(map) = value else {
            misfit(format!("{MILESTONES}/{id}"));
            continue;
        };
        for (key, value) in map.iter(&txn) {
            let fits = match value {
                Out::YText(_) => MILESTONE_TEXTS.contains(&key),
                Out::Any(Any::Bool(_)) => key == "removed",
                Out::Any(Any::String(_)) => MILESTONE_VALUES.contains(&key) && key != "removed",
                _ => false,
            };
            if !fits {
                misfit(format!("{MILESTONES}/{id}/{key}"));
            }
        }
    }
}

fn text(place: &str, ops: &[Op], all: &mut Vec<Unreleasable>) {
    // Pieces with different formatting are joined, because the neighbours of a character decide whether it is hidden.
    let (mut run, mut offset) = (String::new(), 0);
    // This is a set, because a text can repeat the same unknown attribute in each of its pieces.
    let mut strange = BTreeSet::new();
    for op in ops {
        let Op::Insert { insert, attributes } = op else { continue };
        match insert {
            Value::String(value) => run.push_str(value),
            other => {
                characters::words(place, &run, offset, all);
                offset += utf16_len(&run) + 1;
                run.clear();
                all.push(Unreleasable::new(place, UnreleasableKind::Embedded, &other.to_string()));
            }
        }
        let found = attributes.iter().filter_map(|(name, value)| strange_attribute(name, value));
        strange.extend(found);
    }
    characters::words(place, &run, offset, all);
    for (kind, value) in strange {
        let cleanable = kind == UnreleasableKind::Address && address::clean(value).is_some();
        all.push(Unreleasable { cleanable, ..Unreleasable::new(place, kind, value) });
    }
}

/// Returns the kind and the offending part of an unreleasable attribute, or `None` if the attribute can be released.
fn strange_attribute<'a>(name: &'a str, value: &'a Value) -> Option<(UnreleasableKind, &'a str)> {
    let number =
        |from, to| value.as_f64().is_some_and(|n| n.fract() == 0.0 && (from..=to).contains(&n));
    // An attribute that is switched off is shown as if it did not exist. y-quill switches an attribute off with
    // `false`, and Quill with `null`.
    let is_known = matches!(value, Value::Null | Value::Bool(false))
        || match name {
            "bold" | "italic" | "blockquote" => *value == Value::Bool(true),
            "list" => value == "bullet" || value == "ordered",
            "header" => number(1.0, 6.0),
            "indent" => number(0.0, 8.0),
            "link" => value.is_string(),
            _ => false,
        };
    match (name, value.as_str()) {
        _ if !is_known => Some((UnreleasableKind::Formatting, name)),
        ("link", Some(link)) if !address::is_safe(link) => Some((UnreleasableKind::Address, link)),
        _ => None,
    }
}

fn date(place: &str, value: &str, all: &mut Vec<Unreleasable>) {
    if !value.is_empty() && !is_date(value) {
        all.push(date_that_is_none(place, value));
    }
}

fn date_that_is_none(place: &str, value: &str) -> Unreleasable {
    Unreleasable::new(place, UnreleasableKind::Date, value)
}

/// Whether a string is a date `YYYY-MM-DD` of a day that exists.
fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = value.get(range)?;
        if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else {
        return false;
    };
    let is_leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests;
