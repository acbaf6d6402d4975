//! Permits for large messages, and the pauses after messages that are not for a room. Only a limited number of large
//! messages can arrive at the same time. All further large messages wait in their sockets.
//!
//! A large message needs a shared permit and a permit of its person. Once the message is complete, its shared permit is
//! free again. The permit of its person stays in use until the message has a place in the queue of its room. So people
//! whose rooms make them wait don't delay anybody else. Half of the shared permits are reserved for one message of each
//! person at a time, so that a few slow senders can't take all of them.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// Number of bytes from which on a message needs a permit.
pub(super) const SMALL_MESSAGE_BYTES: u64 = 64 * 1024;
/// Number of shared permits for first messages: one large message of each person at a time. At 8 MiB each, the messages
/// with these permits take up to 128 MiB.
const MAX_FIRST_MESSAGES: usize = 16;
/// Number of shared permits for further messages: for a second large message of a person, and for a large message that
/// gets no permit for first messages.
const MAX_FURTHER_MESSAGES: usize = 16;
/// Maximum number of large messages from one person that can arrive at the same time.
pub(super) const MAX_LARGE_MESSAGES_PER_PERSON: usize = 2;

/// Pause after a message that is not for a room.
const OTHER_MESSAGE: Duration = Duration::from_millis(1);
/// Additional pause for each byte of a message that is not for a room. It limits these messages to 100 MB a second.
const OTHER_BYTE: Duration = Duration::from_nanos(10);

/// The shared permits, which large messages of all people use. Clones share the permits.
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

/// The permits of one person, which a large message needs in addition to a shared permit. Clones share the permits.
#[derive(Debug, Clone)]
pub(crate) struct PersonalPermits {
    large: Arc<Semaphore>,
    /// Lets only one of the person's large messages at a time take a shared permit for first messages.
    first: Arc<Semaphore>,
    /// Lets only one connection of the person at a time pause after a message that is not for a room.
    other: Arc<Mutex<()>>,
}

impl Default for PersonalPermits {
    fn default() -> Self {
        let large = Arc::new(Semaphore::new(MAX_LARGE_MESSAGES_PER_PERSON));
        Self { large, first: Arc::new(Semaphore::new(1)), other: Arc::default() }
    }
}

impl PersonalPermits {
    /// Pauses after a message that is not for a room: a text, a ping or a pong. A person's pauses follow each other, so
    /// that a flood of such messages over many connections does not keep the server busy.
    pub(crate) async fn slow_down(&self, bytes: usize) {
        let _one_at_a_time = self.other.lock().await;
        sleep(OTHER_MESSAGE + OTHER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX)).await;
    }
}

/// Permission for a large message to arrive, until this value is dropped.
#[derive(Debug)]
pub(super) struct LargeMessagePermit {
    of_person: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    /// The person's permit for first messages, or `None` if the message has a shared permit for further messages.
    _first: Option<OwnedSemaphorePermit>,
}

/// Permission for a complete large message to wait for its place in a room's queue, until this value is dropped.
#[derive(Debug)]
pub(crate) struct PersonalPermit {
    _of_person: OwnedSemaphorePermit,
}

impl LargeMessagePermit {
    /// Records that the message is complete, so that another message can use the shared permit.
    pub(super) fn received(self) -> PersonalPermit {
        PersonalPermit { _of_person: self.of_person }
    }
}

impl LargeMessages {
    /// Waits for the permit of the person, and then for a shared permit. In this order, one person with many
    /// connections does not fill the queue for the shared permits.
    pub(super) async fn permit(self, person: PersonalPermits) -> Option<LargeMessagePermit> {
        // Acquiring can't fail, because the semaphores are never closed.
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
