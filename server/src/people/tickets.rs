//! Tickets: secrets that let a sync client without a cookie connect to one document, as part of a person's session.

use super::{People, Result, SignedIn, encode, hash, parse, secret};
use crate::store::StoreError;
use accord_document::ids::{DocumentId, SessionId};
use serde::{Deserialize, Serialize};

const TICKET: &str = "ticket";

/// Time within which a ticket must first be used, in milliseconds.
const UNUSED_MS: u64 = 60_000;

#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    document: DocumentId,
    session: SessionId,
    /// The time at which the ticket was made, in milliseconds since the Unix epoch.
    made: u64,
    used: bool,
}

impl People {
    /// Creates a ticket for one document in a person's session, and returns its secret.
    pub(crate) fn ticket(&self, document: &DocumentId, by: &SignedIn) -> Result<String> {
        let secret = secret();
        let ticket = Ticket {
            document: document.clone(),
            session: by.session.clone(),
            made: self.clock.now_ms(),
            used: false,
        };
        self.store.swap(TICKET, &hash(&secret), None, Some(&encode(&ticket)?))?;
        Ok(secret)
    }

    /// Returns the person of a ticket's secret, or `None` if the ticket is not valid. The ticket must be for this
    /// document and first used within 60 seconds. From then on it is valid for as long as its session.
    pub(crate) fn admit(&self, secret: &str, document: &DocumentId) -> Result<Option<SignedIn>> {
        let key = hash(secret);
        let Some(found) = self.store.get(TICKET, &key)? else { return Ok(None) };
        let mut ticket: Ticket = parse(&found.value)?;
        if ticket.document != *document {
            return Ok(None);
        }
        if !ticket.used {
            if self.clock.now_ms().saturating_sub(ticket.made) > UNUSED_MS {
                return Ok(None);
            }
            ticket.used = true;
            let value = encode(&ticket)?;
            match self.store.swap(TICKET, &key, Some(found.revision), Some(&value)) {
                // Another request used the same ticket at the same time and marked it as used, so both are admitted.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        self.session(ticket.session)
    }

    /// Removes the tickets that are no longer valid.
    pub(crate) fn expire_tickets(&self) -> Result<()> {
        for (key, record) in self.store.scan(TICKET, "")? {
            let ticket: Ticket = parse(&record.value)?;
            let late = self.clock.now_ms().saturating_sub(ticket.made) > UNUSED_MS;
            if self.sessions.person(&ticket.session).is_none() || (late && !ticket.used) {
                match self.store.swap(TICKET, &key, Some(record.revision), None) {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
