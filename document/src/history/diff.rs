//! The comparison of two moments: which runs of text were kept, inserted or deleted, by whom and when.

use super::diff_runs::{DiffRun, RunPart, cause, diff_runs};
use super::weave::{Container, Number, RunContent, TextBuffer};
use super::{AuthorIndex, History};
use crate::ids::Seq;
use crate::model::Target;
use crate::model::attributes::Attributes;
use crate::template::{FIELDS, Section};
use crate::update::Range;
use serde::Serialize;
use serde_json::Value;

/// Maximum pause within one span of work, in milliseconds. After a longer pause, work counts as a new span.
pub(super) const MAX_REST_MS: u64 = 15 * 60 * 1000;

/// The code unit that represents an embedded value in a text (U+FFFC).
const STAND_IN: u16 = 0xfffc;

/// The result of comparing a piece of text, or a milestone, at two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Fate))]
#[serde(rename_all = "snake_case")]
pub enum PieceStatus {
    /// The piece or milestone is there at both moments.
    Kept,
    /// The piece or milestone is there only at the second moment.
    Inserted,
    /// The piece or milestone is there only at the first moment.
    Deleted,
}

/// A span of work: consecutive edits by one person, with their first and last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Deed))]
pub struct EditSpan {
    /// The person, as an index into the history's [`authors`](History::authors).
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub author: AuthorIndex,
    /// The first entry of the span.
    pub first: Seq,
    /// The last entry of the span.
    pub last: Seq,
    /// The time of the first entry, in milliseconds since the Unix epoch.
    pub began: u64,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub ended: u64,
}

impl EditSpan {
    /// Extends this span to include `other`, and returns true. Returns false, without a change, if the spans have different
    /// authors or are more than [`MAX_REST_MS`] apart.
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

/// A piece of a comparison: neighbouring characters with one status, one format and one author.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Piece {
    /// Whether the piece was kept, inserted or deleted.
    #[serde(rename = "fate")]
    pub status: PieceStatus,
    /// The characters as a string, or the embedded value.
    pub insert: Value,
    /// The attributes of the piece at the second moment; for a deleted piece, those at the first moment.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>, required = false))]
    pub attributes: Attributes,
    /// The attributes of the piece at the first moment, if the piece was kept and its attributes changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>))]
    pub was: Option<Attributes>,
    /// The span in which the piece was inserted or deleted, or received other attributes; `None` if nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<EditSpan>,
    /// The span in which the characters were first written.
    pub written: EditSpan,
    /// The span in which another person placed the characters here, as part of a new sentence. `None` if the characters stand
    /// where they were written, or were copied or restored as whole sentences or blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed: Option<EditSpan>,
}

impl Piece {
    /// Returns the characters of the piece, or an empty string for an embedded value.
    #[must_use]
    pub fn text(&self) -> &str {
        self.insert.as_str().unwrap_or_default()
    }
}

/// The comparison of one text at two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TextDiff {
    /// The field or milestone text that is compared.
    pub target: Target,
    /// The section of the page that contains the text, or `None` for the title, which is above all sections.
    pub section: Option<Section>,
    /// The pieces of the text, in order.
    pub pieces: Vec<Piece>,
}

impl TextDiff {
    /// Returns whether any piece was inserted, deleted or reformatted.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.pieces.iter().any(|piece| piece.status != PieceStatus::Kept || piece.was.is_some())
    }
}

/// The comparison of a whole document at two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The moment from which the comparison starts; it can be later than `to`.
    pub from: Seq,
    /// The moment at which the comparison ends.
    pub to: Seq,
    /// The texts that contain something at either moment, in the order of the page.
    pub texts: Vec<TextDiff>,
}

impl History {
    /// Compares the document at two moments. `from` may be later than `to`. The result then shows what a restore of `to`
    /// would do: text that was inserted in between appears as deleted by the person who inserted it.
    #[must_use]
    pub fn diff(&self, from: Seq, to: Seq) -> Diff {
        let moments = (self.number(from), self.number(to));
        let texts = self
            .texts()
            .into_iter()
            .map(|(target, container)| TextDiff {
                section: section_of(&target),
                target,
                pieces: self.pieces(&container, moments),
            })
            .filter(|text| !text.pieces.is_empty())
            .collect();
        Diff { from: Seq(moments.0.into()), to: Seq(moments.1.into()), texts }
    }

