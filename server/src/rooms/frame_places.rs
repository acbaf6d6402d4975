//! Limits on the frames that were read from their sockets and that no room has handled yet. There is a limit on the
//! number of one person's frames, a limit on the bytes of one person's frames, and a limit on the bytes of all people's
//! frames.
//!
//! A person whose budget is used up fills only their own places. Once the limit for all people is exceeded, each person
//! still has space for one message of the largest size. A connection that then sends more is closed with the code 4301
//! (`Close::SLOW`), and its client syncs again.

use accord_document::ids::PersonId;
use accord_document::limits;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of one person's frames that wait for a room.
const MAX_WAITING_FRAMES: usize = 32;
/// Maximum size of one person's frames that wait for rooms, in KiB: enough for one document of the largest size, and
/// for keystrokes.
const MAX_WAITING_KIB: u32 = 8 * 1024 + 64;
/// Maximum size of all people's frames that were read and not handled yet, in bytes. Beyond this size, a person's
/// frames are limited to [`MAX_BYTES_WHEN_CROWDED`].
const MAX_TOTAL_BYTES: usize = 32 * limits::MAX_STATE_BYTES;
/// Maximum size of one person's frames that wait while all people's frames exceed [`MAX_TOTAL_BYTES`], in bytes: enough
/// for one message of the largest size, and for keystrokes.
const MAX_BYTES_WHEN_CROWDED: usize = limits::MAX_STATE_BYTES + 64 * 1024;

/// The error when all people's frames together exceed [`MAX_TOTAL_BYTES`], and this person's frames exceed
/// [`MAX_BYTES_WHEN_CROWDED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too much work is waiting")]
pub(crate) struct Crowded;

/// Counts of the bytes of frames that wait: one count for each person over all rooms, and one for all people. Clones
/// share the counts.
#[derive(Debug, Clone, Default)]
pub(super) struct WaitingBytes {
    by_person: Arc<Mutex<HashMap<PersonId, Arc<PersonalBytes>>>>,
    all: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct PersonalBytes {
    /// Permits for the frames that have a place in a room, one for each KiB.
    kib: Arc<Semaphore>,
    /// Number of bytes of this person's frames that were read and not handled yet, including frames that wait for a
    /// place.
    read: AtomicUsize,
    all: Arc<AtomicUsize>,
}

impl WaitingBytes {
    /// Creates the places for a person's frames in one room.
    pub(super) fn places(&self, person: &PersonId) -> FramePlaces {
        let mut people = self.by_person.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() == people.capacity() {
            people.retain(|_, bytes| Arc::strong_count(bytes) > 1);
        }
        let new = || {
            Arc::new(PersonalBytes {
                kib: Arc::new(Semaphore::new(MAX_WAITING_KIB as usize)),
                read: AtomicUsize::new(0),
                all: self.all.clone(),
            })
        };
        let bytes = people.entry(person.clone()).or_insert_with(new).clone();
        FramePlaces { frames: Arc::new(Semaphore::new(MAX_WAITING_FRAMES)), bytes }
    }
}

/// The places of one person's frames that wait for a room. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct FramePlaces {
    frames: Arc<Semaphore>,
    bytes: Arc<PersonalBytes>,
}

/// The place of one frame. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct FramePlace {
    _frame: OwnedSemaphorePermit,
    _kib: OwnedSemaphorePermit,
    _charge: CountedBytes,
}

/// The bytes of one frame. They are included in the counts of its person and of all people until this value is dropped.
#[derive(Debug)]
struct CountedBytes {
    of: Arc<PersonalBytes>,
    bytes: usize,
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.of.read.fetch_sub(self.bytes, Ordering::Relaxed);
        self.of.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl FramePlaces {
    /// Whether a clone of these places exists elsewhere, as it does while a connection uses them.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.frames) > 1
    }

    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.frames, &other.frames)
    }

    /// Waits for a place for a frame with this number of bytes.
    ///
    /// # Errors
    /// Returns [`Crowded`] if all people's frames together exceed [`MAX_TOTAL_BYTES`], and this person's frames exceed
    /// [`MAX_BYTES_WHEN_CROWDED`].
    pub(crate) async fn enter(&self, bytes: usize) -> Result<FramePlace, Crowded> {
        let charge = self.charge(bytes)?;
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(MAX_WAITING_KIB);
        // Acquiring can't fail, because the semaphores are never closed.
        let frame = self.frames.clone().acquire_owned().await.map_err(|_| Crowded)?;
        let kib = self.bytes.kib.clone().acquire_many_owned(kib).await.map_err(|_| Crowded)?;
        Ok(FramePlace { _frame: frame, _kib: kib, _charge: charge })
    }

    fn charge(&self, bytes: usize) -> Result<CountedBytes, Crowded> {
        let of = self.bytes.clone();
        let theirs = of.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let all = of.all.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let charge = CountedBytes { of, bytes };
        let is_crowded = all > MAX_TOTAL_BYTES && theirs > MAX_BYTES_WHEN_CROWDED;
        if is_crowded { Err(Crowded) } else { Ok(charge) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_frames_wait_for_each_other() {
        let bytes = WaitingBytes::default();
        let ana = PersonId::new("ana");
        let (places, other_room) = (bytes.places(&ana), bytes.places(&ana));
        let first = places.enter(limits::MAX_STATE_BYTES).await;
        let waiting =
            tokio::spawn(async move { other_room.enter(limits::MAX_STATE_BYTES).await.is_ok() });
        assert!(places.enter(100).await.is_ok(), "a keystroke goes in beside them");
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn beyond_the_total_those_who_have_much_waiting_are_sent_away_and_others_are_not() {
        const MIB: usize = 1024 * 1024;
        let bytes = WaitingBytes::default();
        let people: Vec<_> = (0..40).map(|n| PersonId::new(format!("p{n}"))).collect();
        let mut held = Vec::new();
        for person in &people {
            let places = bytes.places(person);
            for _ in 0..6 {
                held.extend(places.charge(8 * MIB));
            }
        }
        let read = bytes.all.load(Ordering::Relaxed);
        let most = MAX_TOTAL_BYTES + people.len() * MAX_BYTES_WHEN_CROWDED;
        assert!(read > MAX_TOTAL_BYTES - 8 * MIB && read < most, "{read}");
        assert_eq!(bytes.places(&people[0]).enter(100).await.unwrap_err(), Crowded);
        let newcomer = bytes.places(&PersonId::new("newcomer"));
        let pasted = newcomer.enter(8 * MIB).await;
        assert!(pasted.is_ok() && newcomer.enter(100).await.is_ok());
        drop((held, pasted));
        assert_eq!(bytes.all.load(Ordering::Relaxed), 0);
    }
}
