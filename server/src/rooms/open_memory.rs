//! The memory of open documents, and the people who hold them open.
//!
//! A document with the maximum number of items takes 50 MiB, and one person could fill and open one after the other. So
//! the memory of the documents that one person holds open is limited. Documents that nobody holds open close
//! immediately if together they take too much memory.

use accord_document::ids::{DocumentId, PersonId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum memory of the documents that one person has open, in bytes: about ten academic papers of 100,000
/// characters each, typed key by key. A single document is allowed to take more.
const MAX_BYTES_PER_PERSON: usize = 40 * 1024 * 1024;
/// Maximum memory of all open documents to which nobody is connected, in bytes.
const MAX_IDLE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Default)]
struct OpenDocument {
    bytes: usize,
    /// Number of connections that each person has to this document.
    people: HashMap<PersonId, usize>,
}

type Documents = HashMap<DocumentId, OpenDocument>;

/// The memory and the connections of all open documents. Clones share these records.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenMemory(Arc<Mutex<Documents>>);

/// A connection that holds a document open until this value is dropped.
#[derive(Debug)]
pub(super) struct HeldOpen {
    memory: OpenMemory,
    document: DocumentId,
    person: PersonId,
}

impl OpenMemory {
    fn lock(&self) -> MutexGuard<'_, Documents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records how much memory an open document takes, in bytes.
    pub(super) fn note(&self, document: &DocumentId, bytes: usize) {
        self.lock().entry(document.clone()).or_default().bytes = bytes;
    }

    /// Removes the record of a document that has closed.
    pub(super) fn forget(&self, document: &DocumentId) {
        self.lock().remove(document);
    }

    pub(super) fn hold(&self, person: &PersonId, document: &DocumentId) -> HeldOpen {
        let mut all = self.lock();
        let people = &mut all.entry(document.clone()).or_default().people;
        *people.entry(person.clone()).or_default() += 1;
        HeldOpen { memory: self.clone(), document: document.clone(), person: person.clone() }
    }

    /// Whether a person's open documents, including this one, stay within [`MAX_BYTES_PER_PERSON`]. The result is
    /// always `true` if the person has no other document open.
    pub(super) fn may_open(&self, person: &PersonId, document: &DocumentId) -> bool {
        let all = self.lock();
        let is_theirs = |(id, open): &(&DocumentId, &OpenDocument)| {
            *id != document && open.people.contains_key(person)
        };
        let others: usize = all.iter().filter(is_theirs).map(|(_, open)| open.bytes).sum();
        let this = all.get(document).map_or(0, |open| open.bytes);
        others == 0 || others + this <= MAX_BYTES_PER_PERSON
    }

    /// Whether the open documents to which nobody is connected together take more than [`MAX_IDLE_BYTES`]. They must
    /// then close immediately.
    pub(super) fn is_crowded(&self) -> bool {
        let all = self.lock();
        let idle = all.values().filter(|open| open.people.is_empty());
        idle.map(|open| open.bytes).sum::<usize>() > MAX_IDLE_BYTES
    }
}

impl Drop for HeldOpen {
    fn drop(&mut self) {
        let mut all = self.memory.lock();
        let Some(open) = all.get_mut(&self.document) else { return };
        if let Some(count) = open.people.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                open.people.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn document(number: usize) -> DocumentId {
        DocumentId::new(format!("d{number}"))
    }

    #[test]
    fn one_person_holds_few_large_documents_open_and_others_have_theirs() {
        let memory = OpenMemory::default();
        let (ana, ben) = (PersonId::new("ana"), PersonId::new("ben"));
        memory.note(&document(1), 150 * MIB);
        assert!(memory.may_open(&ana, &document(1)), "one of any size");
        let held = memory.hold(&ana, &document(1));
        let again = memory.hold(&ana, &document(1));
        assert!(memory.may_open(&ana, &document(1)), "it stays open, in however many tabs");
        assert!(!memory.may_open(&ana, &document(2)));
        assert!(memory.may_open(&ben, &document(2)));
        drop(held);
        assert!(!memory.may_open(&ana, &document(2)));
        drop(again);
        assert!(memory.may_open(&ana, &document(2)));
        let _many: Vec<_> = (10..40).map(|n| memory.hold(&ana, &document(n))).collect();
        (10..40).for_each(|n| memory.note(&document(n), MIB));
        assert!(memory.may_open(&ana, &document(40)), "thirty papers");
        memory.note(&document(10), 60 * MIB);
        assert!(!memory.may_open(&ana, &document(10)), "one that has grown");
    }

    #[test]
    fn documents_that_nobody_holds_open_close_when_they_take_much() {
        let memory = OpenMemory::default();
        let held = memory.hold(&PersonId::new("ana"), &document(1));
        memory.note(&document(1), 80 * MIB);
        memory.note(&document(2), 10 * MIB);
        assert!(!memory.is_crowded());
        drop(held);
        assert!(memory.is_crowded());
        memory.forget(&document(1));
        assert!(!memory.is_crowded());
    }
}
