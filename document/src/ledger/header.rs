//! The header of an entry, as bytes: its hash, and how an entry is taken apart and put together again.

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

/// Random bytes mixed into a body's hash.
pub type Salt = [u8; 16];

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// A newer version wrote it.
    #[error("an entry has format {0}, which this version does not know")]
    Format(u8),
    /// A value is cut short or out of range.
    #[error("an entry is damaged: {0}")]
    Read(#[from] ReadError),
    /// The body can't be read.
    #[error("an entry is damaged: {0}")]
    Body(#[from] BodyError),
    /// The header and the body do not belong together, or are not written the one way they can be.
    #[error("an entry is damaged: {0}")]
    Damaged(&'static str),
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
        let mut out = vec![ENTRY_FORMAT];
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
