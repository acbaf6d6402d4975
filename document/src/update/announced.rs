//! Announced client ids: who owns the id that a page uses for its awareness before anything is written under it.
//!
//! Everybody in a document learns the client ids of the others. Without this register, an id would belong to the first
//! person who writes under it (rule U2), and the edits of the person whose page announced it would be refused. The
//! register is not part of the ledger, because it only decides about new edits: a stored entry was accepted once, and
//! announcements do not change that. The server stores the register beside the ledger, so that it survives a restart.

use crate::ids::PersonId;
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

/// Maximum number of client ids that a document remembers for one person. A page announces a new id each time it is
/// loaded.
const MAX_IDS_PER_PERSON: usize = 1_024;
/// Maximum number of client ids that a document remembers for all people together.
const MAX_IDS: usize = 16_384;

/// The record that a client id belongs to a person, to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdClaim {
    /// The Yjs client id.
    pub client: u64,
    /// The person whose page announced the id.
    pub person: PersonId,
    /// The number of this claim in the document. Later claims have higher numbers, and claims are restored in the order
    /// of their numbers.
    pub number: u64,
    /// An older client id that the document forgets to make room for the new id, or `None`.
    pub forgotten: Option<u64>,
}

/// The announced client ids of a document, and the person who announced each.
#[derive(Debug, Clone, Default)]
pub struct AnnouncedClients {
    owners: HashMap<u64, PersonId>,
    /// The claims of each person, as pairs of number and client id, the newest last.
    by_person: HashMap<PersonId, VecDeque<(u64, u64)>>,
    /// The number that the next claim in this document gets.
    next: u64,
}

impl AnnouncedClients {
    /// Returns the register that saved claims describe. The claims are given in any order, as number, client id and
    /// person.
    #[must_use]
    pub fn restore(mut saved: Vec<(u64, u64, PersonId)>) -> Self {
        saved.sort_by_key(|(number, ..)| *number);
        let mut announced = Self::default();
        for (number, client, person) in saved {
            announced.next = number;
            announced.announce(client, &person);
        }
        announced
    }

    /// Returns the person who announced a client id, or `None` if nobody has.
    #[must_use]
    pub fn owner(&self, client: u64) -> Option<&PersonId> {
        self.owners.get(&client)
    }

    /// Records that a person's page has announced a client id. If anybody announced the id before, it stays with that
    /// person, and the result is `None`. Otherwise returns the claim to be saved.
    pub fn announce(&mut self, client: u64, person: &PersonId) -> Option<ClientIdClaim> {
        if self.owners.contains_key(&client) {
            return None;
        }
        self.owners.insert(client, person.clone());
        let theirs = self.by_person.entry(person.clone()).or_default();
        theirs.push_back((self.next, client));
        let forgotten = if theirs.len() > MAX_IDS_PER_PERSON {
            theirs.pop_front()
        } else if self.owners.len() > MAX_IDS {
            // The document has too many ids. The person with the most ids loses their oldest id, so that nobody loses
            // an id because somebody else announces many. Among several such people, the one with the oldest id loses
            // it.
            let age = |ids: &VecDeque<(u64, u64)>| Reverse(ids.front().map(|(number, _)| *number));
            let most = self.by_person.values_mut().max_by_key(|ids| (ids.len(), age(ids)));
            most.and_then(VecDeque::pop_front)
        } else {
            None
        };
        let forgotten = forgotten.map(|(_, client)| client);
        if let Some(owner) = forgotten.and_then(|forgotten| self.owners.remove(&forgotten))
            && self.by_person.get(&owner).is_some_and(VecDeque::is_empty)
        {
            self.by_person.remove(&owner);
        }
        let number = self.next;
        self.next += 1;
        Some(ClientIdClaim { client, person: person.clone(), number, forgotten })
    }

    /// Forgets the announced client ids for which `is_settled` returns `true`, and returns these ids.
    pub(crate) fn forget(&mut self, is_settled: impl Fn(u64) -> bool) -> Vec<u64> {
        let gone: Vec<u64> = self.owners.keys().copied().filter(|id| is_settled(*id)).collect();
        for client in &gone {
            self.owners.remove(client);
        }
        self.by_person.retain(|_, ids| {
            ids.retain(|(_, client)| self.owners.contains_key(client));
            !ids.is_empty()
        });
        gone
    }

    /// Returns whether no id is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Returns the number of ids that are remembered.
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

    #[test]
    fn many_who_announce_much_push_out_their_own_ids_alone() {
        let ana = PersonId::new("ana");
        let mut announced = AnnouncedClients::default();
        let mut saved = HashMap::new();
        let mut save = |claim: Option<ClientIdClaim>| {
            let ClientIdClaim { client, person, number, forgotten } = claim.unwrap();
            saved.insert(client, (number, client, person));
            forgotten.map(|client| saved.remove(&client).unwrap());
        };
        save(announced.announce(7, &ana));
        for client in 0..20_000 {
            let person = PersonId::new(format!("p{}", client % 20));
            save(announced.announce(100 + client, &person));
        }
        assert_eq!((announced.len(), announced.owner(7)), (MAX_IDS, Some(&ana)));
        // A register that is restored from the saved claims equals the original register.
        let restored = AnnouncedClients::restore(saved.into_values().collect());
        assert_eq!(restored.owners, announced.owners);
        assert_eq!(restored.by_person, announced.by_person);
        assert_eq!(restored.next, announced.next);
    }

    #[test]
    fn a_document_has_room_for_an_id_of_everybody() {
        let mut announced = AnnouncedClients::default();
        for client in 0..MAX_IDS as u64 + 10 {
            let person = PersonId::new(format!("p{client}"));
            assert!(announced.announce(client, &person).is_some());
            assert_eq!(announced.owner(client), Some(&person));
        }
        // The ten oldest ids are forgotten.
        assert_eq!((announced.owner(9), announced.owner(10).is_some()), (None, true));
        assert_eq!(announced.len(), MAX_IDS);
    }

    #[test]
    fn what_is_written_under_needs_no_claim() {
        let ana = PersonId::new("ana");
        let mut announced = AnnouncedClients::default();
        (0..10).for_each(|client| drop(announced.announce(client, &ana)));
        let mut gone = announced.forget(|client| client % 2 == 0);
        gone.sort_unstable();
        assert_eq!(gone, [0, 2, 4, 6, 8]);
        assert_eq!(
            (announced.len(), announced.owner(4), announced.owner(5)),
            (5, None, Some(&ana))
        );
        announced.forget(|_| true);
        assert!(announced.is_empty() && announced.by_person.is_empty());
    }
}