    fn pieces(&self, container: &Container, (from, to): (Number, Number)) -> Vec<Piece> {
        let mut pieces = Pieces { history: self, moments: (from, to), open: None, out: Vec::new() };
        diff_runs(self, container, (from, to), &mut |run| pieces.add(&run));
        pieces.flush();
        pieces.out
    }

    /// Returns the ids of the elements in the range `wanted` of a compared text, and their text in UTF-16, so that the
    /// caller can check that it is the expected text. The range is in UTF-16 code units of kept, inserted and deleted
    /// text.
    pub(super) fn elements(
        &self,
        container: &Container,
        moments: (Number, Number),
        wanted: std::ops::Range<u32>,
    ) -> (Vec<Range>, Vec<u16>) {
        let (mut at, mut ranges, mut text) = (0, Vec::new(), Vec::new());
        diff_runs(self, container, moments, &mut |run| {
            let (DiffRun::Kept(_, seen) | DiffRun::Deleted(seen) | DiffRun::Inserted(seen)) = &run;
            let is_told = matches!(seen.run.held.kind, RunContent::Text(_))
                || self.embedded(seen.run).is_some();
            if !is_told {
                return;
            }
            let (start, end) = (wanted.start.max(at), wanted.end.min(at + seen.len));
            if start < end {
                let (skip, len) = (seen.skip + start - at, end - start);
                let first = self.weave.id_of(seen.run);
                ranges.push(Range { client: first.client, clock: first.clock + skip, len });
                match seen.run.held.kind {
                    RunContent::Text(units) => {
                        text.extend_from_slice(self.weave.units(units + skip, len))
                    }
                    _ => text.extend(std::iter::repeat_n(STAND_IN, len as usize)),
                }
            }
            at += seen.len;
        });
        (ranges, text)
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

/// The builder of a text's pieces, which joins neighbours that are alike.
struct Pieces<'h> {
    history: &'h History,
    moments: (Number, Number),
    /// The last piece, without its text, and the text of the piece. The next characters are added to this piece if
    /// `joins` allows it. `None` before the first piece and after an embedded value.
    open: Option<(Piece, TextBuffer)>,
    out: Vec<Piece>,
}

impl Pieces<'_> {
    fn add(&mut self, run: &DiffRun<'_>) {
        let history = self.history;
        let (seen, piece) = match run {
            DiffRun::Kept(was, is) => (is, self.kept(was, is)),
            DiffRun::Deleted(seen) => (seen, self.single(seen, PieceStatus::Deleted)),
            DiffRun::Inserted(seen) => (seen, self.single(seen, PieceStatus::Inserted)),
        };
        if let RunContent::Text(at) = seen.run.held.kind {
            let (from, to) = self.moments;
            let moment = if piece.status == PieceStatus::Deleted { from } else { to };
            let (part, weave) = ((at + seen.skip, seen.len), &history.weave);
            if let Some((open, text)) = &mut self.open
                && joins(open, &piece)
            {
                weave.append_text(text, part, moment);
                return;
            }
            self.flush();
            let mut text = TextBuffer::default();
            weave.append_text(&mut text, part, moment);
            self.open = Some((piece, text));
        } else if let Some(insert) = history.embedded(seen.run) {
            self.flush();
            self.out.push(Piece { insert, ..piece });
        }
    }

    fn kept(&self, was: &RunPart<'_>, is: &RunPart<'_>) -> Piece {
        let reformatted = was.before != is.after;
        let by = reformatted.then(|| is.reformatted.unwrap_or(is.run.held.born));
        Piece {
            status: PieceStatus::Kept,
            insert: Value::Null,
            attributes: is.after.clone(),
            was: reformatted.then(|| was.before.clone()),
            by: by.map(|number| self.history.span(number)),
            written: self.written(is),
            placed: self.placed(is),
        }
    }

    fn single(&self, seen: &RunPart<'_>, status: PieceStatus) -> Piece {
        let was_there = status == PieceStatus::Deleted;
        let attributes = if was_there { &seen.before } else { &seen.after };
        Piece {
            status,
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
        if let Some((mut piece, mut text)) = self.open.take() {
            piece.insert = text.take().into();
            self.out.push(piece);
        }
    }
}

/// Extends the spans of the piece `open` to include those of `next`, and returns true. Returns false, without a change,
/// if the two differ in status or format, or if their spans of work can't be joined.
fn joins(open: &mut Piece, next: &Piece) -> bool {
    let same = open.status == next.status
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
