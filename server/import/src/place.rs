//! Puts each part of a draft into the field where it belongs. A heading, a label or a cell of a table that has the name
//! of a part of a commitment, in any language of the public pages, opens that part. Text under any other heading goes
//! into the notes, from where the authors can move it.

mod tables;

use crate::budget;
use crate::error::ImportError;
use crate::found::{Findings, Found, Paragraph, Role, after_colon};
use crate::names::{MAX_LABEL_CHARACTERS, NamedPart, called, field, hinted};
use crate::ops::ops;
use accord_document::model::Draft;
use accord_document::model::MilestoneDraft;
use accord_document::model::blocks::LineKind;
use accord_document::template::{Extent, FIELDS, Field, NOTES, Section};
use accord_words::Words;
use std::collections::BTreeMap;

/// A commitment made from a file.
#[derive(Debug)]
pub struct Placed {
    /// The texts, milestones and dates of the commitment.
    pub draft: Draft,
    /// The keys of the text fields that contain text, in the order of the template. The notes are left out.
    pub fields: Vec<&'static str>,
    /// Whether the notes contain text, which has no field yet.
    pub has_notes: bool,
    /// Number of pictures that were left out.
    pub pictures: usize,
}

/// The lowest level of a heading in a text of a commitment. The highest level is 1.
const MAX_HEADING_LEVEL: u8 = 3;

