//! Milestones and dates at two moments, for a page that shows both.

use super::History;
use super::diff::PieceStatus;
use super::weave::Number;
use crate::ids::Seq;
use crate::model::Milestone;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A milestone that was to be seen at one of two moments at least. What its texts said is in the diff of
/// texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MilestoneDiff {
    /// The milestone.
    pub id: String,
    /// Whether it was kept, added or removed.
    pub fate: PieceStatus,
    /// `YYYY-MM-DD`, or empty.
    pub due_before: String,
    /// The date at the second moment.
    pub due_after: String,
    /// The date in words, or empty.
    pub due_text_before: String,
    /// The date in words at the second moment.
    pub due_text_after: String,
}

impl History {
    /// The milestones of two moments, in the order of the second; those that are gone where they stood.
    #[must_use]
    pub fn milestones(&self, from: Seq, to: Seq) -> Vec<MilestoneDiff> {
        let (from, to) = (self.number(from), self.number(to));
        let mut all: Vec<(Milestone, MilestoneDiff)> =
            self.milestone_ids().filter_map(|id| self.milestone(id, from, to)).collect();
        all.sort_by(|(a, _), (b, _)| (&a.order, &a.id).cmp(&(&b.order, &b.id)));
        all.into_iter().map(|(_, diff)| diff).collect()
    }

    /// The dates of the commitment at a moment.
    #[must_use]
    pub fn facts(&self, moment: Seq) -> BTreeMap<String, Value> {
        self.facts_at(self.number(moment))
    }

    fn milestone(&self, id: &str, from: Number, to: Number) -> Option<(Milestone, MilestoneDiff)> {
        let (before, after) = (self.shown_at(id, from), self.shown_at(id, to));
        let fate = match (&before, &after) {
            (Some(_), Some(_)) => PieceStatus::Kept,
            (None, _) => PieceStatus::Inserted,
            (Some(_), None) => PieceStatus::Deleted,
        };
        let dates = |milestone: &Option<Milestone>| {
            let dates = milestone.as_ref().map(|m| (m.due.clone(), m.due_text.clone()));
            dates.unwrap_or_default()
        };
        let ((due_before, due_text_before), (due_after, due_text_after)) =
            (dates(&before), dates(&after));
        let id = id.to_owned();
        let diff =
            MilestoneDiff { id, fate, due_before, due_after, due_text_before, due_text_after };
        Some((after.or(before)?, diff))
    }
}
