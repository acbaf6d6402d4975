//! Whose turn is next: a queue of jobs for threads of its own, with a bound, in which nobody gets more than
//! their share. Known devices come first; among strangers each address group has its turn.

use crate::site::AddressGroup;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs that may wait: of known devices, of strangers in all, and of strangers from one address group.
const MAX_KNOWN: usize = 256;
const MAX_STRANGERS: usize = 256;
const MAX_OF_GROUP: usize = 64;

/// The person or address that a job is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Somebody signed in, or at a device that signed in before.
    Known,
    /// Somebody else, from this address group. Whether they have an account makes no difference: how long
    /// they wait would tell it.
    Stranger(AddressGroup),
}

struct Waiting<J> {
    known: VecDeque<J>,
    groups: HashMap<AddressGroup, VecDeque<J>>,
    /// The groups that have jobs waiting, in the order of their turns.
    turns: VecDeque<AddressGroup>,
    strangers: usize,
    closed: bool,
}

impl<J> Waiting<J> {
    fn add(&mut self, lane: Lane, job: J) -> bool {
        let group = match lane {
            Lane::Known if self.known.len() >= MAX_KNOWN => return false,
            Lane::Known => {
                self.known.push_back(job);
                return true;
            }
            Lane::Stranger(group) => group,
        };
        let own = self.groups.get(&group).map_or(0, VecDeque::len);
        if own >= MAX_OF_GROUP || (self.strangers >= MAX_STRANGERS && !self.displace(own)) {
            return false;
        }
        let jobs = self.groups.entry(group).or_default();
        if jobs.is_empty() {
            self.turns.push_back(group);
        }
        jobs.push_back(job);
        self.strangers += 1;
        true
    }

    /// Drops the newest job of the group that has most of them waiting, in favour of a group with `own`.
    fn displace(&mut self, own: usize) -> bool {
        let longest = self.groups.values_mut().max_by_key(|jobs| jobs.len());
        let Some(longest) = longest.filter(|jobs| jobs.len() > own + 1) else { return false };
        longest.pop_back();
        self.strangers -= 1;
        true
    }

    fn next(&mut self) -> Option<J> {
        if let Some(job) = self.known.pop_front() {
            return Some(job);
        }
        let group = self.turns.pop_front()?;
        let jobs = self.groups.get_mut(&group)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.groups.remove(&group);
        } else {
            self.turns.push_back(group);
        }
        self.strangers -= 1;
        job
    }
}

struct Shared<J> {
    waiting: Mutex<Waiting<J>>,
    changed: Condvar,
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end at which jobs are put in. The queue closes when it is dropped.
pub(super) struct JobQueue<J>(Arc<Shared<J>>);

/// The end at which threads take jobs out. Cloning shares it.
pub(super) struct Takers<J>(Arc<Shared<J>>);

impl<J> Clone for Takers<J> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J> JobQueue<J> {
    pub(super) fn new() -> (Self, Takers<J>) {
        let shared = Arc::new(Shared {
            waiting: Mutex::new(Waiting {
                known: VecDeque::new(),
                groups: HashMap::new(),
                turns: VecDeque::new(),
                strangers: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        (Self(shared.clone()), Takers(shared))
    }

    /// Puts a job in, or drops it and gives `false` when too many wait.
    pub(super) fn add(&self, lane: Lane, job: J) -> bool {
        let added = self.0.lock().add(lane, job);
        self.0.changed.notify_one();
        added
    }
}

impl<J> Drop for JobQueue<J> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl<J> Takers<J> {
    /// Waits for the next job. None once the queue is closed and empty.
    pub(super) fn next(&self) -> Option<J> {
        let mut waiting = self.0.lock();
        loop {
            let job = waiting.next();
            if job.is_some() || waiting.closed {
                return job;
            }
            waiting = self.0.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(n: u32) -> Lane {
        Lane::Stranger(AddressGroup::of(std::net::IpAddr::from(n.to_be_bytes())))
    }

    fn drain(queue: JobQueue<u32>, takers: &Takers<u32>) -> Vec<u32> {
        drop(queue);
        std::iter::from_fn(|| takers.next()).collect()
    }

    #[test]
    fn known_devices_come_first_and_address_groups_take_turns() {
        let (queue, takers) = JobQueue::new();
        for job in [10, 11, 12] {
            assert!(queue.add(from(1), job));
        }
        assert!(queue.add(from(2), 20));
        assert!(queue.add(from(3), 30));
        assert!(queue.add(Lane::Known, 1));
        assert!(queue.add(from(2), 21));
        assert!(queue.add(Lane::Known, 2));
        assert_eq!(drain(queue, &takers), [1, 2, 10, 20, 30, 11, 21, 12]);
    }

    #[test]
    fn a_flood_from_few_addresses_leaves_room_for_others() {
        let (queue, takers) = JobQueue::new();
        for n in 0..1_000 {
            queue.add(from(n % 4), n);
        }
        for n in 4..60 {
            assert!(
                queue.add(from(n), 10_000 + n),
                "a newcomer waits in the place of a flood's newest"
            );
        }
        let done = drain(queue, &takers);
        assert_eq!(done.len(), MAX_STRANGERS);
        let last = done.iter().rposition(|job| *job >= 10_000).unwrap();
        assert!(last < 60, "every newcomer has a turn in the first round: {last}");
    }

    #[test]
    fn a_flood_from_everywhere_keeps_no_known_device_waiting() {
        let (queue, takers) = JobQueue::new();
        let taken = (0..10_000).filter(|n| queue.add(from(*n), *n)).count();
        assert_eq!(taken, MAX_STRANGERS);
        assert!(queue.add(Lane::Known, 77_777));
        assert_eq!(takers.next(), Some(77_777));
    }
}
