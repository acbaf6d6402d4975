//! What each run of text is to two moments: kept, inserted or deleted, by whom and when.

use super::diff_runs::{DiffRun, RunPart, cause, diff_runs};
use super::weave::{Container, Number, RunContent, Said};
use super::{AuthorIndex, History};
use crate::ids::Seq;
use crate::model::Target;
use crate::model::attributes::Attributes;
use crate::template::{FIELDS, Section};
use crate::update::Range;
use serde::Serialize;
use serde_json::Value;

/// How long somebody's work may rest and still be told as one span, in milliseconds.
pub(super) const MAX_REST_MS: u64 = 15 * 60 * 1000;

/// What stands for a value between characters (U+FFFC), in UTF-16.
const STAND_IN: u16 = 0xfffc;

/// What became of a run between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Fate))]
#[serde(rename_all = "snake_case")]
pub enum PieceStatus {
    /// There at both.
    Kept,
    /// Not there at the first, there at the second.
    Inserted,
    /// There at the first, not there at the second.
    Deleted,
}

/// What one person did, from the first entry of it to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Deed))]
pub struct EditSpan {
    /// An index into the history's [`authors`](History::authors).
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub author: AuthorIndex,
    /// The first entry.
    pub first: Seq,
    /// The last entry.
    pub last: Seq,
    /// When, in milliseconds since the Unix epoch.
    pub began: u64,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub ended: u64,
}

impl EditSpan {
    /// Takes in another span, if it is part of the same work.
    pub(super) fn extend(&mut self, other: &Self) -> bool {
        let apart =
            other.began.saturating_sub(self.ended).max(self.began.saturating_sub(other.ended));
        if self.author != other.author || apart > MAX_REST_MS {
            return false;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.began = self.began.min(other.began);
        self.ended = self.ended.max(other.ended);
        true
    }
}

/// A run of text that is the same thing all along.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Piece {
    /// Whether it was kept, inserted or deleted.
    pub fate: PieceStatus,
    /// A string, or a value that stands between characters.
    pub insert: Value,
    /// Its attributes at the second moment; at the first, if it is deleted.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>, required = false))]
    pub attributes: Attributes,
    /// Its attributes at the first moment, if it was kept with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>))]
    pub was: Option<Attributes>,
    /// Who inserted or deleted it, or gave it other attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<EditSpan>,
    /// Who wrote it first.
    pub written: EditSpan,
    /// Who put it where it stands, where that is neither a whole sentence or block nor the place it had: words of
    /// somebody else, put together to something new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed: Option<EditSpan>,
}

impl Piece {
    /// The characters, if it has any.
    #[must_use]
    pub fn text(&self) -> &str {
        self.insert.as_str().unwrap_or_default()
    }
}

/// One text at two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TextDiff {
    /// The text.
    pub target: Target,
    /// Where it stands on the page; the title stands above all sections.
    pub section: Option<Section>,
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
}

impl TextDiff {
    /// Whether anything is different.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.pieces.iter().any(|piece| piece.fate != PieceStatus::Kept || piece.was.is_some())
    }
}

/// The texts of a document at two moments, in the order of the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The first moment.
    pub from: Seq,
    /// The second moment.
    pub to: Seq,
    /// The texts, in the order of the page.
    pub texts: Vec<TextDiff>,
}

impl History {
    /// Compares two moments. The first may be the later one: then what was inserted since shows as
    /// deleted by the person who inserted it, as a restore would take it out.
    #[must_use]
    pub fn diff(&self, from: Seq, to: Seq) -> Diff {
        let moments = (self.number(from), self.number(to));
        let texts = self
            .texts()
            .into_iter()
            .map(|(target, place)| TextDiff {
                section: section_of(&target),
                target,
                pieces: self.pieces(&place, moments),
            })
            .filter(|text| !text.pieces.is_empty())
            .collect();
        Diff { from: Seq(moments.0.into()), to: Seq(moments.1.into()), texts }
    }

    fn pieces(&self, place: &Container, (from, to): (Number, Number)) -> Vec<Piece> {
        let mut pieces = Pieces { history: self, moments: (from, to), open: None, out: Vec::new() };
        diff_runs(self, place, (from, to), &mut |strand| pieces.add(&strand));
        pieces.flush();
        pieces.out
    }

    /// The elements that stand in a part of what a comparison tells of a text, and what they say.
    pub(super) fn elements(
        &self,
        place: &Container,
        moments: (Number, Number),
        wanted: std::ops::Range<u32>,
    ) -> (Vec<Range>, Vec<u16>) {
        let (mut at, mut ranges, mut said) = (0, Vec::new(), Vec::new());
        diff_runs(self, place, moments, &mut |strand| {
            let (DiffRun::Kept(_, seen) | DiffRun::Deleted(seen) | DiffRun::Inserted(seen)) =
                &strand;
            let is_told = matches!(seen.run.held.kind, RunContent::Text(_))
                || self.embedded(seen.run).is_some();
            if !is_told {
                return;
            }
            let (start, end) = (wanted.start.max(at), wanted.end.min(at + seen.len));
            if start < end {
                let (skip, len) = (seen.skip + start - at, end - start);
                let first = self.weave.id(seen.run);
                ranges.push(Range { client: first.client, clock: first.clock + skip, len });
                match seen.run.held.kind {
                    RunContent::Text(units) => {
                        said.extend_from_slice(self.weave.units(units + skip, len))
                    }
                    _ => said.extend(std::iter::repeat_n(STAND_IN, len as usize)),
                }
            }
            at += seen.len;
        });
        (ranges, said)
    }

