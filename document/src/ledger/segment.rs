//! Segments: settled entries of a ledger, packed together and compressed.
//!
//! A segment unpacks to the very bytes that were packed. What can be computed is not kept: the numbers, the
//! hash of each body, and the hash of the entry before, which make up most of an entry that holds one
//! keystroke. Salts are random and take most of what is left.
//!
//! Layout (integers are lib0 variable-length unless noted):
//!
//! ```text
//! segment = 1:u8 first_seq count previous:32 actors:buf salts:buf deflate(columns):rest
//! actors  = count (person:str seat:u8 sector:u8 session:str)*
//! columns = for each entry: way:u8, then
//!           packed: actor time_delta kind:u8 body:buf
//!           whole:  entry:buf
//! ```
//!
//! A blanked entry is kept whole: the hash of the body it had can't be computed any more. So is one that
//! would not come out the same.

use crate::ids::{Digest, Seq};
use crate::ledger::header::{Parts, hash_of};
use crate::lib0::{ReadError, Reader, Write};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::collections::HashMap;
use std::io::{Read, Write as _};
use thiserror::Error;

/// The segment format that this version writes.
const SEGMENT_FORMAT: u8 = 1;
/// The most entries in one segment.
pub const MAX_SEGMENT_ENTRIES: usize = 4096;
/// The most bytes that a segment unpacks to.
const MAX_UNPACKED_BYTES: u64 = 64 * 1024 * 1024;

const PACKED: u8 = 0;
const WHOLE: u8 = 1;

/// Why bytes are no segment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum SegmentError {
    #[error("a segment has format {0}, which this version does not know")]
    Format(u8),
    #[error("a segment is damaged: {0}")]
    Read(#[from] ReadError),
    #[error("a segment is damaged: {0}")]
    Damaged(&'static str),
}

/// Packs entries that follow each other, as they are stored.
///
/// # Errors
/// When they are no entries, or do not follow each other.
pub fn pack(entries: &[Vec<u8>]) -> Result<Vec<u8>, SegmentError> {
    let wrong = || SegmentError::Damaged("what is to be packed is no entry");
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
            return Err(SegmentError::Damaged("what is to be packed does not follow"));
        }
        let delta = parts.time.checked_sub(time);
        match (parts.salt, delta) {
            (Some(salt), Some(delta)) if parts.again(seq, time + delta, previous) == *bytes => {
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

/// The entries of a segment, as they were before they were packed.
///
/// # Errors
/// When the bytes are no segment, or any of them is not as it was written.
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
                let actor = actor.ok_or(SegmentError::Damaged("it names nobody"))?;
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
                let parts = parts.ok_or(SegmentError::Damaged("it holds what is no entry"))?;
                time = parts.time;
                previous = hash_of(parts.header);
                bytes.to_vec()
            }
            _ => return Err(SegmentError::Damaged("it holds what this version does not know")),
        };
        entries.push(bytes);
        seq = Seq(seq.0 + 1);
    }
    if entries.len() != count || !salts.is_empty() {
        return Err(SegmentError::Damaged("it holds more or less than it says"));
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

    /// A chain of entries of every kind that is packed.
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

    /// The hash of the last entry, if the entries form a chain.
    fn head(all: &[Vec<u8>]) -> Option<Digest> {
        all.iter().try_fold(Digest::ZERO, |previous, bytes| {
            let entry = Entry::decode(bytes).ok()?;
            (entry.previous == previous).then(|| entry.hash())
        })
    }

    /// Whatever is done to a segment, no panic, and no other entries under the same hashes.
    #[test]
    fn every_flipped_bit_is_an_error_or_breaks_the_chain() {
        // What stands in a blanked entry, only its redaction vouches for.
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
