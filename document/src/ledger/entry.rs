//! One entry: its header, its body, and the hash chain.
//!
//! The chain covers the header, and the header a salted hash of the body. A later redaction can
//! therefore blank a body without breaking the chain (`redaction.rs`), and the salt keeps short bodies
//! from being guessed out of their hash.
//!
//! Layout of format 1 (integers are lib0 variable-length unless noted):
//!
//! ```text
//! entry  = format:u8 header:buf salt:16 bytes body:buf
//! header = seq time_ms person:str seat:u8 sector:u8 session:str kind:u8 body_hash:32 previous:32
//! hash   = SHA-256("accord entry 1" ‖ header)      body_hash = SHA-256(salt ‖ body)
//!
//! blanked = 2:u8 header:buf replacement:buf
//! ```

use super::redaction::Redaction;
use super::release::Step;
use super::version::Version;
use crate::audit::Event;
use crate::ids::{Digest, LineageId, PersonId, Seq, SessionId};
use crate::lib0::{ReadError, Reader, Write};
use crate::people::{Actor, Seat, Sector};
use crate::plan::Act;
use crate::update::{Provenance, read_claims, write_claims};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use thiserror::Error;

/// The entry format that this version writes.
pub const FORMAT: u8 = 1;

/// The format of an entry whose body was blanked.
const BLANKED: u8 = 2;

/// Random bytes mixed into a body's hash.
pub type Salt = [u8; 16];

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    #[error("an entry has format {0}, which this version does not know")]
    Format(u8),
    #[error("an entry is damaged: {0}")]
    Read(#[from] ReadError),
    #[error("an entry is damaged: {0}")]
    Damaged(&'static str),
}

/// What entry 0 fixes for a ledger's whole life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    pub lineage: LineageId,
    /// What the ledger tells of: a template's name and version, a plan, the audit record.
    pub schema: String,
    /// BCP 47; empty for what has no language.
    pub language: String,
    /// The rules by which entries are checked and applied.
    pub rules: u32,
}

impl Genesis {
    /// Entry 0 of a ledger. `time` is in milliseconds since the Unix epoch.
    #[must_use]
    pub fn entry(self, actor: Actor, time: u64, salt: Salt) -> Entry {
        let (seq, previous) = (Seq(0), Digest::ZERO);
        Entry { seq, time, actor, previous, salt, body: Body::Genesis(self) }
    }
}

/// What an entry says that begins a new lineage. Clients that remember another one may know more than a backup
/// did: they keep it, and are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    pub lineage: LineageId,
}

const EDIT: u8 = 1;
/// An edit with claims: `claims update`, the update to the end of the body.
const CLAIMING: u8 = 5;
/// An edit that goes back to a moment: `moment claims update`.
const RESTORING: u8 = 6;

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Genesis(Genesis),
    /// The net effect of one Yjs update, v1, and where its characters come from.
    Edit {
        update: Vec<u8>,
        provenance: Provenance,
    },
    /// In a plan's ledger: something done in the plan.
    Act(Act),
    /// In the audit record: something done by an administrator or facilitator.
    Event(Event),
    Redaction(Redaction),
    Version(Version),
    /// A step on the path to a release.
    Step(Step),
    /// From here on this is another lineage: what was restored from a backup.
    Restored(Restored),
    /// An edit of which something was redacted: the hash of the body it had, and an update without
    /// what was taken out.
    Blanked {
        hash: [u8; 32],
        replacement: Vec<u8>,
        provenance: Provenance,
    },
}

