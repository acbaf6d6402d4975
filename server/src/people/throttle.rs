//! How often a password may be tried (the generic cell rate algorithm, by `governor`).
//!
//! Nobody can lock somebody else out: whoever has signed in from an address before has a budget of
//! their own there, which tries from elsewhere do not touch.

use super::rate::{Quota, RateLimiter};
use crate::clock::Clock;
use crate::site::AddressGroup;
use accord_document::ids::PersonId;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use std::collections::HashSet;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Tries of one account from one address: ten at once, then one every 20 seconds.
const PAIR: (u32, Duration) = (10, Duration::from_secs(20));
/// Tries of one account from all addresses it was never signed in from.
const ACCOUNT: (u32, Duration) = (50, Duration::from_secs(20));
/// Tries from one address, which may be a whole city's.
const ADDRESS: (u32, Duration) = (200, Duration::from_secs(1));

/// Browsers sent to a sign-in provider from one address group, which may be a whole summit.
const STARTS_OF_GROUP: Quota = Quota { burst: 60, every_ms: 1_000 };
/// Browsers sent to sign-in providers in all: fewer in ten minutes than are remembered at once
/// (`oidc::PENDING`), so that nobody's sign-in is forgotten while they are at the provider.
const STARTS: Quota = Quota { burst: 300, every_ms: 100 };

/// Address groups of which budgets are kept.
const MAX_GROUPS: usize = 50_000;

#[derive(Debug, Clone)]
struct Told(Clock);

impl governor::clock::Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Duration::from_millis(self.0.now_ms()).into()
    }
}

type Limiter<K> = governor::RateLimiter<K, HashMapStateStore<K>, Told, NoOpMiddleware<Nanos>>;

fn limiter<K: Hash + Eq + Clone>((burst, each): (u32, Duration), clock: &Clock) -> Limiter<K> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = governor::Quota::with_period(each)
        .unwrap_or(governor::Quota::per_second(burst))
        .allow_burst(burst);
    governor::RateLimiter::new(quota, HashMapStateStore::default(), Told(clock.clone()))
}

/// The budgets of all accounts and addresses.
#[derive(Debug)]
pub struct Throttle {
    clock: Told,
    pairs: Limiter<(String, IpAddr)>,
    accounts: Limiter<String>,
    addresses: Limiter<IpAddr>,
    starts_of_group: RateLimiter<AddressGroup>,
    starts: RateLimiter<()>,
    /// Where each person has signed in from, since the server started.
    known: Mutex<HashSet<(PersonId, IpAddr)>>,
}

impl Throttle {
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: Told(clock.clone()),
            pairs: limiter(PAIR, clock),
            accounts: limiter(ACCOUNT, clock),
            addresses: limiter(ADDRESS, clock),
            starts_of_group: RateLimiter::new(STARTS_OF_GROUP, MAX_GROUPS, clock),
            starts: RateLimiter::new(STARTS, 1, clock),
            known: Mutex::default(),
        }
    }

    /// Takes one try for an account, named as its sign-in names it, from an address. `person` is who
    /// has the account, if anybody.
    ///
    /// # Errors
    /// With how long to wait.
    pub fn attempt(
        &self,
        account: &str,
        person: Option<&PersonId>,
        address: IpAddr,
    ) -> Result<(), Duration> {
        use governor::clock::Clock as _;
        let account = account.trim().to_lowercase();
        let now = self.clock.now();
        let wait = |until: governor::NotUntil<Nanos>| until.wait_time_from(now);
        self.addresses.check_key(&address).map_err(wait)?;
        self.pairs.check_key(&(account.clone(), address)).map_err(wait)?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if person.is_some_and(|person| known.contains(&(person.clone(), address))) {
            return Ok(());
        }
        drop(known);
        self.accounts.check_key(&account).map_err(wait)
    }

    /// Remembers that a person has signed in from an address.
    pub fn succeeded(&self, person: &PersonId, address: IpAddr) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((person.clone(), address));
    }

    /// Takes one try to be sent to a sign-in provider.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn start(&self, from: AddressGroup) -> Result<(), Duration> {
        self.starts_of_group.check(from)?;
        self.starts.check(())
    }

    /// Forgets budgets that are full again. Call now and then.
    pub fn forget(&self) {
        self.pairs.retain_recent();
        self.accounts.retain_recent();
        self.addresses.retain_recent();
        self.starts_of_group.forget_full();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn throttle() -> (Throttle, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let told = now.clone();
        (Throttle::new(&Clock::new(move || told.load(Ordering::Relaxed))), now)
    }

    fn at(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    #[test]
    fn tries_of_one_account_from_one_address_run_out_and_come_back() {
        let (throttle, now) = throttle();
        for _ in 0..10 {
            throttle.attempt("ana@x.org", None, at(1)).unwrap();
        }
        let wait = throttle.attempt("ANA@x.org ", None, at(1)).unwrap_err();
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        throttle.attempt("ben@x.org", None, at(1)).expect("the neighbour is not held up");
        now.fetch_add(20_000, Ordering::Relaxed);
        throttle.attempt("ana@x.org", None, at(1)).unwrap();
        assert!(throttle.attempt("ana@x.org", None, at(1)).is_err());
    }

    #[test]
    fn tries_from_everywhere_do_not_lock_out_whoever_signed_in_before() {
        let (throttle, _) = throttle();
        let ana = PersonId::new("ana");
        throttle.attempt("ana@x.org", Some(&ana), at(200)).unwrap();
        throttle.succeeded(&ana, at(200));
        let mut refused = 0;
        for n in 0..100 {
            refused += u32::from(throttle.attempt("ana@x.org", Some(&ana), at(n)).is_err());
        }
        assert!(refused >= 50, "{refused} of 100 refused");
        throttle.attempt("ana@x.org", Some(&ana), at(200)).expect("her own address");
    }

    #[test]
    fn fifteen_people_behind_one_address_all_get_in() {
        let (throttle, _) = throttle();
        for n in 0..50 {
            throttle.attempt(&format!("person{n}@x.org"), None, at(1)).unwrap();
        }
    }
}
