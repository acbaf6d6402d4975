//! Simulates a loss of power: any write that was not synced can be missing, or be there in part.
//!
//! SIGKILL alone proves little, because the kernel's page cache survives it. Therefore a small library, preloaded
//! into the server, records every write and sync of the files of the store. The files are then rebuilt from the record:
//! of each file, everything up to its last sync, and any subset of the later writes.

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io::Read};

/// Size of a sector: a disk writes it as a whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Compiles the library that records and fails calls into a folder, and returns the path of the library.
pub fn build_shim(dir: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/disk.c");
    let library = dir.join("disk.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .context("the C compiler `cc` can't be run")?;
    ensure!(status.success(), "the library does not compile");
    Ok(library)
}

struct Event {
    /// The path of the file in the data folder.
    path: String,
    what: What,
}

enum What {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate(u64),
    Rename(String),
    Remove,
    Sync,
    FailedSync,
}

/// The bytes of a record that are not read yet.
struct Rest<'r>(&'r [u8]);

impl Rest<'_> {
    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_ne_bytes(self.take(8)?.try_into().ok()?))
    }

    fn path(&mut self) -> Option<String> {
        let len = u16::from_ne_bytes(self.take(2)?.try_into().ok()?);
        String::from_utf8(self.take(len.into())?.to_vec()).ok()
    }

    /// Reads an event. Returns `None` if the record ends before the event does.
    fn event(&mut self) -> Option<Result<Event>> {
        let kind = *self.take(1)?.first()?;
        let path = self.path()?;
        let what = match kind {
            b'W' => {
                let (offset, len) = (self.number()?, usize::try_from(self.number()?).ok()?);
                What::Write { offset, bytes: self.take(len)?.to_vec() }
            }
            b'T' => What::Truncate(self.number()?),
            b'R' => What::Rename(self.path()?),
            b'U' => What::Remove,
            b'S' => What::Sync,
            b'F' => What::FailedSync,
            _ => return Some(Err(anyhow::anyhow!("the record is no record"))),
        };
        Some(Ok(Event { path, what }))
    }
}

fn read_record(path: &Path) -> Result<Vec<Event>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.read_to_end(&mut bytes)?;
    let mut rest = Rest(&bytes);
    // The kill can cut the last event of the record short. Such an incomplete event is left out.
    std::iter::from_fn(|| rest.event()).collect()
}

/// Completes the last event of a record before another process adds events. A process that ends while one of its threads
/// records a write leaves only the beginning of the event. The write itself was made before, so its bytes are in the file.
pub fn complete_record(data: &Path, record: &Path) -> Result<()> {
    let mut bytes = fs::read(record)?;
    let mut rest = Rest(&bytes);
    let mut whole = 0;
    while let Some(event) = rest.event() {
        event?;
        whole = bytes.len() - rest.0.len();
    }
    let mut last = Rest(&bytes[whole..]);
    let write = match last.take(1) {
        Some(b"W") => last.path().zip(last.number()).zip(last.number()),
        _ => None,
    };
    let Some(((path, offset), len)) = write else {
        return Ok(fs::File::options().write(true).open(record)?.set_len(whole as u64)?);
    };
    let header = bytes.len() - last.0.len();
    let (from, len) = (usize::try_from(offset)?, usize::try_from(len)?);
    let file = fs::read(data.join(path))?;
    bytes.truncate(header);
    bytes.extend(file.get(from..from + len).context("the file is shorter than what was written")?);
    Ok(fs::write(record, bytes)?)
}

/// The file that each event is about, by a number that a renamed file keeps, and the syncs of each file.
struct Files {
    of_event: Vec<usize>,
    /// The events that are syncs of a file, in order, and whether each succeeded.
    syncs: HashMap<usize, Vec<(usize, bool)>>,
    /// The numbers of the files that have a name at the end.
    named: HashMap<String, usize>,
}

fn files_of(events: &[Event]) -> Files {
    let mut files = Files { of_event: Vec::new(), syncs: HashMap::new(), named: HashMap::new() };
    for (at, event) in events.iter().enumerate() {
        let next = at;
        let file = *files.named.entry(event.path.clone()).or_insert(next);
        files.of_event.push(file);
        match &event.what {
            What::Sync => files.syncs.entry(file).or_default().push((at, true)),
            What::FailedSync => files.syncs.entry(file).or_default().push((at, false)),
            What::Rename(to) => {
                files.named.remove(&event.path);
                files.named.insert(to.clone(), file);
            }
            What::Remove => drop(files.named.remove(&event.path)),
            What::Write { .. } | What::Truncate(_) => {}
        }
    }
    files
}

