//! The log: one sequence of batches, each durable with one write and one sync.
//!
//! The log is a folder of segments, files that were filled with zeroes beforehand. It tells a torn
//! batch, which was not written to its end and never acknowledged, from damage: each block of a torn batch is whole or
//! zero, and nothing follows it. Everything else that is not as it was written is damage, and is an error that says where.

mod batch;
mod block;
mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod salvaging;
mod segment;
#[cfg(test)]
mod tests;

pub(crate) use batch::{Batch, Position};
pub(crate) use error::LogError;

use batch::{contents, encode, stored_bytes};
use segment::{Segment, Used, sync_parent};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Size of a segment, in bytes. A batch that does not fit gets a larger segment of its own.
pub(crate) const SEGMENT_BYTES: u64 = 1024 * 1024;
/// Number of free segments that are kept for the next batches.
const MAX_SPARES: usize = 2;
const EXTENSION: &str = "log";

/// A log that is open for writing.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    epoch: u64,
    /// The place behind the last batch.
    position: Position,
    /// The segments with batches, the oldest first. New batches go into the last one.
    used: VecDeque<Segment>,
    /// Free segments, filled with zeroes.
    spares: Vec<Segment>,
    /// The number in the name of the next new file.
    next_file: u64,
}

/// A log that was opened, with all of its batches.
#[derive(Debug)]
pub(crate) struct OpenedLog {
    pub(crate) log: Log,
    /// The batches in order, without gaps.
    pub(crate) batches: Vec<Batch>,
}

impl Log {
    /// Opens the log in a folder, or creates it. `settled` is the place up to which the batches are also stored elsewhere,
    /// and `epoch` is a number that is larger at each opening.
    ///
    /// When this returns, all batches are on disk, and a torn batch is replaced with zeroes.
    ///
    /// # Errors
    /// Returns an error if the log is damaged, or if batches behind `settled` are missing.
    pub(crate) fn open(dir: &Path, settled: Position, epoch: u64) -> Result<OpenedLog, LogError> {
        fs::create_dir_all(dir)?;
        sync_parent(dir)?;
        let mut read = Vec::new();
        let mut log = Self {
            dir: dir.to_owned(),
            epoch,
            position: settled,
            used: VecDeque::new(),
            spares: Vec::new(),
            next_file: 1,
        };
        for path in log.files()? {
            let (segment, header, bytes) = Segment::open(path)?;
            match header.used {
                Some(used) => read.push((used, segment, bytes)),
                None => {
                    if bytes.iter().any(|&byte| byte != 0) {
                        segment.zero_from(0)?;
                    }
                    log.spares.push(segment);
                }
            }
        }
        read.sort_by_key(|(used, ..)| (used.first, used.epoch));
        let batches = log.read_all(read, settled)?;
        log.position = position_after(&batches, settled)?;
        Ok(OpenedLog { log, batches })
    }

