//! Adds, removes and moves milestones, and sets their dates.

use super::origin::SETUP;
use super::{Replica, find_milestone};
use crate::model::milestone::{self, MilestoneDraft};
use crate::model::order;
use crate::template::MILESTONES;
use yrs::{Map, Transact};

impl Replica {
    /// Adds an empty milestone after the milestone `after`, or at the end if `after` is `None` or is not shown. The key
    /// `id` must never have belonged to another milestone.
    ///
    /// The milestone is created hidden and then shown, and only the second step can be undone. So undo never deletes a
    /// shared type in which somebody else might be typing.
    pub fn add_milestone(&mut self, id: &str, after: Option<&str>) {
        let all = self.milestones();
        let at = after.and_then(|after| all.iter().position(|m| m.id == after));
        let at = at.unwrap_or(all.len().wrapping_sub(1));
        let low = all.get(at).map(|m| m.order.as_str());
        let high = all.get(at.wrapping_add(1)).map(|m| m.order.as_str());
        let order = order::between(low, high);
        let draft = MilestoneDraft { id: id.to_owned(), ..Default::default() };
        let root = self.doc.get_or_insert_map(MILESTONES);
        {
            let mut txn = self.doc.transact_mut_with(SETUP);
            milestone::create(&mut txn, &root, &draft, &order, true);
        }
        self.own_group(|txn| {
            if let Some(map) = find_milestone(txn, id) {
                map.insert(txn, "removed", false);
            }
        });
    }

    /// Deletes the visible text of a milestone, and hides the milestone. Text that others add concurrently is kept, and
    /// the milestone is then shown again.
    pub fn remove_milestone(&mut self, id: &str) {
        self.own_group(|txn| {
            if let Some(map) = find_milestone(txn, id) {
                milestone::remove(txn, &map);
            }
        });
    }

    /// Shows a removed milestone again, with `order` as its order key. `order` is a key that the milestone had before.
    pub fn show_milestone(&mut self, id: &str, order: &str) {
        self.own_group(|txn| {
            if let Some(map) = find_milestone(txn, id) {
                map.insert(txn, "order", order);
                map.insert(txn, "removed", false);
            }
        });
    }

    /// Moves a milestone before the milestone `before`, or to the end if `before` is `None` or is not shown.
    pub fn move_milestone(&mut self, id: &str, before: Option<&str>) {
        let mut all = self.milestones();
        all.retain(|m| m.id != id);
        let at = before.and_then(|before| all.iter().position(|m| m.id == before));
        let at = at.unwrap_or(all.len());
        let low = at.checked_sub(1).map(|i| all[i].order.as_str());
        let order = order::between(low, all.get(at).map(|m| m.order.as_str()));
        self.own_group(|txn| {
            if let Some(map) = find_milestone(txn, id) {
                map.insert(txn, "order", order.as_str());
            }
        });
    }

    /// Sets a milestone's date (`due`, as `YYYY-MM-DD`) or its date in words (`due_text`). Other keys are ignored.
    pub fn set_milestone(&mut self, id: &str, key: &str, value: &str) {
        if !matches!(key, "due" | "due_text") {
            return;
        }
        self.own_group(|txn| {
            if let Some(map) = find_milestone(txn, id) {
                map.insert(txn, key, value);
            }
        });
    }
}
