//! One piece of work of each person at a time, over several kinds of work.

use super::Requester;
use accord_document::ids::PersonId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// A lock for each person, shared by several kinds of work: each person runs only one piece of such work at a time,
/// because each takes so much memory that two would be too much. Clones share the locks.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonalLocks {
    people: Arc<Mutex<HashMap<PersonId, Weak<tokio::sync::Mutex<()>>>>>,
}

/// A requester's turn among the kinds of work that share one [`PersonalLocks`]. The turn ends when all clones are dropped.
/// A reader without an account always has a turn, and so has everybody in a queue that shares no lock.
#[derive(Debug, Clone)]
pub(crate) struct PersonalTurn {
    requester: Requester,
    /// The person's lock, if this work shares one with other kinds.
    _alone: Option<Arc<OwnedMutexGuard<()>>>,
}

impl PersonalLocks {
    /// Waits until none of the requester's work that shares these locks is running.
    pub(super) async fn turn(&self, requester: &Requester) -> PersonalTurn {
        let Requester::Person(person) = requester else { return PersonalTurn::unshared(requester) };
        let alone = self.lock(person).lock_owned().await;
        PersonalTurn { requester: requester.clone(), _alone: Some(Arc::new(alone)) }
    }

    fn lock(&self, person: &PersonId) -> Arc<tokio::sync::Mutex<()>> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, lock| lock.strong_count() > 0);
        let known = people.get(person).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let lock = Arc::default();
            people.insert(person.clone(), Arc::downgrade(&lock));
            lock
        })
    }

    /// Returns the number of people whose lock is kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl PersonalTurn {
    /// Returns the turn of a requester whose work shares no lock.
    pub(super) fn unshared(requester: &Requester) -> Self {
        Self { requester: requester.clone(), _alone: None }
    }
}

/// A requester who asks for a slot, with the personal turn that they already hold, if any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(super) requester: &'a Requester,
    pub(super) turn: Option<&'a PersonalTurn>,
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
