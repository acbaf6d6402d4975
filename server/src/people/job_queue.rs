//! A bounded, fair queue of jobs for threads that do nothing else. Jobs of known devices come first. Among strangers,
//! the address groups take turns.

use crate::site::AddressGroup;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Maximum number of waiting jobs in the lane of known devices and signed-in people.
const MAX_KNOWN: usize = 256;
/// Maximum number of waiting jobs of all strangers together.
const MAX_STRANGERS: usize = 256;
/// Maximum number of waiting jobs of strangers from one address group.
const MAX_OF_GROUP: usize = 64;

/// The part of the queue in which a job waits. Jobs in the lane [`Known`](Self::Known) are taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// For a person who is signed in, or whose device is a known device.
    Known,
    /// For anybody else, by address group. People with and without an account share this lane, because a different
    /// waiting time would show whether an account exists.
    Stranger(AddressGroup),
}

struct Waiting<J> {
    known: VecDeque<J>,
    groups: HashMap<AddressGroup, VecDeque<J>>,
    /// The groups that have waiting jobs, in the order in which they take turns.
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

    /// Drops the newest job of the address group with the most waiting jobs, to make room for a job of a group that has
    /// `own` waiting jobs. Returns `false` without dropping anything if no group has at least `own + 2` waiting jobs.
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

/// The end of the queue where jobs are added. Dropping it closes the queue.
pub(super) struct JobQueue<J>(Arc<Shared<J>>);

/// The end of the queue where threads take jobs out. Clones share the queue.
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

    /// Adds a job. If too many jobs wait, drops the job and returns `false`.
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
    /// Waits for the next job. Returns `None` once the queue is closed and empty.
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
