//! Segments: many old entries of a ledger, packed together and compressed.
//!
//! Unpacking a segment returns exactly the bytes that were packed. A segment leaves out the values that can be
//! computed: the numbers, the hash of each body, and the hash of the entry before. These values make up most of an
//! entry that records one keystroke. Salts are random and are the largest part of the rest.
//!
//! Layout (integers are lib0 variable-length unless noted):
//!
//! ```text
//! segment = 1:u8 first_seq count previous:32 actors:buf salts:buf deflate(columns):rest
//! actors  = count (actor:buf)*
//! actor   = person:str seat:u8 sector:u8 session:str
//! columns = for each entry: way:u8, then
//!           packed: actor time_delta kind:u8 body:buf
//!           whole:  entry:buf
//! ```
//!
//! `way` is 0 for a packed entry, and 1 for an entry that is stored whole. A blanked entry is stored whole, because the hash of
//! its original body can't be computed any more. An entry is also stored whole if packing and unpacking would change its bytes.

use crate::ids::{Digest, Seq};
use crate::ledger::header::{Parts, hash_of};
use crate::lib0::{ReadError, Reader, Write};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::collections::HashMap;
use std::io::{Read, Write as _};
use thiserror::Error;

/// The segment format that this version reads and writes.
const SEGMENT_FORMAT: u8 = 1;
/// Maximum number of entries in one segment.
pub const MAX_SEGMENT_ENTRIES: usize = 4096;
/// Maximum size of a segment's decompressed columns, in bytes.
const MAX_UNPACKED_BYTES: u64 = 64 * 1024 * 1024;

const PACKED: u8 = 0;
const WHOLE: u8 = 1;

