//! Inserts new elements into the order as YATA does, and can remove the newest elements again.

use super::element::{
    CompactId, Container, ContainerIndex, Holder, ItemRun, NO_ID, NONE, RunIndex, RunPayload,
};
use super::{Order, index};
use crate::update::scan::{Id, Parent, Scan, Struct, StructBody};
use crate::update::walk::{Front, Visit, causal_walk};
use std::collections::HashSet;

/// The position of a new item: the two elements between which it was written, and the runs that contain them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertPosition {
    pub(crate) container: ContainerIndex,
    pub(crate) left: Option<RunIndex>,
    pub(crate) right: Option<RunIndex>,
    origin: CompactId,
    right_origin: CompactId,
}

impl<T: RunPayload> Order<T> {
    /// Passes each new struct of an update to `take`, after the structs that it refers to. `take` also receives the
    /// number of the struct's client. Returns whether every new struct was passed.
    ///
    /// # Errors
    /// Returns the first error of `take`. No further struct is passed after it.
    pub(crate) fn walk_new<E>(
        &mut self,
        scan: &Scan<'_>,
        mut take: impl FnMut(&mut Self, u32, &Struct<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let numbers: Vec<u32> =
            scan.runs.iter().map(|run| self.register_client(run.client)).collect();
        let fronts =
            scan.runs.iter().map(|run| Front { client: run.client, structs: &run.structs });
        causal_walk(fronts.collect(), |front, item| {
            if let Some(id) = item.references().find(|id| !self.has(*id)) {
                return Ok(Visit::WaitsFor(id));
            }
            let client = numbers[front];
            if item.end() > self.next(client) {
                take(self, client, item)?;
                self.next[client as usize] = item.end();
            }
            Ok(Visit::Done)
        })
    }

    fn has(&self, id: Id) -> bool {
        self.numbers.get(&id.client).is_some_and(|&n| id.clock < self.next[n as usize])
    }

    /// Returns the position of the new part of an item, or `None` if the struct, or each neighbour that it names, was
    /// collected as garbage.
    pub(crate) fn insert_position(
        &mut self,
        client: u32,
        item: &Struct<'_>,
    ) -> Option<InsertPosition> {
        let StructBody::Item { origin, right_origin, parent, key, .. } = &item.body else {
            return None;
        };
        let next = self.next(client);
        // A struct that is partly known is inserted from its first new element on, behind its last known element.
        let origin = if item.clock < next {
            CompactId { client, clock: next - 1 }
        } else {
            origin.map_or(NO_ID, |id| self.compact_id(id))
        };
        let right_origin = right_origin.map_or(NO_ID, |id| self.compact_id(id));
        let right = self.starting_at(right_origin);
        let left = self.ending_at(origin);
        let container = match parent {
            Some(parent) => {
                let parent = match parent {
                    Parent::Root(name) => Holder::Root(self.intern(name)),
                    Parent::Nested(id) => Holder::Nested(*id),
                };
                let key = key.map(|key| self.intern(key));
                self.container_index(Container { parent, key })
            }
            None => left.or(right).map(|beside| self.runs[beside as usize].container)?,
        };
        Some(InsertPosition { container, left, right, origin, right_origin })
    }

    /// Returns the index of the first run after the left neighbour of a position. Without a left neighbour, returns the
    /// first run of the container. Returns [`NONE`] if there is no such run.
    pub(crate) fn after(&self, position: &InsertPosition) -> RunIndex {
        match position.left {
            Some(left) => self.runs[left as usize].right,
            None => self.heads[position.container as usize],
        }
    }

    /// Inserts `len` elements at a position. Returns the run that contains them, which is an existing run if they
    /// extend it.
    pub(crate) fn insert(
        &mut self,
        position: InsertPosition,
        id: CompactId,
        len: u32,
        held: T,
    ) -> RunIndex {
        let InsertPosition { container, left, right, origin, right_origin } = position;
        let left = self.resolve(left, right, id, &position);
        let right = match left {
            Some(left) => self.runs[left as usize].right,
            None => self.heads[container as usize],
        };
        if let Some(before) = left
            && self.continues(before, id, &position, held)
        {
            self.runs[before as usize].len += len;
            return before;
        }
        let index = index(self.runs.len());
        let run = ItemRun {
            id,
            len,
            origin,
            right_origin,
            container,
            left: left.unwrap_or(NONE),
            right,
            held,
        };
        self.runs.push(run);
        self.link(index);
        self.starts[id.client as usize].insert(id.clock, index);
        index
    }

    /// Returns whether elements can extend the run before them.
    fn continues(
        &self,
        before: RunIndex,
        id: CompactId,
        position: &InsertPosition,
        held: T,
    ) -> bool {
        let run = &self.runs[before as usize];
        run.id.plus(run.len) == id
            && run.id.plus(run.len - 1) == position.origin
            && run.right_origin == position.right_origin
            && run.held.joins(held)
    }

    /// Returns the run after which an item is inserted, or `None` if it becomes the first of its container. Where
    /// other items were inserted concurrently at the same position, the rules of YATA decide.
    fn resolve(
        &self,
        mut left: Option<RunIndex>,
        right: Option<RunIndex>,
        id: CompactId,
        position: &InsertPosition,
    ) -> Option<RunIndex> {
        let right = right.unwrap_or(NONE);
        let mut other = self.after(position);
        if other == right {
            return left;
        }
        let (mut seen, mut rivals) = (HashSet::new(), HashSet::new());
        while other != NONE && other != right {
            seen.insert(other);
            rivals.insert(other);
            let rival = &self.runs[other as usize];
            if rival.origin == position.origin {
                if self.client(rival.id) < self.client(id) {
                    left = Some(other);
                    rivals.clear();
                } else if rival.right_origin == position.right_origin {
                    break;
                }
            } else {
                let Some(origin) = self.holding(rival.origin) else { break };
                if !seen.contains(&origin) {
                    break;
                }
                if !rivals.contains(&origin) {
                    left = Some(other);
                    rivals.clear();
                }
            }
            other = rival.right;
        }
        left
    }

    /// Undoes the splits that were made since the order had `before` runs. All elements that were inserted since must
    /// already have been removed with [`take_back`](Self::take_back).
    pub(crate) fn rejoin(&mut self, before: usize) {
        for at in (before..self.runs.len()).rev() {
            let ItemRun { id, len, left, right, .. } = self.runs[at];
            let starts = &mut self.starts[id.client as usize];
            let is_here = starts.get(&id.clock).is_some_and(|&run| run as usize == at);
            if !is_here {
                continue;
            }
            starts.remove(&id.clock);
            self.runs[left as usize].len += len;
            self.runs[left as usize].right = right;
            if right != NONE {
                self.runs[right as usize].left = left;
            }
        }
        self.runs.truncate(before);
        // The update whose elements were removed can have been large, and the document can stay open for days. So the
        // memory of these elements is released now.
        self.runs.shrink_to(before + before / 2);
    }

    /// Removes the elements of a client from the clock `from` on.
    pub(crate) fn take_back(&mut self, client: u32, from: u32) {
        let last =
            |order: &Self| order.starts[client as usize].last_key_value().map(|(_, &run)| run);
        while let Some(at) = last(self) {
            let ItemRun { id, len, left, right, container, .. } = self.runs[at as usize];
            if id.clock + len <= from {
                break;
            }
            if id.clock < from {
                self.runs[at as usize].len = from - id.clock;
                break;
            }
            match left {
                NONE => self.heads[container as usize] = right,
                left => self.runs[left as usize].right = right,
            }
            if right != NONE {
                self.runs[right as usize].left = left;
            }
            self.starts[client as usize].pop_last();
        }
        self.next[client as usize] = from;
    }
}
