//! Checks whether new elements can have been written at the positions that they name.
//!
//! A writer inserts an element between two elements that are neighbours in the text that the writer sees. Later there
//! can be other elements between the two, but only elements that the writer had not seen. YATA relies on this to give
//! everybody the same text. An update made by hand can name any two elements as neighbours. The text would then depend
//! on the order in which updates arrive: two people would read, and sign, two texts under one digest. So an element of
//! a text, milestone or date that readers see is accepted only if its writer can have been unaware of every other
//! element between the two neighbours.
//!
//! The elements that a client must have seen follow from what the client wrote: its own earlier elements, the elements
//! to which these refer, and everything that the writers of the referenced elements had seen when they wrote them.
//!
//! A neighbour can have been collected as garbage. Yjs then collects the new element as well, but yrs puts it beside its other
//! neighbour. So if only one neighbour is garbage, a new element is refused. No editor writes such an element, because Yjs
//! collects the elements of a deleted shared type together.
//!
//! Rules U4, U8 and U9.

use super::index::StructIndex;
use super::order::{ContainerIndex, Holder, InsertPosition, NONE, Order, RunPayload};
use super::refusal::Refusal;
use super::scan::{Id, ItemContent, Scan, Struct, StructBody};
use crate::template::{FACTS, FIELDS, MILESTONES};
use std::collections::HashMap;
use yrs::{ClientID, ID, IdSet};

/// The changes that an update makes to clocks and causal histories, recorded so that they can be undone if the update
/// is refused.
#[derive(Debug, Default)]
struct Trace {
    /// For each new struct, the number of its client, and the client's next clock before the struct was added.
    clocks: Vec<(u32, u32)>,
    /// For each extension of a causal history, the id of its client, and the id of the client that was seen.
    sightings: Vec<(u64, u64)>,
}

/// The changes made by adding an update's elements to the order, recorded so that they can be undone.
struct Arranging {
    /// Number of runs in the order before the elements of the update were added.
    runs: usize,
    trace: Trace,
}

/// Number of look-ups in causal histories that take as long as passing one item in a walk over the order.
const LOOKS_IN_A_STEP: u64 = 16;

/// The work that a check of an update's positions may still do, in units of passing one item in a walk over the order.
struct Work<'c> {
    /// Takes a client id, and returns the maximum number of items into which yrs can have divided that client's
    /// elements.
    items: &'c dyn Fn(u64) -> u64,
    /// `None` means no limit: the server made the update, or the ledger contains it already.
    left: Option<u64>,
}

impl Work<'_> {
    fn take(&mut self, steps: u64) -> Result<(), Refusal> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(steps).ok_or(Refusal::TooManyBetween)?;
        }
        Ok(())
    }

    fn is_for_new_update(&self) -> bool {
        self.left.is_some()
    }
}

impl StructIndex {
    /// Adds the new elements of an update to the order. The update must have passed [`check`](Self::check).
    ///
    /// `items` takes a client id, and returns the maximum number of items into which yrs can have divided that client's
    /// elements. `limit` is the maximum work for all new elements together; `None` means no limit, for an update that the
    /// server made or that the ledger contains already. An item between the neighbours of a new element counts as one, and
    /// so do 16 look-ups in causal histories.
    ///
    /// # Errors
    /// Returns an error if an element can't have been written at the position that it names, or if the work would
    /// exceed `limit`. The index is then unchanged.
    pub(crate) fn check_origins(
        &mut self,
        scan: &Scan<'_>,
        items: impl Fn(u64) -> u64,
        limit: Option<u64>,
    ) -> Result<(), Refusal> {
        let (arranged, arranging) = self.arrange(scan, &items, limit);
        if arranged.is_err() {
            self.take_back(arranging);
        }
        arranged
    }

    fn arrange(
        &mut self,
        scan: &Scan<'_>,
        items: &dyn Fn(u64) -> u64,
        limit: Option<u64>,
    ) -> (Result<(), Refusal>, Arranging) {
        let mut order = std::mem::take(&mut self.order);
        let runs = order.run_count();
        let mut trace = Trace::default();
        let mut work = Work { items, left: limit };
        let arranged = order.walk_new(scan, |order, client, item| {
            let next = order.next(client);
            trace.clocks.push((client, next));
            self.put(order, client, item, &mut trace, &mut work)
        });
        self.order = order;
        (arranged.map(drop), Arranging { runs, trace })
    }

