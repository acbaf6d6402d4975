//! People and how they prove who they are. Names, addresses and secrets live here, as records, and
//! never in a ledger; secrets are stored hashed.

mod addresses;
mod devices;
mod invited;
mod links;
mod passwords;
mod providers;
mod rate;
mod seen;
mod sessions;
mod throttle;
mod tickets;
mod turns;

pub(crate) use devices::{DeviceSecrets, Familiar, KEEP_DEVICE_MS};
pub(crate) use invited::Invited;
pub(crate) use links::Purpose;
pub(crate) use links::RESET_MS;
pub(crate) use passwords::{PasswordError, Passwords};
pub(crate) use providers::{Identity, Provider};
pub(crate) use sessions::Sessions;
pub(crate) use throttle::Throttle;
pub(crate) use turns::Lane;

use addresses::{clean_email, email_key};

use crate::clock::Clock;
use crate::generation::Generation;
use crate::store::{Store, StoreError, Swap};
use accord_document::ids::{Digest, PersonId, SessionId};
use accord_document::people::{Actor, Seat, Sector, Standing};
use accord_document::readable::{clean, is_readable, mixes_scripts};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

const PERSON: &str = "person";
/// From an address to the person who has it.
const EMAIL: &str = "email";
const PASSWORD: &str = "password";

/// The longest name of a person, in characters.
const NAME: usize = 120;
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub id: PersonId,
    /// Empty once the person is forgotten.
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    /// Whether this person has shown that mail to the address reaches them: by a link that was mailed
    /// there, or by a provider that is trusted to know. Never because they said so.
    #[serde(default)]
    pub email_verified: bool,
    /// Whether this person runs the installation.
    #[serde(default)]
    pub administrator: bool,
    /// Milliseconds since the Unix epoch.
    #[serde(default)]
    pub since: u64,
    #[serde(default)]
    pub forgotten: bool,
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub person: Person,
    pub session: SessionId,
}

impl SignedIn {
    /// The actor that a ledger records.
    #[must_use]
    pub(crate) fn actor(&self, standing: Standing) -> Actor {
        actor(&self.person.id, standing.seat, standing.sector, &self.session)
    }

    /// The actor of somebody who runs the installation and has no seat.
    #[must_use]
    pub(crate) fn administrator(&self) -> Actor {
        actor(&self.person.id, Seat::Administrator, Sector::Other, &self.session)
    }
}

fn actor(person: &PersonId, seat: Seat, sector: Sector, session: &SessionId) -> Actor {
    // Enough of a session's hash to tell sessions apart, too little to be anything else.
    let session = session.as_str().get(..16).unwrap_or(session.as_str());
    Actor { person: person.clone(), seat, sector, session: SessionId::new(session) }
}

/// Why an account is not made or changed. Each is a sentence for the person who tried.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    #[error("A name has between 1 and {NAME} characters.")]
    Name,
    #[error("Others would not see this name as it is. Write it with letters alone.")]
    Unreadable,
    #[error(
        "A word of this name mixes letters of several alphabets, or has letters in a special style. Write each word in ordinary letters of one alphabet."
    )]
    MixedScripts,
    #[error("That is not an e-mail address.")]
    Email,
    #[error("There is an account with this e-mail address already. Sign in with it instead.")]
    EmailTaken,
    #[error("Somebody else signs in with this already.")]
    IdentityTaken,
    #[error("You would have no way to sign in any more: set a password first.")]
    LastWayIn,
    #[error("An installation needs an administrator: name another one first.")]
    LastAdministrator,
    #[error("There is no such person.")]
    Missing,
}

/// What went wrong with a change of records.
#[derive(Debug, Clone, Error)]
pub enum ChangeError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// From signing in, whatever happens.
    pub absolute: Duration,
    /// Without a request or an open page.
    pub idle: Duration,
}

/// The records, typed. All calls block but those on [`Sessions`].
#[derive(Clone)]
pub(crate) struct People {
    store: Arc<dyn Store>,
    clock: Clock,
    sessions: Arc<Sessions>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, StoreError>;
type Change<T> = std::result::Result<T, ChangeError>;

impl People {
    /// # Errors
    /// When the sessions can't be read.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        clock: Clock,
        limits: SessionLimits,
        generation: Generation,
    ) -> Result<Self> {
        let sessions = Sessions::load(store.clone(), clock.clone(), limits, generation)?;
        Ok(Self { store, clock, sessions: Arc::new(sessions) })
    }

