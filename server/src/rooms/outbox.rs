//! Outboxes. Each outbox is the queue of the frames that wait for one receiver, which is a connection. An outbox is
//! bounded in frames and in bytes. If a frame would exceed these bounds, the connection is closed with the code 4301
//! (`Close::SLOW`), and its client syncs again.
//!
//! The bytes of a frame are charged to its receiver and to that receiver's person until the operating system has taken
//! the whole frame. In the total of all outboxes, a frame counts once, however many receivers share it, until the frame
//! has been taken for the last of them. So a page of text that somebody pastes while a thousand people read along is in
//! memory once, plus the few kilobytes that are being sent to each of them.

use super::event::Outgoing;
use accord_document::ids::PersonId;
use accord_document::limits;
use accord_document::sync::Close;
use axum::body::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::mpsc;

/// Maximum number of frames that wait for a receiver.
const MAX_QUEUED_FRAMES: usize = 1024;
/// Maximum number of bytes that wait for a receiver: the largest document, and as many bytes again for edits that
/// arrive while it is sent.
const MAX_QUEUED_BYTES: usize = 2 * limits::MAX_STATE_BYTES;
/// Maximum number of bytes that wait for one person, over all of their tabs and devices.
const MAX_QUEUED_BYTES_PER_PERSON: usize = 3 * limits::MAX_STATE_BYTES;
/// Maximum number of bytes of all waiting frames, where a frame for several receivers is included once. Beyond this
/// number, the limit for each receiver is [`CROWDED_BYTES`].
const MAX_QUEUED_BYTES_IN_ALL: usize = 32 * limits::MAX_STATE_BYTES;
/// Maximum number of bytes that wait for a receiver while more than [`MAX_QUEUED_BYTES_IN_ALL`] wait in all outboxes.
const CROWDED_BYTES: usize = 1024 * 1024;

/// A number of bytes that wait. Clones share the number.
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

/// Bytes that are included in a count until this value is dropped.
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

/// The numbers of bytes that wait in the outboxes, for each person and in total.
#[derive(Debug, Default)]
pub(super) struct Outboxes {
    all: Count,
    people: Mutex<HashMap<PersonId, Weak<AtomicUsize>>>,
}

impl Outboxes {
    /// Returns an outbox for one of a person's receivers, and the queue from which the receiver's writer takes the
    /// messages.
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

    /// Returns a frame that several receivers can share. Its bytes are included once in the total of all outboxes,
    /// until the last receiver has taken the frame.
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

/// The queue of one receiver. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<Queued>,
    receiver: Count,
    person: Count,
    all: Count,
}

/// A reference that does not keep its outbox open. The room closes an outbox by dropping its own reference.
#[derive(Debug)]
pub(crate) struct WeakOutbox {
    frames: mpsc::WeakSender<Queued>,
    receiver: Count,
    person: Count,
    all: Count,
}

impl WeakOutbox {
    /// Returns the outbox, or `None` if the room has closed it.
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

/// A message for a receiver, with the charges for its bytes.
#[derive(Debug)]
pub(crate) struct Queued {
    pub outgoing: Outgoing,
    pub charges: Charges,
}

/// The charges for the bytes of a frame. The writer must keep them until it has handed the frame to the operating
/// system.
#[derive(Debug)]
pub(crate) struct Charges {
    _of_receiver: Charge,
    _of_person: Charge,
}

/// The reason why a message can't be added to an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotQueued {
    /// Too many bytes or frames wait for this receiver, or too many bytes for its person.
    Full,
    /// The receiver has gone.
    Gone,
}

impl Outbox {
    /// Queues a message without waiting.
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

    /// Queues the message that closes the connection. Does nothing if the writer has gone.
    pub(crate) async fn close(&self, close: Close) {
        let _ = self.frames.send(self.charge(Outgoing::Close(close))).await;
    }

    /// Queues a ping, which the peer must answer. If the queue is full, no ping is needed: a peer that takes the
    /// waiting frames shows that it is alive.
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
