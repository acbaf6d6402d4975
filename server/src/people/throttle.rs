//! Limits on how often a password can be tried, a link used, a mail requested, and a browser sent to a sign-in
//! provider.
//!
//! Nobody can lock somebody else out. A known device has a budget of its own, which tries from other devices don't
//! touch. A network from which a person signed in before is not affected by tries of that person's account from
//! elsewhere. The number of budgets in memory is limited.

use super::addresses::email_key;
use super::devices::Familiar;
use super::digest;
use super::job_queue::Lane;
use super::rate::{Quota, RateLimiter};
use crate::clock::Clock;
use crate::site::AddressGroup;
use accord_document::ids::{Digest, PersonId};
use std::time::Duration;

/// Password tries of one person on one known device, or of one person while they are signed in.
const PASSWORDS_OF_DEVICE: Quota = Quota { burst: 10, every_ms: 20_000 };
/// Password tries of one account from one address group.
const PASSWORDS_OF_ACCOUNT_AND_GROUP: Quota = Quota { burst: 10, every_ms: 20_000 };
/// Password tries of one account from all unfamiliar networks together: the address groups from which its person has
/// not signed in before.
const PASSWORDS_OF_ACCOUNT: Quota = Quota { burst: 50, every_ms: 20_000 };
/// Password tries from one address group, which can be shared by a whole city.
const PASSWORDS_OF_GROUP: Quota = Quota { burst: 200, every_ms: 1_000 };
/// Uses of one link or invitation. Each use hashes a password, and can show whether an address has an account.
const USES_OF_LINK: Quota = Quota { burst: 15, every_ms: 60_000 };
/// Mails requested for one account or one address.
const MAILS_OF_ACCOUNT: Quota = Quota { burst: 3, every_ms: 10 * 60_000 };
/// Mails requested from one address group.
const MAILS_OF_GROUP: Quota = Quota { burst: 30, every_ms: 20_000 };
/// Mails requested in total. The burst is smaller than the number of requests that can wait for a mail
/// (`letters::MAX_WAITING_REQUESTS`), so that the queue of requests always has a place left.
const MAILS: Quota = Quota { burst: 200, every_ms: 200 };
/// Browsers sent to a sign-in provider from one address group, which can be shared by everybody at a summit.
const STARTS_OF_GROUP: Quota = Quota { burst: 60, every_ms: 1_000 };
/// Browsers sent to sign-in providers in total. In ten minutes these are fewer than the pending sign-ins that are kept
/// (`oidc::MAX_PENDING_SIGN_INS`), so that no sign-in is forgotten while its person is at the provider.
const STARTS: Quota = Quota { burst: 300, every_ms: 100 };

/// Maximum number of keys, such as accounts or address groups, for which each limit keeps a budget. A key takes about
/// 100 bytes.
const MAX_KEYS: usize = 50_000;

/// The budgets for everything that this module limits.
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
            devices: RateLimiter::new(PASSWORDS_OF_DEVICE, MAX_KEYS, clock),
            pairs: RateLimiter::new(PASSWORDS_OF_ACCOUNT_AND_GROUP, MAX_KEYS, clock),
            accounts: RateLimiter::new(PASSWORDS_OF_ACCOUNT, MAX_KEYS, clock),
            groups: RateLimiter::new(PASSWORDS_OF_GROUP, MAX_KEYS, clock),
            secrets: RateLimiter::new(USES_OF_LINK, MAX_KEYS, clock),
            mails_of_account: RateLimiter::new(MAILS_OF_ACCOUNT, MAX_KEYS, clock),
            mails_of_group: RateLimiter::new(MAILS_OF_GROUP, MAX_KEYS, clock),
            mails: RateLimiter::new(MAILS, 1, clock),
            starts_of_group: RateLimiter::new(STARTS_OF_GROUP, MAX_KEYS, clock),
            starts: RateLimiter::new(STARTS, 1, clock),
        }
    }

    /// Takes one password try from the budgets of tries that it counts against: that of a known device, if it has a try
    /// left, or else those of the address group and of the account. `account` is the address that the person entered.
    /// Returns the lane of the queue in which the password is to be hashed.
    ///
    /// # Errors
    /// Returns the time to wait if a budget is empty.
    pub(crate) fn attempt(
        &self,
        account: &str,
        from: AddressGroup,
        familiar: Familiar,
    ) -> Result<Lane, Duration> {
        // A known device whose own budget is empty can still use the budgets for strangers.
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

    /// Takes one try of a signed-in person's own password from the person's budget. Returns the lane in which the
    /// password is to be hashed.
    ///
    /// # Errors
    /// Returns the time to wait if the budget is empty.
    pub(crate) fn attempt_signed_in(&self, person: &PersonId) -> Result<Lane, Duration> {
        self.devices.check(digest(person.as_str()))?;
        Ok(Lane::Known)
    }

    /// Takes one use of a link or an invitation from the budget of its secret. Returns the lane in which the password
    /// is to be hashed.
    ///
    /// # Errors
    /// Returns the time to wait if the budget is empty.
    pub(crate) fn use_secret(&self, secret: &str, from: AddressGroup) -> Result<Lane, Duration> {
        self.secrets.check(digest(secret))?;
        Ok(Lane::Stranger(from))
    }

    /// Takes one mail to `email` from the budgets for mails. The result does not depend on whether anybody has that
    /// address.
    ///
    /// # Errors
    /// Returns the time to wait if a budget is empty.
    pub(crate) fn ask_for_mail(&self, email: &str, from: AddressGroup) -> Result<(), Duration> {
        self.mails_of_group.check(from)?;
        self.mails_of_account.check(digest(&email_key(email)))?;
        self.mails.check(())
    }

    /// Takes one confirmation mail, which a signed-in person has requested, from the budgets of the person and of the
    /// address. The address has a separate budget for password links, so confirmation mails can't use it up.
    ///
    /// # Errors
    /// Returns the time to wait if a budget is empty.
    pub(crate) fn confirm_by_mail(&self, person: &PersonId, email: &str) -> Result<(), Duration> {
        self.mails_of_account.check(digest(&format!("person {person}")))?;
        self.mails_of_account.check(digest(&format!("confirm {}", email_key(email))))?;
        self.mails.check(())
    }

    /// Takes one redirect of a browser to a sign-in provider from the budgets for redirects.
    ///
    /// # Errors
    /// Returns the time to wait if a budget is empty.
    pub(crate) fn start(&self, from: AddressGroup) -> Result<(), Duration> {
        self.starts_of_group.check(from)?;
        self.starts.check(())
    }

    /// Forgets the budgets that have refilled completely. Must be called regularly, so that unused budgets do not stay
    /// in memory.
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
        throttle.attempt("ana@x.org", at(200), Familiar::Network).expect("her own network");
    }

    #[test]
    fn wrong_tries_at_the_same_address_do_not_lock_out_a_device_that_signed_in_before() {
        let (throttle, _) = throttle();
        while throttle.attempt("ana@x.org", at(1), Familiar::Network).is_ok() {}
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
