//! How far a person has looked at a document's history. The server tells this only to that person.

use super::{People, Result, encode, get, parse};
use crate::store::{Record, StoreError, Swap};
use accord_document::ids::{DocumentId, PersonId, Seq};

const SEEN: &str = "seen";

fn key(person: &PersonId, document: &str) -> String {
    format!("{person}/{document}")
}

impl People {
    /// Returns the last entry that a person has seen in a document's history, or `None` if they have never opened it.
    pub(crate) fn seen(&self, person: &PersonId, document: &DocumentId) -> Result<Option<Seq>> {
        get(&*self.store, SEEN, &key(person, document.as_str()))
    }

    /// Records that a person has seen a document's history up to the entry `upto`. A smaller number than the recorded
    /// one changes nothing.
    pub(crate) fn note_seen(
        &self,
        person: &PersonId,
        document: &DocumentId,
        upto: Seq,
    ) -> Result<()> {
        let key = key(person, document.as_str());
        loop {
            let known = self.store.get(SEEN, &key)?;
            let seen: Option<Seq> =
                known.as_ref().map(|record| parse(&record.value)).transpose()?;
            if seen.is_some_and(|seen| seen >= upto) {
                return Ok(());
            }
            let expected = known.map(|record| record.revision);
            match self.store.swap(SEEN, &key, expected, Some(&encode(&upto)?)) {
                // The same person opened the history in another window, so the record is read again.
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }

    /// Returns the changes that remove every record of how far a person has looked at documents' histories. They are
    /// needed when the person is forgotten.
    pub(super) fn everything_seen(&self, person: &PersonId) -> Result<Vec<Swap>> {
        let all = self.store.scan(SEEN, &key(person, ""))?;
        let removal = |(key, record): (String, Record)| Swap {
            kind: SEEN,
            key,
            expected: Some(record.revision),
            value: None,
        };
        Ok(all.into_iter().map(removal).collect())
    }
}