impl Files {
    /// Whether a write to a file was on the disk in the end: the first sync after it succeeded. After a failed sync, Linux
    /// takes what was written before for saved, so that no later sync writes it.
    fn is_synced(&self, file: usize, write: usize) -> bool {
        let syncs = self.syncs.get(&file).map(Vec::as_slice).unwrap_or_default();
        let next = syncs.partition_point(|(at, _)| *at < write);
        syncs.get(next).is_some_and(|(_, has_succeeded)| *has_succeeded)
    }
}

/// Rewrites the files of the store in a data folder as a loss of power could have left them. Returns the number of
/// writes that were thrown away, in whole or in part.
pub fn lose_power(data: &Path, record: &Path, random: &mut StdRng) -> Result<usize> {
    let events = read_record(record)?;
    let files = files_of(&events);
    let mut contents: HashMap<usize, Vec<u8>> = HashMap::new();
    let mut lost = 0;
    for (at, event) in events.iter().enumerate() {
        let number = files.of_event[at];
        let is_synced = files.is_synced(number, at);
        let file = contents.entry(number).or_default();
        match &event.what {
            What::Write { offset, bytes } => {
                let keep = if is_synced || random.random_bool(0.5) {
                    bytes.len()
                } else {
                    lost += 1;
                    torn(bytes.len(), random)
                };
                let start = usize::try_from(*offset)?;
                if file.len() < start + keep {
                    file.resize(start + keep, 0);
                }
                file[start..start + keep].copy_from_slice(&bytes[..keep]);
            }
            What::Truncate(length) => file.resize(usize::try_from(*length)?, 0),
            What::Rename(_) | What::Remove | What::Sync | What::FailedSync => {}
        }
    }
    for (path, number) in &files.named {
        let content = contents.get(number).map(Vec::as_slice).unwrap_or_default();
        fs::write(data.join(path), content)?;
    }
    Ok(lost)
}

/// Returns how many bytes of a write are kept if the power is lost in the middle of it.
fn torn(len: usize, random: &mut StdRng) -> usize {
    let sectors = len / SECTOR_BYTES;
    if sectors > 1 && random.random_bool(0.3) {
        random.random_range(0..sectors) * SECTOR_BYTES
    } else {
        0
    }
}

/// Begins a record with the present files of the store in a data folder, each as a single synced write.
pub fn begin_record(data: &Path, record: &Path) -> Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(data.join("log"))? {
        paths.push(format!("log/{}", entry?.file_name().display()));
    }
    paths.extend(["store/db", "witness", "noted", "unsynced"].map(String::from));
    let mut bytes = Vec::new();
    for path in paths.into_iter().filter(|path| data.join(path).exists()) {
        let content = fs::read(data.join(&path))?;
        let begin = |bytes: &mut Vec<u8>, kind| -> Result<()> {
            bytes.push(kind);
            bytes.extend(u16::try_from(path.len())?.to_ne_bytes());
            bytes.extend(path.as_bytes());
            Ok(())
        };
        begin(&mut bytes, b'W')?;
        bytes.extend(0u64.to_ne_bytes());
        bytes.extend((content.len() as u64).to_ne_bytes());
        bytes.extend(content);
        begin(&mut bytes, b'S')?;
    }
    Ok(fs::write(record, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_cut_short_is_completed_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let record = dir.path().join("record");
        fs::create_dir(dir.path().join("log")).unwrap();
        fs::write(dir.path().join("log/1"), [7; 9_000]).unwrap();
        begin_record(dir.path(), &record).unwrap();
        let whole = fs::read(&record).unwrap();
        let events = read_record(&record).unwrap().len();
        let end_of_write = whole.len() - 1 - 2 - "log/1".len();
        for len in [end_of_write - 1, end_of_write - 8_999] {
            fs::write(&record, &whole[..len]).unwrap();
            complete_record(dir.path(), &record).unwrap();
            assert_eq!(fs::read(&record).unwrap(), whole[..end_of_write]);
        }
        fs::write(&record, &whole[..whole.len() - 1]).unwrap();
        complete_record(dir.path(), &record).unwrap();
        assert_eq!(read_record(&record).unwrap().len(), events - 1);
        assert_eq!(fs::read(&record).unwrap().len(), end_of_write);
    }
}
