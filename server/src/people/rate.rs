//! Rate limiting by the generic cell rate algorithm (GCRA, ITU-T I.371), with a bound on the number of keys in memory.

use crate::clock::Clock;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The size of a budget: `burst` tries are available immediately, and one more every `every_ms` milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) burst: u32,
    pub(crate) every_ms: u64,
}

impl Quota {
    /// Returns the time in which a budget that is used up refills completely, in milliseconds.
    const fn refill_ms(self) -> u64 {
        self.every_ms.saturating_mul(self.burst as u64)
    }
}

/// A budget for each key. At most `capacity` keys are kept. When more are in use, the half of them that has spent least
/// is forgotten, so that many keys that are used once can't push out a key that is used often.
#[derive(Debug)]
pub(crate) struct RateLimiter<K> {
    quota: Quota,
    capacity: usize,
    clock: Clock,
    /// The time at which each key's budget has refilled completely, in milliseconds since the Unix epoch (the
    /// algorithm's theoretical arrival time).
    full_at: Mutex<HashMap<K, u64>>,
}

impl<K: Hash + Eq> RateLimiter<K> {
    pub(crate) fn new(quota: Quota, capacity: usize, clock: &Clock) -> Self {
        Self { quota, capacity, clock: clock.clone(), full_at: Mutex::default() }
    }

    /// Takes one try from the budget of a key.
    ///
    /// # Errors
    /// Returns the time to wait for the next try if the budget is empty.
    pub(crate) fn check(&self, key: K) -> Result<(), Duration> {
        let now = self.clock.now_ms();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = self.spent_ms(full_at.get(&key).copied(), now);
        let after = spent + self.quota.every_ms;
        if after > self.quota.refill_ms() {
            // If the clock was set back, the stored time is too far in the future. It is lowered to the largest
            // possible value.
            full_at.insert(key, now + spent);
            return Err(Duration::from_millis(after - self.quota.refill_ms()));
        }
        if full_at.len() >= self.capacity && !full_at.contains_key(&key) {
            make_room(&mut full_at, now);
        }
        full_at.insert(key, now + after);
        Ok(())
    }

    /// Returns the spent part of a budget, as the time in which that part refills, in milliseconds. The result is never
    /// more than the time for the whole budget, even if the clock was set back meanwhile.
    fn spent_ms(&self, full_at: Option<u64>, now: u64) -> u64 {
        full_at.unwrap_or(now).saturating_sub(now).min(self.quota.refill_ms())
    }

    /// Forgets the budgets that have refilled completely, because a key that is not stored has its whole budget. Must
    /// be called regularly, so that unused budgets do not stay in memory.
    pub(crate) fn forget_full(&self) {
        let now = self.clock.now_ms();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.retain(|_, at| *at > now);
        full_at.shrink_to(self.capacity / 16);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Forgets the budgets that have refilled completely, and at least the half of all budgets that has spent least.
fn make_room<K: Hash + Eq>(full_at: &mut HashMap<K, u64>, now: u64) {
    let mut times: Vec<u64> = full_at.values().copied().collect();
    let middle = times.len() / 2;
    let median = *times.select_nth_unstable(middle).1;
    full_at.retain(|_, at| *at > now && *at > median);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const QUOTA: Quota = Quota { burst: 3, every_ms: 1_000 };

    fn limiter(capacity: usize) -> (RateLimiter<u32>, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let read = now.clone();
        let clock = Clock::new(move || read.load(Ordering::Relaxed));
        (RateLimiter::new(QUOTA, capacity, &clock), now)
    }

    #[test]
    fn a_budget_runs_out_and_comes_back_one_by_one() {
        let (limiter, now) = limiter(10);
        for _ in 0..3 {
            limiter.check(1).unwrap();
        }
        assert_eq!(limiter.check(1), Err(Duration::from_secs(1)));
        limiter.check(2).expect("another key has a budget of its own");
        now.fetch_add(1_000, Ordering::Relaxed);
        limiter.check(1).unwrap();
        assert!(limiter.check(1).is_err());
        now.fetch_add(60_000, Ordering::Relaxed);
        for _ in 0..3 {
            limiter.check(1).expect("it is never more than full");
        }
        assert!(limiter.check(1).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (limiter, now) = limiter(10);
        while limiter.check(1).is_ok() {}
        now.fetch_sub(86_400_000, Ordering::Relaxed);
        assert!(limiter.check(1).unwrap_err() <= Duration::from_secs(3));
        now.fetch_add(3_000, Ordering::Relaxed);
        limiter.check(1).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_keys_frees_no_key_that_is_used_up() {
        let (limiter, _) = limiter(100);
        while limiter.check(0).is_ok() {}
        for key in 1..100_000 {
            limiter.check(key).unwrap();
            assert!(limiter.len() <= 100);
        }
        assert!(limiter.check(0).is_err());
        limiter.forget_full();
        assert!(limiter.len() <= 100);
    }
}
