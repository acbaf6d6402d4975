//! Large messages that are coming in, and those that are for no room. Only so many large ones may come at once: the
//! others wait in their sockets.
//!
//! A message that is whole gives the permit of all back, and keeps that of its person until it has a place among those
//! that wait for its room: people whose rooms let them wait hold up nobody else. Half of the permits are for people who
//! have no other, so that a few who send slowly can't hold them all.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// A message up to this many bytes needs no permit.
pub(super) const SMALL_MESSAGE_BYTES: u64 = 64 * 1024;
/// The first large messages of people that may come in at once, from all: of up to 8 MiB each, 128 MiB.
const MAX_FIRST_MESSAGES: usize = 16;
/// Large messages of people who have one coming in already, and first ones for which no other permit is left.
const MAX_FURTHER_MESSAGES: usize = 16;
/// Large messages that may come in at once from one person.
pub(super) const MAX_LARGE_MESSAGES_PER_PERSON: usize = 2;

/// The pause after a message that is for no room.
const OTHER_MESSAGE: Duration = Duration::from_millis(1);
/// … and what each of its bytes adds: 100 MB a second.
const OTHER_BYTE: Duration = Duration::from_nanos(10);

/// The permits of all. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct LargeMessages {
    first: Arc<Semaphore>,
    further: Arc<Semaphore>,
}

impl Default for LargeMessages {
    fn default() -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self { first: permits(MAX_FIRST_MESSAGES), further: permits(MAX_FURTHER_MESSAGES) }
    }
}

/// The permits of one person, besides those of all. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct PersonalPermits {
    large: Arc<Semaphore>,
    /// One of them at a time may be the first.
    first: Arc<Semaphore>,
    /// One message at a time that is for no room.
    other: Arc<Mutex<()>>,
}

impl Default for PersonalPermits {
    fn default() -> Self {
        let large = Arc::new(Semaphore::new(MAX_LARGE_MESSAGES_PER_PERSON));
        Self { large, first: Arc::new(Semaphore::new(1)), other: Arc::default() }
    }
}

impl PersonalPermits {
    /// Waits after a message that is for no room, a text, a ping or a pong, so that a flood of them over however
    /// many connections keeps nobody busy.
    pub(crate) async fn slow_down(&self, bytes: usize) {
        let _one_at_a_time = self.other.lock().await;
        sleep(OTHER_MESSAGE + OTHER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX)).await;
    }
}

/// A large message may come in until this is dropped.
#[derive(Debug)]
pub(super) struct LargeMessagePermit {
    of_person: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    /// Where it is the first of its person.
    _first: Option<OwnedSemaphorePermit>,
}

/// A large message that is whole may wait for its place until this is dropped.
#[derive(Debug)]
pub(crate) struct PersonalPermit {
    _of_person: OwnedSemaphorePermit,
}

impl LargeMessagePermit {
    /// The message is whole: another may come in.
    pub(super) fn received(self) -> PersonalPermit {
        PersonalPermit { _of_person: self.of_person }
    }
}

impl LargeMessages {
    /// Waits for a permit: first among those of the person, so that nobody's many connections hold up others.
    pub(super) async fn permit(self, person: PersonalPermits) -> Option<LargeMessagePermit> {
        // The semaphores are never closed.
        let of_person = person.large.acquire_owned().await.ok()?;
        let first = async {
            let first = person.first.acquire_owned().await.ok()?;
            Some((self.first.acquire_owned().await.ok()?, Some(first)))
        };
        let further = async { Some((self.further.acquire_owned().await.ok()?, None)) };
        let (of_all, first) = tokio::select! {
            biased;
            permits = first => permits?,
            permits = further => permits?,
        };
        Some(LargeMessagePermit { of_person, _of_all: of_all, _first: first })
    }
}
