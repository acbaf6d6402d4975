//! The server's side of awareness (y-protocols 1.0): who is in a document, and what their clients share about them.
//!
//! A connection owns the awareness entry that it announces first, and may set or remove only that entry. It can't own
//! an id under which somebody else writes, or that somebody else has announced. Stock clients repeat the entries that
//! they receive, so the messages of a connection also contain entries of others. These entries are ignored. Names,
//! colours and sectors come from the server, whatever the client sends.
//!
//! The server replaces the clocks of clients with clocks of its own, which only grow. Without them, the other clients
//! would ignore the entry of a person who returns after their entry was removed. Only the connection that owns an entry
//! receives it under the clock that it announced itself. Under a higher clock, a stock client would replace its present
//! state with the older one that it receives, and send it back as if it were new.

use super::connection::ConnectionId;
use crate::ids::PersonId;
use crate::lib0::{ReadError, Reader, Write};
use crate::limits;
use crate::people::Sector;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use thiserror::Error;

/// Time in milliseconds after which an entry that is not renewed is removed (as in y-protocols; rule P6).
const TIMEOUT_MS: u64 = 30_000;

/// Number of remembered awareness clocks above which [`Presence`] forgets the clocks of removed entries.
const MAX_CLOCKS: usize = 4096;

/// The identity of a person, as other people in the document see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceUser {
    /// The id of the person.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub person: PersonId,
    /// The person's name as the server knows it.
    pub name: String,
    /// The side that the person represents.
    pub sector: Sector,
}

#[derive(Debug)]
struct PresenceEntry {
    owner: ConnectionId,
    person: PersonId,
    /// The last clock that the client announced.
    announced: u64,
    state: String,
    renewed: u64,
}

/// The reason why an awareness message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AwarenessError {
    /// The message is cut short or malformed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The connection's own state is too large.
    #[error("an awareness state has more than {} bytes", limits::MAX_AWARENESS_BYTES)]
    TooLarge,
}

/// The awareness of one document.
#[derive(Debug, Default)]
pub struct Presence {
    entries: BTreeMap<u64, PresenceEntry>,
    /// The clock with which each client id was last sent to others. The first clock of an id is the time at which it is
    /// first sent, so that it is higher than the clocks of an earlier room, which clients may remember.
    clocks: HashMap<u64, u64>,
    /// The time of the last message or expiry, in milliseconds since the Unix epoch.
    now: u64,
    /// The client ids of the entries whose identity has changed since they were last sent to others.
    changed_identities: Vec<u64>,
    /// The client ids that are not sent to others yet, because it is not saved yet to whom these ids belong.
    hidden: HashSet<u64>,
}

impl Presence {
    /// Handles an awareness message, and returns the client ids whose entries must be broadcast.
    ///
    /// `owned` is the client id that the connection `from` owns, or `None` if the connection has announced none. The
    /// first id that the connection announces is stored in `owned`. `may_use` returns whether a client id belongs to
    /// the person of the connection, or to nobody yet. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns an error if the message is cut short or malformed, or if the connection's own state is larger than 4
    /// KiB.
    pub fn receive(
        &mut self,
        from: ConnectionId,
        user: &PresenceUser,
        owned: &mut Option<u64>,
        may_use: impl Fn(u64) -> bool,
        message: &[u8],
        now: u64,
    ) -> Result<Vec<u64>, AwarenessError> {
        self.now = now;
        let mut r = Reader::new(message);
        let mut changed = false;
        for _ in 0..r.count()? {
            let client = r.var_u64()?;
            let clock = r.var_u64()?;
            let state = r.string()?;
            let is_free = *owned == Some(client) || may_use(client);
            if client > limits::MAX_CLIENT_ID
                || !is_free
                || !self.may_own(from, user, *owned, client)
            {
                continue;
            }
            if state == "null" {
                let is_own = self.entries.get(&client).is_some_and(|entry| entry.owner == from);
                changed |= is_own && self.entries.remove(&client).is_some();
                continue;
            }
            // Rule P1: an awareness state has at most 4 KiB.
            if state.len() > limits::MAX_AWARENESS_BYTES {
                return Err(AwarenessError::TooLarge);
            }
            let is_first = owned.is_none();
            *owned = Some(client);
            let sent = self.clocks.get(&client).copied().unwrap_or(0);
            // Rule P7: what is not newer is not sent on. Otherwise, clients that answer each other's answers would do
            // so without end.
            if !is_first && let Some(entry) = self.entries.get_mut(&client) {
                let is_own = entry.owner == from;
                if clock <= if is_own { entry.announced } else { sent } {
                    if is_own {
                        entry.renewed = now;
                    }
                    continue;
                }
            }
            // Rule P3: the name, id and side of the person are those that the server knows.
            let state = with_identity(state, user);
            let entry = PresenceEntry {
                owner: from,
                person: user.person.clone(),
                announced: clock,
                state,
                renewed: now,
            };
            self.entries.insert(client, entry);
            changed = true;
        }
        let shown = owned.filter(|client| changed && !self.hidden.contains(client));
        Ok(self.announce(shown.into_iter().collect()))
    }

