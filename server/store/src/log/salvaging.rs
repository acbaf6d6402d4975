//! Reads what is left of a damaged log, for a salvage. It changes nothing, and reports damage in sentences.
//!
//! Each block has a checksum over its place. So whole batches can be found behind damage: the epoch is in the header of
//! their segment, and their numbers grow by one.

use super::batch::{Batch, HEAD_BYTES, Position, digest_of};
use super::block::{BLOCK_BYTES, Block, Place, blocks_for, is_zero, read};
use super::segment::{Header, Used};
use super::{EXTENSION, SEGMENT_BYTES};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum number of checksums that are compared to find batches in one segment. It bounds the time for a segment of
/// noise to about a second.
const MAX_CHECKSUMS: usize = 4_000_000;
/// Number of epochs before the last one that are tried for a segment whose header is damaged.
const EPOCHS_TRIED: u64 = 8;
/// Number of batches on either side of a known one that are tried for such a segment: as many as fit into a segment.
const BATCHES_TRIED: u64 = SEGMENT_BYTES / BLOCK_BYTES as u64;

/// What other files say about a log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints {
    /// The place up to which the batches are also stored elsewhere, and the epoch of the last opening. Both come from
    /// the witness.
    pub(crate) settled: Option<(Position, u64)>,
    /// A place that the log has reached.
    pub(crate) noted: Option<Position>,
}

/// What is left of a log.
#[derive(Debug, Default)]
pub(crate) struct Salvaged {
    /// The whole batches in order. Batches between them can be missing.
    pub(crate) batches: Vec<Batch>,
    /// One sentence for each damage by which something is lost, or can be.
    pub(crate) damage: Vec<String>,
}

/// The whole batches of one segment.
#[derive(Debug)]
struct Found {
    used: Used,
    /// Each batch with the digest of the batch before.
    batches: Vec<([u8; 32], Batch)>,
    /// The highest number that a lost batch of the segment can have, if any is lost.
    lost_upto: Option<u64>,
}

/// A segment whose file could be read.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    /// The bytes behind the header.
    bytes: Vec<u8>,
    /// What the header says, or `None` if the header is damaged.
    used: Option<Used>,
    /// Whether a part of the file is missing.
    is_cut: bool,
}

/// Reads the whole batches of a log in a folder. The folder can be missing.
pub(crate) fn salvage(dir: &Path, hints: Hints) -> Salvaged {
    let mut salvaged = Salvaged::default();
    let parts = read_parts(dir, &mut salvaged.damage);
    let mut found: Vec<Found> = Vec::new();
    for part in &parts {
        if let Some(used) = part.used {
            let mut left = MAX_CHECKSUMS;
            found.push(whole_batches(&part.blocks(), used, part.is_cut, &mut left));
        }
    }
    for part in parts.iter().filter(|part| part.used.is_none()) {
        match without_header(part, hints, &found) {
            Some(read) => found.push(read),
            None => salvaged.damage.push(format!(
                "{} does not begin as a log does, and no batch is found in it",
                part.path.display()
            )),
        }
    }
    // An older epoch comes first, so that a newer one replaces it.
    found.sort_by_key(|found| (found.used.first, found.used.epoch));
    let lost_upto = found.last().and_then(|newest| newest.lost_upto);
    let all: BTreeMap<u64, ([u8; 32], Batch)> = found
        .into_iter()
        .flat_map(|found| found.batches)
        .map(|(before, batch)| (batch.position.batch, (before, batch)))
        .collect();
    if hints.settled.is_some_and(|(settled, _)| !belongs_to(&all, settled)) {
        let what = "the log does not belong to the witness: nothing of it is used";
        salvaged.damage.push(what.into());
        return salvaged;
    }
    salvaged.damage.extend(gaps(&all, lost_upto, hints));
    salvaged.batches = all.into_values().map(|(_, batch)| batch).collect();
    salvaged
}

/// Reads the files of the segments that are in use. A free segment has no content that counts.
fn read_parts(dir: &Path, damage: &mut Vec<String>) -> Vec<Part> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                damage.push(format!("{} can't be read: {error}", path.display()));
                continue;
            }
        };
        let header = bytes.get(..BLOCK_BYTES).and_then(Header::decode);
        let file_bytes = header.map_or(SEGMENT_BYTES, |header| header.file_bytes);
        let is_cut = (bytes.len() as u64) < file_bytes;
        bytes.drain(..BLOCK_BYTES.min(bytes.len()));
        let used = header.and_then(|header| header.used);
        let is_free = if header.is_some() { used.is_none() } else { !is_cut && is_zero(&bytes) };
        if !is_free {
            parts.push(Part { path, bytes, used, is_cut });
        }
    }
    parts.sort_by(|one, other| one.path.cmp(&other.path));
    parts
}

