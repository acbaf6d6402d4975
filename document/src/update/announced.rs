//! Client ids that pages have announced (awareness), and whose they are before anything is written under them.
//!
//! Everybody in a document learns the ids of the others. Without this, whoever writes under such an id first owns
//! it (rule U2), and what its real owner types is refused. This is no part of the ledger: what is stored was
//! accepted once, whoever announced what.

use crate::ids::PersonId;
use std::collections::{HashMap, VecDeque};

/// The most ids of one person that are remembered: each life of a page announces one.
const MAX_IDS_PER_PERSON: usize = 1_024;
/// The most people whose ids are remembered in a document.
const MAX_PEOPLE: usize = 1_024;

/// Who has announced which client id in a document.
#[derive(Debug, Clone, Default)]
pub struct AnnouncedClients {
    owners: HashMap<u64, PersonId>,
    /// The ids of each person, the newest last.
    by_person: HashMap<PersonId, VecDeque<u64>>,
}

impl AnnouncedClients {
    /// The person who announced a client id first.
    #[must_use]
    pub fn owner(&self, client: u64) -> Option<&PersonId> {
        self.owners.get(&client)
    }

    /// Notes that a person's page has announced a client id. An id that somebody announced before stays theirs.
    pub fn announce(&mut self, client: u64, person: &PersonId) {
        let is_full = self.by_person.len() >= MAX_PEOPLE && !self.by_person.contains_key(person);
        if is_full || self.owners.contains_key(&client) {
            return;
        }
        self.owners.insert(client, person.clone());
        let theirs = self.by_person.entry(person.clone()).or_default();
        theirs.push_back(client);
        if theirs.len() > MAX_IDS_PER_PERSON
            && let Some(oldest) = theirs.pop_front()
        {
            self.owners.remove(&oldest);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// How many ids are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owners.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_id_stays_with_its_person_and_nobody_announces_without_end() {
        let (ana, ben) = (PersonId::new("ana"), PersonId::new("ben"));
        let mut announced = AnnouncedClients::default();
        announced.announce(7, &ana);
        announced.announce(7, &ben);
        assert_eq!(announced.owner(7), Some(&ana));
        for client in 0..5_000 {
            announced.announce(100 + client, &ben);
        }
        assert_eq!(announced.owner(7), Some(&ana), "what others announce does not push hers out");
        assert_eq!(announced.len(), 1 + MAX_IDS_PER_PERSON);
        assert_eq!(announced.owner(100), None);
        assert_eq!(announced.owner(100 + 4_999), Some(&ben));
    }
}
