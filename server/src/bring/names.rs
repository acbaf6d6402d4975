//! What the parts of a commitment are called in drafts.

use crate::pages::{Words, wire};
use accord_document::model::template::{FIELDS, Field, NOTES, Section};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The longest label, in characters.
pub(super) const LABEL: usize = 120;

/// Words that tell which part is meant where it is called otherwise than here: the first of which all stand in
/// a heading.
pub(super) const CLUES: [(&str, &[&str]); 22] = [
    ("supporting_civil_society", &["support", "civil society"]),
    ("supporting_government", &["support", "government"]),
    ("supporting_other", &["support", "other"]),
    ("lead", &["lead", "institution"]),
    ("lead", &["lead", "agency"]),
    ("lead", &["commitment lead"]),
    ("brief", &["brief description"]),
    ("causes", &["causes"]),
    ("done_so_far", &["done so far"]),
    ("solution", &["solution"]),
    ("results", &["results", "want"]),
    ("results", &["expected results"]),
    ("problem", &["what", "problem"]),
    ("problem", &["problem", "address"]),
    ("transparency", &["promote transparency"]),
    ("transparency", &["further transparency"]),
    ("accountability", &["foster accountability"]),
    ("accountability", &["public accountability"]),
    ("participation", &["improve", "participation"]),
    ("participation", &["citizen participation"]),
    ("participation", &["public participation"]),
    ("title", &["commitment title"]),
];

/// The columns of a table of milestones, as [`CLUES`].
pub(super) const COLUMNS: [(&str, &[&str]); 8] = [
    ("outputs", &["output"]),
    ("due", &["completion"]),
    ("due", &["date"]),
    ("who", &["responsible"]),
    ("who", &["stakeholder"]),
    ("what", &["milestone"]),
    ("what", &["activity"]),
    ("what", &["step"]),
];

/// A part of a commitment that something can be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spot {
    Section(Section),
    Field(&'static Field),
    /// The key of a date.
    Date(&'static str),
    /// Of the milestone that was begun last, by key.
    InMilestone(&'static str),
    /// The next milestone.
    Milestone,
}

/// What parts are called in all languages.
pub(super) static NAMES: LazyLock<HashMap<String, Vec<Spot>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<Spot>> = HashMap::new();
    let mut call = |key: &str, spot| {
        for words in Words::all() {
            names.entry(plain_label(&words.say(key))).or_default().push(spot);
        }
    };
    for field in FIELDS.iter().filter(|field| field.key != NOTES) {
        call(&format!("field.{}", field.key), Spot::Field(field));
    }
    for section in Section::ALL {
        call(&format!("section.{}", wire(&section)), Spot::Section(section));
    }
    for key in ["period_from", "period_to"] {
        call(&format!("field.{key}"), Spot::Date(key));
    }
    for key in ["outputs", "who", "due", "what"] {
        call(&format!("field.{key}"), Spot::InMilestone(key));
    }
    for words in Words::all() {
        let name = words.fill("milestones.number", &[("number", "")]);
        names.entry(plain_label(&name)).or_default().push(Spot::Milestone);
    }
    names
});

/// A name without what stands around it: numbers before and after, marks, and whether its letters are large.
pub(super) fn plain_label(text: &str) -> String {
    let is_kept = |c: char| c.is_alphabetic();
    let words = text.to_lowercase();
    let words = words.trim_matches(|c: char| !is_kept(c));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn by_clue(clues: &[(&'static str, &[&str])], label: &str) -> Option<&'static str> {
    let has_all = |(_, words): &&(&str, &[&str])| words.iter().all(|word| label.contains(word));
    clues.iter().find(has_all).map(|(key, _)| *key)
}

pub(super) fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}
