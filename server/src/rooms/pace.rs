//! Budgets of a room's time. Each party has one budget for all of its connections and requests. A party is a person, or
//! the readers without a user account in one address group.
//!
//! No frame is dropped and no connection is closed because of a budget. Frames beyond the budget wait in the room's
//! queue or, once their places there are taken, in the socket. Other parties are served meanwhile.

use crate::fair_queue::Requester;
use accord_document::ids::DocumentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Duration above which a turn noticeably delays the others in the room.
const LONG_TURN: Duration = Duration::from_millis(20);

/// Returns the processor time that this thread has used. Elapsed time would also include other work of the machine,
/// which must not be charged to anybody.
pub(super) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The rate at which a party can use time. A party can use the time `burst` without a pause. After that, it can use the
/// fraction `share` of the time that passes.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: Duration,
    share: f64,
}

/// The rate for all turns of a party in one room.
const ALL: Rate = Rate { burst: Duration::from_secs(3), share: 0.5 };
/// The rate for a party's long turns in all rooms together. A person who returns after a long time offline needs one or
/// two long turns.
const LONG: Rate = Rate { burst: Duration::from_secs(1), share: 0.02 };

/// A time account: the time that is left of a party's budget, in seconds. The account grows up to the burst of `rate`,
/// and is negative when it is overdrawn.
#[derive(Debug)]
pub(super) struct TimeAccount {
    rate: Rate,
    left: f64,
    since: Instant,
}

impl TimeAccount {
    fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.burst.as_secs_f64(), since: now }
    }

    fn earn(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.since).as_secs_f64() * self.rate.share;
        self.left = (self.left + earned).min(self.rate.burst.as_secs_f64());
        self.since = self.since.max(now);
    }

    fn spend(&mut self, time: Duration, now: Instant) {
        self.earn(now);
        self.left -= time.as_secs_f64();
    }

    fn wait(&mut self, now: Instant) -> Duration {
        self.earn(now);
        Duration::from_secs_f64((-self.left / self.rate.share).max(0.0))
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.earn(now);
        self.left >= self.rate.burst.as_secs_f64()
    }

    /// Returns the account with its party, or `None` if the account is full. A full account need not be stored.
    fn owed(mut self, party: Requester, now: Instant) -> Option<(Requester, Self)> {
        (!self.is_full(now)).then_some((party, self))
    }
}

/// The time account of each party for its long turns in all rooms. Without these accounts, long turns in many documents
/// at the same time would take all processors. An account is kept until it is full again, even while no room is open.
/// Clones share the accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct LongTurns {
    by_party: Arc<Mutex<HashMap<Requester, Arc<Mutex<TimeAccount>>>>>,
}

impl LongTurns {
    fn of(&self, party: &Requester, now: Instant) -> Arc<Mutex<TimeAccount>> {
        let mut all = self.by_party.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(party) {
            return known.clone();
        }
        if all.len() == all.capacity() {
            all.retain(|_, account| Arc::strong_count(account) > 1 || !lock(account).is_full(now));
        }
        let new = Arc::new(Mutex::new(TimeAccount::new(LONG, now)));
        all.insert(party.clone(), new.clone());
        new
    }

    /// Charges a party for work outside a room that took as long as a long turn.
    pub(super) fn charge(&self, party: &Requester, time: Duration, now: Instant) {
        if time > LONG_TURN {
            lock(&self.of(party, now)).spend(time, now);
        }
    }
}

fn lock(account: &Mutex<TimeAccount>) -> MutexGuard<'_, TimeAccount> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time accounts of parties in rooms that are closed. Each account is kept until it is full again. So nobody gets a
/// new budget because a document closes and opens again. Clones share the accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Debts {
    by_document: Arc<Mutex<HashMap<DocumentId, HashMap<Requester, TimeAccount>>>>,
}

impl Debts {
    /// Stores the time accounts of a room that closes, and removes those stored accounts that are full again. `left`
    /// has the account of each party in the room.
    pub(super) fn keep(
        &self,
        document: &DocumentId,
        left: impl Iterator<Item = (Requester, TimeAccount)>,
        now: Instant,
    ) {
        let mut all = self.by_document.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, accounts| {
            accounts.retain(|_, account| !account.is_full(now));
            !accounts.is_empty()
        });
        let owed: HashMap<_, _> =
            left.filter_map(|(party, account)| account.owed(party, now)).collect();
        if !owed.is_empty() {
            all.insert(document.clone(), owed);
        }
    }

    /// Takes out the time accounts that were kept when the document's room last closed, for the room that now opens.
    pub(super) fn take(&self, document: &DocumentId) -> HashMap<Requester, TimeAccount> {
        let mut all = self.by_document.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(document).unwrap_or_default()
    }
}

