//! How fast one connection may go on: whoever makes a room work hard is read more slowly, so that
//! the others are not held up. Nothing is dropped and nobody closed: frames wait in the socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Frames of one connection that may wait for its room.
const IN_FLIGHT: usize = 32;
/// The room's time that a connection may use at once.
const BURST: Duration = Duration::from_secs(3);
/// The share of a core that it may use for long.
const SHARE: f64 = 0.5;

/// What a room notes of a connection's frames.
#[derive(Debug, Clone)]
pub struct Meter {
    spent_micros: Arc<AtomicU64>,
    in_flight: Arc<Semaphore>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { spent_micros: Arc::default(), in_flight: Arc::new(Semaphore::new(IN_FLIGHT)) }
    }
}

impl Meter {
    /// Notes that a frame took the room's time.
    pub(super) fn spend(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.spent_micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn spent(&self) -> Duration {
        Duration::from_micros(self.spent_micros.load(Ordering::Relaxed))
    }
}

/// Holds a connection's reader to its share. Call [`turn`](Self::turn) before each frame.
#[derive(Debug)]
pub struct Pace {
    meter: Meter,
    seen: Duration,
    /// Seconds of the room's time that may still be used at once; negative when overdrawn.
    left: f64,
    since: Instant,
}

impl Pace {
    #[must_use]
    pub fn new(meter: Meter) -> Self {
        Self { meter, seen: Duration::ZERO, left: BURST.as_secs_f64(), since: Instant::now() }
    }

    /// Waits until the next frame may go to the room, and gives its place in the queue.
    pub async fn turn(&mut self) -> Option<OwnedSemaphorePermit> {
        let place = self.meter.in_flight.clone().acquire_owned().await.ok();
        let wait = self.settle(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        place
    }

    /// Takes what was spent since the last turn off the budget, and says how long to wait.
    fn settle(&mut self, now: Instant) -> Duration {
        let spent = self.meter.spent();
        let earned = now.duration_since(self.since).as_secs_f64() * SHARE;
        self.left = (self.left + earned).min(BURST.as_secs_f64());
        self.left -= (spent - self.seen).as_secs_f64();
        (self.seen, self.since) = (spent, now);
        Duration::from_secs_f64((-self.left / SHARE).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_uses_more_than_their_share_waits_for_it() {
        let meter = Meter::default();
        let mut pace = Pace::new(meter.clone());
        let start = pace.since;
        let at = |seconds| start + Duration::from_secs(seconds);
        meter.spend(Duration::from_secs(3));
        assert_eq!(pace.settle(at(0)), Duration::ZERO, "a burst is fine");
        meter.spend(Duration::from_secs(2));
        assert_eq!(pace.settle(at(0)), Duration::from_secs(4), "half a core");
        assert_eq!(pace.settle(at(4)), Duration::ZERO);
        assert_eq!(pace.settle(at(1_000)), Duration::ZERO);
        meter.spend(Duration::from_secs(5));
        assert_eq!(pace.settle(at(1_000)), Duration::from_secs(4), "idle time is not saved up");
    }
}
