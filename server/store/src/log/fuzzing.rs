//! Logs of small segments, for fuzz targets: their files in memory, and what is read from them.

use super::batch::{HEAD_BYTES, Position, encode};
use super::block::{BLOCK_BYTES, blocks_for};
use super::salvaging::{Hints, salvage};
use super::segment::{Segment, Used};
use super::{EXTENSION, Log, OpenedLog};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Size of a block, in bytes.
pub const LOG_BLOCK_BYTES: usize = BLOCK_BYTES;

/// Number of blocks of a segment behind its batches, which are zero.
const BLOCKS_BEHIND: usize = 3;

/// The bytes of each segment of a log, the oldest first.
#[derive(Debug, Clone)]
pub struct LogFiles(pub Vec<Vec<u8>>);

impl LogFiles {
    /// Returns the number of blocks of a batch with a body of `len` bytes.
    #[must_use]
    pub fn blocks_of(len: usize) -> usize {
        blocks_for(HEAD_BYTES + len)
    }

    /// Writes a log with these bodies, which are grouped by segment, into an empty folder. Returns its files.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn written(segments: &[Vec<Vec<u8>>], folder: &Path) -> io::Result<Self> {
        let mut position = Position::START;
        let mut files = Vec::new();
        for (bodies, epoch) in segments.iter().zip(1..) {
            let count: usize = bodies.iter().map(|body| Self::blocks_of(body.len())).sum();
            let bytes = (1 + count + BLOCKS_BEHIND) * BLOCK_BYTES;
            let path = segment_path(folder, files.len());
            let mut segment = Segment::create(path.clone(), bytes as u64)?;
            segment.begin(Used { epoch, first: position.batch + 1 })?;
            for body in bodies {
                let blocks = encode(epoch, &position, body);
                let blocks = blocks.ok_or_else(|| io::Error::other("a batch is too large"))?;
                position = position.after(body);
                segment.append(position.batch, &blocks)?;
            }
            files.push(fs::read(path)?);
        }
        Ok(Self(files))
    }

    /// Puts the files into a folder, in place of everything that is there.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn put(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            fs::remove_file(entry?.path())?;
        }
        let mut files = self.0.iter().enumerate();
        files.try_for_each(|(at, file)| fs::write(segment_path(folder, at), file))
    }
}

fn segment_path(folder: &Path, at: usize) -> PathBuf {
    folder.join(format!("{:016}.{EXTENSION}", at + 1))
}

/// Opens the log in a folder, and appends a batch if one is given. Returns the bodies of the batches that the opening
/// has found.
///
/// # Errors
/// Returns a sentence if the log is damaged or the disk fails.
pub fn open_log(folder: &Path, epoch: u64, append: Option<&[u8]>) -> Result<Vec<Vec<u8>>, String> {
    let opened = Log::open(folder, Position::START, epoch);
    let OpenedLog { mut log, batches } = opened.map_err(|error| error.to_string())?;
    if let Some(body) = append {
        log.append(body).map_err(|error| error.to_string())?;
    }
    Ok(batches.into_iter().map(|batch| batch.body).collect())
}

/// Returns the batches that a salvage finds in a folder, with their numbers. `epoch` is the number of the last opening if
/// there is a witness, which then says that no batch was settled.
#[must_use]
pub fn salvage_log(folder: &Path, epoch: Option<u64>) -> Vec<(u64, Vec<u8>)> {
    let settled = epoch.map(|epoch| (Position::START, epoch));
    let hints = Hints { settled, noted: None };
    let found = salvage(folder, hints).batches.into_iter();
    found.map(|batch| (batch.position.batch, batch.body)).collect()
}