    #[must_use]
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(crate) fn person(&self, id: &PersonId) -> Result<Option<Person>> {
        get(&*self.store, PERSON, id.as_str())
    }

    pub(crate) fn everybody(&self) -> Result<Vec<Person>> {
        scan(&*self.store, PERSON)
    }

    /// Whether anybody runs this installation.
    pub(crate) fn has_administrator(&self) -> Result<bool> {
        Ok(self.everybody()?.iter().any(|person| person.administrator))
    }

    /// Adds a demo person unless they are there already.
    pub(crate) fn add_demo(&self, person: &Person) -> Result<()> {
        match self.store.swap(PERSON, person.id.as_str(), None, Some(&encode(person)?)) {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    /// Makes an account. `hash` is what [`Passwords::hash`] gave; none for a person who signs in with a
    /// provider.
    ///
    /// # Errors
    /// When the name or the address can't be, or the address belongs to somebody.
    pub(crate) fn create(
        &self,
        name: &str,
        email: Option<&str>,
        hash: Option<&str>,
        administrator: bool,
    ) -> Change<Person> {
        let person = Person {
            id: PersonId::new(fresh_id()),
            name: clean_name(name)?,
            email: email.map(clean_email).transpose()?,
            email_verified: false,
            administrator,
            since: self.clock.now_ms(),
            forgotten: false,
        };
        let mut swaps = vec![new(PERSON, person.id.as_str(), &person)?];
        if let Some(email) = &person.email {
            swaps.push(new(EMAIL, &email_key(email), &person.id)?);
        }
        if let Some(hash) = hash {
            swaps.push(new(PASSWORD, person.id.as_str(), &hash)?);
        }
        match self.store.swap_all(&swaps) {
            Ok(()) => Ok(person),
            Err(StoreError::Conflict) => Err(AccountError::EmailTaken.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes back an account whose making could not be finished.
    pub(crate) fn discard(&self, person: &Person) -> Result<()> {
        let mut swaps = self.ways_in(person)?;
        swaps.extend(self.device_removals(&person.id, &DeviceSecrets::default())?);
        if let Some(record) = self.store.get(PERSON, person.id.as_str())? {
            let (key, expected) = (person.id.to_string(), Some(record.revision));
            swaps.push(Swap { kind: PERSON, key, expected, value: None });
        }
        self.store.swap_all(&swaps)?;
        self.sessions.end_all(&person.id, None).map(drop)
    }

    /// What removes a person's address, password and identities from the store.
    fn ways_in(&self, person: &Person) -> Result<Vec<Swap>> {
        let mut swaps = self.removals(&self.identities(&person.id)?)?;
        let email = person.email.as_deref().map(|email| (EMAIL, email_key(email)));
        for (kind, key) in email.into_iter().chain([(PASSWORD, person.id.to_string())]) {
            if let Some(record) = self.store.get(kind, &key)? {
                swaps.push(Swap { kind, key, expected: Some(record.revision), value: None });
            }
        }
        Ok(swaps)
    }

    /// Gives somebody another name.
    ///
    /// # Errors
    /// When the name can't be, or there is no such person.
    pub(crate) fn rename(&self, id: &PersonId, name: &str) -> Change<Person> {
        let name = clean_name(name)?;
        self.change(id, |person| person.name = name)
    }

    /// Lets somebody run the installation, or ends that.
    ///
    /// # Errors
    /// When nobody would be left to run it.
    pub(crate) fn set_administrator(&self, id: &PersonId, administrator: bool) -> Change<Person> {
        if !administrator && self.is_last_administrator(id)? {
            return Err(AccountError::LastAdministrator.into());
        }
        self.change(id, |person| person.administrator = administrator)
    }

    fn is_last_administrator(&self, id: &PersonId) -> Result<bool> {
        let all = self.everybody()?;
        let mut administrators = all.iter().filter(|person| person.administrator);
        Ok(administrators.next().is_some_and(|first| first.id == *id)
            && administrators.next().is_none())
    }

    fn change(&self, id: &PersonId, change: impl FnOnce(&mut Person)) -> Change<Person> {
        let found = self.store.get(PERSON, id.as_str())?.ok_or(AccountError::Missing)?;
        let mut person: Person = parse(&found.value)?;
        change(&mut person);
        self.store.swap(PERSON, id.as_str(), Some(found.revision), Some(&encode(&person)?))?;
        Ok(person)
    }

    /// Whether a person can be forgotten.
    ///
    /// # Errors
    /// When nobody would be left to run the installation.
    pub(crate) fn may_forget(&self, id: &PersonId) -> Change<()> {
        if self.is_last_administrator(id)? {
            return Err(AccountError::LastAdministrator.into());
        }
        Ok(())
    }

    /// Erases a person's name, address and ways to sign in. What they wrote stays theirs, under an
    /// id that nothing connects to them any more.
    ///
    /// # Errors
    /// When they are the last administrator, or there is no such person.
    pub(crate) fn forget(&self, id: &PersonId) -> Change<()> {
        self.may_forget(id)?;
        let found = self.store.get(PERSON, id.as_str())?.ok_or(AccountError::Missing)?;
        let person: Person = parse(&found.value)?;
        let former = Person {
            id: id.clone(),
            name: String::new(),
            email: None,
            email_verified: false,
            administrator: false,
            since: person.since,
            forgotten: true,
        };
        let mut swaps = self.ways_in(&person)?;
        swaps.extend(self.everything_seen(id)?);
        swaps.extend(self.link_removals(id)?);
        swaps.extend(self.device_removals(id, &DeviceSecrets::default())?);
        swaps.push(Swap {
            kind: PERSON,
            key: id.to_string(),
            expected: Some(found.revision),
            value: Some(encode(&former)?),
        });
        self.store.swap_all(&swaps)?;
        self.sessions.end_all(id, None)?;
        Ok(())
    }

    /// The hash of somebody's password, if they have one.
    pub(crate) fn password(&self, id: &PersonId) -> Result<Option<String>> {
        get(&*self.store, PASSWORD, id.as_str())
    }

    /// Sets a password by its hash.
    pub(crate) fn set_password(&self, id: &PersonId, hash: &str) -> Result<()> {
        let found = self.store.get(PASSWORD, id.as_str())?;
        let expected = found.map(|record| record.revision);
        self.store.swap(PASSWORD, id.as_str(), expected, Some(&encode(&hash)?))
    }

    /// Who holds a cookie's secret.
    pub(crate) fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>> {
        self.session(SessionId::new(hash(secret)))
    }

    fn session(&self, session: SessionId) -> Result<Option<SignedIn>> {
        let Some(id) = self.sessions.person(&session) else { return Ok(None) };
        let person = self.person(&id)?;
        Ok(person.filter(|person| !person.forgotten).map(|person| SignedIn { person, session }))
    }
}

/// A name as it is shown: without line breaks, doubled spaces and what nobody sees.
fn clean_name(name: &str) -> std::result::Result<String, AccountError> {
    let name = clean(name).split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = !name.is_empty() && name.chars().count() <= NAME && !name.contains(char::is_control);
    match fits {
        false => Err(AccountError::Name),
        true if !is_readable(&name) => Err(AccountError::Unreadable),
        true if mixes_scripts(&name) => Err(AccountError::MixedScripts),
        true => Ok(name),
    }
}

fn get<T: DeserializeOwned>(store: &dyn Store, kind: &str, key: &str) -> Result<Option<T>> {
    store.get(kind, key)?.map(|record| parse(&record.value)).transpose()
}

fn scan<T: DeserializeOwned>(store: &dyn Store, kind: &str) -> Result<Vec<T>> {
    store.scan(kind, "")?.iter().map(|(_, record)| parse(&record.value)).collect()
}

fn new<T: Serialize + ?Sized>(kind: &'static str, key: &str, value: &T) -> Result<Swap> {
    Ok(Swap { kind, key: key.to_owned(), expected: None, value: Some(encode(value)?) })
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// 256 random bits.
#[must_use]
pub(crate) fn secret() -> String {
    BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>())
}

/// A fresh id of 80 random bits.
#[must_use]
pub(crate) fn fresh_id() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 10]>())
}

/// The digest under which a secret is known.
#[must_use]
pub(crate) fn digest(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

fn hash(secret: &str) -> String {
    digest(secret).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::AddressGroup;
    use crate::store::MemoryStore;
    use std::sync::atomic::{AtomicU64, Ordering};

    const HOUR: u64 = 3_600_000;

    pub(super) fn people() -> (People, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_000_000));
        let told = now.clone();
        let clock = Clock::new(move || told.load(Ordering::Relaxed));
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
}
