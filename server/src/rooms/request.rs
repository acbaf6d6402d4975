//! HTTP requests on their way to a room. The budget of the requester is charged for each request's turn.
//!
//! A request waits behind the earlier items of its requester that have the same priority. A person's requests and
//! frames share one budget. Each requester can have only a few requests waiting. A request whose caller has gone is not
//! run.

use super::OpenError;
use super::task::Task;
use super::turns::Priority;
use crate::fair_queue::{Busy, Requester};
use accord_document::ids::DocumentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Maximum number of requests with the same requester and priority that wait for a room.
const MAX_WAITING_REQUESTS: usize = 16;

/// The channel for the answer to a request.
pub(super) type Reply<T> = oneshot::Sender<Result<T, OpenError>>;

/// A request to a room.
pub(crate) struct Request {
    pub(super) requester: Requester,
    pub(super) priority: Priority,
    question: Box<dyn Question>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("requester", &self.requester).finish_non_exhaustive()
    }
}

impl Request {
    /// Creates a request. `run` runs in the room's task, and sends the answer to the caller itself, because an answer
    /// sometimes has to wait for the disk.
    pub(super) fn new<T: Send + 'static>(
        requester: Requester,
        priority: Priority,
        run: impl FnOnce(&mut Task, Reply<T>) + Send + 'static,
        reply: Reply<T>,
    ) -> Self {
        Self { requester, priority, question: Box::new(Asked { run, reply }) }
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.question.is_abandoned()
    }

    pub(super) fn run(self, task: &mut Task) {
        self.question.run(task);
    }

    /// Tells the caller of the request that the document can't be opened.
    pub(super) fn refuse(self, error: OpenError) {
        self.question.refuse(error);
    }
}

trait Question: Send {
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>, task: &mut Task);
    fn refuse(self: Box<Self>, error: OpenError);
}

struct Asked<T, F> {
    run: F,
    reply: Reply<T>,
}

impl<T: Send, F: FnOnce(&mut Task, Reply<T>) + Send> Question for Asked<T, F> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, task: &mut Task) {
        (self.run)(task, self.reply);
    }

    fn refuse(self: Box<Self>, error: OpenError) {
        // Sending fails only if the caller has gone.
        let _ = self.reply.send(Err(error));
    }
}

type Key = (DocumentId, Requester, Priority);

/// The number of waiting requests for each combination of room, requester and priority. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub(super) struct WaitingRequests {
    counts: Arc<Mutex<HashMap<Key, usize>>>,
}

/// The place of one request among the waiting requests of its requester. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct RequestPlace {
    waiting: WaitingRequests,
    key: Key,
}

impl WaitingRequests {
    /// Takes a place for a request.
    ///
    /// # Errors
    /// Returns [`Busy::Requester`] if this requester already has the maximum number of requests waiting.
    pub(super) fn enter(
        &self,
        document: &DocumentId,
        requester: &Requester,
        priority: Priority,
    ) -> Result<RequestPlace, Busy> {
        let key = (document.clone(), requester.clone(), priority);
        let mut counts = self.lock();
        let count = counts.entry(key.clone()).or_default();
        if *count >= MAX_WAITING_REQUESTS {
            return Err(Busy::Requester);
        }
        *count += 1;
        Ok(RequestPlace { waiting: self.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestPlace {
    fn drop(&mut self) {
        let mut counts = self.waiting.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::ids::PersonId;

    #[test]
    fn one_requester_lets_a_few_requests_wait_for_a_room_and_others_have_theirs() {
        let waiting = WaitingRequests::default();
        let (here, there) = (DocumentId::new("here"), DocumentId::new("there"));
        let ana = Requester::Person(PersonId::new("ana"));
        let reader = Requester::at("2001:db8::1".parse().unwrap());
        let neighbour = Requester::at("2001:db8::2".parse().unwrap());
        let ask = |document, requester, priority| waiting.enter(document, requester, priority);
        let mut places: Vec<_> = (0..MAX_WAITING_REQUESTS)
            .map(|_| ask(&here, &ana, Priority::Ordinary).unwrap())
            .collect();
        places.extend((0..MAX_WAITING_REQUESTS).map(|n| {
            let one = if n % 2 == 0 { &reader } else { &neighbour };
            ask(&here, one, Priority::Ordinary).unwrap()
        }));
        for full in [&ana, &reader, &neighbour] {
            assert_eq!(ask(&here, full, Priority::Ordinary).unwrap_err(), Busy::Requester);
        }
        places.push(ask(&there, &ana, Priority::Ordinary).unwrap());
        places.push(ask(&here, &ana, Priority::Essential).unwrap());
        places.push(
            ask(&here, &Requester::Person(PersonId::new("ben")), Priority::Ordinary).unwrap(),
        );
        drop(places);
        assert!(waiting.lock().is_empty());
    }
}
