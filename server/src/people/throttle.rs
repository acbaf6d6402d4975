//! How often a password may be tried, a link be used, a mail be asked for, and a browser be sent to a
//! sign-in provider.
//!
//! Nobody can lock somebody else out: a device that signed in before has a budget of its own, which no
//! tries from other devices touch, and a network that somebody signed in from is not held up by tries of
//! their account from elsewhere. All tables have a capacity.

use super::addresses::email_key;
use super::devices::Familiar;
use super::digest;
use super::job_queue::Lane;
use super::rate::{Quota, RateLimiter};
use crate::clock::Clock;
use crate::site::AddressGroup;
use accord_document::ids::{Digest, PersonId};
use std::time::Duration;

/// Tries of one person at one device that they signed in with before, or while they are signed in.
const DEVICE: Quota = Quota { burst: 10, every_ms: 20_000 };
/// Tries of one account from one address group.
const PAIR: Quota = Quota { burst: 10, every_ms: 20_000 };
/// Tries of one account from all networks it was never signed in from.
const ACCOUNT: Quota = Quota { burst: 50, every_ms: 20_000 };
/// Tries from one address group, which may be a whole city's.
const GROUP: Quota = Quota { burst: 200, every_ms: 1_000 };
/// Uses of one link or invitation. Each hashes a password, and may tell that an address is taken.
const SECRET: Quota = Quota { burst: 15, every_ms: 60_000 };
/// Mails asked for by one account or for one address, from one address group, and in all. The last is
/// less than the mail desk takes (`letters::MAX_ASKS`), so that it is never full.
const MAILS_OF_ACCOUNT: Quota = Quota { burst: 3, every_ms: 10 * 60_000 };
const MAILS_OF_GROUP: Quota = Quota { burst: 30, every_ms: 20_000 };
const MAILS: Quota = Quota { burst: 200, every_ms: 200 };
/// Browsers sent to a sign-in provider from one address group, which may be a whole summit.
const STARTS_OF_GROUP: Quota = Quota { burst: 60, every_ms: 1_000 };
/// Browsers sent to sign-in providers in all: fewer in ten minutes than are remembered at once
/// (`oidc::PENDING`), so that nobody's sign-in is forgotten while they are at the provider.
const STARTS: Quota = Quota { burst: 300, every_ms: 100 };

/// Keys of which budgets are kept, in each table. A key takes about 100 bytes.
const CAPACITY: usize = 50_000;

/// All budgets.
#[derive(Debug)]
pub(crate) struct Throttle {
    devices: RateLimiter<Digest>,
    pairs: RateLimiter<(Digest, AddressGroup)>,
    accounts: RateLimiter<Digest>,
    groups: RateLimiter<AddressGroup>,
    secrets: RateLimiter<Digest>,
    mails_of_account: RateLimiter<Digest>,
    mails_of_group: RateLimiter<AddressGroup>,
    mails: RateLimiter<()>,
    starts_of_group: RateLimiter<AddressGroup>,
    starts: RateLimiter<()>,
}

