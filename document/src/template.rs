//! The fields of a commitment: OGP's template of 2022 and later. The labels of the fields are worded by Accord, in the message
//! catalogue of the web application.

use serde::{Deserialize, Serialize};

/// The schema name in the genesis of a commitment's ledger.
pub const COMMITMENT_SCHEMA: &str = "ogp-commitment/1";

/// Name of the `Map` root that holds the milestones, by id.
pub const MILESTONES: &str = "milestones";
/// Name of the `Text` root for imported text that has no place in the template yet.
pub const NOTES: &str = "notes";
/// Name of the `Map` root that holds the dates.
pub const FACTS: &str = "facts";

/// A section of the page. The variants are in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Section {
    /// The commitment in brief.
    Promise,
    /// The people and institutions that carry the commitment out.
    Who,
    /// The first and the last day of the commitment.
    When,
    /// The problem that the commitment addresses.
    Why,
    /// The solution and its results.
    How,
    /// The values of open government that the commitment serves.
    Values,
    /// The milestones, with their dates and the people responsible.
    Milestones,
    /// The contact for questions.
    Contact,
    /// Imported text that has no place in the template yet. The page shows this section only if there is such text. It
    /// is never released.
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

/// The intended length of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// One line.
    Line,
    /// Any number of blocks.
    Text,
}

/// A text field of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Name of the field's `Text` root in the document.
    pub key: &'static str,
    /// The section of the field, or `None` for the title, which is above all sections.
    pub section: Option<Section>,
    /// The intended length of the field.
    pub extent: Extent,
    /// Number of characters above which the page suggests shortening the text, or `None` if it never does. Text is
    /// never cut.
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

/// Keys of the texts of a milestone.
pub const MILESTONE_TEXTS: [&str; 3] = ["what", "outputs", "who"];

/// The parts of the template that a page needs in order to show a commitment.
#[derive(Debug, Serialize)]
pub struct Template {
    /// All text fields, in the order of the page.
    pub fields: &'static [Field],
    /// Maximum number of milestones that the template suggests.
    pub suggested_milestones: usize,
}

/// The template that this version of Accord uses.
pub const TEMPLATE: Template = Template { fields: FIELDS, suggested_milestones: 12 };

/// A need: content that a commitment must have before both sides should sign it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Need {
    /// A title.
    Title,
    /// The institution that leads the commitment.
    Lead,
    /// The problem.
    Problem,
    /// The solution.
    Solution,
    /// The results.
    Results,
    /// An explanation of at least one of transparency, participation and accountability.
    Value,
    /// At least one milestone.
    Milestone,
    /// A date for every milestone, which can be in words.
    MilestoneDates,
    /// Somebody responsible for every milestone.
    MilestonePeople,
}
