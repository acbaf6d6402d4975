//! Admission of heavy work: how much of it each requester can start, and in which order.
//!
//! Each requester holds a limited number of *places*. A place is a request that runs, waits, or whose result is still
//! in memory. A place leads to a *slot*, the right to run, when its turn has come. Requesters take turns, so a
//! requester with many requests does not delay the others. Readers without an account never hold all slots.

mod personal_turn;
mod slots;

pub(crate) use personal_turn::{Asker, PersonalLocks, PersonalTurn};

use crate::site::AddressGroup;
use accord_document::ids::PersonId;
use slots::{HeldBack, QueueSlot, State};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

/// Maximum time that a request waits for its slot.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);
/// Time after which a refused requester should try again.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The requester of heavy work: the unit by which places and slots are limited.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Requester {
    Person(PersonId),
    /// The readers without an account at the addresses of one subscriber.
    Address(AddressGroup),
}

impl Requester {
    /// Returns the requester for a reader without an account.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(AddressGroup::of(address))
    }

    fn is_anonymous(&self) -> bool {
        matches!(self, Self::Address(_))
    }
}

/// The reason why a request is not admitted: too many requests of its requester, or of all requesters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    #[error(
        "You have asked for too many things at the same time. Wait until some are done, then try again."
    )]
    Requester,
    #[error("The server is very busy right now. Try again in a few seconds.")]
    Server,
}

/// The limits of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    /// Number of requests that can run at the same time.
    pub(crate) slots: usize,
    /// Number of slots that readers without an account can hold together.
    pub(crate) anonymous_slots: usize,
    /// Number of slots that one requester can hold.
    pub(crate) slots_each: usize,
    /// Number of places that one requester can hold.
    pub(crate) places_each: usize,
    /// Number of places that all signed-in people can hold together. All readers without an account can together hold
    /// as many again.
    pub(crate) places: usize,
}

/// A queue for one kind of work, with its places and slots. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct FairQueue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: QueueLimits,
    /// The locks of people, which this queue shares with other queues, or `None` if it shares none.
    personal_locks: Option<PersonalLocks>,
    /// The queue that runs no work of requesters who hold a slot of this queue, or `None` if there is no such queue.
    holds_back: Option<FairQueue>,
    state: Mutex<State>,
}

impl FairQueue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self::with(limits, None, None)
    }

    /// Creates a queue whose work shares `personal_locks` with other queues, so that only one piece of a person's work
    /// runs at a time in all these queues together. Work that holds a personal turn must take its further slots
    /// [within](Place::slot_within) that turn: if it waited for another turn, it would wait for itself.
    pub(crate) fn sharing(limits: QueueLimits, personal_locks: PersonalLocks) -> Self {
        Self::with(limits, Some(personal_locks), None)
    }

    /// Creates a queue that shares `personal_locks` and, while work of a requester has a slot, [holds
    /// back](Self::hold_back) the requester's work in the queue `other`.
    pub(crate) fn holding_back(
        limits: QueueLimits,
        personal_locks: PersonalLocks,
        other: Self,
    ) -> Self {
        Self::with(limits, Some(personal_locks), Some(other))
    }

    fn with(
        limits: QueueLimits,
        personal_locks: Option<PersonalLocks>,
        other: Option<Self>,
    ) -> Self {
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { limits, personal_locks, holds_back: other, state }) }
    }

    /// Takes a place for a request.
    ///
    /// # Errors
    /// Returns [`Busy::Requester`] if this requester holds all its places, or [`Busy::Server`] if no place is left for
    /// signed-in people or, in the case of a reader without an account, for such readers.
    pub(crate) fn place(&self, requester: &Requester) -> Result<Place, Busy> {
        let limits = &self.shared.limits;
        let mut state = self.shared.lock();
        let usage = state.usages.get(requester);
        if usage.is_some_and(|usage| usage.places >= limits.places_each) {
            return Err(Busy::Requester);
        }
        let class = usize::from(requester.is_anonymous());
        if state.places[class] >= limits.places {
            return Err(Busy::Server);
        }
        state.places[class] += 1;
        state.usages.entry(requester.clone()).or_default().places += 1;
        Ok(Place { shared: self.shared.clone(), requester: requester.clone() })
    }

    /// Waits for a slot, and holds a place only while it waits.
    ///
    /// # Errors
    /// Returns [`Busy`] if there is no place, or if the personal turn and the slot do not come within [`MAX_WAIT`].
    pub(crate) async fn slot(&self, asker: impl Into<Asker<'_>>) -> Result<Slot, Busy> {
        let Asker { requester, turn } = asker.into();
        let place = self.place(requester)?;
        match turn {
            Some(turn) => place.slot_within(turn).await,
            None => place.slot().await,
        }
    }

    /// Waits until none of this requester's work runs in this queue, and keeps the queue from running any of it until the
    /// returned value is dropped. It occupies no slot, so the work of others goes on.
    ///
    /// # Errors
    /// Returns [`Busy`] if there is no place, or if the requester's work does not end within [`MAX_WAIT`].
    async fn hold_back(&self, requester: &Requester) -> Result<HeldBack, Busy> {
        if let Some(held_back) = HeldBack::idle(&self.shared, requester) {
            return Ok(held_back);
        }
        let place = self.place(requester)?;
        let waiting = timeout(MAX_WAIT, place.queue_slot());
        let slot = waiting.await.unwrap_or(Err(Busy::Requester))?;
        Ok(slot.give_back())
    }

    /// Returns the number of requests that wait for a slot.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.shared.lock().waiting.iter().map(|(_, queue)| queue.len()).sum()
    }
}

