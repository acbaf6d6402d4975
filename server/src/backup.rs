//! `accord backup` and `accord restore`: everything an installation keeps, in one file, and an installation made of
//! it.
//!
//! A backup may be taken while the server runs. It reads plans first and documents last: what a plan or a record
//! names is then there, and more at most. Each ledger is whole up to an entry, as all of them are after a crash.
//!
//! A restored installation goes on in lineages of its own. Where a device has edits that the backup lacks, the page keeps
//! them there and asks its person what to do.
//!
//! The file is a gzip stream (RFC 1952) of
//!
//! ```text
//! "accord backup 1\n" item* 'E' SHA-256 of all before it
//! item   = 'L' kind:u8 id:bytes count:u64 (entry:bytes)*    a ledger: 0 plan, 1 audit record, 2 document
//!        | 'R' kind:bytes key:bytes value:bytes             a record
//!        | 'K' name:bytes content:bytes                     a file of the keys' folder
//! bytes  = length:u64 (little-endian), then so many
//! ```

use crate::check::{Report, check};
use crate::people::fresh_id;
use crate::plans::{follow_audit, follow_plan, installation};
use crate::replay::replay;
use crate::seal::keys::FOLDER;
use crate::store::{Append, Ledger as _, Records as _, SledStore, Store, StoreError};
use accord_document::audit::AuditState;
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{DocumentId, LedgerId, LineageId, PlanId, Seq};
use accord_document::ledger::Entry;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

const MAGIC: &[u8] = b"accord backup 1\n";
/// The longest value, in bytes: an entry may be a little larger than a message.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Entries that are restored in one commit.
const BATCH: usize = 512;

/// Why a backup or its restoring fails. Each is a sentence for the operator.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read or written.
    #[error("{} can't be written or read: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file or folder to be made is there already.
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The backup is not whole, or not a backup.
    #[error("{} is no backup of Accord, or is cut short or damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Plans.
    pub plans: usize,
    /// Documents.
    pub documents: usize,
    /// Entries of all ledgers.
    pub entries: usize,
    /// Records: people, sessions, seals and the like.
    pub records: usize,
}

/// Writes everything into a new file, and reads that back: every ledger in it verifies. Blocks.
///
/// # Errors
/// When the file is there, or anything can't be read or written.
pub fn backup(store: &dyn Store, data: &Path, file: &Path) -> Result<Held, BackupError> {
    let in_file = |error| BackupError::File { path: file.to_owned(), error };
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // It holds the key, and what passwords are checked by.
    let opened =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial);
    let mut out = Writer::new(opened.map_err(in_file)?).map_err(in_file)?;
    for plan in store.plans()? {
        out.ledger(store, &plan.into()).map_err(|error| error.at(file))?;
    }
    out.ledger(store, &LedgerId::Audit).map_err(|error| error.at(file))?;
    for (kind, key, record) in store.all()? {
        out.record(&kind, &key, &record.value).map_err(in_file)?;
    }
    let keys = data.join(FOLDER);
    for entry in fs::read_dir(&keys).into_iter().flatten().flatten() {
        let content = fs::read(entry.path()).map_err(in_file)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        out.key(&name, &content).map_err(in_file)?;
    }
    for document in store.documents()? {
        out.ledger(store, &document.into()).map_err(|error| error.at(file))?;
    }
    out.finish().map_err(in_file)?;
    let held = read(&partial, |_| Ok(()))?;
    fs::rename(&partial, file).map_err(in_file)?;
    Ok(held)
}

