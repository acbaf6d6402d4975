//! Large messages that are coming in, and those that are for no room. Each large one is in memory until it has a
//! place among those that wait for its room, so that only so many may come at once: the others wait in their sockets.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// A message up to this many bytes needs no permit.
pub(super) const SMALL_MESSAGE_BYTES: u64 = 64 * 1024;
/// Large messages that may come in at once, from all: of up to 8 MiB each, 256 MiB.
const MAX_LARGE_MESSAGES: usize = 32;
/// Large messages that may come in at once from one person.
const MAX_LARGE_MESSAGES_PER_PERSON: usize = 4;

/// The pause after a message that is for no room.
const OTHER_MESSAGE: Duration = Duration::from_millis(1);
/// … and what each of its bytes adds: 100 MB a second.
const OTHER_BYTE: Duration = Duration::from_nanos(10);

/// The permits of all. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct LargeMessages(Arc<Semaphore>);

impl Default for LargeMessages {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LARGE_MESSAGES)))
    }
}

/// The permits of one person, besides those of all. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct PersonalPermits {
    large: Arc<Semaphore>,
    /// One message at a time that is for no room.
    other: Arc<Mutex<()>>,
}

impl Default for PersonalPermits {
    fn default() -> Self {
        let large = Arc::new(Semaphore::new(MAX_LARGE_MESSAGES_PER_PERSON));
        Self { large, other: Arc::default() }
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

/// A large message may come in, and wait for its place, until this is dropped.
#[derive(Debug)]
pub(crate) struct LargeMessagePermit {
    _of_person: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl LargeMessages {
    /// Waits for a permit: first among those of the person, so that nobody's many connections hold up others.
    pub(super) async fn permit(self, person: PersonalPermits) -> Option<LargeMessagePermit> {
        // The semaphores are never closed.
        let of_person = person.large.acquire_owned().await.ok()?;
        let of_all = self.0.acquire_owned().await.ok()?;
        Some(LargeMessagePermit { _of_person: of_person, _of_all: of_all })
    }
}