/// A place in a queue. It counts against its requester until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    requester: Requester,
}

impl Place {
    /// Waits for the requester's personal turn, then for a slot. The returned slot contains both.
    ///
    /// # Errors
    /// Returns [`Busy`] if no slot is free within [`MAX_WAIT`], or if work to be held back does not end in that time.
    pub(crate) async fn slot(&self) -> Result<Slot, Busy> {
        let until = Instant::now() + MAX_WAIT;
        // The personal turn comes first, so that a request that waits for it holds no slot that others need.
        let turn = timeout_at(until, self.turn()).await.map_err(|_| Busy::Requester)?;
        let queue_slot = timeout_at(until, self.queue_slot()).await.unwrap_or(Err(Busy::Server))?;
        self.begin(queue_slot, turn).await
    }

    /// Waits for the requester's personal turn. Work that belongs together can take several slots
    /// [within](Self::slot_within) one turn.
    ///
    /// # Errors
    /// Returns [`Busy`] if the turn does not come within [`MAX_WAIT`].
    pub(crate) async fn personal_turn(&self) -> Result<PersonalTurn, Busy> {
        timeout(MAX_WAIT, self.turn()).await.map_err(|_| Busy::Requester)
    }

    /// Waits for a slot within a personal turn that the requester already has.
    ///
    /// # Errors
    /// Returns [`Busy`] if no slot is free within [`MAX_WAIT`], or if work to be held back does not end in that time.
    pub(crate) async fn slot_within(&self, turn: &PersonalTurn) -> Result<Slot, Busy> {
        let queue_slot = timeout(MAX_WAIT, self.queue_slot()).await.unwrap_or(Err(Busy::Server))?;
        self.begin(queue_slot, turn.clone()).await
    }

    /// Waits for the requester's personal turn and for a slot, without a time limit.
    ///
    /// # Errors
    /// Returns [`Busy`] if the queue has ended.
    pub(crate) async fn slot_at_last(&self) -> Result<Slot, Busy> {
        let turn = self.turn().await;
        let queue_slot = self.queue_slot().await?;
        self.begin(queue_slot, turn).await
    }

    /// Holds back the requester's work in the other queue, if there is one. The slot comes first, so that this work is
    /// held back no longer than it must be.
    async fn begin(&self, queue_slot: QueueSlot, turn: PersonalTurn) -> Result<Slot, Busy> {
        let held_back = match &self.shared.holds_back {
            Some(other) => Some(other.hold_back(&self.requester).await?),
            None => None,
        };
        Ok(Slot { _queue_slot: queue_slot, _held_back: held_back, _turn: turn })
    }

    /// Waits until none of the requester's other work that shares the personal locks is running. Returns at once if the
    /// requester is a reader without an account, or if the queue shares no locks.
    async fn turn(&self) -> PersonalTurn {
        match &self.shared.personal_locks {
            Some(personal_locks) => personal_locks.turn(&self.requester).await,
            None => PersonalTurn::unshared(&self.requester),
        }
    }

    async fn queue_slot(&self) -> Result<QueueSlot, Busy> {
        let (give, given) = oneshot::channel();
        let unclaimed = {
            let mut state = self.shared.lock();
            state.enqueue(&self.requester, give);
            state.dispatch(&self.shared)
        };
        drop(unclaimed);
        let mut waiting = Waiting { place: self, given };
        (&mut waiting.given).await.map_err(|_| Busy::Server)
    }
}

/// A request that waits for its slot. The request leaves the queue at once when this value is dropped, as happens when
/// the caller stops waiting.
struct Waiting<'p> {
    place: &'p Place,
    given: oneshot::Receiver<QueueSlot>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // A slot that was sent at this very moment is dropped with the receiver, after the lock is released.
        self.given.close();
        self.place.shared.lock().leave_queue(&self.place.requester);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.places[usize::from(self.requester.is_anonymous())] -= 1;
        state.settle(&self.requester, |usage| usage.places -= 1);
    }
}

/// The right to run until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _queue_slot: QueueSlot,
    _held_back: Option<HeldBack>,
    /// The personal turn, so that it lasts as long as the work in this slot.
    _turn: PersonalTurn,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
