//! Milestones and dates at two moments, for the page that compares them.

use super::History;
use super::diff::PieceStatus;
use super::weave::Number;
use crate::ids::Seq;
use crate::model::Milestone;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The comparison of a milestone that was shown at one of two moments or at both. The milestone's texts are in the
/// diff of the texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MilestoneDiff {
    /// The id of the milestone.
    pub id: String,
    /// Whether the milestone was kept, added or removed.
    #[serde(rename = "fate")]
    pub status: PieceStatus,
    /// The due date at the first moment, as `YYYY-MM-DD`, or an empty string.
    pub due_before: String,
    /// The due date at the second moment, as `YYYY-MM-DD`, or an empty string.
    pub due_after: String,
    /// The due date in words at the first moment, or an empty string.
    pub due_text_before: String,
    /// The due date in words at the second moment, or an empty string.
    pub due_text_after: String,
}

impl History {
    /// Returns the milestones that were shown at the moment `from`, at the moment `to` or at both, in their order at `to`.
    /// Removed milestones are at the place that they had at `from`.
    #[must_use]
    pub fn milestones(&self, from: Seq, to: Seq) -> Vec<MilestoneDiff> {
        let (from, to) = (self.number(from), self.number(to));
        let mut all: Vec<(Milestone, MilestoneDiff)> =
            self.milestone_ids().filter_map(|id| self.milestone(id, from, to)).collect();
        all.sort_by(|(a, _), (b, _)| (&a.order, &a.id).cmp(&(&b.order, &b.id)));
        all.into_iter().map(|(_, diff)| diff).collect()
    }

    /// Returns the dates of the commitment at a moment, by key.
    #[must_use]
    pub fn facts(&self, moment: Seq) -> BTreeMap<String, Value> {
        self.facts_at(self.number(moment))
    }

    fn milestone(&self, id: &str, from: Number, to: Number) -> Option<(Milestone, MilestoneDiff)> {
        let (before, after) = (self.shown_at(id, from), self.shown_at(id, to));
        let status = match (&before, &after) {
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
            MilestoneDiff { id, status, due_before, due_after, due_text_before, due_text_after };
        Some((after.or(before)?, diff))
    }
}
