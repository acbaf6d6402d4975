//! The encoded header of an entry: how the hash of the entry is computed from the header, and how an encoded entry is
//! split into parts and encoded again.

use crate::body::BodyError;
use crate::ids::{Digest, Seq};
use crate::lib0::{ReadError, Reader, Write};
use crate::people::{Seat, Sector};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The entry format that this version writes.
pub const ENTRY_FORMAT: u8 = 1;

/// The format of an entry whose body was blanked.
pub(super) const BLANKED_FORMAT: u8 = 2;

/// The random bytes that are hashed together with an entry's body.
pub type Salt = [u8; 16];

/// The reason why bytes can't be decoded as an entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// The format is unknown, because a newer version wrote the entry.
    #[error("an entry has format {0}, which this version does not know")]
    Format(u8),
    /// A value is truncated or out of range.
    #[error("an entry is damaged: {0}")]
    Read(#[from] ReadError),
    /// The body can't be decoded.
    #[error("an entry is damaged: {0}")]
    Body(#[from] BodyError),
    /// The header and the body do not match, or the bytes are not the canonical encoding of an entry.
    #[error("an entry is damaged: {0}")]
    Damaged(&'static str),
}

/// Returns the hash of an entry, which is computed from its encoded header.
pub(super) fn hash_of(header: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"accord entry 1");
    hasher.update(header);
    Digest(hasher.finalize().into())
}

/// The parts of an encoded entry. An entry that is not blanked can be encoded again from these parts: the hash of its
/// body is computed from the salt and the body, so a segment does not store it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) seq: Seq,
    pub(super) time: u64,
    /// The encoded person, seat, sector and session.
    pub(super) actor: &'a [u8],
    pub(super) kind: u8,
    pub(super) previous: Digest,
    /// The salt of the body's hash, or `None` for a blanked entry.
    pub(super) salt: Option<Salt>,
    pub(super) body: &'a [u8],
    pub(super) header: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Splits an encoded entry into its parts, or returns `None` if the bytes are not an entry.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let format = r.byte().ok()?;
        let header = r.buf().ok()?;
        let salt = match format {
            ENTRY_FORMAT => Some(fixed(&mut r).ok()?),
            BLANKED_FORMAT => None,
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

    /// Encodes the entry with the given number, time and previous hash instead of its own. Returns the bytes and the
    /// hash of the encoded entry. The entry must not be blanked.
    pub(super) fn write(&self, seq: Seq, time: u64, previous: Digest) -> (Vec<u8>, Digest) {
        let salt = self.salt.unwrap_or_default();
        let mut header = Vec::with_capacity(128);
        header.put_var(seq.0);
        header.put_var(time);
        header.extend_from_slice(self.actor);
        header.push(self.kind);
        header.extend_from_slice(&hash_body(&salt, self.body));
        header.extend_from_slice(&previous.0);
        let mut out = vec![ENTRY_FORMAT];
        out.put_buf(&header);
        out.extend_from_slice(&salt);
        out.put_buf(self.body);
        (out, hash_of(&header))
    }

    /// Returns the bytes that [`write`](Self::write) returns, without the hash.
    pub(super) fn encoded(&self, seq: Seq, time: u64, previous: Digest) -> Vec<u8> {
        self.write(seq, time, previous).0
    }
}

pub(super) fn hash_body(salt: &Salt, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(body);
    hasher.finalize().into()
}

pub(super) fn fixed<const N: usize>(r: &mut Reader<'_>) -> Result<[u8; N], ReadError> {
    r.take(N)?.try_into().map_err(|_| ReadError::Truncated)
}

pub(super) fn seat_byte(seat: Seat) -> u8 {
    match seat {
        Seat::Facilitator => 0,
        Seat::Author => 1,
        Seat::Adviser => 2,
        Seat::Observer => 3,
        Seat::Administrator => 4,
    }
}

pub(super) fn seat_from(byte: u8) -> Result<Seat, EntryError> {
    Seat::ALL
        .into_iter()
        .find(|&seat| seat_byte(seat) == byte)
        .ok_or(EntryError::Damaged("its seat is unknown"))
}

pub(super) fn sector_byte(sector: Sector) -> u8 {
    match sector {
        Sector::Government => 0,
        Sector::CivilSociety => 1,
        Sector::Other => 2,
        Sector::Adviser => 3,
    }
}

pub(super) fn sector_from(byte: u8) -> Result<Sector, EntryError> {
    Sector::ALL
        .into_iter()
        .find(|&sector| sector_byte(sector) == byte)
        .ok_or(EntryError::Damaged("its sector is unknown"))
}
