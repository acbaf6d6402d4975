//! The names that drafts use for the parts of a commitment.

use accord_document::template::{FIELDS, Field, NOTES, Section};
use accord_words::{Words, wire_name};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Maximum number of characters of a heading or label that is searched for [`CLUES`].
pub(super) const MAX_LABEL_CHARACTERS: usize = 120;

/// Names of fields in drafts and in forms of the Open Government Partnership, where they differ from the names that
/// Accord shows.
const FIELD_SYNONYMS: [(&str, &[&str]); 9] = [
    (
        "title",
        &[
            "title",
            "title of the commitment",
            "name of the commitment",
            "number and name of the commitment",
        ],
    ),
    ("brief", &["brief description of the commitment", "short description", "summary"]),
    (
        "lead",
        &[
            "commitment lead",
            "lead",
            "lead agency",
            "lead implementing agency",
            "lead implementing institution",
        ],
    ),
    ("problem", &["problem", "public problem", "problem statement"]),
    ("causes", &["causes", "causes of the problem"]),
    ("done_so_far", &["done so far", "what has been done"]),
    ("solution", &["solution", "proposed solution"]),
    ("results", &["results", "expected results", "desired results"]),
    ("contact_email", &["e-mail"]),
];

/// Names of sections in drafts and forms, where they differ from the names that Accord shows. [`FIELD_SYNONYMS`] has
/// the names of fields.
const SECTION_SYNONYMS: [(Section, &[&str]); 6] = [
    (Section::Who, &["supporting stakeholders", "stakeholders"]),
    (Section::When, &["period covered", "period"]),
    (Section::Why, &["problem definition"]),
    (Section::How, &["commitment description"]),
    (Section::Values, &["commitment analysis", "values"]),
    (Section::Milestones, &["commitment planning"]),
];

/// Words that hint at a field. The first row whose words are all in a heading decides.
const CLUES: [(&str, &[&str]); 16] = [
    ("supporting_civil_society", &["support", "civil society"]),
    ("supporting_government", &["support", "government"]),
    ("supporting_other", &["support", "other"]),
    ("lead", &["lead", "institution"]),
    ("lead", &["lead", "agency"]),
    ("brief", &["brief description"]),
    ("transparency", &["transparency"]),
    ("accountability", &["accountability"]),
    ("participation", &["participation"]),
    ("causes", &["causes"]),
    ("done_so_far", &["done so far"]),
    ("solution", &["solution"]),
    ("results", &["results", "want"]),
    ("results", &["results", "achieve"]),
    ("problem", &["what", "problem"]),
    ("problem", &["problem", "address"]),
];

/// Words that hint at a column of a table of milestones. The first row whose words are all in a heading decides.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("outputs", &["output"]),
    ("due", &["completion"]),
    ("due", &["date"]),
    ("who", &["responsible"]),
    ("who", &["stakeholder"]),
    ("what", &["milestone"]),
    ("what", &["activity"]),
    ("what", &["step"]),
];

/// A part of a commitment that a heading, a label or a cell can name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NamedPart {
    Section(Section),
    Field(&'static Field),
    /// A date of the commitment, by its key.
    Date(&'static str),
    /// A part of the milestone that was begun last, by its key.
    InMilestone(&'static str),
    /// The beginning of the next milestone.
    Milestone,
}

/// The parts of a commitment by their names, in all languages of the public pages. Several parts can have the same
/// name.
static NAMES: LazyLock<HashMap<String, Vec<NamedPart>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<NamedPart>> = HashMap::new();
    let mut call = |key: &str, part| {
        for words in Words::all() {
            names.entry(plain_label(&words.say(key))).or_default().push(part);
        }
    };
    for field in FIELDS.iter().filter(|field| field.key != NOTES) {
        call(&format!("field.{}", field.key), NamedPart::Field(field));
    }
    for section in Section::ALL {
        call(&format!("section.{}", wire_name(&section)), NamedPart::Section(section));
    }
    for key in ["period_from", "period_to"] {
        call(&format!("field.{key}"), NamedPart::Date(key));
    }
    for key in ["outputs", "who", "due", "what"] {
        call(&format!("field.{key}"), NamedPart::InMilestone(key));
    }
    let mut also = |name: &str, part| names.entry(name.to_owned()).or_default().push(part);
    for (key, all) in FIELD_SYNONYMS {
        let Some(field) = field(key) else { continue };
        all.iter().for_each(|name| also(name, NamedPart::Field(field)));
    }
    for (section, all) in SECTION_SYNONYMS {
        all.iter().for_each(|name| also(name, NamedPart::Section(section)));
    }
    for words in Words::all() {
        let name = words.fill("milestones.number", &[("number", "")]);
        names.entry(plain_label(&name)).or_default().push(NamedPart::Milestone);
    }
    names
});

/// Returns a name in lower case and with single spaces, without the numbers and punctuation around it.
fn plain_label(text: &str) -> String {
    let is_kept = |c: char| c.is_alphabetic();
    let words = text.to_lowercase();
    let words = words.trim_matches(|c: char| !is_kept(c));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the parts that have this name.
pub(super) fn called(label: &str) -> &'static [NamedPart] {
    NAMES.get(&plain_label(label)).map(Vec::as_slice).unwrap_or_default()
}

/// Returns the field that the words of a heading hint at, or `None` if there is no hint.
pub(super) fn hinted(heading: &str) -> Option<&'static Field> {
    by_clue(&CLUES, &plain_label(heading)).and_then(field)
}

/// Returns the part of a milestone that a column with this heading contains, by its key. `None` if no part matches.
pub(super) fn column(heading: &str) -> Option<&'static str> {
    let key = called(heading).iter().find_map(|part| match part {
        NamedPart::InMilestone(key) => Some(*key),
        _ => None,
    });
    key.or_else(|| by_clue(&COLUMNS, &plain_label(heading)))
}

fn by_clue(clues: &[(&'static str, &[&str])], label: &str) -> Option<&'static str> {
    let has_all = |(_, words): &&(&str, &[&str])| words.iter().all(|word| label.contains(word));
    clues.iter().find(has_all).map(|(key, _)| *key)
}

pub(super) fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}