impl Part {
    fn blocks(&self) -> Vec<&[u8]> {
        self.bytes.chunks_exact(BLOCK_BYTES).collect()
    }
}

/// Reads a segment whose header is damaged. Returns `None` if no batch is found.
///
/// The segment can be one that was marked as free, and was about to be filled with zeroes. Only the witness shows then
/// what was redacted, so nothing is read without it.
fn without_header(part: &Part, hints: Hints, others: &[Found]) -> Option<Found> {
    let (settled, last_epoch) = hints.settled?;
    let mut epochs: BTreeSet<u64> = others.iter().map(|found| found.used.epoch).collect();
    epochs.extend(last_epoch.saturating_sub(EPOCHS_TRIED)..=last_epoch);
    let mut known = vec![settled.batch];
    known.extend(hints.noted.map(|noted| noted.batch));
    for found in others {
        let ends = [found.batches.first(), found.batches.last()].into_iter().flatten();
        known.extend(ends.map(|(_, batch)| batch.position.batch));
    }
    let around = |known: u64| known.saturating_sub(BATCHES_TRIED).max(1)..=known + BATCHES_TRIED;
    let numbers: BTreeSet<u64> = known.into_iter().flat_map(around).collect();
    let blocks = part.blocks();
    let mut left = MAX_CHECKSUMS;
    for at in 0..blocks.len() {
        if !can_begin(&blocks[at..]) {
            continue;
        }
        for &epoch in &epochs {
            for &first in &numbers {
                left = left.checked_sub(1)?;
                let place = Place { epoch, batch: first, index: 0 };
                if matches!(read(place, blocks[at]), Block::Written(_)) {
                    let used = Used { epoch, first };
                    return Some(whole_batches(&blocks[at..], used, part.is_cut, &mut left));
                }
            }
        }
    }
    None
}

/// What is found at a place at which a batch can begin.
enum Look {
    /// A whole batch of so many blocks, with the digest of the batch before.
    Whole(usize, [u8; 32], Vec<u8>),
    /// A batch of so many blocks, some of which are not whole.
    Broken { blocks: usize, is_damaged: bool },
    /// Something else.
    Other,
}

/// Reads all whole batches of a segment. `left` is the number of checksums that can be compared to find batches behind
/// damage.
fn whole_batches(blocks: &[&[u8]], used: Used, is_cut: bool, left: &mut usize) -> Found {
    let mut found = Found { used, batches: Vec::new(), lost_upto: None };
    let (mut at, mut number) = (0, used.first);
    while at < blocks.len() {
        match look(&blocks[at..], used.epoch, number) {
            Look::Whole(count, before, body) => {
                let position = Position { batch: number - 1, digest: before }.after(&body);
                found.batches.push((before, Batch { position, body }));
                at += count;
            }
            Look::Broken { blocks: count, is_damaged } => {
                let is_torn =
                    !is_damaged && blocks[at + count..].iter().all(|block| is_zero(block));
                if !is_torn {
                    found.lost_upto = Some(number);
                }
                at += count;
            }
            Look::Other => {
                let lost = lost_blocks(&blocks[at..], used.epoch, number);
                if lost == 0 {
                    break;
                }
                let next = next_batch(&blocks[at..], used.epoch, number, left);
                let Some((behind, next)) = next else {
                    found.lost_upto = Some(number + lost - 1);
                    break;
                };
                at += behind;
                number = next;
                continue;
            }
        }
        number += 1;
    }
    if is_cut {
        found.lost_upto = Some(u64::MAX);
    }
    found
}

/// Returns the number of blocks that hold something lost: those that are not zero, unless all of them belong to the one
/// batch that was being written.
fn lost_blocks(blocks: &[&[u8]], epoch: u64, batch: u64) -> u64 {
    let mut is_torn = true;
    let mut count = 0;
    for (block, index) in blocks.iter().zip(0..) {
        match read(Place { epoch, batch, index }, block) {
            Block::Zero => {}
            Block::Written(_) => count += 1,
            Block::Damaged => {
                is_torn = false;
                count += 1;
            }
        }
    }
    if is_torn { 0 } else { count }
}

