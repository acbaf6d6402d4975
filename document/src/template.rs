//! The fields of a commitment (OGP's template of 2022 and later; the wording of labels is ours
//! and lives in the web app's message catalogue).

use serde::{Deserialize, Serialize};

/// The schema name that a genesis records.
pub const COMMITMENT_SCHEMA: &str = "ogp-commitment/1";

/// The `Map` root that holds the milestones by id.
pub const MILESTONES: &str = "milestones";
/// The `Text` root of what has no place yet.
pub const NOTES: &str = "notes";
/// The `Map` root that holds the dates.
pub const FACTS: &str = "facts";

/// A part of the page, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Section {
    /// What is promised.
    Promise,
    /// Who carries it out.
    Who,
    /// When it begins and ends.
    When,
    /// Why it is needed.
    Why,
    /// How it is done.
    How,
    /// The values of open government that it serves.
    Values,
    /// The milestones.
    Milestones,
    /// Whom to ask.
    Contact,
    /// What was brought in and has no place yet. It is shown while there is any, and never released.
    Notes,
}

impl Section {
    /// All sections, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::Promise,
        Self::Who,
        Self::When,
        Self::Why,
        Self::How,
        Self::Values,
        Self::Milestones,
        Self::Contact,
        Self::Notes,
    ];
}

/// How much a field is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// One line.
    Line,
    /// Any number of blocks.
    Text,
}

/// A `Text` root of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name of the root in the document.
    pub key: &'static str,
    /// Where it stands; the title stands above all sections.
    pub section: Option<Section>,
    /// Whether it is one line or a text.
    pub extent: Extent,
    /// Characters above which the page suggests to shorten. Nothing is ever cut.
    pub soft_limit: Option<u32>,
}

const fn line(section: Section, key: &'static str) -> Field {
    Field { key, section: Some(section), extent: Extent::Line, soft_limit: None }
}

const fn text(section: Section, key: &'static str) -> Field {
    Field { key, section: Some(section), extent: Extent::Text, soft_limit: Some(3000) }
}

/// All text fields, in the order of the page.
pub const FIELDS: &[Field] = &[
    Field { key: "title", section: None, extent: Extent::Line, soft_limit: Some(150) },
    Field { soft_limit: Some(500), ..text(Section::Promise, "brief") },
    line(Section::Who, "lead"),
    text(Section::Who, "supporting_government"),
    text(Section::Who, "supporting_civil_society"),
    text(Section::Who, "supporting_other"),
    text(Section::Why, "problem"),
    text(Section::Why, "causes"),
    text(Section::Why, "done_so_far"),
    text(Section::How, "solution"),
    text(Section::How, "results"),
    text(Section::Values, "transparency"),
    text(Section::Values, "participation"),
    text(Section::Values, "accountability"),
    line(Section::Contact, "contact_person"),
    line(Section::Contact, "contact_title"),
    line(Section::Contact, "contact_department"),
    line(Section::Contact, "contact_email"),
    Field { soft_limit: None, ..text(Section::Notes, NOTES) },
];

/// The text keys of a milestone.
pub const MILESTONE_TEXTS: [&str; 3] = ["what", "outputs", "who"];

/// What a page must know of the template to show it.
#[derive(Debug, Serialize)]
pub struct Template {
    /// All text fields.
    pub fields: &'static [Field],
    /// The most milestones that the template suggests.
    pub suggested_milestones: usize,
}

/// The template that this version knows.
pub const TEMPLATE: Template = Template { fields: FIELDS, suggested_milestones: 12 };

/// One thing a commitment needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Need {
    /// A title.
    Title,
    /// An institution that leads.
    Lead,
    /// The problem.
    Problem,
    /// The solution.
    Solution,
    /// The results.
    Results,
    /// At least one of transparency, participation and accountability explained.
    Value,
    /// At least one milestone.
    Milestone,
    /// Every milestone has a date, also in words.
    MilestoneDates,
    /// Every milestone has somebody responsible.
    MilestonePeople,
}