impl Throttle {
    #[must_use]
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            devices: RateLimiter::new(DEVICE, CAPACITY, clock),
            pairs: RateLimiter::new(PAIR, CAPACITY, clock),
            accounts: RateLimiter::new(ACCOUNT, CAPACITY, clock),
            groups: RateLimiter::new(GROUP, CAPACITY, clock),
            secrets: RateLimiter::new(SECRET, CAPACITY, clock),
            mails_of_account: RateLimiter::new(MAILS_OF_ACCOUNT, CAPACITY, clock),
            mails_of_group: RateLimiter::new(MAILS_OF_GROUP, CAPACITY, clock),
            mails: RateLimiter::new(MAILS, 1, clock),
            starts_of_group: RateLimiter::new(STARTS_OF_GROUP, CAPACITY, clock),
            starts: RateLimiter::new(STARTS, 1, clock),
        }
    }

    /// Takes one try of a password for an account, named as its sign-in names it. Gives the lane in which
    /// the password is hashed.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn attempt(
        &self,
        account: &str,
        from: AddressGroup,
        familiar: Familiar,
    ) -> Result<Lane, Duration> {
        // Where its own budget is used up a device may still try as a stranger does.
        if let Familiar::Device(device) = familiar
            && self.devices.check(device).is_ok()
        {
            return Ok(Lane::Known);
        }
        let account = digest(&email_key(account));
        self.groups.check(from)?;
        self.pairs.check((account, from))?;
        if familiar == Familiar::No {
            self.accounts.check(account)?;
        }
        Ok(Lane::Stranger(from))
    }

    /// Takes one try of their own password from somebody signed in.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn attempt_signed_in(&self, person: &PersonId) -> Result<Lane, Duration> {
        self.devices.check(digest(person.as_str()))?;
        Ok(Lane::Known)
    }

    /// Takes one use of a link or an invitation.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn use_secret(&self, secret: &str, from: AddressGroup) -> Result<Lane, Duration> {
        self.secrets.check(digest(secret))?;
        Ok(Lane::Stranger(from))
    }

    /// Takes one mail asked for, for an address as it is written: whether anybody has it plays no part.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn ask_for_mail(&self, email: &str, from: AddressGroup) -> Result<(), Duration> {
        self.mails_of_group.check(from)?;
        self.mails_of_account.check(digest(&email_key(email)))?;
        self.mails.check(())
    }

    /// Spends one confirmation mail, which a person who is signed in has asked for, from the budgets of the person and of
    /// the address. That budget of the address is not the one for password links, so confirming can't use up those.
    ///
    /// # Errors
    /// With how long to wait.
    pub(crate) fn confirm_by_mail(&self, person: &PersonId, email: &str) -> Result<(), Duration> {
        self.mails_of_account.check(digest(&format!("person {person}")))?;
        self.mails_of_account.check(digest(&format!("confirm {}", email_key(email))))?;
        self.mails.check(())
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
    pub(crate) fn forget(&self) {
        self.devices.forget_full();
        self.pairs.forget_full();
        self.accounts.forget_full();
        self.groups.forget_full();
        self.secrets.forget_full();
        self.mails_of_account.forget_full();
        self.mails_of_group.forget_full();
        self.starts_of_group.forget_full();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn throttle() -> (Throttle, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let told = now.clone();
        (Throttle::new(&Clock::new(move || told.load(Ordering::Relaxed))), now)
    }

    fn at(n: u8) -> AddressGroup {
        AddressGroup::of(IpAddr::from([10, 0, 0, n]))
    }

    #[test]
    fn tries_of_one_account_from_one_address_run_out_and_come_back() {
        let (throttle, now) = throttle();
        for _ in 0..10 {
            throttle.attempt("ana@x.org", at(1), Familiar::No).unwrap();
        }
        let wait = throttle.attempt("ANA@x.org ", at(1), Familiar::No).unwrap_err();
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        throttle.attempt("ben@x.org", at(1), Familiar::No).expect("the neighbour is not held up");
        now.fetch_add(20_000, Ordering::Relaxed);
        throttle.attempt("ana@x.org", at(1), Familiar::No).unwrap();
        assert!(throttle.attempt("ana@x.org", at(1), Familiar::No).is_err());
    }

    #[test]
    fn tries_from_everywhere_do_not_lock_out_a_network_that_signed_in_before() {
        let (throttle, _) = throttle();
        let tries = (0..100).map(|n| throttle.attempt("ana@x.org", at(n), Familiar::No));
        let refused = tries.filter(Result::is_err).count();
        assert!(refused >= 50, "{refused} of 100 refused");
        throttle.attempt("ana@x.org", at(200), Familiar::Place).expect("her own network");
    }

    #[test]
    fn wrong_tries_at_the_same_address_do_not_lock_out_a_device_that_signed_in_before() {
        let (throttle, _) = throttle();
        while throttle.attempt("ana@x.org", at(1), Familiar::Place).is_ok() {}
        for n in 0..250 {
            let _ = throttle.attempt(&format!("person{n}@x.org"), at(1), Familiar::No);
        }
        let device = Familiar::Device(digest("hers"));
        for _ in 0..10 {
            assert_eq!(throttle.attempt("ana@x.org", at(1), device), Ok(Lane::Known));
        }
        assert!(throttle.attempt("ana@x.org", at(1), device).is_err(), "it has a limit, too");
    }

    #[test]
    fn one_link_is_used_a_few_times_and_then_slowly() {
        let (throttle, now) = throttle();
        let uses = (0..20).filter(|n| throttle.use_secret("secret", at(*n)).is_ok()).count();
        assert_eq!(uses, 15, "of all addresses together");
        throttle.use_secret("another", at(1)).expect("another link is not held up");
        now.fetch_add(60_000, Ordering::Relaxed);
        throttle.use_secret("secret", at(1)).unwrap();
        assert!(throttle.use_secret("secret", at(1)).is_err());
    }

    #[test]
    fn all_of_a_64_network_is_one_address() {
        let (throttle, _) = throttle();
        let network = u128::from_be_bytes([0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        let hashed = (0..720u128)
            .map(|n| AddressGroup::of(IpAddr::from((network + (n << 40)).to_be_bytes())))
            .filter(|from| throttle.attempt("ana@x.org", *from, Familiar::No).is_ok())
            .count();
        assert_eq!(hashed, 10, "of 720 guesses");
    }

    #[test]
    fn fifteen_people_behind_one_address_all_get_in() {
        let (throttle, _) = throttle();
        for n in 0..50 {
            throttle.attempt(&format!("person{n}@x.org"), at(1), Familiar::No).unwrap();
        }
    }
}
