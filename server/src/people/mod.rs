//! People, and the ways in which they prove who they are. Names, addresses and secrets are records in the store, and
//! never part of a ledger. Secrets are stored as digests or hashes.

mod accounts;
mod addresses;
mod devices;
mod invited;
mod job_queue;
mod links;
mod passwords;
mod providers;
mod rate;
mod records;
mod secrets;
mod seen;
mod sessions;
mod throttle;
mod tickets;

pub(crate) use accounts::{AccountError, ChangeError};
pub(crate) use devices::{DeviceSecrets, Familiar, KEEP_DEVICE_MS};
pub(crate) use invited::Invited;
pub(crate) use job_queue::Lane;
pub(crate) use links::Purpose;
pub(crate) use links::RESET_VALIDITY_MS;
pub(crate) use passwords::{PasswordError, Passwords};
pub(crate) use providers::{Identity, Provider};
pub(crate) use secrets::{digest, fresh_id, secret};
pub(crate) use sessions::Sessions;
pub(crate) use throttle::Throttle;

use records::{encode, get, new, parse, scan};
use secrets::hash;

use crate::clock::Clock;
use crate::generation::Generation;
use crate::store::{Store, StoreError};
use accord_document::ids::{PersonId, SessionId};
use accord_document::people::{Actor, Seat, Sector, Standing};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const PERSON: &str = "person";
/// The kind of the records that map an address to its person.
const EMAIL: &str = "email";
const PASSWORD: &str = "password";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub id: PersonId,
    /// The person's name, or an empty string once the person is forgotten.
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    /// Whether this person has shown that mail sent to the address reaches them, through a link that was mailed there,
    /// or through a provider that is trusted to verify addresses. A person's own statement is never enough.
    #[serde(default)]
    pub email_verified: bool,
    /// Whether this person is an administrator of the installation.
    #[serde(default)]
    pub administrator: bool,
    /// Time at which the account was created, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub since: u64,
    #[serde(default)]
    pub forgotten: bool,
}

/// A person who is signed in, with their session.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub person: Person,
    pub session: SessionId,
}

impl SignedIn {
    /// Returns the actor that a ledger records for this person with `standing`.
    #[must_use]
    pub(crate) fn actor(&self, standing: Standing) -> Actor {
        actor(&self.person.id, standing.seat, standing.sector, &self.session)
    }

    /// Returns the actor for an act of an administrator, who needs no seat in a plan.
    #[must_use]
    pub(crate) fn administrator(&self) -> Actor {
        actor(&self.person.id, Seat::Administrator, Sector::Other, &self.session)
    }
}

fn actor(person: &PersonId, seat: Seat, sector: Sector, session: &SessionId) -> Actor {
    // The first 16 characters are enough to tell sessions apart. The whole hash, which is the key of the session's
    // record, stays out of the ledgers.
    let session = session.as_str().get(..16).unwrap_or(session.as_str());
    Actor { person: person.clone(), seat, sector, session: SessionId::new(session) }
}

/// The limits on how long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Maximum time from the sign-in, however much the session is used.
    pub absolute: Duration,
    /// Maximum time without a request and without an open page.
    pub idle: Duration,
}

/// The typed records about people. All methods block, except those of [`Sessions`] that say that they don't.
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
    /// Opens the records and loads all sessions into memory.
    ///
    /// # Errors
    /// Returns an error if the sessions can't be read.
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

    /// Whether the installation has an administrator.
    pub(crate) fn has_administrator(&self) -> Result<bool> {
        Ok(self.everybody()?.iter().any(|person| person.administrator))
    }

    /// Adds a demo person, unless the person already exists.
    pub(crate) fn add_demo(&self, person: &Person) -> Result<()> {
        match self.store.swap(PERSON, person.id.as_str(), None, Some(&encode(person)?)) {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    /// Returns the hash of a person's password, or `None` if the person has no password.
    pub(crate) fn password(&self, id: &PersonId) -> Result<Option<String>> {
        get(&*self.store, PASSWORD, id.as_str())
    }

    /// Stores the hash of a person's new password.
    pub(crate) fn set_password(&self, id: &PersonId, hash: &str) -> Result<()> {
        let found = self.store.get(PASSWORD, id.as_str())?;
        let expected = found.map(|record| record.revision);
        self.store.swap(PASSWORD, id.as_str(), expected, Some(&encode(&hash)?))
    }

    /// Returns the person and session of a cookie's secret, or `None` if no session with this secret is live.
    pub(crate) fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>> {
        self.session(SessionId::new(hash(secret)))
    }

    fn session(&self, session: SessionId) -> Result<Option<SignedIn>> {
        let Some(id) = self.sessions.person(&session) else { return Ok(None) };
        let person = self.person(&id)?;
        Ok(person.filter(|person| !person.forgotten).map(|person| SignedIn { person, session }))
    }
}

#[cfg(test)]
mod tests;