    /// Returns the files of the segments. Removes files whose making was interrupted.
    fn files(&mut self) -> Result<Vec<PathBuf>, LogError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "making") {
                fs::remove_file(&path)?;
                continue;
            }
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            match number {
                Some(number) if path.extension().is_some_and(|e| e == EXTENSION) => {
                    self.next_file = self.next_file.max(number + 1);
                    files.push(path);
                }
                _ => {
                    return Err(LogError::Damaged(format!(
                        "{} does not belong to the log",
                        path.display()
                    )));
                }
            }
        }
        Ok(files)
    }

    /// Reads the batches of all segments in order, and syncs them.
    fn read_all(
        &mut self,
        segments: Vec<(Used, Segment, Vec<u8>)>,
        settled: Position,
    ) -> Result<Vec<Batch>, LogError> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut torn: Option<PathBuf> = None;
        for (used, mut segment, bytes) in segments {
            let follows = (used.first == settled.batch + 1).then_some(settled);
            let before = batches.last().map(|batch| batch.position).or(follows);
            let named = |what: String| {
                LogError::Damaged(format!("the log in {}: {what}", segment.path().display()))
            };
            if let Some(before) = before
                && used.first != before.batch + 1
            {
                return Err(named(format!("it does not follow batch {}", before.batch)));
            }
            let found = contents(&bytes, used, before).map_err(|error| named(error.to_string()))?;
            if let Some(torn) = &torn
                && !found.batches.is_empty()
            {
                return Err(named(format!("{} ends in the middle of a batch", torn.display())));
            }
            // What is read may be in the page cache only.
            segment.sync()?;
            if let Some(place) = found.torn_at {
                segment.zero_from(place)?;
                torn = Some(segment.path().to_owned());
            }
            segment.last = used.first + found.batches.len() as u64 - 1;
            batches.extend(found.batches);
            self.used.push_back(segment);
        }
        Ok(batches)
    }

    /// Returns the place behind the last batch.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Appends a batch. The batch is on disk when this returns.
    ///
    /// # Errors
    /// Returns [`LogError::NoSegment`] if nothing was written, and [`LogError::Io`] if the disk failed. Nobody knows then
    /// whether the batch is on disk, so nothing more must be appended.
    pub(crate) fn append(&mut self, body: &[u8]) -> Result<Position, LogError> {
        let needed = stored_bytes(body);
        if self.used.back().is_none_or(|last| last.room() < needed) {
            self.begin_segment(needed)?;
        }
        let blocks = encode(self.epoch, &self.position, body);
        let blocks = blocks.ok_or_else(|| io::Error::other("a batch is too large"))?;
        let position = self.position.after(body);
        let segment = self.used.back_mut().ok_or_else(|| io::Error::other("no segment"))?;
        segment.append(position.batch, &blocks)?;
        self.position = position;
        Ok(position)
    }

    fn begin_segment(&mut self, needed: u64) -> Result<(), LogError> {
        let spare = self.spares.iter().position(|spare| spare.room() >= needed);
        let mut segment = match spare {
            Some(at) => self.spares.swap_remove(at),
            None => self.create(needed).map_err(LogError::NoSegment)?,
        };
        segment.begin(Used { epoch: self.epoch, first: self.position.batch + 1 })?;
        self.used.push_back(segment);
        Ok(())
    }

    /// Creates a free segment in which a batch of `needed` bytes fits.
    fn create(&mut self, needed: u64) -> io::Result<Segment> {
        let path = self.dir.join(format!("{:016}.{EXTENSION}", self.next_file));
        let header = block::BLOCK_BYTES as u64;
        let made = Segment::create(path, (needed + header).max(SEGMENT_BYTES))?;
        self.next_file += 1;
        Ok(made)
    }

    /// Takes the segments out of the log whose batches are all at or before `batch`, the oldest first, and puts them into
    /// `taken`. They are marked as free on disk when this returns.
    ///
    /// # Errors
    /// Returns an error if the disk fails. The segments that are left are still a log without gaps.
    pub(crate) fn take_upto(&mut self, batch: u64, taken: &mut Vec<UsedUp>) -> io::Result<()> {
        while let Some(oldest) = self.used.front_mut() {
            if oldest.last > batch {
                break;
            }
            // If the marking fails, nobody knows which mark is on disk, so nothing may be appended to the segment.
            oldest.close();
            oldest.mark_as_free()?;
            taken.extend(self.used.pop_front().map(UsedUp));
        }
        Ok(())
    }

    /// Frees the segments whose batches are all at or before `batch`, and fills them with zeroes.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub(crate) fn free_upto(&mut self, batch: u64) -> io::Result<()> {
        let mut taken = Vec::new();
        self.take_upto(batch, &mut taken)?;
        zero_all(&mut taken)?.into_iter().try_for_each(|freed| self.give_back(freed))
    }

    /// Takes a segment back that was freed. It is used again, or removed if there are enough.
    ///
    /// # Errors
    /// Returns an error if its file can't be removed.
    pub(crate) fn give_back(&mut self, freed: Freed) -> io::Result<()> {
        if self.spares.len() < MAX_SPARES && freed.0.file_bytes() == SEGMENT_BYTES {
            self.spares.push(freed.0);
            return Ok(());
        }
        freed.0.remove()
    }

    /// Returns the number of bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.used.iter().chain(&self.spares).map(Segment::file_bytes).sum()
    }
}

/// A segment that was taken out of the log and marked as free, because all of its batches are stored elsewhere.
#[derive(Debug)]
pub(crate) struct UsedUp(Segment);

/// A segment that is free and filled with zeroes.
#[derive(Debug)]
pub(crate) struct Freed(Segment);

/// Replaces the content of segments with zeroes, and takes them off the list. This is on disk when it returns. After a
/// crash, opening the log does it.
///
/// # Errors
/// Returns an error if the disk fails. Segments that are not free then are still on the list.
pub(crate) fn zero_all(segments: &mut Vec<UsedUp>) -> io::Result<Vec<Freed>> {
    let mut freed = Vec::new();
    while let Some(UsedUp(segment)) = segments.last_mut() {
        segment.zero_from(0)?;
        segment.begin_again();
        freed.extend(segments.pop().map(|UsedUp(segment)| Freed(segment)));
    }
    Ok(freed)
}

/// Returns the place behind the last batch, and checks that the batches reach from `settled` on without a gap.
fn position_after(batches: &[Batch], settled: Position) -> Result<Position, LogError> {
    let Some((first, last)) = batches.first().zip(batches.last()) else { return Ok(settled) };
    let missing = |batch| LogError::Damaged(format!("batch {batch} of the log is missing"));
    if first.position.batch > settled.batch + 1 {
        return Err(missing(settled.batch + 1));
    }
    if last.position.batch < settled.batch {
        return Err(missing(last.position.batch + 1));
    }
    let same = batches.iter().find(|batch| batch.position.batch == settled.batch);
    if same.is_some_and(|batch| batch.position != settled) {
        return Err(LogError::Damaged(format!("batch {} is not the one settled", settled.batch)));
    }
    Ok(last.position)
}
