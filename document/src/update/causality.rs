//! Whether new elements can have been written where they say.
//!
//! A writer puts an element between two that are neighbours in the text that they see. Other elements may later stand
//! between those two as well, but only elements that the writer had not seen. YATA gives everybody the same text because
//! of that. An update put together by hand can name any two neighbours, and then what one reads depends on the
//! order in which the updates came: two people would read, and sign, two texts under one digest. So where
//! text is shown, an element is taken only where everything between its neighbours can be news to its writer.
//!
//! What a client had seen at least follows from what it wrote: all of its own earlier elements, all that any of
//! them refers to, and all that the writers of those had seen when they wrote them.
//!
//! Rules U8 and U9.

use super::index::StructIndex;
use super::order::{Holder, InsertPosition, LineIndex, NONE, Order, RunPayload};
use super::refusal::Refusal;
use super::scan::{Id, ItemContent, Scan, Struct, StructBody};
use crate::template::{FACTS, FIELDS, MILESTONES};
use yrs::{ClientID, ID, IdSet};

/// What an update changed of what is known of the order, to be taken back when it is refused.
#[derive(Debug, Default)]
struct Trace {
    /// The next clock that each client had.
    clocks: Vec<(u32, u32)>,
    sightings: Vec<(u64, u64)>,
}

/// What changed when an update's elements got their places, so that it can be taken back.
struct Arranging {
    /// How many runs there were before.
    runs: usize,
    trace: Trace,
}

/// Looks at what a writer had seen of a client, which take as long as passing one item.
const LOOKS_IN_A_STEP: u64 = 16;

/// How much work an update's places may still be.
struct Work<'c> {
    /// Of how many items a client's elements consist at most.
    items: &'c dyn Fn(u64) -> u64,
    left: u64,
}

impl Work<'_> {
    fn take(&mut self, steps: u64) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(steps).ok_or(Refusal::TooManyBetween)?;
        Ok(())
    }
}

impl StructIndex {
    /// Gives the new elements of an update their place in the order, once [`check`](Self::check) has passed.
    /// `items` gives of how many items a client's elements consist at most. `limit`: how many items may stand between
    /// neighbours, all together.
    ///
    /// # Errors
    /// When there is an element that cannot have been written where it says, or too many stand between. What is
    /// known is then as before.
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

    /// As [`check_origins`](Self::check_origins), but what is known stays as before.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn try_origins(
        &mut self,
        scan: &Scan<'_>,
        items: impl Fn(u64) -> u64,
        limit: u64,
    ) -> Result<(), Refusal> {
        let (arranged, arranging) = self.arrange(scan, &items, Some(limit));
        self.take_back(arranging);
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
        let mut work = Work { items, left: limit.unwrap_or(u64::MAX) };
        let arranged = order.walk_new(scan, |order, client, item| {
            let next = order.next(client);
            trace.clocks.push((client, next));
            self.put(order, client, item, &mut trace, &mut work)
        });
        self.order = order;
        (arranged.map(drop), Arranging { runs, trace })
    }

    /// Restores the order, and what writers had seen, to what they were before.
    fn take_back(&mut self, Arranging { runs, trace }: Arranging) {
        for (client, next) in trace.clocks.into_iter().rev() {
            self.order.take_back(client, next);
        }
        // What yrs has in one piece must be known as one piece: splits of it are estimated by that.
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
        let first = Id { client: order.client_of(client), clock: item.clock.max(next) };
        let StructBody::Item { content, .. } = &item.body else { return Ok(()) };
        for id in item.references() {
            if self.seen.note(first.client, first.clock, id) {
                trace.sightings.push((first.client, id.client));
            }
        }
        let Some(spot) = order.spot(client, item) else { return Ok(()) };
        let Some(is_shown) = shown(order, spot.line, &self.deleted) else { return Ok(()) };
        // Characters under a key of a map are read whole or in part, as their reader happens to keep them.
        let is_value = order.place(spot.line).key.is_some();
        if is_shown && is_value && matches!(content, ItemContent::Text(_)) {
            return Err(Refusal::Misplaced);
        }
        self.between(order, &spot, first, is_shown, work)?;
        order.insert(spot, order.name(first), item.end() - first.clock, ());
        Ok(())
    }

    /// Looks at what stands between an item's neighbours.
    fn between(
        &self,
        order: &Order<()>,
        spot: &InsertPosition,
        writer: Id,
        is_shown: bool,
        work: &mut Work<'_>,
    ) -> Result<(), Refusal> {
        let right = spot.right.unwrap_or(NONE);
        let mut at = order.after(spot);
        if at == right {
            return Ok(());
        }
        let (seen, looked_at) = self.seen.by(writer);
        // Finding out what the writer had seen takes a look at every client that they knew of.
        work.take(looked_at / LOOKS_IN_A_STEP)?;
        while at != right {
            // The right neighbour does not come behind the left one.
            let Some(run) = order.runs.get(at as usize) else {
                return if is_shown { Err(Refusal::Misplaced) } else { Ok(()) };
            };
            let client = order.client(run.name);
            // yrs may have the run in pieces, but has no more of them than of its client's items in all.
            work.take(u64::from(run.len).min((work.items)(client).max(1)))?;
            let upto = seen.get(&client).copied().unwrap_or(0);
            if is_shown && run.name.clock < upto {
                return Err(Refusal::Misplaced);
            }
            at = run.right;
        }
        Ok(())
    }
}

/// Whether what stands in a line is shown to anybody: in a text, a milestone or a date of the template. None
/// where it belongs to what is deleted.
fn shown<T: RunPayload>(order: &Order<T>, line: LineIndex, deleted: &IdSet) -> Option<bool> {
    let mut line = line;
    loop {
        match &order.place(line).parent {
            Holder::Root(name) => {
                let is_field = FIELDS.iter().any(|field| field.key == &**name);
                return Some(is_field || matches!(&**name, MILESTONES | FACTS));
            }
            Holder::Nested(id) => {
                if deleted.contains(&ID::new(ClientID::new(id.client), id.clock)) {
                    return None;
                }
                let run = order.holding(order.name(*id))?;
                line = order.runs[run as usize].line;
            }
        }
    }
}
