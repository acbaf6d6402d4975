//! Encodes the new structs of an update in the same bytes as yrs, without asking yrs.
//!
//! yrs finds the new structs of a transaction by comparing the state vectors of the whole document before and after it. That
//! takes time in proportion to the number of clients that ever wrote. For almost every update, the new structs are exactly
//! those that the update contains. [`StructIndex::keeps_structs`] recognises these updates before yrs integrates them.

use super::check::CheckedUpdate;
use super::index::{Location, StructIndex, find};
use super::order::{Container, Holder};
use super::scan::{ClientStructs, Id, ItemContent, Scan, Struct, StructBody};
use std::collections::HashMap;
use yrs::updates::encoder::Encode;
use yrs::{ClientID, ID, Update};

/// Returns the encoded structs of an update, without its deleted ranges. In the v1 encoding, the ranges follow the structs.
pub(crate) fn encoded_structs(update: &Update) -> Vec<u8> {
    let mut bytes = update.encode_v1();
    bytes.truncate(bytes.len() - update.delete_set().encode_v1().len());
    bytes
}

impl StructIndex {
    /// Returns whether yrs, until its transaction ends, has the structs of an update exactly as the update contains them. They
    /// are then the new structs of the document. `checked` is the result of [`check`](Self::check), and the update is not
    /// integrated yet.
    ///
    /// The result is `false` if the document contains some of the structs already, if yrs splits one or replaces it by a
    /// tombstone of a collected element, or if yrs notes the key of a map with a struct from which the update left it out.
    pub(crate) fn keeps_structs(&self, scan: &Scan<'_>, checked: &CheckedUpdate) -> bool {
        let are_new = |run: &ClientStructs<'_>| {
            run.structs.first().is_some_and(|first| first.clock == self.next_clock(run.client))
        };
        scan.runs.iter().all(are_new)
            && scan.runs.iter().all(|run| {
                run.structs.iter().all(|item| self.keeps_struct(run.client, item, checked))
            })
            && !splits_itself(scan)
    }

    fn keeps_struct(&self, client: u64, item: &Struct<'_>, checked: &CheckedUpdate) -> bool {
        let StructBody::Item { parent, content, .. } = &item.body else { return false };
        let id = Id { client, clock: item.clock };
        let Some(container) = self.container_with(checked, id) else { return false };
        !matches!(content, ItemContent::Other)
            && (container.key.is_none() || parent.is_some())
            && self.is_live(container, checked)
    }

    /// Returns whether no shared type that contains a container is deleted in the document.
    fn is_live(&self, container: &Container, checked: &CheckedUpdate) -> bool {
        let mut container = container;
        while let Holder::Nested(id) = container.parent {
            if self.deleted.contains(&ID::new(ClientID::new(id.client), id.clock)) {
                return false;
            }
            let Some(around) = self.container_with(checked, id) else { return false };
            container = around;
        }
        true
    }

    /// Returns the container of an element of the document or of a checked update, or `None` if the element was collected as
    /// garbage.
    fn container_with<'k>(&'k self, checked: &'k CheckedUpdate, id: Id) -> Option<&'k Container> {
        let new = checked.location_runs.get(&id.client).and_then(|runs| find(runs, id.clock));
        let location = new.or_else(|| self.location_at(id))? as usize;
        let location = match location.checked_sub(self.locations.len()) {
            Some(new) => &checked.locations[new],
            None => &self.locations[location],
        };
        match location {
            Location::In(container) => Some(container),
            Location::Collected => None,
        }
    }
}

/// Returns whether yrs splits a struct of the update, because the update inserts something inside the struct or deletes only
/// a part of it.
fn splits_itself(scan: &Scan<'_>) -> bool {
    let runs: HashMap<u64, &ClientStructs<'_>> =
        scan.runs.iter().map(|run| (run.client, run)).collect();
    let is_inside = |before: Id| {
        runs.get(&before.client).is_some_and(|run| {
            let at = run.structs.partition_point(|item| item.end() <= before.clock);
            run.structs.get(at).is_some_and(|item| item.clock < before.clock)
        })
    };
    let mut neighbours =
        scan.runs.iter().flat_map(|run| &run.structs).flat_map(|item| item.neighbours());
    let mut ends = scan.deletes.iter().flat_map(|range| {
        let first = Id { client: range.client, clock: range.clock };
        [first, first.plus(range.len)]
    });
    neighbours.any(is_inside) || ends.any(is_inside)
}