    /// Restores the order and the causal histories to their state before an update.
    fn take_back(&mut self, Arranging { runs, trace }: Arranging) {
        for (client, next) in trace.clocks.into_iter().rev() {
            self.order.take_back(client, next);
        }
        // An item that yrs has in one piece must be in one run again, because the cost of splits is estimated from the
        // runs.
        self.order.rejoin(runs);
        for (client, seen) in trace.sightings.into_iter().rev() {
            self.seen.forget(client, seen);
        }
    }

    fn put(
        &mut self,
        order: &mut Order<()>,
        client: u32,
        item: &Struct<'_>,
        trace: &mut Trace,
        work: &mut Work<'_>,
    ) -> Result<(), Refusal> {
        let next = order.next(client);
        let first = Id { client: order.client_id(client), clock: item.clock.max(next) };
        let StructBody::Item { content, .. } = &item.body else { return Ok(()) };
        for id in item.references() {
            if self.seen.note(first.client, first.clock, id) {
                trace.sightings.push((first.client, id.client));
            }
        }
        let Some(position) = order.insert_position(client, item) else { return Ok(()) };
        let Some(is_shown) = shown(order, position.container, &self.deleted) else { return Ok(()) };
        // Characters under a key of a map are refused. Whether a reader sees all of the characters or some depends on
        // how the reader's copy of the document happens to have split them.
        let is_value = order.container(position.container).key.is_some();
        if is_shown && is_value && matches!(content, ItemContent::Text(_)) {
            return Err(Refusal::Misplaced);
        }
        if work.is_for_new_update() && is_beside_garbage(&position, item) {
            return Err(Refusal::Misplaced);
        }
        self.between(order, &position, first, is_shown, work)?;
        order.insert(position, order.compact_id(first), item.end() - first.clock, ());
        Ok(())
    }

    /// Checks whether the writer of an item can have been unaware of all elements between the item's neighbours. In a
    /// container that readers do not see, checks only that the work stays within its limit.
    fn between(
        &self,
        order: &Order<()>,
        position: &InsertPosition,
        writer: Id,
        is_shown: bool,
        work: &mut Work<'_>,
    ) -> Result<(), Refusal> {
        let right = position.right.unwrap_or(NONE);
        let mut at = order.after(position);
        if at == right {
            return Ok(());
        }
        // For each client, its first element between the neighbours.
        let mut first: HashMap<u64, u32> = HashMap::new();
        while at != right {
            // If the walk reaches the end of the container, the right neighbour does not come after the left one.
            let Some(run) = order.runs.get(at as usize) else {
                return if is_shown { Err(Refusal::Misplaced) } else { Ok(()) };
            };
            let client = order.client(run.id);
            // yrs can keep the run as several items. Their number is at most that of the run's elements, and at most
            // that of all items of its client. The smaller number counts as work.
            work.take(u64::from(run.len).min((work.items)(client).max(1)))?;
            let clock = first.entry(client).or_insert(run.id.clock);
            *clock = run.id.clock.min(*clock);
            at = run.right;
        }
        if !is_shown {
            return Ok(());
        }
        let (has_seen, looked_at) = self.seen.has_seen(writer, &first);
        // Searching the causal histories counts as work too, by the number of look-ups that the search took.
        work.take(looked_at / LOOKS_IN_A_STEP)?;
        if has_seen { Err(Refusal::Misplaced) } else { Ok(()) }
    }
}

/// Returns whether an item names a neighbour that is not in the order. Such a neighbour was collected as garbage, because
/// the update has passed the check of its references.
fn is_beside_garbage(position: &InsertPosition, item: &Struct<'_>) -> bool {
    let StructBody::Item { origin, right_origin, .. } = &item.body else { return false };
    origin.is_some() && position.left.is_none()
        || right_origin.is_some() && position.right.is_none()
}

/// Returns whether readers see the content of a container: whether the container belongs to a text, a milestone or a
/// date of the template. Returns `None` if the container is inside a shared type that is deleted or not in the order.
fn shown<T: RunPayload>(
    order: &Order<T>,
    container: ContainerIndex,
    deleted: &IdSet,
) -> Option<bool> {
    let mut container = container;
    loop {
        match &order.container(container).parent {
            Holder::Root(name) => {
                let is_field = FIELDS.iter().any(|field| field.key == &**name);
                return Some(is_field || matches!(&**name, MILESTONES | FACTS));
            }
            Holder::Nested(id) => {
                if deleted.contains(&ID::new(ClientID::new(id.client), id.clock)) {
                    return None;
                }
                let run = order.holding(order.compact_id(*id))?;
                container = order.runs[run as usize].container;
            }
        }
    }
}
