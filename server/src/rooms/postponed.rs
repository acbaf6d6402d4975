//! The postponed turns of a room: the large turns that the room takes next, at most one for each party. Each of them
//! waits for a slot among the large turns of all rooms, and then until no entry of its room waits for the disk. A large
//! edit is checked while its turn is postponed.
//!
//! In all rooms together, at most half as many large turns run at the same time as there are processors, and at most
//! one of each requester. So the other processors are free for short turns, and only a few large turns need memory at
//! the same time.

use super::event::RoomEvent;
use super::frame_places::FramePlace;
use super::pace::thread_time;
use super::turns::{Priority, Turn};
use crate::fair_queue::{FairQueue, QueueLimits, Requester, Slot};
use accord_document::state::LargeCheck;
use accord_document::sync::ConnectionId;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::thread::available_parallelism;
use std::time::Duration;

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
    party: Requester,
    state: State,
    /// Whether other turns can be taken before this postponed turn: short turns of other parties, and essential turns
    /// of its own party.
    others_pass: bool,
}

/// A turn, and its slot. The slot is `None` if the queue refused to give one, or if a check has failed. The turn then runs
/// without a slot.
pub(super) type TurnWithSlot = (Turn<RoomEvent>, Option<Slot>);

enum State {
    /// The turn waits for its slot, or for the check of its large edit, which already has the slot.
    Waiting(BoxFuture<'static, TurnWithSlot>),
    Ready(Box<TurnWithSlot>),
}

/// Waits until one of the turns is ready, or for ever if none of them waits. Dropping the future early loses nothing.
pub(super) async fn one_is_ready(postponed: &mut [Postponed]) {
    poll_fn(|context| {
        let is_ready = postponed.iter_mut().any(|postponed| postponed.becomes_ready(context));
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Postponed {
    /// Postpones a turn, and puts it into the queue for a slot.
    pub(super) fn new(turn: Turn<RoomEvent>, queue: &FairQueue) -> Self {
        let (queue, party) = (queue.clone(), turn.party.clone());
        let requester = party.clone();
        let slot = async move { queue.place(&requester).ok()?.slot_at_last().await.ok() };
        Self::waiting(party, async move { (turn, slot.await) }.boxed())
    }

    /// Checks a large edit on a thread that can block for long. Then the turn of the connection's frame goes on. The check
    /// holds the slot even if nobody waits for its result any more.
    pub(super) fn checking(
        check: LargeCheck,
        party: Requester,
        (id, place): (ConnectionId, FramePlace),
        slot: Option<Slot>,
    ) -> Self {
        let checking = tokio::task::spawn_blocking(move || {
            let began = thread_time();
            // A panic would be a fault of this program. The connection is then closed for good, because its client would
            // send the same edit again.
            let checked = catch_unwind(AssertUnwindSafe(|| check.run())).ok();
            (checked, thread_time().saturating_sub(began), slot)
        });
        let requester = party.clone();
        let turn = async move {
            let (checked, spent, slot) = checking.await.unwrap_or((None, Duration::ZERO, None));
            let item = RoomEvent::Checked { id, place, checked, spent };
            (Turn { party: requester, priority: Priority::Ordinary, item }, slot)
        };
        Self::waiting(party, turn.boxed())
    }

    fn waiting(party: Requester, mut turn: BoxFuture<'static, TurnWithSlot>) -> Self {
        let state = match (&mut turn).now_or_never() {
            Some(turn) => State::Ready(Box::new(turn)),
            None => State::Waiting(turn),
        };
        Self { party, state, others_pass: true }
    }

    pub(super) fn party(&self) -> &Requester {
        &self.party
    }

    /// Whether the turn can be taken: it has its slot, and the check that it waited for has ended.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready(_))
    }

    /// Polls for what this turn waits for. Returns whether the turn becomes ready now.
    fn becomes_ready(&mut self, context: &mut Context<'_>) -> bool {
        let State::Waiting(waiting) = &mut self.state else { return false };
        let Poll::Ready(turn) = waiting.poll_unpin(context) else { return false };
        self.state = State::Ready(Box::new(turn));
        true
    }

    /// Records that an append has ended. If this postponed turn is ready, no other turn is taken before it from now on.
    pub(super) fn append_ended(&mut self) {
        self.others_pass &= !self.is_ready();
    }

    /// Whether a short turn of `party` can be taken before this postponed turn. If both turns are of the same party,
    /// the short turn must be essential.
    pub(super) fn is_passed_by(&self, party: &Requester, priority: Priority) -> bool {
        self.others_pass && (*party != self.party || priority == Priority::Essential)
    }

    /// Returns the turn and its slot, or `None` if the turn is not ready.
    pub(super) fn into_turn(self) -> Option<TurnWithSlot> {
        match self.state {
            State::Ready(turn) => Some(*turn),
            State::Waiting(_) => None,
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
        let first = postponed("ana", &queue).into_turn().unwrap();
        let mut second = postponed("ana", &queue);
        assert!(!second.is_ready(), "she has a large turn elsewhere");
        second.append_ended();
        let ben = Requester::Person(PersonId::new("ben"));
        assert!(second.is_passed_by(&ben, Priority::Ordinary), "others pass until it has its slot");
        drop(first);
        one_is_ready(std::slice::from_mut(&mut second)).now_or_never().unwrap();
        second.append_ended();
        assert!(!second.is_passed_by(&ben, Priority::Ordinary));
        let running = (0..1_000).map(|n| postponed(&format!("p{n}"), &queue));
        let running: Vec<_> = running.filter(Postponed::is_ready).collect();
        let processors = available_parallelism().unwrap().get();
        assert!(running.len() < (processors / 2).max(1), "with hers: {}", 1 + running.len());
    }
}
