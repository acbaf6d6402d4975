//! The slots of a queue: who holds them, and who gets the next one.

use super::{Requester, Shared};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) usages: HashMap<Requester, Usage>,
    pub(super) running: usize,
    running_anonymous: usize,
    /// Numbers of places that are held: first by signed-in people, then by readers without an account.
    pub(super) places: [usize; 2],
    /// Requesters with waiting requests, the next one first. Each has its requests in the order of their arrival.
    pub(super) waiting: VecDeque<(Requester, VecDeque<oneshot::Sender<QueueSlot>>)>,
}

#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) places: usize,
    running: usize,
}

/// A requester whose work in one queue does not run until this value is dropped.
#[derive(Debug)]
pub(super) struct HeldBack {
    _slot: QueueSlot,
}

impl HeldBack {
    /// Holds back a requester who could run something now, or returns `None` if their work is running.
    pub(super) fn idle(shared: &Arc<Shared>, requester: &Requester) -> Option<Self> {
        let mut state = shared.lock();
        let usage = state.usages.entry(requester.clone()).or_default();
        if usage.running >= shared.limits.slots_each {
            return None;
        }
        usage.running += 1;
        let (shared, requester) = (shared.clone(), requester.clone());
        Some(Self { _slot: QueueSlot { shared, requester, is_given_back: true } })
    }
}

/// A slot of the queue, without the personal turn.
#[derive(Debug)]
pub(super) struct QueueSlot {
    shared: Arc<Shared>,
    requester: Requester,
    /// Whether others can have the slot. It then counts only as one that its requester holds.
    is_given_back: bool,
}

impl QueueSlot {
    /// Gives the slot to others, and keeps its requester from running anything else.
    pub(super) fn give_back(mut self) -> HeldBack {
        let unclaimed = {
            let mut state = self.shared.lock();
            state.free(&self.requester);
            self.is_given_back = true;
            state.dispatch(&self.shared)
        };
        drop(unclaimed);
        HeldBack { _slot: self }
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        let unclaimed = {
            let mut state = self.shared.lock();
            if !self.is_given_back {
                state.free(&self.requester);
            }
            state.settle(&self.requester, |usage| usage.running -= 1);
            state.dispatch(&self.shared)
        };
        drop(unclaimed);
    }
}

impl State {
    /// Makes the slot of a requester available to others.
    fn free(&mut self, requester: &Requester) {
        self.running -= 1;
        self.running_anonymous -= usize::from(requester.is_anonymous());
    }

    pub(super) fn settle(&mut self, requester: &Requester, change: impl FnOnce(&mut Usage)) {
        let Some(usage) = self.usages.get_mut(requester) else { return };
        change(usage);
        if usage.places == 0 && usage.running == 0 {
            self.usages.remove(requester);
        }
    }

    pub(super) fn enqueue(&mut self, requester: &Requester, give: oneshot::Sender<QueueSlot>) {
        match self.waiting.iter_mut().find(|(known, _)| known == requester) {
            Some((_, queue)) => queue.push_back(give),
            None => self.waiting.push_back((requester.clone(), VecDeque::from([give]))),
        }
    }

    /// Removes the requester's requests that were given up.
    pub(super) fn leave_queue(&mut self, requester: &Requester) {
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
    pub(super) fn dispatch(&mut self, shared: &Arc<Shared>) -> Vec<QueueSlot> {
        let limits = &shared.limits;
        let mut unclaimed = Vec::new();
        while self.running < limits.slots {
            let may_run = |(requester, _): &(Requester, _)| {
                let running = self.usages.get(requester).map_or(0, |usage| usage.running);
                let is_for_people =
                    requester.is_anonymous() && self.running_anonymous >= limits.anonymous_slots;
                running < limits.slots_each && !is_for_people
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
            let slot = QueueSlot { shared: shared.clone(), requester, is_given_back: false };
            unclaimed.extend(give.send(slot).err());
        }
        unclaimed
    }
}