impl Body {
    /// The update of an edit, whole or blanked, and where its characters come from.
    #[must_use]
    pub fn edit(&self) -> Option<(&[u8], &Provenance)> {
        match self {
            Self::Edit { update, provenance }
            | Self::Blanked { replacement: update, provenance, .. } => Some((update, provenance)),
            _ => None,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Genesis(_) => 0,
            Self::Edit { provenance, .. } | Self::Blanked { provenance, .. } => match provenance {
                Provenance { restores: Some(_), .. } => RESTORING,
                Provenance { claims, .. } if claims.is_empty() => EDIT,
                Provenance { .. } => CLAIMING,
            },
            Self::Act(_) => 2,
            Self::Event(_) => 3,
            Self::Redaction(_) => 4,
            Self::Version(_) => 7,
            Self::Step(_) => 8,
            Self::Restored(_) => 9,
        }
    }

    pub(super) fn encode(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Genesis(genesis) => json(genesis).into(),
            Self::Edit { update, provenance }
            | Self::Blanked { replacement: update, provenance, .. } => {
                let Provenance { claims, restores } = provenance;
                if claims.is_empty() && restores.is_none() {
                    return update.into();
                }
                let mut out = Vec::with_capacity(update.len() + claims.len() * 16);
                restores.iter().for_each(|moment| out.put_var(moment.0));
                write_claims(&mut out, claims);
                out.extend_from_slice(update);
                out.into()
            }
            Self::Act(act) => json(act).into(),
            Self::Event(event) => json(event).into(),
            Self::Redaction(redaction) => json(redaction).into(),
            Self::Version(version) => json(version).into(),
            Self::Step(step) => json(step).into(),
            Self::Restored(restored) => json(restored).into(),
        }
    }

    fn decode(kind: u8, bytes: &[u8]) -> Result<Self, EntryError> {
        match kind {
            0 => read_json(bytes).map(Self::Genesis),
            EDIT | CLAIMING | RESTORING => {
                let (provenance, update) = read_edit(kind, bytes)?;
                Ok(Self::Edit { update, provenance })
            }
            2 => read_json(bytes).map(Self::Act),
            3 => read_json(bytes).map(Self::Event),
            4 => read_json(bytes).map(Self::Redaction),
            7 => read_json(bytes).map(Self::Version),
            8 => read_json(bytes).map(Self::Step),
            9 => read_json(bytes).map(Self::Restored),
            _ => Err(EntryError::Damaged("its kind is unknown")),
        }
    }
}

fn read_edit(kind: u8, bytes: &[u8]) -> Result<(Provenance, Vec<u8>), EntryError> {
    if kind == EDIT {
        return Ok((Provenance::default(), bytes.to_vec()));
    }
    let mut r = Reader::new(bytes);
    let restores = if kind == RESTORING { Some(Seq(r.var_u64()?)) } else { None };
    let claims = read_claims(&mut r);
    let claims = claims.map_err(|_| EntryError::Damaged("its claims are not readable"))?;
    Ok((Provenance { claims, restores }, r.take(r.remaining())?.to_vec()))
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("bodies are plain strings and numbers")
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, EntryError> {
    serde_json::from_slice(bytes).map_err(|_| EntryError::Damaged("its body is not readable"))
}

/// An immutable, numbered, attributed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: Seq,
    /// Milliseconds since the Unix epoch, never less than in the entry before.
    pub time: u64,
    pub actor: Actor,
    pub previous: Digest,
    pub salt: Salt,
    pub body: Body,
}