/// Makes an installation of a backup, in a folder that is not there yet. Blocks.
///
/// # Errors
/// When the folder is there, or the backup is damaged: then there is none.
pub fn restore(file: &Path, data: &Path, now: u64) -> Result<(Held, Report), BackupError> {
    let in_data = |error| BackupError::File { path: data.to_owned(), error };
    if fs::read_dir(data).is_ok_and(|mut found| found.next().is_some()) {
        return Err(BackupError::Exists(data.to_owned()));
    }
    let mut making = data.as_os_str().to_owned();
    making.push(".restoring");
    let making = PathBuf::from(making);
    if making.exists() {
        fs::remove_dir_all(&making).map_err(in_data)?;
    }
    let store = SledStore::open(&making, 0)?;
    let held = read(file, |item| {
        match item {
            Item::Ledger(ledger, entries) => put(&store, &ledger, entries, now)?,
            Item::Record { kind, key, value } => store.put(&kind, &key, &value)?,
            Item::Key { name, content } => {
                let folder = making.join(FOLDER);
                let write = || {
                    fs::create_dir_all(&folder)?;
                    fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
                    let path = folder.join(&name);
                    fs::write(&path, &content)?;
                    fs::set_permissions(&path, Permissions::from_mode(0o600))
                };
                write().map_err(in_data)?;
            }
        }
        Ok(())
    })?;
    drop(store);
    // An empty folder may be there.
    let _ = fs::remove_dir(data);
    fs::rename(&making, data).map_err(in_data)?;
    Ok((held, check(data)?))
}

/// Puts a ledger into a store, and, where it is a document's or the audit record, what says that it was restored.
fn put(
    store: &SledStore,
    ledger: &LedgerId,
    entries: Vec<Vec<u8>>,
    now: u64,
) -> Result<(), BackupError> {
    let last = match ledger {
        LedgerId::Document(_) => {
            let mut state =
                replay(&entries).map_err(|error| StoreError::Damaged(error.to_string()))?.state;
            let lineage = LineageId::new(fresh_id());
            let entry = state.begin_lineage(&installation(), now, rand::random(), lineage);
            entry.ok()
        }
        LedgerId::Audit if entries.is_empty() => None,
        LedgerId::Audit => {
            let mut state = audit_state(&entries)?;
            let event = AuditEvent { deed: AuditAction::Restore, from: None };
            Some(state.record(&installation(), now, rand::random(), event))
        }
        LedgerId::Plan(_) => None,
    };
    let appends = (0..).map(Seq).zip(entries);
    let appends = appends.map(|(seq, bytes)| Append { ledger: ledger.clone(), seq, bytes });
    let last =
        last.map(|entry| Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() });
    let all: Vec<_> = appends.chain(last).collect();
    for batch in all.chunks(BATCH) {
        store.append(batch)?;
    }
    store.pack(ledger)?;
    Ok(())
}

fn audit_state(entries: &[Vec<u8>]) -> Result<AuditState, BackupError> {
    let decoded: Result<Vec<_>, _> = entries.iter().map(|bytes| Entry::decode(bytes)).collect();
    let decoded = decoded.map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(follow_audit(&decoded)?)
}

enum Item {
    Ledger(LedgerId, Vec<Vec<u8>>),
    Record { kind: String, key: String, value: Vec<u8> },
    Key { name: String, content: Vec<u8> },
}

/// Reads a backup, verifies every ledger in it, and hands out each item.
fn read(
    path: &Path,
    mut take: impl FnMut(Item) -> Result<(), BackupError>,
) -> Result<Held, BackupError> {
    let damaged = |reason: &dyn std::fmt::Display| BackupError::Damaged {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let file =
        File::open(path).map_err(|error| BackupError::File { path: path.to_owned(), error })?;
    let mut input = Reader { inner: GzDecoder::new(BufReader::new(file)), hasher: Sha256::new() };
    let broken = |error: io::Error| damaged(&error);
    if input.take(MAGIC.len()).map_err(broken)? != MAGIC {
        return Err(damaged(&"it does not begin like one"));
    }
    let mut held = Held::default();
    loop {
        let before = input.hasher.clone();
        match input.byte().map_err(broken)? {
            b'L' => {
                let kind = input.byte().map_err(broken)?;
                let id = input.text().map_err(broken)?;
                let ledger = match kind {
                    0 => LedgerId::Plan(PlanId::new(id)),
                    1 => LedgerId::Audit,
                    2 => LedgerId::Document(DocumentId::new(id)),
                    _ => return Err(damaged(&"it holds a ledger of an unknown kind")),
                };
                let count = input.number().map_err(broken)?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push(input.bytes().map_err(broken)?);
                }
                verify(&ledger, &entries).map_err(|reason| damaged(&reason))?;
                held.entries += entries.len();
                match ledger {
                    LedgerId::Plan(_) => held.plans += 1,
                    LedgerId::Document(_) => held.documents += 1,
                    LedgerId::Audit => {}
                }
                take(Item::Ledger(ledger, entries))?;
            }
            b'R' => {
                held.records += 1;
                let (kind, key) = (input.text().map_err(broken)?, input.text().map_err(broken)?);
                take(Item::Record { kind, key, value: input.bytes().map_err(broken)? })?;
            }
            b'K' => {
                let name = input.text().map_err(broken)?;
                let content = input.bytes().map_err(broken)?;
                if name.contains('/') || name.starts_with('.') {
                    return Err(damaged(&"it holds a file of another folder"));
                }
                take(Item::Key { name, content })?;
            }
            b'E' => {
                let expected = before.finalize();
                if input.take(32).map_err(broken)? != expected.as_slice() {
                    return Err(damaged(&"its digest does not fit"));
                }
                // At its end gzip verifies, too.
                return match input.inner.read(&mut [0]).map_err(broken)? {
                    0 => Ok(held),
                    _ => Err(damaged(&"something follows its end")),
                };
            }
            _ => return Err(damaged(&"it holds something unknown")),
        }
    }
}

