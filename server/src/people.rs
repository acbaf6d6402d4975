//! People, sessions, tickets, plans and seats, as records. Secrets are stored hashed.

use crate::clock::Clock;
use crate::store::{Store, StoreError};
use accord_document::ids::{DocumentId, PersonId, SessionId};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::sync::Face;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// How long an unused ticket is valid, in milliseconds.
const TICKET_MS: u64 = 60_000;

const PERSON: &str = "person";
const SESSION: &str = "session";
const TICKET: &str = "ticket";
const PLAN: &str = "plan";
const SEAT: &str = "seat";
const DOCUMENT: &str = "document";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub sector: Sector,
}

impl Person {
    #[must_use]
    pub fn face(&self) -> Face {
        Face { person: self.id.clone(), name: self.name.clone(), sector: self.sector }
    }
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub person: Person,
    pub session: SessionId,
}

#[derive(Debug, Serialize, Deserialize)]
struct SessionRecord {
    person: PersonId,
    since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct TicketRecord {
    document: DocumentId,
    session: SessionId,
    made: u64,
    used: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub id: String,
    pub title: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SeatRecord {
    pub seat: Seat,
    pub sector: Sector,
}

/// A document as the plan lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocumentRecord {
    pub id: DocumentId,
    pub plan: String,
    /// BCP 47.
    pub language: String,
    /// Milliseconds since the Unix epoch: the list is in this order.
    pub created: u64,
}

/// The records, typed. All calls block.
#[derive(Clone)]
pub struct People {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, StoreError>;

impl People {
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub fn person(&self, id: &PersonId) -> Result<Option<Person>> {
        self.get(PERSON, id.as_str())
    }

    /// Adds a person, plan, seat or document unless it is there already.
    pub fn add_person(&self, person: &Person) -> Result<()> {
        self.add(PERSON, person.id.as_str(), person)
    }

    pub fn add_plan(&self, plan: &Plan) -> Result<()> {
        self.add(PLAN, &plan.id, plan)
    }

    pub fn add_seat(&self, plan: &str, person: &PersonId, seat: SeatRecord) -> Result<()> {
        self.add(SEAT, &seat_key(plan, person), &seat)
    }

    pub fn add_document(&self, document: &DocumentRecord) -> Result<()> {
        self.add(DOCUMENT, document.id.as_str(), document)
    }

    pub fn plan(&self, id: &str) -> Result<Option<Plan>> {
        self.get(PLAN, id)
    }

    pub fn plans(&self) -> Result<Vec<Plan>> {
        self.scan(PLAN)
    }

    pub fn document(&self, id: &DocumentId) -> Result<Option<DocumentRecord>> {
        self.get(DOCUMENT, id.as_str())
    }

    /// The documents of a plan, oldest first.
    pub fn documents(&self, plan: &str) -> Result<Vec<DocumentRecord>> {
        let mut all: Vec<DocumentRecord> = self.scan(DOCUMENT)?;
        all.retain(|document| document.plan == plan);
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(all)
    }

    pub fn seat(&self, plan: &str, person: &PersonId) -> Result<Option<SeatRecord>> {
        self.get(SEAT, &seat_key(plan, person))
    }

    /// Signs a person in and gives the secret for their cookie.
    pub fn sign_in(&self, person: &PersonId) -> Result<String> {
        let secret = secret();
        let record = SessionRecord { person: person.clone(), since: self.clock.now_ms() };
        self.add(SESSION, &hash(&secret), &record)?;
        Ok(secret)
    }

    pub fn sign_out(&self, session: &SessionId) -> Result<()> {
        match self.store.get(SESSION, session.as_str())? {
            Some(record) => self.store.swap(SESSION, session.as_str(), Some(record.revision), None),
            None => Ok(()),
        }
    }

    /// Who holds a cookie's secret.
    pub fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>> {
        self.session(SessionId::new(hash(secret)))
    }

    fn session(&self, session: SessionId) -> Result<Option<SignedIn>> {
        let Some(record) = self.get::<SessionRecord>(SESSION, session.as_str())? else {
            return Ok(None);
        };
        let person = self.person(&record.person)?;
        Ok(person.map(|person| SignedIn { person, session }))
    }

    /// A secret that lets a client without a cookie into one document as this person.
    pub fn ticket(&self, document: &DocumentId, by: &SignedIn) -> Result<String> {
        let secret = secret();
        let record = TicketRecord {
            document: document.clone(),
            session: by.session.clone(),
            made: self.clock.now_ms(),
            used: false,
        };
        self.add(TICKET, &hash(&secret), &record)?;
        Ok(secret)
    }

    /// Who comes with a ticket: it must be for this document and first used within 60 seconds;
    /// then it is valid for as long as its session.
    pub fn admit(&self, secret: &str, document: &DocumentId) -> Result<Option<SignedIn>> {
        let key = hash(secret);
        let Some(found) = self.store.get(TICKET, &key)? else { return Ok(None) };
        let mut ticket: TicketRecord = parse(&found.value)?;
        if ticket.document != *document {
            return Ok(None);
        }
        if !ticket.used {
            if self.clock.now_ms().saturating_sub(ticket.made) > TICKET_MS {
                return Ok(None);
            }
            ticket.used = true;
            let value = encode(&ticket)?;
            match self.store.swap(TICKET, &key, Some(found.revision), Some(&value)) {
                // Somebody else used the same ticket at the same moment: it is used either way.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        self.session(ticket.session)
    }

    fn get<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Result<Option<T>> {
        self.store.get(kind, key)?.map(|record| parse(&record.value)).transpose()
    }

    fn scan<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>> {
        self.store.scan(kind, "")?.iter().map(|(_, record)| parse(&record.value)).collect()
    }

    fn add<T: Serialize>(&self, kind: &str, key: &str, value: &T) -> Result<()> {
        match self.store.swap(kind, key, None, Some(&encode(value)?)) {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }
}

/// The actor that the ledger records.
#[must_use]
pub fn actor(by: &SignedIn, seat: SeatRecord) -> Actor {
    Actor {
        person: by.person.id.clone(),
        seat: seat.seat,
        sector: seat.sector,
        session: SessionId::new(short(&by.session)),
    }
}

/// Enough of a session's hash to tell sessions apart in the ledger, too little to be anything else.
fn short(session: &SessionId) -> &str {
    session.as_str().get(..16).unwrap_or(session.as_str())
}

fn seat_key(plan: &str, person: &PersonId) -> String {
    format!("{plan}/{person}")
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// 256 random bits.
fn secret() -> String {
    BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>())
}

/// A fresh id of 80 random bits.
#[must_use]
pub fn fresh_id() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 10]>())
}

fn hash(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}
