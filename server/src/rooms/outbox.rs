//! What waits for the receivers of frames: bounded in frames and in bytes. A receiver that lets more wait is closed
//! with 4301 and syncs again.
//!
//! A frame counts for its receiver and for that receiver's person until the system has all of it. For the total it counts
//! once, however many receivers share it, until the last of them has taken it: a page that is pasted before a thousand
//! readers is in memory once, beside the few kilobytes of it that are on their way to each.

use super::event::Outgoing;
use accord_document::ids::PersonId;
use accord_document::limits;
use accord_document::sync::Close;
use axum::body::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::mpsc;

/// Frames that may wait for a receiver.
const MAX_QUEUED_FRAMES: usize = 1024;
/// Bytes that may wait for a receiver: the largest document, while what others write comes in.
const MAX_QUEUED_BYTES: usize = 2 * limits::MAX_STATE_BYTES;
/// Bytes that may wait for one person, in all tabs and devices.
const MAX_QUEUED_BYTES_PER_PERSON: usize = 4 * limits::MAX_STATE_BYTES;
/// Bytes of all frames that wait, each counted once. Beyond that, receivers have [`CROWDED_BYTES`] each.
const MAX_QUEUED_BYTES_IN_ALL: usize = 32 * limits::MAX_STATE_BYTES;
/// Bytes that may wait for a receiver when too much waits in all.
const CROWDED_BYTES: usize = 1024 * 1024;

/// A number of bytes in use. Cloning shares it.
#[derive(Debug, Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) -> Charge {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Charge { count: self.clone(), bytes }
    }
}

/// Bytes that count until this is dropped.
#[derive(Debug)]
struct Charge {
    count: Count,
    bytes: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.count.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What waits for all receivers.
#[derive(Debug, Default)]
pub(super) struct Outboxes {
    all: Count,
    people: Mutex<HashMap<PersonId, Weak<AtomicUsize>>>,
}

impl Outboxes {
    /// An outbox for a person's receiver, and what comes out of it.
    pub(super) fn open(&self, person: &PersonId) -> (Outbox, mpsc::Receiver<Queued>) {
        let (frames, queue) = mpsc::channel(MAX_QUEUED_FRAMES);
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let person = match people.get(person).and_then(Weak::upgrade) {
            Some(count) => Count(count),
            None => {
                people.retain(|_, count| count.strong_count() > 0);
                let count = Count::default();
                people.insert(person.clone(), Arc::downgrade(&count.0));
                count
            }
        };
        (Outbox { frames, receiver: Count::default(), person, all: self.all.clone() }, queue)
    }

    /// A frame that several receivers may share. It counts until the last of them has taken it.
    pub(super) fn share(&self, frame: Arc<[u8]>) -> Bytes {
        let charge = self.all.add(frame.len());
        Bytes::from_owner(Shared { frame, _charge: charge })
    }
}

struct Shared {
    frame: Arc<[u8]>,
    _charge: Charge,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

/// What waits for one receiver. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<Queued>,
    receiver: Count,
    person: Count,
    all: Count,
}

/// A way to an outbox that does not keep it open: the room alone does that, and closes it by dropping its own.
#[derive(Debug)]
pub(crate) struct WeakOutbox {
    frames: mpsc::WeakSender<Queued>,
    receiver: Count,
    person: Count,
    all: Count,
}

impl WeakOutbox {
    /// The outbox, while the room has not let go of it.
    #[must_use]
    pub(crate) fn upgrade(&self) -> Option<Outbox> {
        Some(Outbox {
            frames: self.frames.upgrade()?,
            receiver: self.receiver.clone(),
            person: self.person.clone(),
            all: self.all.clone(),
        })
    }
}

/// Something for a receiver, and what it counts.
#[derive(Debug)]
pub(crate) struct Queued {
    pub outgoing: Outgoing,
    pub charges: Charges,
}

/// Keep it until a frame has been handed to the system: so long the frame counts.
#[derive(Debug)]
pub(crate) struct Charges {
    _of_receiver: Charge,
    _of_person: Charge,
}

/// Why something can't be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotQueued {
    /// The receiver is too slow.
    Full,
    /// It is gone.
    Gone,
}