/// Whether a ledger is what was written.
fn verify(ledger: &LedgerId, entries: &[Vec<u8>]) -> Result<(), String> {
    match ledger {
        LedgerId::Document(_) => {
            replay(entries).map(drop).map_err(|error| format!("{ledger}: {error}"))
        }
        LedgerId::Plan(_) => {
            follow_plan(entries).map(drop).map_err(|error| format!("{ledger}: {error}"))
        }
        LedgerId::Audit if entries.is_empty() => Ok(()),
        LedgerId::Audit => audit_state(entries).map(drop).map_err(|error| error.to_string()),
    }
}

struct Writer {
    inner: GzEncoder<BufWriter<File>>,
    hasher: Sha256,
}

/// What stopped the writing of a ledger.
enum Stopped {
    Store(StoreError),
    File(io::Error),
}

impl Stopped {
    fn at(self, path: &Path) -> BackupError {
        match self {
            Self::Store(error) => error.into(),
            Self::File(error) => BackupError::File { path: path.to_owned(), error },
        }
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl Writer {
    fn new(file: File) -> io::Result<Self> {
        let inner = GzEncoder::new(BufWriter::new(file), Compression::fast());
        let mut new = Self { inner, hasher: Sha256::new() };
        new.put(MAGIC)?;
        Ok(new)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.inner.write_all(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(&(bytes.len() as u64).to_le_bytes())?;
        self.put(bytes)
    }

    fn ledger(&mut self, store: &dyn Store, ledger: &LedgerId) -> Result<(), Stopped> {
        let entries = store.read(ledger, Seq(0)).map_err(Stopped::Store)?;
        let (kind, id) = match ledger {
            LedgerId::Plan(id) => (0, id.as_str()),
            LedgerId::Audit => (1, ""),
            LedgerId::Document(id) => (2, id.as_str()),
        };
        self.put(&[b'L', kind])?;
        self.bytes(id.as_bytes())?;
        self.put(&(entries.len() as u64).to_le_bytes())?;
        for entry in &entries {
            self.bytes(entry)?;
        }
        Ok(())
    }

    fn record(&mut self, kind: &str, key: &str, value: &[u8]) -> io::Result<()> {
        self.put(b"R")?;
        [kind.as_bytes(), key.as_bytes(), value].into_iter().try_for_each(|part| self.bytes(part))
    }

    fn key(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.put(b"K")?;
        [name.as_bytes(), content].into_iter().try_for_each(|part| self.bytes(part))
    }

    fn finish(mut self) -> io::Result<()> {
        let digest = self.hasher.clone().finalize();
        self.put(b"E")?;
        self.put(&digest)?;
        let file = self.inner.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }
}

struct Reader<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Reader<R> {
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
        if length > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a value is too long"));
        }
        self.take(usize::try_from(length).unwrap_or_default())
    }

    fn text(&mut self) -> io::Result<String> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        String::from_utf8(self.bytes()?).map_err(invalid)
    }
}