/// The budget of one party: a time account for all its turns in one room, and a time account for its long turns, which
/// all rooms share.
#[derive(Debug)]
pub(super) struct Budget {
    all: TimeAccount,
    long: Arc<Mutex<TimeAccount>>,
}

impl Budget {
    /// `left` is the party's time account from an earlier opening of this room, or `None` if no account was kept.
    pub(super) fn new(
        party: &Requester,
        left: Option<TimeAccount>,
        long: &LongTurns,
        now: Instant,
    ) -> Self {
        let all = left.unwrap_or_else(|| TimeAccount::new(ALL, now));
        Self { all, long: long.of(party, now) }
    }

    /// Returns the party's time account for this room, without the account for long turns in all rooms.
    pub(super) fn into_account(self) -> TimeAccount {
        self.all
    }

    fn long(&self) -> MutexGuard<'_, TimeAccount> {
        lock(&self.long)
    }

    /// Charges the time of a turn to the account for this room, and also to the account for long turns if the turn was
    /// long.
    pub(super) fn spend(&mut self, time: Duration, now: Instant) {
        self.all.spend(time, now);
        if time > LONG_TURN {
            self.long().spend(time, now);
        }
    }

    /// Returns the time until the budget allows another turn of the party.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        self.all.wait(now).max(self.long().wait(now))
    }

    /// Whether both time accounts of the budget are full.
    pub(super) fn is_full(&mut self, now: Instant) -> bool {
        self.all.is_full(now) && self.long().is_full(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_that_uses_more_than_its_share_waits_for_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut account = TimeAccount::new(ALL, start);
        account.spend(Duration::from_secs(3), at(0));
        assert_eq!(account.wait(at(0)), Duration::ZERO, "a burst is fine");
        account.spend(Duration::from_secs(2), at(0));
        assert_eq!(account.wait(at(0)), Duration::from_secs(4), "half a core");
        assert_eq!(account.wait(at(4)), Duration::ZERO);
        assert_eq!(account.wait(at(1_000)), Duration::ZERO);
        account.spend(Duration::from_secs(5), at(1_000));
        assert_eq!(account.wait(at(1_000)), Duration::from_secs(4), "idle time is not saved up");
    }

    fn ana() -> Requester {
        Requester::Person(accord_document::ids::PersonId::new("ana"))
    }

    #[test]
    fn long_turns_in_many_rooms_are_counted_together() {
        let (start, long) = (Instant::now(), LongTurns::default());
        let mut rooms: Vec<_> = (0..20).map(|_| Budget::new(&ana(), None, &long, start)).collect();
        for budget in &mut rooms {
            assert_eq!(budget.all.wait(start), Duration::ZERO);
            budget.spend(Duration::from_millis(100), start);
        }
        for budget in &mut rooms {
            assert_eq!(budget.wait(start), Duration::from_secs(50), "2 s in all");
        }
        let ben = Requester::Person(accord_document::ids::PersonId::new("ben"));
        assert_eq!(Budget::new(&ben, None, &long, start).wait(start), Duration::ZERO);
        drop(rooms);
        let wait = Budget::new(&ana(), None, &long, start).wait(start);
        assert_eq!(wait, Duration::from_secs(50), "also once all of them are closed");
    }

    #[test]
    fn long_turns_have_a_small_budget_of_their_own() {
        let start = Instant::now();
        let new = || Budget::new(&ana(), None, &LongTurns::default(), start);
        let mut budget = new();
        for _ in 0..100 {
            budget.spend(Duration::from_millis(19), start);
        }
        assert_eq!(budget.wait(start), Duration::ZERO, "short turns are counted together only");
        let mut budget = new();
        budget.spend(Duration::from_secs(1), start);
        assert_eq!(budget.wait(start), Duration::ZERO, "a return from offline is free");
        budget.spend(Duration::from_millis(100), start);
        assert_eq!(budget.wait(start), Duration::from_secs(5));
        assert!(!budget.is_full(start) && budget.is_full(start + Duration::from_secs(60)));
    }
}
