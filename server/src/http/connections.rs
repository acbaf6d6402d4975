//! The limits of sync connections of each address group and each person (rule C5).

use super::problem::Problem;
use crate::listen::{LargeMessages, PersonalPermits};
use crate::site::AddressGroup;
use accord_document::ids::PersonId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The maximum numbers of open connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Number of connections of any kind. The server uses a smaller number if the operating system allows fewer open
    /// files.
    pub total: usize,
    /// Number of sync connections of one address group. A whole city can share an address group. An address group can
    /// have twice as many connections of any kind, but at most half of all connections that can be open.
    pub per_address: usize,
    /// Number of sync connections of one person, in all their tabs and on all their devices.
    pub per_person: usize,
}

impl ConnectionLimits {
    /// The limits of a server whose operator sets none.
    pub const DEFAULT: Self = Self { total: 16_384, per_address: 2_000, per_person: 1_000 };
}

#[derive(Debug, Default)]
struct Held {
    addresses: HashMap<AddressGroup, usize>,
    people: HashMap<PersonId, Personal>,
}

/// The data that one person's connections share.
#[derive(Debug, Default)]
struct Personal {
    connections: usize,
    permits: PersonalPermits,
}

/// The count of open sync connections. Clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    held: Arc<Mutex<Held>>,
    /// The permits for large messages that all connections share.
    pub(crate) large_messages: LargeMessages,
}

/// A place for one sync connection. Dropping this value frees the place.
#[derive(Debug)]
pub(crate) struct ConnectionPlace {
    connections: Connections,
    address: AddressGroup,
    person: PersonId,
    /// The person's permits for large messages.
    pub(crate) permits: PersonalPermits,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, held: Arc::default(), large_messages: LargeMessages::default() }
    }

    /// Takes a place for one sync connection.
    ///
    /// # Errors
    /// Returns an error if the address group or the person already has the maximum number of sync connections.
    pub(crate) fn enter(
        &self,
        address: IpAddr,
        person: PersonId,
    ) -> Result<ConnectionPlace, Problem> {
        let address = AddressGroup::of(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let from_here = held.addresses.get(&address).copied().unwrap_or(0);
        let by_them = held.people.get(&person).map_or(0, |personal| personal.connections);
        if from_here >= self.limits.per_address || by_them >= self.limits.per_person {
            return Err(Problem::too_many(Duration::from_secs(9)));
        }
        held.addresses.insert(address, from_here + 1);
        let personal = held.people.entry(person.clone()).or_default();
        personal.connections += 1;
        let permits = personal.permits.clone();
        Ok(ConnectionPlace { connections: self.clone(), address, person, permits })
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut held = self.connections.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.addresses.remove(&self.address);
            }
        }
        if let Some(personal) = held.people.get_mut(&self.person) {
            personal.connections -= 1;
            if personal.connections == 0 {
                held.people.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule C5.
    #[test]
    fn places_run_out_by_address_and_by_person_and_come_back() {
        let limits = ConnectionLimits { total: 10, per_address: 3, per_person: 2 };
        let connections = Connections::new(limits);
        let here: IpAddr = "2001:db8::1".parse().unwrap();
        let there: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let enter = |address, person: &str| connections.enter(address, PersonId::new(person));
        let first = enter(here, "ana").unwrap();
        let _second = enter(here, "ana").unwrap();
        assert!(enter(there, "ana").is_err(), "two of one person");
        let _third = enter(here, "ben").unwrap();
        let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
        assert!(enter(neighbour, "cem").is_err(), "three from one network");
        drop(first);
        enter(here, "cem").expect("a place was given back");
    }
}