/// Looks for a batch with this number that begins with the first block.
fn look(blocks: &[&[u8]], epoch: u64, batch: u64) -> Look {
    let Block::Written(head) = read(Place { epoch, batch, index: 0 }, blocks[0]) else {
        return Look::Other;
    };
    let len = length_of(head);
    let count = blocks_for(HEAD_BYTES + len);
    let mut payload = Vec::new();
    let (mut is_whole, mut is_damaged) = (count <= blocks.len(), count > blocks.len());
    let count = count.min(blocks.len());
    for (block, index) in blocks[..count].iter().zip(0..) {
        match read(Place { epoch, batch, index }, block) {
            Block::Written(bytes) => payload.extend_from_slice(bytes),
            Block::Zero => is_whole = false,
            Block::Damaged => (is_whole, is_damaged) = (false, true),
        }
    }
    if !is_whole {
        return Look::Broken { blocks: count, is_damaged };
    }
    Look::Whole(count, digest_of(&payload), payload[HEAD_BYTES..HEAD_BYTES + len].to_vec())
}

/// Looks for the next batch behind a place at which the batch `number` should begin. Returns the number of blocks to
/// skip, and the number of the batch. Each batch takes at least one block, so few numbers are possible at each block.
fn next_batch(blocks: &[&[u8]], epoch: u64, number: u64, left: &mut usize) -> Option<(usize, u64)> {
    for at in 1..blocks.len() {
        if !can_begin(&blocks[at..]) {
            continue;
        }
        for batch in number + 1..=number + at as u64 {
            *left = left.checked_sub(1)?;
            let place = Place { epoch, batch, index: 0 };
            if matches!(read(place, blocks[at]), Block::Written(_)) {
                return Some((at, batch));
            }
        }
    }
    None
}

/// Whether the first block can be the first one of a batch that fits.
fn can_begin(blocks: &[&[u8]]) -> bool {
    let len = length_of(&blocks[0][BLOCK_BYTES - super::block::PAYLOAD_BYTES..]);
    !is_zero(blocks[0]) && blocks_for(HEAD_BYTES + len) <= blocks.len()
}

/// Returns the length of the body of a batch, from the payload of its first block.
fn length_of(payload: &[u8]) -> usize {
    let mut len = [0; 4];
    len.copy_from_slice(&payload[HEAD_BYTES - 4..HEAD_BYTES]);
    u32::from_le_bytes(len) as usize
}

/// Whether batches continue or contain the place that was settled.
fn belongs_to(all: &BTreeMap<u64, ([u8; 32], Batch)>, settled: Position) -> bool {
    let same = all.get(&settled.batch).is_none_or(|(_, batch)| batch.position == settled);
    let next = all.get(&(settled.batch + 1)).is_none_or(|(before, _)| *before == settled.digest);
    same && next
}

/// Returns a sentence for each gap between the batches that must be there.
fn gaps(
    all: &BTreeMap<u64, ([u8; 32], Batch)>,
    lost_upto: Option<u64>,
    hints: Hints,
) -> Vec<String> {
    let mut sentences = Vec::new();
    let settled = hints.settled.map(|(settled, _)| settled.batch);
    let first = settled.or_else(|| all.keys().next().map(|first| first - 1)).unwrap_or(0);
    let mut before = first;
    let last = all.keys().next_back().copied().unwrap_or(first).max(first);
    let noted = hints.noted.map_or(0, |noted| noted.batch);
    let present = all.range(first + 1..).map(|(number, _)| *number);
    for number in present.chain((noted > last).then_some(noted + 1)) {
        match number - before {
            1 => {}
            2 => sentences.push(format!("batch {} of the log is lost", before + 1)),
            _ => {
                let upto = number - 1;
                sentences.push(format!("batches {} to {upto} of the log are lost", before + 1));
            }
        }
        before = number;
    }
    if lost_upto.is_some_and(|lost| lost > last.max(noted)) {
        let last = last.max(noted);
        sentences.push(format!(
            "the log is damaged behind batch {last}: what was committed later is lost, if there was anything"
        ));
    }
    for ((_, one), (number, (before, _))) in all.values().zip(all.iter().skip(1)) {
        if one.position.batch + 1 == *number && *before != one.position.digest {
            sentences.push(format!("batch {number} of the log does not follow the one before"));
        }
    }
    sentences
}