impl Entry {
    /// The hash that the next entry names as its `previous`.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash_of(&self.header())
    }

    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let is_blanked = matches!(self.body, Body::Blanked { .. });
        let mut out = vec![if is_blanked { BLANKED } else { FORMAT }];
        out.put_buf(&self.header());
        if !is_blanked {
            out.extend_from_slice(&self.salt);
        }
        out.put_buf(&self.body.encode());
        out
    }

    /// Reads an entry and verifies its body against its header. Of a blanked entry only its redaction
    /// can tell whether what stands there is right.
    ///
    /// # Errors
    /// When the format is unknown or any byte of it is not as it was written.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut r = Reader::new(bytes);
        let format = r.byte()?;
        if !matches!(format, FORMAT | BLANKED) {
            return Err(EntryError::Format(format));
        }
        let header_bytes = r.buf()?;
        let salt: Salt = if format == FORMAT { fixed(&mut r)? } else { Salt::default() };
        let body_bytes = r.buf()?;
        if !r.is_empty() {
            return Err(EntryError::Damaged("bytes follow it"));
        }
        let mut h = Reader::new(header_bytes);
        let seq = Seq(h.var_u64()?);
        let time = h.var_u64()?;
        let person = PersonId::new(h.string()?);
        let seat = seat_from(h.byte()?)?;
        let sector = sector_from(h.byte()?)?;
        let session = SessionId::new(h.string()?);
        let kind = h.byte()?;
        let hash: [u8; 32] = fixed(&mut h)?;
        let previous = Digest(fixed(&mut h)?);
        let body = if format == FORMAT {
            if hash != hash_body(&salt, body_bytes) {
                return Err(EntryError::Damaged("its body does not match its header"));
            }
            Body::decode(kind, body_bytes)?
        } else if matches!(kind, EDIT | CLAIMING | RESTORING) {
            let (provenance, replacement) = read_edit(kind, body_bytes)?;
            Body::Blanked { hash, replacement, provenance }
        } else {
            return Err(EntryError::Damaged("only an edit can be blanked"));
        };
        let entry = Self {
            seq,
            time,
            actor: Actor { person, seat, sector, session },
            previous,
            salt,
            body,
        };
        if entry.header() != header_bytes {
            return Err(EntryError::Damaged("it is not written the one way it can be"));
        }
        Ok(entry)
    }

    /// The salted hash of the body, or of the body there was.
    pub(super) fn body_hash(&self) -> [u8; 32] {
        match &self.body {
            Body::Blanked { hash, .. } => *hash,
            body => hash_body(&self.salt, &body.encode()),
        }
    }

    fn header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.put_var(self.seq.0);
        out.put_var(self.time);
        out.put_buf(self.actor.person.as_str().as_bytes());
        out.push(seat_byte(self.actor.seat));
        out.push(sector_byte(self.actor.sector));
        out.put_buf(self.actor.session.as_str().as_bytes());
        out.push(self.body.kind());
        out.extend_from_slice(&self.body_hash());
        out.extend_from_slice(&self.previous.0);
        out
    }
}

/// The hash of an entry, by its header.
pub(super) fn hash_of(header: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"accord entry 1");
    hasher.update(header);
    Digest(hasher.finalize().into())
}

/// An entry's bytes taken apart, as far as they can be put together again from fewer of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) seq: Seq,
    pub(super) time: u64,
    /// Person, seat, sector and session, as they are written.
    pub(super) actor: &'a [u8],
    pub(super) kind: u8,
    pub(super) previous: Digest,
    /// None for a blanked entry.
    pub(super) salt: Option<Salt>,
    pub(super) body: &'a [u8],
    pub(super) header: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes an entry apart; nothing when the bytes are none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let format = r.byte().ok()?;
        let header = r.buf().ok()?;
        let salt = match format {
            FORMAT => Some(fixed(&mut r).ok()?),
            BLANKED => None,
            _ => return None,
        };
        let body = r.buf().ok()?;
        let mut h = Reader::new(header);
        let (seq, time) = (Seq(h.var_u64().ok()?), h.var_u64().ok()?);
        let before = h.remaining();
        h.buf().ok()?;
        h.take(2).ok()?;
        h.buf().ok()?;
        let start = header.len() - before;
        let actor = &header[start..header.len() - h.remaining()];
        let kind = h.byte().ok()?;
        let _: [u8; 32] = fixed(&mut h).ok()?;
        let previous = Digest(fixed(&mut h).ok()?);
        Some(Self { seq, time, actor, kind, previous, salt, body, header })
    }

    /// Puts the entry together, and gives its hash. Only for one that is not blanked.
    pub(super) fn write(&self, seq: Seq, time: u64, previous: Digest) -> (Vec<u8>, Digest) {
        let salt = self.salt.unwrap_or_default();
        let mut header = Vec::with_capacity(128);
        header.put_var(seq.0);
        header.put_var(time);
        header.extend_from_slice(self.actor);
        header.push(self.kind);
        header.extend_from_slice(&hash_body(&salt, self.body));
        header.extend_from_slice(&previous.0);
        let mut out = vec![FORMAT];
        out.put_buf(&header);
        out.extend_from_slice(&salt);
        out.put_buf(self.body);
        (out, hash_of(&header))
    }

    /// The bytes that [`write`](Self::write) gives.
    pub(super) fn again(&self, seq: Seq, time: u64, previous: Digest) -> Vec<u8> {
        self.write(seq, time, previous).0
    }
}