    /// Returns whether a connection can own a client id. A connection owns the first id that it announces, unless an
    /// entry of another person has that id. Rules P2 and P4.
    fn may_own(
        &self,
        from: ConnectionId,
        user: &PresenceUser,
        owned: Option<u64>,
        client: u64,
    ) -> bool {
        match owned {
            Some(id) => id == client,
            None => self
                .entries
                .get(&client)
                .is_none_or(|entry| entry.owner == from || entry.person == user.person),
        }
    }

    /// Shows the changed identity of a person in the entry of their connection.
    pub fn set_identity(&mut self, connection: ConnectionId, user: &PresenceUser) {
        for (&client, entry) in &mut self.entries {
            if entry.owner == connection {
                entry.state = with_identity(&entry.state, user);
                self.changed_identities.push(client);
            }
        }
    }

    /// Returns the client ids to broadcast because their identity has changed since the last call.
    pub fn take_changed_identities(&mut self) -> Vec<u64> {
        let mut clients = std::mem::take(&mut self.changed_identities);
        clients.retain(|client| !self.hidden.contains(client));
        self.announce(clients)
    }

    /// Hides a client id from others until it is [revealed](Self::reveal).
    pub fn hide(&mut self, client: u64) {
        self.hidden.insert(client);
    }

    /// Stops hiding client ids. Returns those that are present, and must be broadcast.
    pub fn reveal(&mut self, clients: &[u64]) -> Vec<u64> {
        let is_here =
            |client: &u64| self.hidden.remove(client) && self.entries.contains_key(client);
        let here = clients.iter().copied().filter(is_here).collect();
        self.announce(here)
    }

    /// Removes the entry of a closed connection. Returns the client ids to broadcast.
    pub fn leave(&mut self, connection: ConnectionId) -> Vec<u64> {
        self.remove(|entry| entry.owner == connection)
    }

    /// Removes the entries that were not renewed in time. Returns the client ids to broadcast.
    pub fn expire(&mut self, now: u64) -> Vec<u64> {
        self.now = now;
        self.remove(|entry| now.saturating_sub(entry.renewed) >= TIMEOUT_MS)
    }

    fn remove(&mut self, gone: impl Fn(&PresenceEntry) -> bool) -> Vec<u64> {
        let clients: Vec<u64> =
            self.entries.iter().filter(|(_, e)| gone(e)).map(|(&client, _)| client).collect();
        for client in &clients {
            self.entries.remove(client);
        }
        let shown = clients.into_iter().filter(|client| !self.hidden.contains(client)).collect();
        let announced = self.announce(shown);
        if self.clocks.len() > MAX_CLOCKS {
            self.clocks.retain(|client, _| self.entries.contains_key(client));
        }
        announced
    }

    /// Returns an awareness update for a connection with the states of everybody who is present, without hidden ids.
    #[must_use]
    pub fn everybody(&self, to: ConnectionId) -> Vec<u8> {
        let shown = self.entries.keys().copied().filter(|client| !self.hidden.contains(client));
        self.encode(&shown.collect::<Vec<_>>(), Some(to))
    }

    /// Returns an awareness update for connections that own none of the client ids. An id without an entry is encoded
    /// as removed.
    #[must_use]
    pub fn update(&self, clients: &[u64]) -> Vec<u8> {
        self.encode(clients, None)
    }

    /// Returns the updates for the connections that own some of the client ids.
    pub fn updates_for_owners(&self, clients: &[u64]) -> HashMap<ConnectionId, Vec<u8>> {
        let owners = clients.iter().filter_map(|client| Some(self.entries.get(client)?.owner));
        owners.map(|owner| (owner, self.encode(clients, Some(owner)))).collect()
    }

    /// Returns the people who are present, each once.
    pub fn people(&self) -> impl Iterator<Item = &PersonId> {
        let mut people: Vec<_> = self.entries.values().map(|entry| &entry.person).collect();
        people.sort();
        people.dedup();
        people.into_iter()
    }

    /// Gives each entry its next clock (rule P5).
    fn announce(&mut self, clients: Vec<u64>) -> Vec<u64> {
        for &client in &clients {
            let now = self.now;
            self.clocks.entry(client).and_modify(|clock| *clock += 1).or_insert(now);
        }
        clients
    }

    fn encode(&self, clients: &[u64], to: Option<ConnectionId>) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(clients.len() as u64);
        for client in clients {
            let entry = self.entries.get(client);
            let own = entry.filter(|entry| Some(entry.owner) == to);
            let sent = self.clocks.get(client).copied().unwrap_or(0);
            out.put_var(*client);
            out.put_var(own.map_or(sent, |entry| entry.announced));
            out.put_buf(entry.map_or("null", |entry| &entry.state).as_bytes());
        }
        out
    }
}

