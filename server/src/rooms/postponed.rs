//! The postponed turns of a room: the large turns that the room takes next, at most one for each party. Each of them
//! waits for a slot among the large turns of all rooms, and then until no entry of its room waits for the disk.
//!
//! In all rooms together, at most half as many large turns run at the same time as there are processors, and at most
//! one of each requester. So the other processors are free for short turns, and only a few large turns need memory at
//! the same time.

use super::event::RoomEvent;
use super::turns::{Priority, Turn};
use crate::fair_queue::{FairQueue, QueueLimits, Requester, Slot};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::thread::available_parallelism;

/// Creates the queue for the large turns of all rooms, and for the readings of copies. The number of places has no limit,
/// because each room has at most one large turn of each party in the queue, and each person reads one text at a time.
pub(super) fn large_turns() -> FairQueue {
    let slots = available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1));
    FairQueue::new(QueueLimits {
        slots,
        anonymous_slots: slots,
        slots_each: 1,
        places_each: usize::MAX,
        places: usize::MAX,
    })
}

pub(super) struct Postponed {
    turn: Turn<RoomEvent>,
    slot: PendingSlot,
    /// Whether other turns can be taken before this postponed turn: short turns of other parties, and essential turns
    /// of its own party.
    others_pass: bool,
}

/// Waits until one of the turns receives its slot, or for ever if none of them waits for a slot. Dropping the future
/// early loses no slot.
pub(super) async fn slot_given(postponed: &mut [Postponed]) {
    poll_fn(|context| {
        let given = postponed.iter_mut().any(|postponed| postponed.receives_slot(context));
        if given { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

enum PendingSlot {
    Waiting(BoxFuture<'static, Option<Slot>>),
    /// The slot of the turn, or `None` if the queue refused to give a slot. The turn then runs without one.
    Given(Option<Slot>),
}

impl Postponed {
    /// Postpones a turn, and puts it into the queue for a slot.
    pub(super) fn new(turn: Turn<RoomEvent>, queue: &FairQueue) -> Self {
        let (queue, party) = (queue.clone(), turn.party.clone());
        let mut waiting =
            async move { queue.place(&party).ok()?.slot_at_last().await.ok() }.boxed();
        let slot = match (&mut waiting).now_or_never() {
            Some(slot) => PendingSlot::Given(slot),
            None => PendingSlot::Waiting(waiting),
        };
        Self { turn, slot, others_pass: true }
    }

    pub(super) fn party(&self) -> &Requester {
        &self.turn.party
    }

    pub(super) fn has_slot(&self) -> bool {
        matches!(self.slot, PendingSlot::Given(_))
    }

    /// Polls for the slot of this turn. Returns whether the turn receives its slot now.
    fn receives_slot(&mut self, context: &mut Context<'_>) -> bool {
        let PendingSlot::Waiting(waiting) = &mut self.slot else { return false };
        let Poll::Ready(slot) = waiting.poll_unpin(context) else { return false };
        self.slot = PendingSlot::Given(slot);
        true
    }

    /// Records that an append has ended. If this postponed turn has its slot, no other turn is taken before it from now
    /// on.
    pub(super) fn append_ended(&mut self) {
        self.others_pass &= !self.has_slot();
    }

    /// Whether a short turn of `party` can be taken before this postponed turn. If both turns are of the same party,
    /// the short turn must be essential.
    pub(super) fn is_passed_by(&self, party: &Requester, priority: Priority) -> bool {
        self.others_pass && (*party != self.turn.party || priority == Priority::Essential)
    }

    /// Returns the postponed turn, and its slot. The slot is `None` if the turn has received none.
    pub(super) fn into_turn(self) -> (Turn<RoomEvent>, Option<Slot>) {
        match self.slot {
            PendingSlot::Given(slot) => (self.turn, slot),
            PendingSlot::Waiting(_) => (self.turn, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::ids::PersonId;

    fn turn(name: &str, priority: Priority) -> Turn<RoomEvent> {
        let party = Requester::Person(PersonId::new(name));
        Turn { party, priority, item: RoomEvent::Stop }
    }

    fn postponed(name: &str, queue: &FairQueue) -> Postponed {
        Postponed::new(turn(name, Priority::Ordinary), queue)
    }

    /// Rule C7.
    #[test]
    fn what_a_party_sent_later_stays_behind_its_postponed_turn() {
        let postponed = postponed("ana", &large_turns());
        let is_passed_by = |name: &str, priority| {
            let Turn { party, priority, .. } = turn(name, priority);
            postponed.is_passed_by(&party, priority)
        };
        assert!(!is_passed_by("ana", Priority::Ordinary));
        assert!(is_passed_by("ana", Priority::Essential));
        assert!(is_passed_by("ben", Priority::Ordinary));
    }

    #[test]
    fn one_large_turn_of_each_person_runs_at_a_time_and_a_processor_stays_free() {
        let queue = large_turns();
        let first = postponed("ana", &queue).into_turn();
        let mut second = postponed("ana", &queue);
        assert!(!second.has_slot(), "she has a large turn elsewhere");
        second.append_ended();
        let ben = Requester::Person(PersonId::new("ben"));
        assert!(second.is_passed_by(&ben, Priority::Ordinary), "others pass until it has its slot");
        drop(first);
        slot_given(std::slice::from_mut(&mut second)).now_or_never().unwrap();
        second.append_ended();
        assert!(!second.is_passed_by(&ben, Priority::Ordinary));
        let running = (0..1_000).map(|n| postponed(&format!("p{n}"), &queue));
        let running: Vec<_> = running.filter(Postponed::has_slot).collect();
        let processors = available_parallelism().unwrap().get();
        assert!(running.len() < (processors / 2).max(1), "with hers: {}", 1 + running.len());
    }
}
