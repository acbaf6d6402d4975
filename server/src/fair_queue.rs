//! Admission of heavy work: how much of it each requester can start, and in which order.
//!
//! Each requester can hold a limited number of *places*. A request keeps its place while it waits or runs, and while
//! its result is still in memory. When the request's turn has come, it gets a *slot*, the right to run. Requesters take
//! turns, so a requester with many requests does not delay the others. Readers without an account never hold all slots.

use crate::site::AddressGroup;
use accord_document::ids::PersonId;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, oneshot};
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

/// A lock for each person, shared by several kinds of work. Only one piece of a person's work of these kinds runs at a
/// time, because two pieces together would take too much memory. Clones share the locks.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonalLocks {
    people: Arc<Mutex<HashMap<PersonId, Weak<tokio::sync::Mutex<()>>>>>,
}

impl PersonalLocks {
    /// Waits until none of this person's work that shares these locks is running, and returns the person's lock.
    async fn turn(&self, person: &PersonId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
            people.retain(|_, turn| turn.strong_count() > 0);
            let known = people.get(person).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                people.insert(person.clone(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

#[derive(Debug)]
struct Shared {
    limits: QueueLimits,
    /// The locks of people, which this queue shares with other queues, or `None` if it shares none.
    personal_locks: Option<PersonalLocks>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    usages: HashMap<Requester, Usage>,
    running: usize,
    running_anonymous: usize,
    /// Numbers of places that are held: first by signed-in people, then by readers without an account.
    places: [usize; 2],
    /// Requesters with waiting requests, the next one first. Each has its requests in the order of their arrival.
    waiting: VecDeque<(Requester, VecDeque<oneshot::Sender<QueueSlot>>)>,
}

#[derive(Debug, Default)]
struct Usage {
    places: usize,
    running: usize,
}

impl FairQueue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { shared: Arc::new(Shared { limits, personal_locks: None, state: Mutex::default() }) }
    }

    /// Creates a queue whose work shares `personal_locks` with other queues, so that only one piece of a person's work
    /// runs at a time in all these queues together. Work that holds a personal turn must take its further slots
    /// [within](Place::slot_within) that turn: if it waited for another turn, it would wait for itself.
    pub(crate) fn sharing(limits: QueueLimits, personal_locks: PersonalLocks) -> Self {
        let personal_locks = Some(personal_locks);
        Self { shared: Arc::new(Shared { limits, personal_locks, state: Mutex::default() }) }
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

    /// Waits for a slot. The requester holds a place only during this wait.
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
    /// Returns [`Busy`] if the turn and the slot do not come within [`MAX_WAIT`].
    pub(crate) async fn slot(&self) -> Result<Slot, Busy> {
        let until = Instant::now() + MAX_WAIT;
        // The personal turn comes first, so that a request that waits for it holds no slot that others need.
        let turn = timeout_at(until, self.turn()).await.map_err(|_| Busy::Requester)?;
        let queue_slot = timeout_at(until, self.queue_slot()).await.unwrap_or(Err(Busy::Server))?;
        Ok(Slot { _queue_slot: queue_slot, _turn: turn })
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
    /// Returns [`Busy`] if no slot is free within [`MAX_WAIT`].
    pub(crate) async fn slot_within(&self, turn: &PersonalTurn) -> Result<Slot, Busy> {
        let queue_slot = timeout(MAX_WAIT, self.queue_slot()).await.unwrap_or(Err(Busy::Server))?;
        Ok(Slot { _queue_slot: queue_slot, _turn: turn.clone() })
    }

    /// Waits for the requester's personal turn and for a slot, without a time limit.
    ///
    /// # Errors
    /// Returns [`Busy`] if the queue has ended.
    pub(crate) async fn slot_at_last(&self) -> Result<Slot, Busy> {
        let turn = self.turn().await;
        Ok(Slot { _queue_slot: self.queue_slot().await?, _turn: turn })
    }

    /// Waits until none of the requester's other work that shares the personal locks is running. Returns at once if the
    /// requester is a reader without an account, or if the queue shares no locks.
    async fn turn(&self) -> PersonalTurn {
        let alone = match (&self.shared.personal_locks, &self.requester) {
            (Some(personal_locks), Requester::Person(person)) => {
                Some(personal_locks.turn(person).await)
            }
            _ => None,
        };
        PersonalTurn { requester: self.requester.clone(), _alone: alone.map(Arc::new) }
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
        // A slot that was sent just before is dropped together with the receiver, after the lock is released.
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

/// The right to run, which ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _queue_slot: QueueSlot,
    /// The personal turn. The slot contains it, so that the turn lasts as long as the work in this slot.
    _turn: PersonalTurn,
}

/// A requester's turn among the kinds of work that share one [`PersonalLocks`]. The turn ends when all clones are
/// dropped. A reader without an account always has a turn, and so has everybody in a queue that shares no lock.
#[derive(Debug, Clone)]
pub(crate) struct PersonalTurn {
    requester: Requester,
    /// The person's lock, if this work shares one with other kinds.
    _alone: Option<Arc<OwnedMutexGuard<()>>>,
}

/// A requester who asks for a slot, with the personal turn that they already hold, if any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    requester: &'a Requester,
    turn: Option<&'a PersonalTurn>,
}

impl<'a> From<&'a Requester> for Asker<'a> {
    fn from(requester: &'a Requester) -> Self {
        Self { requester, turn: None }
    }
}

impl<'a> From<&'a PersonalTurn> for Asker<'a> {
    fn from(turn: &'a PersonalTurn) -> Self {
        Self { requester: &turn.requester, turn: Some(turn) }
    }
}

/// A slot of the queue, without the personal turn.
#[derive(Debug)]
struct QueueSlot {
    shared: Arc<Shared>,
    requester: Requester,
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        let unclaimed = {
            let mut state = self.shared.lock();
            state.running -= 1;
            state.running_anonymous -= usize::from(self.requester.is_anonymous());
            state.settle(&self.requester, |usage| usage.running -= 1);
            state.dispatch(&self.shared)
        };
        drop(unclaimed);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Changes a requester's usage, and forgets the requester if no place and no slot is left.
    fn settle(&mut self, requester: &Requester, change: impl FnOnce(&mut Usage)) {
        let Some(usage) = self.usages.get_mut(requester) else { return };
        change(usage);
        if usage.places == 0 && usage.running == 0 {
            self.usages.remove(requester);
        }
    }

    fn enqueue(&mut self, requester: &Requester, give: oneshot::Sender<QueueSlot>) {
        match self.waiting.iter_mut().find(|(known, _)| known == requester) {
            Some((_, queue)) => queue.push_back(give),
            None => self.waiting.push_back((requester.clone(), VecDeque::from([give]))),
        }
    }

    /// Removes the requester's requests that were given up.
    fn leave_queue(&mut self, requester: &Requester) {
        let Some(at) = self.waiting.iter().position(|(known, _)| known == requester) else {
            return;
        };
        let queue = &mut self.waiting[at].1;
        queue.retain(|give| !give.is_closed());
        if queue.is_empty() {
            self.waiting.remove(at);
        }
    }

    /// Gives the free slots to waiting requests. Returns the slots whose requests were given up meanwhile. The caller
    /// must drop them after it has released the lock, because dropping a slot takes the lock.
    fn dispatch(&mut self, shared: &Arc<Shared>) -> Vec<QueueSlot> {
        let limits = &shared.limits;
        let mut unclaimed = Vec::new();
        while self.running < limits.slots {
            let may_run = |(requester, _): &(Requester, _)| {
                let running = self.usages.get(requester).map_or(0, |usage| usage.running);
                let is_held_back =
                    requester.is_anonymous() && self.running_anonymous >= limits.anonymous_slots;
                running < limits.slots_each && !is_held_back
            };
            let Some(at) = self.waiting.iter().position(may_run) else { break };
            let Some((requester, mut queue)) = self.waiting.remove(at) else { break };
            let next = queue.pop_front();
            if !queue.is_empty() {
                self.waiting.push_back((requester.clone(), queue));
            }
            let Some(give) = next.filter(|give| !give.is_closed()) else { continue };
            self.running += 1;
            self.running_anonymous += usize::from(requester.is_anonymous());
            self.usages.entry(requester.clone()).or_default().running += 1;
            unclaimed.extend(give.send(QueueSlot { shared: shared.clone(), requester }).err());
        }
        unclaimed
    }
}

#[cfg(test)]
mod tests;
