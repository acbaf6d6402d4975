//! A note of the last batch. The settler writes it about once a second (`MAX_ROUND_INTERVAL` in `settling.rs`). If the
//! end of the log is missing when the store is opened, the note shows it.

use super::errors::failed;
use crate::StoreError;
use crate::log::Position;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

pub(super) const FILE: &str = "noted";
/// Size of one of the two places of the file, in bytes. They are written in turn, so one of them is always whole.
const PLACE_BYTES: usize = 512;
const POSITION_BYTES: usize = 40;

/// The file with the note.
#[derive(Debug)]
pub(super) struct Noted {
    file: File,
    last: Position,
    /// The place for the next note: 0 or 1.
    next: u64,
}

impl Noted {
    /// Opens the note of a data folder, or creates it. Returns the note, and the last batch that was noted.
    ///
    /// # Errors
    /// Returns an error if the note can't be read or is damaged.
    pub(super) fn open(folder: &Path) -> Result<(Self, Position), StoreError> {
        let path = folder.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| failed(&error))?;
        let bytes = fs::read(&path).map_err(|error| failed(&error))?;
        let places: Vec<_> = bytes.chunks(PLACE_BYTES).map(decode).collect();
        let last = places.iter().flatten().max_by_key(|position| position.batch).copied();
        // A first note that did not reach the disk can leave zeroes.
        if last.is_none() && bytes.iter().any(|byte| *byte != 0) {
            let what = format!("{} is not as it was written", path.display());
            return Err(StoreError::Damaged(what));
        }
        let last = last.unwrap_or(Position::START);
        let next = u64::from(places.first().copied().flatten() == Some(last));
        Ok((Self { file, last, next }, last))
    }

    /// Notes the last batch. The note is on disk when this returns.
    pub(super) fn note(&mut self, position: Position) -> io::Result<()> {
        if position == self.last {
            return Ok(());
        }
        self.file.write_all_at(&encode(position), self.next * PLACE_BYTES as u64)?;
        self.file.sync_data()?;
        self.last = position;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn encode(position: Position) -> Vec<u8> {
    let mut place = position.batch.to_le_bytes().to_vec();
    place.extend_from_slice(&position.digest);
    let digest: [u8; 32] = Sha256::digest(&place).into();
    place.extend_from_slice(&digest);
    place.resize(PLACE_BYTES, 0);
    place
}

fn decode(place: &[u8]) -> Option<Position> {
    let (position, rest) = place.split_at_checked(POSITION_BYTES)?;
    let digest: [u8; 32] = Sha256::digest(position).into();
    if rest.get(..32)? != digest {
        return None;
    }
    let (batch, rest) = position.split_first_chunk()?;
    Some(Position { batch: u64::from_le_bytes(*batch), digest: rest.try_into().ok()? })
}
