//! The messages between the server and a child: a head (JSON), and bytes that are not interpreted.
//!
//! On the pipe a message consists of the length of the head, the length of the bytes (both 64 bits, little endian), the
//! head, and the bytes.

use accord_files::{FileJob, PressError};
use accord_import::{ImportError, ImportJob, PlacedFile};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Maximum size of a job's head, in bytes, and also of the bytes after it.
pub(crate) const MAX_JOB_BYTES: usize = 16 * 1024 * 1024;
/// Maximum size of an answer's head, in bytes, and also of the bytes after it.
pub(crate) const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Size of the two lengths with which a message starts on the pipe, together, in bytes.
pub(super) const LENGTHS_BYTES: usize = 16;

/// The head of a job for a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job<'a> {
    /// Typeset a file. The bytes after the head are the file to attach, or empty if there is none.
    File(Box<FileJob<'a>>),
    /// Read a file for an import. The bytes after the head are that file.
    Import(ImportJob<'a>),
}

/// The head of a child's answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The child has made the file. The bytes after the head are the file.
    File,
    Import(Box<PlacedFile>),
    NoFile(PressError),
    NoImport(ImportError),
}

/// A message: its head, encoded as JSON, and its bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PipeMessage {
    pub(crate) head: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// The reason why a message can't be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipeError {
    #[error("it is larger than {0} bytes")]
    Large(usize),
    #[error("it is not what was expected: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("{0}")]
    Pipe(#[from] std::io::Error),
}

impl PipeMessage {
    /// Encodes a head and puts it together with its bytes.
    ///
    /// # Errors
    /// Returns an error if the head or the bytes are larger than `limit`, or if the head can't be encoded.
    pub(crate) fn of(
        head: &impl Serialize,
        bytes: Vec<u8>,
        limit: usize,
    ) -> Result<Self, PipeError> {
        let mut out = Bounded { out: Vec::new(), limit };
        match serde_json::to_writer(&mut out, head) {
            Err(error) if error.is_io() => return Err(PipeError::Large(limit)),
            written => written?,
        }
        if bytes.len() > limit {
            return Err(PipeError::Large(limit));
        }
        Ok(Self { head: out.out, bytes })
    }

    pub(crate) fn read_head<T: DeserializeOwned>(&self) -> Result<T, PipeError> {
        Ok(serde_json::from_slice(&self.head)?)
    }

    /// Returns the two lengths with which the message starts on the pipe.
    pub(super) fn lengths(&self) -> [u8; LENGTHS_BYTES] {
        let mut out = [0; LENGTHS_BYTES];
        out[..8].copy_from_slice(&(self.head.len() as u64).to_le_bytes());
        out[8..].copy_from_slice(&(self.bytes.len() as u64).to_le_bytes());
        out
    }

    pub(super) fn write(&self, mut to: impl Write) -> Result<(), PipeError> {
        to.write_all(&self.lengths())?;
        to.write_all(&self.head)?;
        to.write_all(&self.bytes)?;
        Ok(to.flush()?)
    }

    pub(super) fn read(mut from: impl Read, limit: usize) -> Result<Self, PipeError> {
        let mut lengths = [0; LENGTHS_BYTES];
        from.read_exact(&mut lengths)?;
        let mut message = Self::sized(lengths, limit)?;
        from.read_exact(&mut message.head)?;
        from.read_exact(&mut message.bytes)?;
        Ok(message)
    }

    /// Returns a message whose head and bytes have the announced `lengths` and are filled with zeros. The caller reads
    /// into them.
    ///
    /// # Errors
    /// Returns an error if a length is larger than `limit`.
    pub(super) fn sized(lengths: [u8; LENGTHS_BYTES], limit: usize) -> Result<Self, PipeError> {
        let [head, bytes] = [&lengths[..8], &lengths[8..]].map(|length| {
            let length = u64::from_le_bytes(length.try_into().unwrap_or([0xff; 8]));
            usize::try_from(length).ok().filter(|length| *length <= limit)
        });
        let (Some(head), Some(bytes)) = (head, bytes) else { return Err(PipeError::Large(limit)) };
        Ok(Self { head: vec![0; head], bytes: vec![0; bytes] })
    }
}

/// A writer that fails once more than `limit` bytes are written.
struct Bounded {
    out: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.out.len() + bytes.len() > self.limit {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_written() {
        let message = PipeMessage::of(&"head", b"bytes".to_vec(), 100).unwrap();
        let mut pipe = Vec::new();
        message.write(&mut pipe).unwrap();
        let read = PipeMessage::read(pipe.as_slice(), 100).unwrap();
        assert_eq!(read, message);
        assert_eq!(read.read_head::<String>().unwrap(), "head");
        for cut in 0..pipe.len() {
            assert!(PipeMessage::read(&pipe[..cut], 100).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_is_larger_than_it_may_be_is_neither_written_nor_read() {
        let is_large =
            |message: Result<PipeMessage, PipeError>| matches!(message, Err(PipeError::Large(10)));
        assert!(is_large(PipeMessage::of(&"twelve bytes", Vec::new(), 10)));
        assert!(is_large(PipeMessage::of(&1, vec![0; 11], 10)));
        // An announced length that is too large must be refused before any memory is allocated for it.
        let mut lengths = [0xff; LENGTHS_BYTES];
        assert!(is_large(PipeMessage::read(lengths.as_slice(), 10)));
        lengths[..8].copy_from_slice(&3_u64.to_le_bytes());
        assert!(is_large(PipeMessage::read(lengths.as_slice(), 10)));
    }
}
