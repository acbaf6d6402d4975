//! Tests of accounts, and of what ends together with an account.

use super::*;
use crate::site::AddressGroup;
use crate::store::{MemoryStore, Records};
use std::sync::atomic::{AtomicU64, Ordering};

const HOUR: u64 = 3_600_000;

pub(super) fn people() -> (People, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let read = now.clone();
    let clock = Clock::new(move || read.load(Ordering::Relaxed));
    let limits = SessionLimits {
        absolute: Duration::from_secs(10 * 3_600),
        idle: Duration::from_secs(2 * 3_600),
    };
    let store = Arc::new(MemoryStore::default());
    (People::open(store, clock, limits, Generation::default()).unwrap(), now)
}

#[test]
fn an_address_belongs_to_one_account_whatever_its_case() {
    let (people, _) = people();
    let ana = people.create(" Ana  Ferreira ", Some("Ana@Example.org"), None, false).unwrap();
    assert_eq!(ana.name, "Ana Ferreira");
    let again = people.create("Other", Some("ana@example.ORG"), None, false);
    assert!(matches!(again, Err(ChangeError::Account(AccountError::EmailTaken))));
    assert_eq!(people.everybody().unwrap().len(), 1, "nothing half done");
    assert_eq!(people.by_email("ANA@example.org").unwrap(), Some(ana));
    for bad in ["", "ana", "@example.org", "ana@", "a b@c.d", "a@b.c\n", "a,b@c.d"] {
        let refused = people.create("X", Some(bad), None, false);
        let name = matches!(refused, Err(ChangeError::Account(AccountError::Email)));
        assert!(name || bad.ends_with('\n'), "{bad:?}");
    }
}

#[test]
fn a_sign_in_reads_as_much_for_nobody_as_for_somebody() {
    let store = Arc::new(MemoryStore::default());
    let limits = SessionLimits { absolute: Duration::MAX, idle: Duration::MAX };
    let people =
        People::open(store.clone(), Clock::system(), limits, Generation::default()).unwrap();
    let from = AddressGroup::of(std::net::IpAddr::from([10, 0, 0, 1]));
    people.create("Ben", Some("ben@x.org"), Some("$argon2id$x"), false).unwrap();
    people.create("Cleo", Some("cleo@x.org"), None, false).unwrap();
    let devices = DeviceSecrets::parse("one.two");
    for brought in [DeviceSecrets::default(), devices] {
        let reads = ["ben@x.org", "cleo@x.org", "nobody@x.org", ""].map(|email| {
            let before = store.reads();
            people.credentials(email, &brought, from).unwrap();
            store.reads() - before
        });
        assert_eq!(reads, [4; 4]);
    }
}

#[test]
fn the_last_administrator_stays() {
    let (people, _) = people();
    let ida = people.create("Ida", Some("ida@x.org"), None, true).unwrap();
    let refused = people.set_administrator(&ida.id, false);
    assert!(matches!(refused, Err(ChangeError::Account(AccountError::LastAdministrator))));
    assert!(people.forget(&ida.id).is_err());
    let jo = people.create("Jo", Some("jo@x.org"), None, false).unwrap();
    people.set_administrator(&jo.id, true).unwrap();
    people.set_administrator(&ida.id, false).unwrap();
    assert!(people.forget(&jo.id).is_err());
    people.forget(&ida.id).unwrap();
}

#[test]
fn nothing_of_a_forgotten_person_is_left_but_an_id() {
    let (people, _) = people();
    people.create("Ida", Some("ida@x.org"), None, true).unwrap();
    let ben = people.create("Ben", Some("ben@x.org"), Some("$argon2id$x"), false).unwrap();
    let secret = people.sessions().begin(&ben.id, "127.0.0.1", "test").unwrap();
    let from = AddressGroup::of(std::net::IpAddr::from([127, 0, 0, 1]));
    let devices = people.remember_device(&ben.id, &DeviceSecrets::default(), from).unwrap();
    people.forget(&ben.id).unwrap();
    let left = people.person(&ben.id).unwrap().unwrap();
    assert!(left.forgotten && left.name.is_empty() && left.email.is_none());
    assert!(people.signed_in(&secret).unwrap().is_none());
    let familiar = people.familiar(Some(&ben.id), &devices, from).unwrap();
    assert_eq!(familiar, Familiar::No, "no device and no network is known");
    assert_eq!(people.password(&ben.id).unwrap(), None);
    assert!(people.by_email("ben@x.org").unwrap().is_none());
    people
        .create("Another Ben", Some("ben@x.org"), None, false)
        .expect("the address is free again");
}

#[test]
fn a_session_that_has_ended_is_not_stored_whatever_revision_it_had() {
    let store = Arc::new(MemoryStore::default());
    let limits = SessionLimits { absolute: Duration::MAX, idle: Duration::MAX };
    let open =
        || People::open(store.clone(), Clock::system(), limits, Generation::default()).unwrap();
    let people = open();
    let ana = people.create("Ana", Some("ana@x.org"), None, false).unwrap();
    for _ in 0..2 {
        people.sessions().begin(&ana.id, "127.0.0.1", "test").unwrap();
    }
    // One of the records is written again, so its revision in the store differs from the one in memory.
    let all = store.scan("session", "").unwrap();
    let (key, record) = all.into_iter().next().unwrap();
    store.swap("session", &key, Some(record.revision), Some(&record.value)).unwrap();
    assert_eq!(people.sessions().end_all(&ana.id, None).unwrap(), 2);
    assert!(open().sessions().of(&ana.id).is_empty(), "none comes back at the next start");
}

#[test]
fn a_session_ends_when_idle_and_at_its_absolute_end() {
    let (people, now) = people();
    let ana = people.create("Ana", Some("ana@x.org"), None, true).unwrap();
    let secret = people.sessions().begin(&ana.id, "127.0.0.1", "test").unwrap();
    for _ in 0..6 {
        now.fetch_add(3 * HOUR / 2, Ordering::Relaxed);
        let by = people.signed_in(&secret).unwrap().expect("used within its idle time");
        people.sessions().touch(&by.session).unwrap();
    }
    now.fetch_add(3 * HOUR / 2, Ordering::Relaxed);
    assert!(people.signed_in(&secret).unwrap().is_none(), "ten hours are over");
    let secret = people.sessions().begin(&ana.id, "127.0.0.1", "test").unwrap();
    now.fetch_add(2 * HOUR, Ordering::Relaxed);
    assert!(people.signed_in(&secret).unwrap().is_none(), "two hours without a word");
    people.sessions().expire().unwrap();
    assert!(people.sessions().of(&ana.id).is_empty());
}
