//! The files of a log. A segment is a file of a fixed size (`SEGMENT_BYTES` in `mod.rs`) that was filled with zeroes before its first use. So writing
//! a batch never changes the size or the blocks of the file, and one `fdatasync` makes the batch durable.

use super::block::{BLOCK_BYTES, Block, PAYLOAD_BYTES, Place, read, seal};
use super::error::LogError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The place of a segment's first block, which is its header. No block of a batch has such a number.
const HEADER: Place = Place { epoch: 0, batch: 0, index: u32::MAX - 1 };
const MAGIC: &[u8; 11] = b"accord log\x01";
/// Number of zeroes that are written at once.
const ZEROES_AT_ONCE: usize = 64 * 1024;

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Size of the whole file in bytes.
    pub(super) file_bytes: u64,
    /// What the segment contains, or `None` if it is free.
    pub(super) used: Option<Used>,
}

/// What a segment that is in use contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    /// The epoch of all batches in the segment: the number of the opening of the log that wrote them.
    pub(super) epoch: u64,
    /// The number of the first batch.
    pub(super) first: u64,
}

impl Header {
    fn encode(self) -> Vec<u8> {
        let used = self.used.unwrap_or(Used { epoch: 0, first: 0 });
        let mut payload = MAGIC.to_vec();
        payload.push(u8::from(self.used.is_some()));
        for number in [self.file_bytes, used.epoch, used.first] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        payload.resize(PAYLOAD_BYTES, 0);
        seal(HEADER, &payload)
    }

    pub(super) fn decode(block: &[u8]) -> Option<Self> {
        let Block::Written(payload) = read(HEADER, block) else { return None };
        let rest = payload.strip_prefix(MAGIC)?;
        let (&is_used, rest) = rest.split_first()?;
        let (file_bytes, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (first, _) = rest.split_first_chunk()?;
        let used = Used { epoch: u64::from_le_bytes(*epoch), first: u64::from_le_bytes(*first) };
        let used = (is_used == 1).then_some(used);
        Some(Self { file_bytes: u64::from_le_bytes(*file_bytes), used })
    }
}

/// A segment of a log.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    file_bytes: u64,
    /// The place in the file at which the next batch begins.
    end: u64,
    /// The number of the last batch in the segment. While the segment is empty, the number before that of its first batch.
    pub(super) last: u64,
}

impl Segment {
    /// Creates a free segment. When this returns, the file is on disk.
    pub(super) fn create(path: PathBuf, file_bytes: u64) -> io::Result<Self> {
        let making = path.with_extension("making");
        let made = File::create(&making).and_then(|mut file| {
            file.write_all(&Header { file_bytes, used: None }.encode())?;
            write_zeroes(&file, BLOCK_BYTES as u64, file_bytes)?;
            file.sync_all()
        });
        if let Err(error) = made {
            // On a full disk, the unfinished file would take the rest of the space.
            drop(fs::remove_file(&making));
            return Err(error);
        }
        fs::rename(&making, &path)?;
        sync_parent(&path)?;
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { path, file, file_bytes, end: BLOCK_BYTES as u64, last: 0 })
    }

    /// Opens a segment and reads all of it. Returns the segment, its header and the bytes behind the header.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Header, Vec<u8>), LogError> {
        let mut bytes = fs::read(&path)?;
        let damaged = |what| LogError::Damaged(format!("{} {what}", path.display()));
        let header = bytes.get(..BLOCK_BYTES).and_then(Header::decode);
        let header = header.ok_or_else(|| damaged("does not begin as a log does"))?;
        if header.file_bytes != bytes.len() as u64 {
            return Err(damaged("has another size than when it was made"));
        }
        bytes.drain(..BLOCK_BYTES);
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let file_bytes = header.file_bytes;
        let last = header.used.map_or(0, |used| used.first.saturating_sub(1));
        // No batch is added to a segment that was used before.
        let end = if header.used.is_some() { file_bytes } else { BLOCK_BYTES as u64 };
        Ok((Self { path, file, file_bytes, end, last }, header, bytes))
    }

    /// Marks a free segment as used, with the epoch and number of its first batch. This is on disk when it returns.
    pub(super) fn begin(&mut self, used: Used) -> io::Result<()> {
        let header = Header { file_bytes: self.file_bytes, used: Some(used) };
        self.file.write_all_at(&header.encode(), 0)?;
        self.file.sync_data()?;
        self.end = BLOCK_BYTES as u64;
        self.last = used.first.saturating_sub(1);
        Ok(())
    }

    /// Lets the segment, which is free, begin again behind its header.
    pub(super) fn begin_again(&mut self) {
        self.end = BLOCK_BYTES as u64;
    }

    /// Lets no further batch into the segment.
    pub(super) fn close(&mut self) {
        self.end = self.file_bytes;
    }

    /// Number of bytes that further batches can take.
    pub(super) fn room(&self) -> u64 {
        self.file_bytes - self.end
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a batch behind the last one. The batch is on disk when this returns.
    ///
    /// # Errors
    /// Returns the error of the write or of the sync. Nobody knows then what is on disk.
    pub(super) fn append(&mut self, batch: u64, blocks: &[u8]) -> io::Result<()> {
        self.file.write_all_at(blocks, self.end)?;
        self.file.sync_data()?;
        self.end += blocks.len() as u64;
        self.last = batch;
        Ok(())
    }

    /// Syncs what the segment contains.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Replaces everything from a place behind the header on with zeroes. This is on disk when it returns.
    pub(super) fn zero_from(&self, place: usize) -> io::Result<()> {
        write_zeroes(&self.file, (BLOCK_BYTES + place) as u64, self.file_bytes)?;
        self.file.sync_data()
    }

    /// Marks the segment as free. This is on disk when it returns. What the segment contains counts no more.
    pub(super) fn mark_as_free(&self) -> io::Result<()> {
        let header = Header { file_bytes: self.file_bytes, used: None };
        self.file.write_all_at(&header.encode(), 0)?;
        self.file.sync_data()
    }

    /// Removes the file of a free segment.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        sync_parent(&self.path)
    }
}

fn write_zeroes(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeroes = vec![0; ZEROES_AT_ONCE];
    let mut at = from;
    while at < to {
        let len = (to - at).min(ZEROES_AT_ONCE as u64);
        file.write_all_at(&zeroes[..len as usize], at)?;
        at += len;
    }
    Ok(())
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
