//! Sessions of people who are signed in. There are few of them and every request looks one up, so all live sessions are
//! kept in memory as well as in the store.

use super::{Result, SessionLimits, encode, hash, parse, secret};
use crate::clock::Clock;
use crate::generation::Generation;
use crate::store::{Store, StoreError, Swap};
use accord_document::ids::{PersonId, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SESSION: &str = "session";

/// Minimum time between two records of a session's use, in milliseconds.
const MIN_RECORD_INTERVAL_MS: u64 = 5 * 60_000;

/// Maximum length of the stored description of a browser, in characters.
const MAX_USER_AGENT_CHARS: usize = 300;

/// The record of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionInfo {
    pub person: PersonId,
    /// Time of the sign-in, in milliseconds since the Unix epoch.
    pub since: u64,
    /// Time of the last recorded use, in milliseconds since the Unix epoch. The last use can be up to
    /// [`MIN_RECORD_INTERVAL_MS`] later.
    pub seen: u64,
    /// The address from which the session was started.
    pub address: String,
    /// The browser's description of itself (`User-Agent`).
    pub agent: String,
}

#[derive(Debug)]
struct Live {
    info: SessionInfo,
    revision: u64,
}

/// All live sessions.
pub(crate) struct Sessions {
    store: Arc<dyn Store>,
    clock: Clock,
    limits: SessionLimits,
    generation: Generation,
    live: Mutex<HashMap<SessionId, Live>>,
    /// Locked while sessions are written, so that the revisions in memory and in the store agree. `live` is never
    /// locked while the store works, because open rooms look sessions up in it.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    pub(super) fn load(
        store: Arc<dyn Store>,
        clock: Clock,
        limits: SessionLimits,
        generation: Generation,
    ) -> Result<Self> {
        let mut live = HashMap::new();
        for (key, record) in store.scan(SESSION, "")? {
            let info = parse(&record.value)?;
            live.insert(SessionId::new(key), Live { info, revision: record.revision });
        }
        Ok(Self {
            store,
            clock,
            limits,
            generation,
            live: Mutex::new(live),
            writing: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self, info: &SessionInfo) -> bool {
        let now = self.clock.now_ms();
        let passed = |since: u64| u128::from(now.saturating_sub(since));
        passed(info.since) >= self.limits.absolute.as_millis()
            || passed(info.seen) >= self.limits.idle.as_millis()
    }

    /// Returns the person of a session, or `None` if the session has ended. Does not block.
    #[must_use]
    pub(crate) fn person(&self, session: &SessionId) -> Option<PersonId> {
        let live = self.lock();
        let info = &live.get(session)?.info;
        (!self.has_ended(info)).then(|| info.person.clone())
    }

    /// Starts a session and returns the secret for its cookie.
    pub(crate) fn begin(&self, person: &PersonId, address: &str, agent: &str) -> Result<String> {
        let secret = secret();
        let now = self.clock.now_ms();
        let info = SessionInfo {
            person: person.clone(),
            since: now,
            seen: now,
            address: address.to_owned(),
            agent: agent.chars().take(MAX_USER_AGENT_CHARS).collect(),
        };
        let key = hash(&secret);
        self.store.swap(SESSION, &key, None, Some(&encode(&info)?))?;
        self.lock().insert(SessionId::new(key), Live { info, revision: 1 });
        Ok(secret)
    }

    /// Records that a session is in use. Blocks only if the last record is older than [`MIN_RECORD_INTERVAL_MS`].
    pub(crate) fn touch(&self, session: &SessionId) -> Result<()> {
        let now = self.clock.now_ms();
        let is_noted = |info: &SessionInfo| now.saturating_sub(info.seen) < MIN_RECORD_INTERVAL_MS;
        let due = |info: &SessionInfo| !is_noted(info) && !self.has_ended(info);
        if !self.lock().get(session).is_some_and(|one| due(&one.info)) {
            return Ok(());
        }
        let _writing = self.write();
        let found = self.lock().get(session).map(|one| (one.info.clone(), one.revision));
        let Some((info, revision)) = found.filter(|(info, _)| due(info)) else { return Ok(()) };
        let value = encode(&SessionInfo { seen: now, ..info })?;
        self.store.swap(SESSION, session.as_str(), Some(revision), Some(&value))?;
        if let Some(one) = self.lock().get_mut(session) {
            (one.info.seen, one.revision) = (now, revision + 1);
        }
        Ok(())
    }

    /// Returns the live sessions of a person, the newest first.
    #[must_use]
    pub(crate) fn of(&self, person: &PersonId) -> Vec<(SessionId, SessionInfo)> {
        let live = self.lock();
        let mut all: Vec<_> = live
            .iter()
            .filter(|(_, one)| one.info.person == *person && !self.has_ended(&one.info))
            .map(|(id, one)| (id.clone(), one.info.clone()))
            .collect();
        all.sort_by_key(|(_, info)| std::cmp::Reverse(info.since));
        all
    }

    pub(crate) fn end(&self, session: &SessionId) -> Result<()> {
        self.end_where(|id, _| id == session).map(drop)
    }

    /// Ends all sessions of a person except `but`. Returns the number of sessions that ended.
    pub(crate) fn end_all(&self, person: &PersonId, but: Option<&SessionId>) -> Result<usize> {
        self.end_where(|id, info| info.person == *person && Some(id) != but)
    }

    /// Ends the sessions whose time is over, and returns their number. Must be called about once a second.
    pub(crate) fn expire(&self) -> Result<usize> {
        self.end_where(|_, info| self.has_ended(info))
    }

    /// Removes the stored record of a session, at any revision. Does nothing if there is no record.
    fn remove_stored(&self, session: &SessionId) -> Result<()> {
        let key = session.as_str();
        let Some(record) = self.store.get(SESSION, key)? else { return Ok(()) };
        self.store.swap(SESSION, key, Some(record.revision), None).map(drop)
    }

    fn end_where(&self, gone: impl Fn(&SessionId, &SessionInfo) -> bool) -> Result<usize> {
        let _writing = self.write();
        let ended: Vec<_> = self
            .lock()
            .iter()
            .filter(|(id, one)| gone(id, &one.info))
            .map(|(id, one)| (id.clone(), one.revision))
            .collect();
        if ended.is_empty() {
            return Ok(0);
        }
        let swaps: Vec<_> = ended
            .iter()
            .map(|(id, revision)| Swap {
                kind: SESSION,
                key: id.to_string(),
                expected: Some(*revision),
                value: None,
            })
            .collect();
        match self.store.swap_all(&swaps) {
            // A stored record has another revision than the one in memory, so the store has removed no record. Each
            // record is then removed at the revision that the store has.
            Err(StoreError::Conflict) => {
                ended.iter().try_for_each(|(id, _)| self.remove_stored(id))?;
            }
            done => done?,
        }
        for (id, _) in &ended {
            self.lock().remove(id);
        }
        self.generation.advance();
        Ok(ended.len())
    }
}