/// The reason why bytes can't be decoded as a segment, or why entries can't be packed into one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum SegmentError {
    #[error("a segment has format {0}, which this version does not know")]
    Format(u8),
    #[error("a segment is damaged: {0}")]
    Read(#[from] ReadError),
    #[error("a segment is damaged: {0}")]
    Damaged(&'static str),
}

/// Packs consecutive entries, given as they are stored, into one segment.
///
/// # Errors
/// Returns an error if `entries` is empty, if an item is not an encoded entry, or if an entry does not follow from the one
/// before it.
pub fn pack(entries: &[Vec<u8>]) -> Result<Vec<u8>, SegmentError> {
    let wrong = || SegmentError::Damaged("an item to be packed is not an entry");
    let first = Parts::read(entries.first().ok_or_else(wrong)?).ok_or_else(wrong)?;
    let mut actors: Vec<&[u8]> = Vec::new();
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let mut salts = Vec::with_capacity(entries.len() * 16);
    let mut columns = Vec::new();
    let mut expected = (first.seq, first.previous, 0u64);
    for bytes in entries {
        let parts = Parts::read(bytes).ok_or_else(wrong)?;
        let (seq, previous, time) = expected;
        if parts.seq != seq || parts.previous != previous {
            return Err(SegmentError::Damaged(
                "an entry to be packed does not follow the one before it",
            ));
        }
        let delta = parts.time.checked_sub(time);
        match (parts.salt, delta) {
            (Some(salt), Some(delta)) if parts.encoded(seq, time + delta, previous) == *bytes => {
                let actor = *known.entry(parts.actor).or_insert_with(|| {
                    actors.push(parts.actor);
                    actors.len() - 1
                });
                columns.push(PACKED);
                columns.put_var(actor as u64);
                columns.put_var(delta);
                columns.push(parts.kind);
                columns.put_buf(parts.body);
                salts.extend_from_slice(&salt);
            }
            _ => {
                columns.push(WHOLE);
                columns.put_buf(bytes);
            }
        }
        expected = (Seq(seq.0 + 1), hash_of(parts.header), parts.time);
    }
    let mut out = vec![SEGMENT_FORMAT];
    out.put_var(first.seq.0);
    out.put_var(entries.len() as u64);
    out.extend_from_slice(&first.previous.0);
    let mut table = Vec::new();
    table.put_var(actors.len() as u64);
    actors.iter().for_each(|actor| table.put_buf(actor));
    out.put_buf(&table);
    out.put_buf(&salts);
    let mut encoder = DeflateEncoder::new(out, Compression::best());
    encoder.write_all(&columns).and_then(|()| encoder.finish()).map_err(|_| wrong())
}

/// Returns the entries of a segment, as they were before they were packed.
///
/// # Errors
/// Returns an error if the bytes are not a segment, or if they are damaged. Some damage goes unnoticed here and is found
/// later, when the hash chain is checked.
pub fn unpack(segment: &[u8]) -> Result<Vec<Vec<u8>>, SegmentError> {
    let mut r = Reader::new(segment);
    match r.byte()? {
        SEGMENT_FORMAT => {}
        other => return Err(SegmentError::Format(other)),
    }
    let mut seq = Seq(r.var_u64()?);
    let count = usize::try_from(r.var_u64()?).map_err(|_| ReadError::Overflow)?;
    let hash: [u8; 32] = r.take(32)?.try_into().map_err(|_| ReadError::Truncated)?;
    let mut previous = Digest(hash);
    let mut table = Reader::new(r.buf()?);
    let mut actors = Vec::new();
    for _ in 0..table.count()? {
        actors.push(table.buf()?);
    }
    let mut salts = Reader::new(r.buf()?);
    let mut columns = Vec::new();
    let inflated = DeflateDecoder::new(r.take(r.remaining())?)
        .take(MAX_UNPACKED_BYTES)
        .read_to_end(&mut columns);
    inflated.map_err(|_| SegmentError::Damaged("it can't be decompressed"))?;
    let mut c = Reader::new(&columns);
    let mut entries = Vec::new();
    let mut time = 0u64;
    while !c.is_empty() {
        let bytes = match c.byte()? {
            PACKED => {
                let actor = usize::try_from(c.var_u64()?).ok().and_then(|n| actors.get(n));
                let actor =
                    actor.ok_or(SegmentError::Damaged("it does not say who made an entry"))?;
                time = time.checked_add(c.var_u64()?).ok_or(ReadError::Overflow)?;
                let kind = c.byte()?;
                let salt = salts.take(16)?.try_into().map_err(|_| ReadError::Truncated)?;
                let body = c.buf()?;
                let parts =
                    Parts { seq, time, actor, kind, previous, salt: Some(salt), body, header: &[] };
                let (bytes, hash) = parts.write(seq, time, previous);
                previous = hash;
                bytes
            }
            WHOLE => {
                let bytes = c.buf()?;
                let parts = Parts::read(bytes);
                let parts = parts
                    .ok_or(SegmentError::Damaged("it contains something that is not an entry"))?;
                time = parts.time;
                previous = hash_of(parts.header);
                bytes.to_vec()
            }
            _ => {
                return Err(SegmentError::Damaged(
                    "it contains something that this version does not know",
                ));
            }
        };
        entries.push(bytes);
        seq = Seq(seq.0 + 1);
    }
    if entries.len() != count || !salts.is_empty() {
        return Err(SegmentError::Damaged("it contains more or less than it says"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Body, Genesis};
    use crate::ids::{LineageId, PersonId, SessionId};
    use crate::ledger::{Entry, RULES};
    use crate::people::{Actor, Seat, Sector};
    use crate::update::Provenance;

    /// Returns a chain of `count` encoded entries, of which every seventh is blanked if `may_blank` is set.
    fn entries(count: u64, may_blank: bool) -> Vec<Vec<u8>> {
        let actor = |person: &str| Actor {
            person: PersonId::new(person),
            seat: Seat::Author,
            sector: Sector::CivilSociety,
            session: SessionId::new("session"),
        };
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: "s".into(),
            language: "en".into(),
            rules: RULES,
        };
        let mut last = genesis.entry(actor("ana"), 1_700_000_000_000, [3; 16]);
        let mut all = vec![last.encode()];
        for n in 1..count {
            let update = vec![n as u8; (n % 50) as usize];
            let body = if may_blank && n % 7 == 3 {
                let provenance = Provenance::default();
                Body::Blanked { hash: [n as u8; 32], replacement: update, provenance }
            } else {
                Body::Edit { update, provenance: Provenance::default() }
            };
            let blanked = matches!(body, Body::Blanked { .. });
            last = Entry {
                seq: Seq(n),
                time: last.time + n * 100,
                actor: actor(if n % 3 == 0 { "ben" } else { "ana" }),
                previous: last.hash(),
                salt: if blanked { [0; 16] } else { [n as u8; 16] },
                body,
            };
            all.push(last.encode());
        }
        all
    }

    #[test]
    fn a_segment_unpacks_to_the_very_bytes() {
        let all = entries(300, true);
        for range in [0..1, 0..300, 17..18, 100..250] {
            let part = &all[range];
            let packed = pack(part).unwrap();
            assert_eq!(unpack(&packed).unwrap(), part);
        }
        let whole: usize = all.iter().map(Vec::len).sum();
        assert!(pack(&all).unwrap().len() * 2 < whole, "it is much smaller");
    }

    #[test]
    fn what_does_not_follow_is_not_packed() {
        let mut all = entries(10, true);
        all.swap(4, 5);
        assert!(pack(&all).is_err());
        assert!(pack(&[]).is_err());
        assert!(pack(&[vec![1, 2, 3]]).is_err());
    }

    /// Returns the hash of the last entry, or `None` if the entries do not form a chain.
    fn head(all: &[Vec<u8>]) -> Option<Digest> {
        all.iter().try_fold(Digest::ZERO, |previous, bytes| {
            let entry = Entry::decode(bytes).ok()?;
            (entry.previous == previous).then(|| entry.hash())
        })
    }

    /// A segment with one flipped bit never causes a panic, and never unpacks to different entries with the same head.
    #[test]
    fn every_flipped_bit_is_an_error_or_breaks_the_chain() {
        // The test uses no blanked entries, because the chain does not cover their replacements: only a redaction does.
        let all = entries(20, false);
        let packed = pack(&all).unwrap();
        for at in 0..packed.len() * 8 {
            let mut damaged = packed.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            let Ok(read) = unpack(&damaged) else { continue };
            assert!(read == all || head(&read) != head(&all), "bit {at}");
        }
    }
}
