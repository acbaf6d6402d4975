//! The file format of a backup: a gzip stream (RFC 1952) with this content:
//!
//! ```text
//! "accord backup 1\n" item* 'E' SHA-256 of all before it
//! item   = 'L' kind:u8 id:bytes count:u64 (entry:bytes)*    a ledger: 0 plan, 1 audit record, 2 document
//!        | 'R' kind:bytes key:bytes value:bytes             a record
//!        | 'K' name:bytes content:bytes                     a file of the keys' folder
//! bytes  = length:u64, then that many bytes
//! ```
//!
//! Numbers are little-endian. This module does not interpret ledgers or records.

use accord_document::ids::{DocumentId, LedgerId, PlanId};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};

const MAGIC: &[u8] = b"accord backup 1\n";
/// Maximum length of a value, in bytes. The longest values are entries, which can be a little larger than a message of
/// the sync protocol.
const MAX_VALUE_BYTES: u64 = 64 * 1024 * 1024;
/// The length of the digest at the end, in bytes.
const DIGEST_BYTES: usize = 32;

/// One part of a backup.
pub(super) enum Item {
    /// A ledger, with its encoded entries from the first on.
    Ledger(LedgerId, Vec<Vec<u8>>),
    /// A record of the store.
    Record { kind: String, key: String, value: Vec<u8> },
    /// A file of the keys' folder.
    Key { name: String, content: Vec<u8> },
}

/// A writer of a backup, item by item. Without [`finish`](Self::finish) the file stays incomplete and can't be
/// restored.
pub(super) struct Writer {
    inner: GzEncoder<BufWriter<File>>,
    hasher: Sha256,
}

impl Writer {
    /// Starts a backup in an empty file.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let inner = GzEncoder::new(BufWriter::new(file), Compression::fast());
        let mut new = Self { inner, hasher: Sha256::new() };
        new.put(MAGIC)?;
        Ok(new)
    }

    pub(super) fn ledger(&mut self, ledger: &LedgerId, entries: &[Vec<u8>]) -> io::Result<()> {
        let (kind, id) = match ledger {
            LedgerId::Plan(id) => (0, id.as_str()),
            LedgerId::Audit => (1, ""),
            LedgerId::Document(id) => (2, id.as_str()),
        };
        self.put(&[b'L', kind])?;
        self.bytes(id.as_bytes())?;
        self.put(&(entries.len() as u64).to_le_bytes())?;
        entries.iter().try_for_each(|entry| self.bytes(entry))
    }

    pub(super) fn record(&mut self, kind: &str, key: &str, value: &[u8]) -> io::Result<()> {
        self.put(b"R")?;
        [kind.as_bytes(), key.as_bytes(), value].into_iter().try_for_each(|part| self.bytes(part))
    }

    pub(super) fn key(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.put(b"K")?;
        [name.as_bytes(), content].into_iter().try_for_each(|part| self.bytes(part))
    }

    /// Writes the digest and syncs the file to disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let digest = self.hasher.clone().finalize();
        self.put(b"E")?;
        self.put(&digest)?;
        let file = self.inner.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.inner.write_all(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(&(bytes.len() as u64).to_le_bytes())?;
        self.put(bytes)
    }
}

/// A reader of a backup, item by item. If the file is not a backup, methods return [`io::ErrorKind::InvalidData`] with
/// the reason in words.
pub(super) struct Reader {
    inner: GzDecoder<BufReader<File>>,
    hasher: Sha256,
}

impl Reader {
    /// Opens a backup and checks its first line.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let mut new = Self { inner: GzDecoder::new(BufReader::new(file)), hasher: Sha256::new() };
        if new.take(MAGIC.len())? != MAGIC {
            return Err(invalid("it does not begin like a backup"));
        }
        Ok(new)
    }

    /// Returns the next item. At the end of the backup, compares the digest with everything before it and returns
    /// `None`.
    pub(super) fn item(&mut self) -> io::Result<Option<Item>> {
        let before = self.hasher.clone();
        match self.byte()? {
            b'L' => self.ledger().map(Some),
            b'R' => {
                let (kind, key) = (self.text()?, self.text()?);
                Ok(Some(Item::Record { kind, key, value: self.bytes()? }))
            }
            b'K' => self.key().map(Some),
            b'E' => self.end(before).map(|()| None),
            _ => Err(invalid("it contains an item of an unknown kind")),
        }
    }

    fn ledger(&mut self) -> io::Result<Item> {
        let kind = self.byte()?;
        let id = self.text()?;
        let ledger = match kind {
            0 => LedgerId::Plan(PlanId::new(id)),
            1 => LedgerId::Audit,
            2 => LedgerId::Document(DocumentId::new(id)),
            _ => return Err(invalid("it contains a ledger of an unknown kind")),
        };
        let count = self.number()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(self.bytes()?);
        }
        Ok(Item::Ledger(ledger, entries))
    }

    fn key(&mut self) -> io::Result<Item> {
        let name = self.text()?;
        let content = self.bytes()?;
        if name.contains('/') || name.starts_with('.') {
            return Err(invalid(
                "it contains a file that would be written outside the folder of keys",
            ));
        }
        Ok(Item::Key { name, content })
    }

    /// Reads the final digest, compares it with the digest of everything read `before`, and checks that nothing
    /// follows.
    fn end(&mut self, before: Sha256) -> io::Result<()> {
        if self.take(DIGEST_BYTES)? != before.finalize().as_slice() {
            return Err(invalid("its content does not match the digest at its end"));
        }
        // Reading to the end also makes gzip compare its own checksum.
        match self.inner.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(invalid("extra data follows its end")),
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.inner.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> io::Result<u64> {
        let bytes = self.take(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = self.number()?;
        if length > MAX_VALUE_BYTES {
            return Err(invalid("a value in it is too long"));
        }
        self.take(usize::try_from(length).unwrap_or_default())
    }

    fn text(&mut self) -> io::Result<String> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        String::from_utf8(self.bytes()?).map_err(invalid)
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