impl Outbox {
    /// Queues something at once.
    pub(super) fn send(&self, outgoing: Outgoing) -> Result<(), NotQueued> {
        let queued = self.charge(outgoing);
        let is_crowded = self.all.get() > MAX_QUEUED_BYTES_IN_ALL;
        let limit = if is_crowded { CROWDED_BYTES } else { MAX_QUEUED_BYTES };
        if self.receiver.get() > limit || self.person.get() > MAX_QUEUED_BYTES_PER_PERSON {
            return Err(NotQueued::Full);
        }
        self.frames.try_send(queued).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotQueued::Full,
            mpsc::error::TrySendError::Closed(_) => NotQueued::Gone,
        })
    }

    #[must_use]
    pub(crate) fn downgrade(self) -> WeakOutbox {
        let Self { frames, receiver, person, all } = self;
        WeakOutbox { frames: frames.downgrade(), receiver, person, all }
    }

    /// Queues a farewell. The writer may be gone already.
    pub(crate) async fn close(&self, close: Close) {
        let _ = self.frames.send(self.charge(Outgoing::Close(close))).await;
    }

    /// Asks the peer whether it is there. Where frames wait already, they do that.
    pub(crate) fn ping(&self) {
        let _ = self.frames.try_send(self.charge(Outgoing::Ping));
    }

    fn charge(&self, outgoing: Outgoing) -> Queued {
        let bytes = outgoing.len();
        let (_of_receiver, _of_person) = (self.receiver.add(bytes), self.person.add(bytes));
        Queued { outgoing, charges: Charges { _of_receiver, _of_person } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(outboxes: &Outboxes, bytes: usize) -> Outgoing {
        Outgoing::Frame(outboxes.share(vec![0; bytes].into()))
    }

    #[test]
    fn a_receiver_is_bounded_in_bytes_and_the_largest_document_fits() {
        let outboxes = Outboxes::default();
        let (outbox, mut queue) = outboxes.open(&PersonId::new("ana"));
        let document = limits::MAX_STATE_BYTES + 64;
        outbox.send(frame(&outboxes, document)).unwrap();
        outbox.send(frame(&outboxes, document / 2)).unwrap();
        assert_eq!(outbox.send(frame(&outboxes, document)), Err(NotQueued::Full));
        drop(queue.try_recv().unwrap());
        outbox.send(frame(&outboxes, document)).expect("what was handed over counts no more");
        drop(queue);
        assert_eq!(outbox.send(frame(&outboxes, 1)), Err(NotQueued::Gone));
    }

    #[test]
    fn a_person_is_bounded_over_all_receivers() {
        let outboxes = Outboxes::default();
        let fill = |person: &str, receivers: usize| {
            let opened: Vec<_> =
                (0..receivers).map(|_| outboxes.open(&PersonId::new(person))).collect();
            let sent = opened
                .iter()
                .map(|(outbox, _)| outbox.send(frame(&outboxes, limits::MAX_STATE_BYTES)).is_ok());
            let sent = sent.filter(|sent| *sent).count();
            (sent, opened)
        };
        let (sent, held) = fill("ana", 100);
        assert_eq!(sent, MAX_QUEUED_BYTES_PER_PERSON / limits::MAX_STATE_BYTES);
        let (others, _) = fill("ben", 1);
        assert_eq!(others, 1, "somebody else is not held up");
        drop(held);
        assert_eq!(fill("ana", 1).0, 1);
    }

    #[test]
    fn in_all_a_shared_frame_counts_once() {
        let outboxes = Outboxes::default();
        let shared = outboxes.share(vec![0; limits::MAX_STATE_BYTES].into());
        let opened: Vec<_> =
            (0..1_000).map(|n| outboxes.open(&PersonId::new(format!("p{n}")))).collect();
        for (outbox, _) in &opened {
            outbox.send(Outgoing::Frame(shared.clone())).unwrap();
        }
        drop(shared);
        assert_eq!(outboxes.all.get(), limits::MAX_STATE_BYTES);
        let more: Vec<_> =
            (0..32).map(|_| outboxes.share(vec![0; limits::MAX_STATE_BYTES].into())).collect();
        let (quick, _queue) = outboxes.open(&PersonId::new("quick"));
        quick.send(frame(&outboxes, 1_000)).expect("who lets little wait goes on");
        let slow = opened[0].0.send(frame(&outboxes, 1_000));
        assert_eq!(slow, Err(NotQueued::Full), "who lets much wait syncs again");
        drop((more, opened));
        assert_eq!(outboxes.all.get(), 1_000);
    }
}