    pub(super) fn span(&self, number: Number) -> EditSpan {
        let moment = self.moments[number as usize];
        let seq = Seq(number.into());
        let (began, ended) = (moment.time, moment.time);
        EditSpan { author: moment.author, first: seq, last: seq, began, ended }
    }
}

fn section_of(target: &Target) -> Option<Section> {
    if target.milestone_text().is_some() {
        return Some(Section::Milestones);
    }
    FIELDS.iter().find(|field| field.key == target.0)?.section
}

/// Builds the list of pieces, joining neighbours that are alike.
struct Pieces<'h> {
    history: &'h History,
    moments: (Number, Number),
    /// What the next characters are added to, if they are the same thing.
    open: Option<(Piece, Said)>,
    out: Vec<Piece>,
}

impl Pieces<'_> {
    fn add(&mut self, strand: &DiffRun<'_>) {
        let history = self.history;
        let (seen, piece) = match strand {
            DiffRun::Kept(was, is) => (is, self.kept(was, is)),
            DiffRun::Deleted(seen) => (seen, self.single(seen, PieceStatus::Deleted)),
            DiffRun::Inserted(seen) => (seen, self.single(seen, PieceStatus::Inserted)),
        };
        if let RunContent::Text(at) = seen.run.held.kind {
            let (from, to) = self.moments;
            let moment = if piece.fate == PieceStatus::Deleted { from } else { to };
            let (part, weave) = ((at + seen.skip, seen.len), &history.weave);
            if let Some((open, said)) = &mut self.open
                && joins(open, &piece)
            {
                weave.say(said, part, moment);
                return;
            }
            self.flush();
            let mut said = Said::default();
            weave.say(&mut said, part, moment);
            self.open = Some((piece, said));
        } else if let Some(insert) = history.embedded(seen.run) {
            self.flush();
            self.out.push(Piece { insert, ..piece });
        }
    }

    fn kept(&self, was: &RunPart<'_>, is: &RunPart<'_>) -> Piece {
        let reformatted = was.before != is.after;
        let by = reformatted.then(|| is.reformatted.unwrap_or(is.run.held.born));
        Piece {
            fate: PieceStatus::Kept,
            insert: Value::Null,
            attributes: is.after.clone(),
            was: reformatted.then(|| was.before.clone()),
            by: by.map(|number| self.history.span(number)),
            written: self.written(is),
            placed: self.placed(is),
        }
    }

    fn single(&self, seen: &RunPart<'_>, fate: PieceStatus) -> Piece {
        let was_there = fate == PieceStatus::Deleted;
        let attributes = if was_there { &seen.before } else { &seen.after };
        Piece {
            fate,
            insert: Value::Null,
            attributes: attributes.clone(),
            was: None,
            by: Some(self.history.span(cause(
                seen.run,
                was_there,
                self.moments.1 < self.moments.0,
            ))),
            written: self.written(seen),
            placed: self.placed(seen),
        }
    }

    fn written(&self, seen: &RunPart<'_>) -> EditSpan {
        self.history.span(self.history.weave.first_written(seen.run))
    }

    fn placed(&self, seen: &RunPart<'_>) -> Option<EditSpan> {
        let placed = self.history.span(self.history.weave.placed(seen.run)?);
        (placed.author != self.written(seen).author).then_some(placed)
    }

    fn flush(&mut self) {
        if let Some((mut piece, mut said)) = self.open.take() {
            piece.insert = said.take().into();
            self.out.push(piece);
        }
    }
}

/// Lets a piece take in what follows, if it is the same thing.
fn joins(open: &mut Piece, next: &Piece) -> bool {
    let same = open.fate == next.fate
        && open.attributes == next.attributes
        && open.was == next.was
        && open.placed.is_some() == next.placed.is_some()
        && open.by.is_some() == next.by.is_some();
    if !same {
        return false;
    }
    let (mut by, mut written, mut placed) = (open.by, open.written, open.placed);
    let extends = |open: &mut Option<EditSpan>, next: &Option<EditSpan>| match (open, next) {
        (Some(open), Some(next)) => open.extend(next),
        _ => true,
    };
    let together = written.extend(&next.written)
        && extends(&mut by, &next.by)
        && extends(&mut placed, &next.placed);
    if together {
        (open.by, open.written, open.placed) = (by, written, placed);
    }
    together
}
