//! Batches of a log, as they are stored in a segment.
//!
//! A batch is `previous:32 length:4 body`, in blocks. `previous` is the digest of the batch before. The digest of a
//! batch covers `previous`, so it covers all batches since the log began.

use super::block::{BLOCK_BYTES, Block, Place, blocks_for, is_zero, read, seal};
use super::error::LogError;
use super::segment::Used;
use sha2::{Digest as _, Sha256};

/// Number of bytes before the body.
pub(super) const HEAD_BYTES: usize = 36;

/// A place between two batches: behind the batch with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number of the batch before this place. The first batch of a log is number 1.
    pub(crate) batch: u64,
    /// The digest of that batch and of all before it (SHA-256). At the beginning of the log, all bytes are zero.
    pub(crate) digest: [u8; 32],
}

impl Position {
    /// The beginning of a new log.
    pub(crate) const START: Self = Self { batch: 0, digest: [0; 32] };

    /// Returns the place behind the next batch, which has the given body.
    pub(super) fn after(&self, body: &[u8]) -> Self {
        let batch = self.batch + 1;
        let mut hasher = Sha256::new();
        hasher.update(self.digest);
        hasher.update(batch.to_le_bytes());
        hasher.update(body);
        Self { batch, digest: hasher.finalize().into() }
    }
}

/// A batch that was read from a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The place behind the batch.
    pub(crate) position: Position,
    pub(crate) body: Vec<u8>,
}

/// Returns the number of bytes that a batch takes in a segment.
pub(super) fn stored_bytes(body: &[u8]) -> u64 {
    (blocks_for(HEAD_BYTES + body.len()) * BLOCK_BYTES) as u64
}

/// Returns the blocks of the batch that follows `before`.
pub(super) fn encode(epoch: u64, before: &Position, body: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(body.len()).ok()?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
    bytes.extend_from_slice(&before.digest);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(body);
    Some(seal(Place { epoch, batch: before.batch + 1, index: 0 }, &bytes))
}

/// The batches of one segment.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) batches: Vec<Batch>,
    /// The place of a batch that was not written to its end, if there is one. It was never acknowledged.
    pub(super) torn_at: Option<usize>,
}

/// Reads what a segment contains behind its header. `before` is the place behind the last batch of the segment before,
/// or `None` if this is the oldest segment of the log.
///
/// Only one batch is written at a time. So behind the last batch, each block is either zero or belongs to the one batch
/// that was being written. Everything else is damage.
///
/// # Errors
/// Returns an error if the segment is damaged. The error says where.
pub(super) fn contents(
    bytes: &[u8],
    used: Used,
    before: Option<Position>,
) -> Result<Contents, LogError> {
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_BYTES).collect();
    let mut contents = Contents { batches: Vec::new(), torn_at: None };
    let mut before = before;
    let mut at = 0;
    while at < blocks.len() {
        let number = used.first + contents.batches.len() as u64;
        let place = |index: usize| Place {
            epoch: used.epoch,
            batch: number,
            index: u32::try_from(index).unwrap_or(u32::MAX),
        };
        let damaged = |block: usize| {
            LogError::Damaged(format!("batch {number} is damaged (block {})", block + 1))
        };
        let Some(len) = whole_batch(&blocks[at..], place, |index| damaged(at + index))? else {
            if let Some(index) = torn_blocks(&blocks[at..], place, |index| damaged(at + index))? {
                contents.torn_at = Some((at + index) * BLOCK_BYTES);
            }
            break;
        };
        let count = blocks_for(HEAD_BYTES + len);
        let mut payload = Vec::with_capacity(HEAD_BYTES + len);
        for (index, block) in blocks[at..at + count].iter().enumerate() {
            if let Block::Written(bytes) = read(place(index), block) {
                payload.extend_from_slice(bytes);
            }
        }
        let position =
            before.unwrap_or_else(|| Position { batch: number - 1, digest: digest_of(&payload) });
        if position.digest != digest_of(&payload) {
            return Err(LogError::Damaged(format!(
                "batch {number} does not follow the one before"
            )));
        }
        let body = payload[HEAD_BYTES..HEAD_BYTES + len].to_vec();
        let position = position.after(&body);
        before = Some(position);
        contents.batches.push(Batch { position, body });
        at += count;
    }
    Ok(contents)
}

/// Returns the digest of the batch before, from the first bytes of a batch.
pub(super) fn digest_of(payload: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(&payload[..32]);
    digest
}

/// Returns the length of the body of the batch that begins with the first block. Returns `None` if the batch was not
/// written, or not to its end.
///
/// # Errors
/// Returns the error of `damaged` if a block is damaged, or if anything follows a batch that lacks its end.
fn whole_batch(
    blocks: &[&[u8]],
    place: impl Fn(usize) -> Place,
    damaged: impl Fn(usize) -> LogError,
) -> Result<Option<usize>, LogError> {
    let payload = match read(place(0), blocks[0]) {
        Block::Zero => return Ok(None),
        Block::Damaged => return Err(damaged(0)),
        Block::Written(payload) => payload,
    };
    let len: [u8; 4] = payload[32..HEAD_BYTES].try_into().map_err(|_| damaged(0))?;
    let len = u32::from_le_bytes(len) as usize;
    let count = blocks_for(HEAD_BYTES + len);
    if count > blocks.len() {
        return Err(damaged(0));
    }
    let mut is_whole = true;
    for (index, block) in blocks.iter().enumerate().take(count) {
        match read(place(index), block) {
            Block::Written(_) => {}
            Block::Zero => is_whole = false,
            Block::Damaged => return Err(damaged(index)),
        }
    }
    if !is_whole && blocks[count..].iter().any(|block| !is_zero(block)) {
        return Err(damaged(count));
    }
    Ok(is_whole.then_some(len))
}

/// Checks the blocks behind the last whole batch. Returns the number of the first block that is not zero, or `None` if
/// all of them are zero.
///
/// # Errors
/// Returns an error if one of them is neither zero nor a block of the batch that was being written.
fn torn_blocks(
    blocks: &[&[u8]],
    place: impl Fn(usize) -> Place,
    damaged: impl Fn(usize) -> LogError,
) -> Result<Option<usize>, LogError> {
    let mut first = None;
    for (index, block) in blocks.iter().enumerate() {
        match read(place(index), block) {
            Block::Zero => {}
            Block::Written(_) => first = first.or(Some(index)),
            Block::Damaged => return Err(damaged(index)),
        }
    }
    Ok(first)
}
