//! Entries: the header, the body, and how both are encoded.
//!
//! The hash chain covers each header, and the header contains a salted hash of the body. A redaction can
//! therefore blank a body later without breaking the chain (`redaction.rs`). The salt prevents anybody from
//! finding a short body by hashing guesses.
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

use crate::body::{Body, Genesis};
use crate::ids::{Digest, PersonId, Seq, SessionId};
use crate::ledger::header::{
    BLANKED_FORMAT, ENTRY_FORMAT, EntryError, Salt, fixed, hash_body, hash_of, seat_byte,
    seat_from, sector_byte, sector_from,
};
use crate::lib0::{Reader, Write, buf_len};
use crate::people::Actor;

impl Genesis {
    /// Creates entry 0 of a ledger from this genesis. `time` is in milliseconds since the Unix epoch.
    #[must_use]
    pub fn entry(self, actor: Actor, time: u64, salt: Salt) -> Entry {
        let (seq, previous) = (Seq(0), Digest::ZERO);
        Entry { seq, time, actor, previous, salt, body: Body::Genesis(self) }
    }
}

/// An entry of a ledger: an immutable, numbered change with its actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry in its ledger.
    pub seq: Seq,
    /// The time of the entry, in milliseconds since the Unix epoch. It is never earlier than the time of the entry before.
    pub time: u64,
    /// The person who acted, with their seat, sector and session at that time.
    pub actor: Actor,
    /// The hash of the entry before, or [`Digest::ZERO`] in entry 0.
    pub previous: Digest,
    /// The salt of the body's hash. It is all zeros in a blanked entry.
    pub salt: Salt,
    /// The change that the entry makes.
    pub body: Body,
}

impl Entry {
    /// Returns the hash of the entry, which the next entry contains as its `previous`.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash_of(&self.header())
    }

    /// Encodes the entry as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let is_blanked = matches!(self.body, Body::Blanked { .. });
        let mut out = vec![if is_blanked { BLANKED_FORMAT } else { ENTRY_FORMAT }];
        out.put_buf(&self.header());
        if !is_blanked {
            out.extend_from_slice(&self.salt);
        }
        out.put_buf(&self.body.encode());
        out
    }

    /// Decodes an entry and checks that its body matches its header. The header of a blanked entry does not cover the
    /// replacement. Only the redaction that announced the replacement does.
    ///
    /// # Errors
    /// Returns an error if the format is unknown, or if the bytes are not exactly those that [`encode`](Self::encode) writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut r = Reader::new(bytes);
        let format = r.byte()?;
        if !matches!(format, ENTRY_FORMAT | BLANKED_FORMAT) {
            return Err(EntryError::Format(format));
        }
        let header_bytes = r.buf()?;
        let salt: Salt = if format == ENTRY_FORMAT { fixed(&mut r)? } else { Salt::default() };
        let body_bytes = r.buf()?;
        if !r.is_empty() {
            return Err(EntryError::Damaged("extra bytes follow it"));
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
        let body = if format == ENTRY_FORMAT {
            if hash != hash_body(&salt, body_bytes) {
                return Err(EntryError::Damaged("its body does not match its header"));
            }
            Body::decode(kind, body_bytes)?
        } else {
            Body::decode_blanked(kind, hash, body_bytes)?
        };
        let entry = Self {
            seq,
            time,
            actor: Actor { person, seat, sector, session },
            previous,
            salt,
            body,
        };
        // The hash covers the body, but not a blanked one. Neither does it cover the encoded lengths.
        let salt_len = if format == ENTRY_FORMAT { salt.len() } else { 0 };
        let encoded_len = 1 + buf_len(header_bytes) + salt_len + buf_len(body_bytes);
        if entry.header() != header_bytes
            || format == BLANKED_FORMAT && *entry.body.encode() != *body_bytes
            || encoded_len != bytes.len()
        {
            return Err(EntryError::Damaged("it is not in its canonical form"));
        }
        Ok(entry)
    }

    /// Returns the salted hash of the body. For a blanked entry, this is the hash of the original body.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Seat, Sector};
    use crate::update::Provenance;
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
    fn an_entry_has_one_encoding() {
        let whole = entry();
        let id = |clock| Id { client: 7, clock };
        let claims = vec![Claim { new: id(9), old: id(3), len: 4 }];
        let (hash, provenance) = (whole.body_hash(), Provenance { claims, restores: None });
        let body = Body::Blanked { hash, replacement: vec![0, 0], provenance };
        let blanked = Entry { salt: [0; 16], body, ..whole.clone() };
        let other = EntryError::Damaged("it is not in its canonical form");
        for entry in [whole, blanked.clone()] {
            // The length of the header takes a byte more than it needs.
            let mut bytes = entry.encode();
            bytes[1] |= 0x80;
            bytes.insert(2, 0);
            assert_eq!(Entry::decode(&bytes), Err(other.clone()));
        }
        // So does the number of claims, which no hash covers.
        let mut bytes = blanked.encode();
        let at = bytes.len() - blanked.body.encode().len();
        bytes[at - 1] += 1;
        bytes[at] |= 0x80;
        bytes.insert(at + 1, 0);
        assert_eq!(Entry::decode(&bytes), Err(other));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (bytes, hash) = (entry().encode(), entry().hash());
        for at in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            // Some damaged bytes decode to a different entry. Its hash differs, so the chain refuses it.
            let found = Entry::decode(&damaged).map_or(true, |entry| entry.hash() != hash);
            assert!(found, "bit {at}");
        }
    }
}