fn hash_body(salt: &Salt, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(body);
    hasher.finalize().into()
}

fn fixed<const N: usize>(r: &mut Reader<'_>) -> Result<[u8; N], ReadError> {
    r.take(N)?.try_into().map_err(|_| ReadError::Truncated)
}

fn seat_byte(seat: Seat) -> u8 {
    match seat {
        Seat::Facilitator => 0,
        Seat::Author => 1,
        Seat::Adviser => 2,
        Seat::Observer => 3,
        Seat::Administrator => 4,
    }
}

fn seat_from(byte: u8) -> Result<Seat, EntryError> {
    Seat::ALL
        .into_iter()
        .find(|&seat| seat_byte(seat) == byte)
        .ok_or(EntryError::Damaged("its seat is unknown"))
}

fn sector_byte(sector: Sector) -> u8 {
    match sector {
        Sector::Government => 0,
        Sector::CivilSociety => 1,
        Sector::Other => 2,
        Sector::Adviser => 3,
    }
}

fn sector_from(byte: u8) -> Result<Sector, EntryError> {
    Sector::ALL
        .into_iter()
        .find(|&sector| sector_byte(sector) == byte)
        .ok_or(EntryError::Damaged("its sector is unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Claim, Id};

    fn entry() -> Entry {
        Entry {
            seq: Seq(3),
            time: 1_700_000_000_000,
            actor: Actor {
                person: PersonId::new("p1"),
                seat: Seat::Author,
                sector: Sector::CivilSociety,
                session: SessionId::new("s1"),
            },
            previous: Digest([7; 32]),
            salt: [9; 16],
            body: Body::Edit { update: vec![0, 0], provenance: Provenance::default() },
        }
    }

    #[test]
    fn an_entry_round_trips() {
        let id = |clock| Id { client: 7, clock };
        let claims = vec![Claim { new: id(9), old: id(3), len: 4 }];
        let (none, update) = (Vec::new(), vec![0, 0]);
        for (claims, restores) in [
            (none.clone(), None),
            (claims.clone(), None),
            (none, Some(Seq(300))),
            (claims, Some(Seq(2))),
        ] {
            let body =
                Body::Edit { update: update.clone(), provenance: Provenance { claims, restores } };
            let entry = Entry { body, ..entry() };
            assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }
    }

    #[test]
    fn a_blanked_entry_keeps_its_hash_and_not_its_body() {
        let whole = entry();
        let (hash, replacement, provenance) =
            (whole.body_hash(), vec![0, 1, 2], Provenance::default());
        let body = Body::Blanked { hash, replacement, provenance };
        let blanked = Entry { salt: [0; 16], body, ..whole.clone() };
        let read = Entry::decode(&blanked.encode()).unwrap();
        assert_eq!(read, blanked);
        assert_eq!(read.hash(), whole.hash());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (bytes, hash) = (entry().encode(), entry().hash());
        for at in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            // What still decodes is another entry, which the chain then refuses.
            let found = Entry::decode(&damaged).map_or(true, |entry| entry.hash() != hash);
            assert!(found, "bit {at}");
        }
    }
}