/// The part of the commitment to which the next paragraph is added.
#[derive(Debug, Clone, Copy)]
enum CurrentPart {
    Notes,
    Field(&'static Field),
    /// A part of the milestone that was begun last, by its key.
    Milestone(&'static str),
}

/// Puts each part of a file into the field where it belongs. `name` becomes the title if the file has no title, and
/// `language` is the language in which dates are read.
///
/// # Errors
/// Returns an error if the draft is too large to become a document with one update.
pub(super) fn place(findings: Findings, name: &str, language: &str) -> Result<Placed, ImportError> {
    let mut placer = Placer {
        words: Words::of(language),
        texts: BTreeMap::new(),
        notes: Vec::new(),
        milestones: Vec::new(),
        facts: Vec::new(),
        current_part: CurrentPart::Notes,
        level: 0,
        section: None,
    };
    for found in findings.all {
        match found {
            Found::Paragraph(paragraph) => placer.paragraph(paragraph),
            Found::Table(rows) => placer.table(rows),
            Found::OutsideText(paragraph) => placer.notes.push(paragraph),
        }
    }
    let placed = placer.finish(name, findings.pictures);
    budget::draft(&placed.draft)?;
    Ok(placed)
}

#[derive(Default)]
struct Row {
    texts: BTreeMap<&'static str, Vec<Paragraph>>,
    due: String,
    due_text: String,
}

struct Placer {
    words: Words,
    texts: BTreeMap<&'static str, Vec<Paragraph>>,
    notes: Vec<Paragraph>,
    milestones: Vec<Row>,
    facts: Vec<(String, String)>,
    current_part: CurrentPart,
    /// The level of the heading that opened the current part. Deeper headings belong to that part.
    level: u8,
    section: Option<Section>,
}

impl Placer {
    fn paragraph(&mut self, paragraph: Paragraph) {
        match paragraph.role {
            Role::Title if !self.texts.contains_key("title") => self.set("title", paragraph),
            Role::Title => self.notes.push(paragraph),
            Role::Block(LineKind::Heading(level)) => self.heading(level, paragraph),
            Role::Block(_) if self.labelled(&paragraph) => {}
            Role::Block(LineKind::Item { indent, .. })
                if self.section == Some(Section::Milestones)
                    && matches!(self.current_part, CurrentPart::Notes)
                    || self.lists_milestones() && indent == 0 =>
            {
                self.open(NamedPart::Milestone, self.level);
                let role = Role::Block(LineKind::Plain);
                self.push(Paragraph { role, ..paragraph });
            }
            Role::Block(_) => self.push(paragraph),
        }
    }

    /// Whether each item of the current list is a milestone.
    fn lists_milestones(&self) -> bool {
        self.section == Some(Section::Milestones)
            && matches!(self.current_part, CurrentPart::Milestone("what"))
    }

    fn heading(&mut self, level: u8, paragraph: Paragraph) {
        let text = paragraph.plain();
        if let Some(part) = self.named_part(&text) {
            return self.open(part, level);
        }
        // A heading like “Milestone 2: A register” opens the milestone, and the rest is its text.
        if let Some((label, rest)) = text.split_once([':', '–', '—'])
            && let Some(part) = self.named_part(label)
            && !rest.trim().is_empty()
        {
            self.open(part, level);
            return self.push(Paragraph::of(rest.trim()));
        }
        // A heading that hints at a field but says more than a name opens the field, and stays a heading in the field's
        // text.
        if let Some(field) = self.hint(&text).filter(|field| field.extent == Extent::Text) {
            self.open(NamedPart::Field(field), level);
            return self.push(Paragraph { role: Role::Block(LineKind::Heading(1)), ..paragraph });
        }
        let is_within = match self.current_part {
            CurrentPart::Notes => false,
            CurrentPart::Field(field) => field.extent == Extent::Text && level > self.level,
            CurrentPart::Milestone(_) => level > self.level,
        };
        if is_within {
            let depth = (level - self.level).min(MAX_HEADING_LEVEL);
            return self
                .push(Paragraph { role: Role::Block(LineKind::Heading(depth)), ..paragraph });
        }
        let begins = self.texts.is_empty() && (self.notes.is_empty() || level == 1);
        if begins {
            return self.set("title", paragraph);
        }
        self.current_part = CurrentPart::Notes;
        self.level = level;
        self.section = None;
        let role = Role::Block(LineKind::Heading(level.min(MAX_HEADING_LEVEL)));
        self.notes.push(Paragraph { role, ..paragraph });
    }

    /// Returns the part that a heading or label opens, or `None` if it opens none. Only the name of a part, or a
    /// question that hints at a field, opens a part.
    fn named_part(&self, text: &str) -> Option<NamedPart> {
        let is_contact = self.section == Some(Section::Contact);
        let fits = |part: &&NamedPart| match part {
            NamedPart::Field(field) => field.section != Some(Section::Contact) || is_contact,
            NamedPart::InMilestone("what") => false,
            NamedPart::InMilestone(_) => !self.milestones.is_empty(),
            _ => true,
        };
        let asks = text.trim_end().ends_with(['?', '？', '؟']);
        let found = called(text).iter().find(fits).copied();
        found.or_else(|| self.hint(text).filter(|_| asks).map(NamedPart::Field))
    }

    fn hint(&self, text: &str) -> Option<&'static Field> {
        if text.chars().count() > MAX_LABEL_CHARACTERS { None } else { hinted(text) }
    }

    fn open(&mut self, part: NamedPart, level: u8) {
        self.level = level;
        match part {
            NamedPart::Section(section) => {
                self.section = Some(section);
                let first = match section {
                    Section::Promise => field("brief"),
                    Section::Who => field("lead"),
                    Section::Why => field("problem"),
                    Section::How => field("solution"),
                    _ => None,
                };
                self.current_part = first.map_or(CurrentPart::Notes, CurrentPart::Field);
            }
            NamedPart::Field(field) => {
                self.section = field.section;
                self.current_part = CurrentPart::Field(field);
                // A title under the name “Title” replaces a heading that was taken for the title only because it came
                // first, and that heading moves to the notes.
                if field.key == "title" {
                    self.notes.extend(self.texts.remove("title").into_iter().flatten());
                }
            }
            NamedPart::Date(_) => self.current_part = CurrentPart::Notes,
            NamedPart::InMilestone(key) => self.current_part = CurrentPart::Milestone(key),
            NamedPart::Milestone => {
                self.section = Some(Section::Milestones);
                self.milestones.push(Row::default());
                self.current_part = CurrentPart::Milestone("what");
            }
        }
    }

    /// Puts the value of a paragraph like “Lead institution: the city” into its field. Returns `false` if the paragraph
    /// is not of this form.
    fn labelled(&mut self, paragraph: &Paragraph) -> bool {
        let text = paragraph.plain();
        let Some((label, value)) = text.split_once(':') else { return false };
        if called(label).is_empty() {
            return false;
        }
        let Some(part) = self.named_part(label) else { return false };
        let value = value.trim();
        match part {
            NamedPart::Date(key) => match self.words.read_day(value) {
                Some(day) => {
                    self.facts.push((key.into(), day));
                    true
                }
                None => false,
            },
            NamedPart::InMilestone("due") => {
                self.due(value);
                true
            }
            NamedPart::Field(_) | NamedPart::InMilestone(_) => {
                // At level 6, any heading ends the part, because the text below a heading is about something else.
                self.open(part, 6);
                let rest = after_colon(&paragraph.pieces);
                if !value.is_empty() {
                    self.push(Paragraph { role: Role::Block(LineKind::Plain), pieces: rest });
                }
                true
            }
            NamedPart::Section(_) | NamedPart::Milestone => false,
        }
    }

    fn due(&mut self, text: &str) {
        let Some(row) = self.milestones.last_mut() else { return };
        for part in text.split(['\n', '·']).map(str::trim).filter(|part| !part.is_empty()) {
            match self.words.read_day(part) {
                Some(day) if row.due.is_empty() => row.due = day,
                _ if row.due_text.is_empty() => row.due_text = part.into(),
                _ => row.due_text.extend([" · ", part]),
            }
        }
    }

    fn push(&mut self, paragraph: Paragraph) {
        match self.current_part {
            CurrentPart::Notes => self.notes.push(paragraph),
            CurrentPart::Field(field) if field.extent == Extent::Line => {
                if self.texts.contains_key(field.key) {
                    self.notes.push(paragraph);
                } else {
                    self.set(field.key, paragraph);
                }
            }
            CurrentPart::Field(field) => self.texts.entry(field.key).or_default().push(paragraph),
            CurrentPart::Milestone("due") => self.due(&paragraph.plain()),
            CurrentPart::Milestone(key) => match self.milestones.last_mut() {
                Some(row) => row.texts.entry(key).or_default().push(paragraph),
                None => self.notes.push(paragraph),
            },
        }
    }

    /// Sets a field of one line. A title contains only words, without marks.
    fn set(&mut self, key: &'static str, paragraph: Paragraph) {
        let line = if key == "title" {
            Paragraph::of(paragraph.plain().split_whitespace().collect::<Vec<_>>().join(" "))
        } else {
            Paragraph { role: Role::Block(LineKind::Plain), ..paragraph }
        };
        self.texts.insert(key, vec![line]);
    }

    fn finish(mut self, name: &str, pictures: usize) -> Placed {
        if !self.texts.contains_key("title") {
            self.set("title", Paragraph::of(name));
        }
        let has_notes = !self.notes.is_empty();
        if has_notes {
            self.texts.insert(NOTES, self.notes);
        }
        let said = |key: &str| self.texts.contains_key(key) && key != NOTES;
        let fields = FIELDS.iter().map(|field| field.key).filter(|key| said(key)).collect();
        let milestone = |(at, row): (usize, Row)| {
            let text = |key| row.texts.get(key).map(|all| ops(all)).unwrap_or_default();
            MilestoneDraft {
                id: format!("m{}", at + 1),
                what: text("what"),
                outputs: text("outputs"),
                who: text("who"),
                due: row.due.clone(),
                due_text: row.due_text.clone(),
            }
        };
        let draft = Draft {
            texts: self.texts.iter().map(|(key, all)| (*key, ops(all))).collect(),
            milestones: self.milestones.into_iter().enumerate().map(milestone).collect(),
            facts: self.facts,
        };
        Placed { draft, fields, has_notes, pictures }
    }
}
