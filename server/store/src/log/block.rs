//! The blocks of a log. A batch is written as whole blocks, and each block has a checksum of its own.
//!
//! A disk writes each sector as a whole or not at all. After a loss of power, each block of the batch that was being
//! written is therefore either complete or still zero. A block that is neither was damaged later.

/// Size of a block in bytes: the smallest sector of disks.
pub(super) const BLOCK_BYTES: usize = 512;
const CHECKSUM_BYTES: usize = 4;
/// Number of bytes of a block that are not its checksum.
pub(super) const PAYLOAD_BYTES: usize = BLOCK_BYTES - CHECKSUM_BYTES;

/// The place for which a block was written. It is part of the checksum, so that a block is valid in no other place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The epoch of the segment.
    pub(super) epoch: u64,
    /// The number of the batch.
    pub(super) batch: u64,
    /// The number of the block within its batch, from 0.
    pub(super) index: u32,
}

impl Place {
    fn checksum(self, payload: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.epoch.to_le_bytes());
        hasher.update(&self.batch.to_le_bytes());
        hasher.update(&self.index.to_le_bytes());
        hasher.update(payload);
        // No written block has the checksum 0, so a block of zeroes was never written.
        hasher.finalize().max(1)
    }
}

/// What is stored in a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block<'b> {
    /// The block has not been written: all of its bytes are zero.
    Zero,
    /// The block was written for the expected place. Its payload follows.
    Written(&'b [u8]),
    /// The block is neither zero nor what was written for the expected place.
    Damaged,
}

/// Returns the number of blocks that hold `len` bytes.
pub(super) fn blocks_for(len: usize) -> usize {
    len.div_ceil(PAYLOAD_BYTES)
}

/// Returns bytes as blocks, the first of them at `first`. The rest of the last block is zero.
pub(super) fn seal(first: Place, bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(blocks_for(bytes.len()) * BLOCK_BYTES);
    for (chunk, index) in bytes.chunks(PAYLOAD_BYTES).zip(first.index..) {
        let start = sealed.len();
        sealed.resize(start + CHECKSUM_BYTES, 0);
        sealed.extend_from_slice(chunk);
        sealed.resize(start + BLOCK_BYTES, 0);
        let checksum = Place { index, ..first }.checksum(&sealed[start + CHECKSUM_BYTES..]);
        sealed[start..start + CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
    }
    sealed
}

/// Reads a block of [`BLOCK_BYTES`] bytes that belongs at `place`.
pub(super) fn read(place: Place, block: &[u8]) -> Block<'_> {
    if is_zero(block) {
        return Block::Zero;
    }
    let (checksum, payload) = block.split_at(CHECKSUM_BYTES);
    if place.checksum(payload).to_le_bytes() == checksum {
        Block::Written(payload)
    } else {
        Block::Damaged
    }
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}