/// Returns a client's state with its identity replaced by the one that the server knows.
fn with_identity(state: &str, user: &PresenceUser) -> String {
    let mut state: Map<String, Value> = serde_json::from_str(state).unwrap_or_default();
    let user = serde_json::json!({
        "name": user.name,
        "color": user.sector.colour(),
        "colorLight": format!("{}33", user.sector.colour()),
        "person": user.person,
        "sector": user.sector,
    });
    state.insert("user".into(), user);
    Value::Object(state).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ConnectionId = ConnectionId(1);
    const B: ConnectionId = ConnectionId(2);

    fn user(name: &str) -> PresenceUser {
        PresenceUser { person: PersonId::new(name), name: name.into(), sector: Sector::Government }
    }

    fn message(client: u64, clock: u64, state: &str) -> Vec<u8> {
        let mut out = vec![1];
        out.put_var(client);
        out.put_var(clock);
        out.put_buf(state.as_bytes());
        out
    }

    fn read(update: &[u8]) -> (u64, u64, String) {
        let mut r = Reader::new(update);
        assert_eq!(r.count(), Ok(1));
        (r.var_u64().unwrap(), r.var_u64().unwrap(), r.string().unwrap().to_owned())
    }

    #[test]
    fn p3_names_come_from_the_server_whatever_the_client_claims() {
        let mut presence = Presence::default();
        let forged = message(5, 1, r#"{"user":{"name":"Ben"},"cursor":null}"#);
        let out = presence.receive(A, &user("Ana"), &mut None, |_| true, &forged, 0).unwrap();
        let (_, _, state) = read(&presence.update(&out));
        assert!(state.contains(r#""name":"Ana""#) && !state.contains("Ben"), "{state}");
        assert!(state.contains("cursor"));
    }

    #[test]
    fn p4_a_connection_sets_and_removes_only_its_own_entry() {
        let mut presence = Presence::default();
        presence.receive(A, &user("Ana"), &mut None, |_| true, &message(5, 1, "{}"), 0).unwrap();
        let mut owned = None;
        presence.receive(B, &user("Ben"), &mut owned, |_| true, &message(6, 1, "{}"), 0).unwrap();
        for attack in [message(5, 9, "{}"), message(5, 9, "null"), message(7, 1, "{}")] {
            let out = presence.receive(B, &user("Ben"), &mut owned, |_| true, &attack, 0).unwrap();
            assert!(out.is_empty());
        }
        assert_eq!(presence.people().count(), 2);
    }

    #[test]
    fn p5_somebody_who_returns_is_announced_under_a_higher_clock() {
        let mut presence = Presence::default();
        presence.receive(A, &user("Ana"), &mut None, |_| true, &message(5, 1, "{}"), 0).unwrap();
        let gone = presence.leave(A);
        let (_, removed_at, state) = read(&presence.update(&gone));
        assert_eq!(state, "null");
        let back = presence
            .receive(B, &user("Ana"), &mut None, |_| true, &message(5, 1, "{}"), 0)
            .unwrap();
        assert!(read(&presence.update(&back)).1 > removed_at);
        // Clients remember clocks also when the room was closed meanwhile.
        let (mut later, mut owned) = (Presence::default(), None);
        let back =
            later.receive(A, &user("Ana"), &mut owned, |_| true, &message(5, 1, "{}"), 9_000);
        assert!(read(&later.update(&back.unwrap())).1 > removed_at);
    }

    #[test]
    fn p7_what_is_not_newer_is_not_sent_on_and_an_owner_gets_its_own_clock() {
        let mut presence = Presence::default();
        let mut owned = None;
        let mut send = |presence: &mut Presence, clock, state: &str| {
            let message = message(5, clock, state);
            presence.receive(A, &user("Ana"), &mut owned, |_| true, &message, 1_000).unwrap()
        };
        for clock in [3, 4] {
            assert_eq!(send(&mut presence, clock, r#"{"x":1}"#), [5], "a renewal goes out");
        }
        for clock in [3, 4] {
            assert!(send(&mut presence, clock, r#"{"x":0}"#).is_empty(), "an older state does not");
        }
        let identity = user("Anna");
        presence.set_identity(A, &identity);
        let changed = presence.take_changed_identities();
        let own = &presence.updates_for_owners(&changed)[&A];
        assert_eq!((read(own).1, read(&presence.update(&changed)).1), (4, 1_002));
        assert_eq!(read(own), read(&presence.everybody(A)));
        assert!(read(own).2.contains(r#""name":"Anna""#) && read(own).2.contains(r#""x":1"#));
    }

    #[test]
    fn p6_an_entry_not_renewed_for_30_seconds_goes() {
        let mut presence = Presence::default();
        presence
            .receive(A, &user("Ana"), &mut None, |_| true, &message(5, 1, "{}"), 1_000)
            .unwrap();
        assert!(presence.expire(30_999).is_empty());
        assert_eq!(presence.expire(31_000), [5]);
        assert_eq!(presence.people().count(), 0);
    }
}
