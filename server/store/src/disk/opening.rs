//! Opens a data folder: reads the log, writes to sled what is missing there, and compares sled with the witness.

use super::changes::{Logged, decode};
use super::comparing::{compare, record_sum};
use super::errors::{failed, words_of};
use super::free_space::FreeSpace;
use super::layer::Layer;
use super::locking::FolderLock;
use super::noted::Noted;
use super::paths::{KEYS, LOG, SLED};
use super::reopening::Reopenable;
use super::unsynced::{mark_as_unsynced, write_unsynced_again};
use super::witness::{Head, Witness, entry_hash, record_hash};
use super::{DiskStore, Layers, Settlement, Settler, Shared, Writer};
use super::{noted, witness};
use crate::log::{Batch, Log, OpenedLog, Position};
use crate::sled::{Form, SledStore, unusable};
use crate::{Append, StoreError};
use accord_document::ids::{LedgerId, Seq};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, OnceLock, RwLock};

impl DiskStore {
    /// Opens or creates the store in a folder. `reserve` is the number of bytes of the disk that must stay free.
    ///
    /// A folder of the version before gets a log and a witness. What sled had lost before that can't be known.
    ///
    /// # Errors
    /// Returns an error if another process uses the folder, or if the folder can't be used or is damaged. If only the
    /// ledger of a document or plan is damaged, the store opens, and reading this ledger returns an error.
    pub fn open(path: &Path, reserve: u64) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let lock = FolderLock::take(path)?;
        // sled panics at some kinds of damage.
        let opened = catch_unwind(AssertUnwindSafe(|| open(path, reserve, lock)));
        let has_panicked = opened.is_err();
        let opened = opened.unwrap_or_else(|panic| {
            let what = words_of(&*panic);
            Err(StoreError::Unusable {
                path: path.to_owned(),
                reason: format!("its database is damaged or can't be read ({what})"),
            })
        });
        // A sync can be among what failed.
        use StoreError::{Failed, Full, SyncFailed};
        if has_panicked || matches!(&opened, Err(Failed(_) | Full | SyncFailed(_))) {
            mark_as_unsynced(path);
        }
        opened
    }
}

fn open(path: &Path, reserve: u64, lock: FolderLock) -> Result<DiskStore, StoreError> {
    refuse_a_remainder(path)?;
    write_unsynced_again(path)?;
    let sled = SledStore::open(path)?;
    let witness = prepare(path, &sled)?;
    let epoch = witness.epoch + 1;
    let settled = witness.settled.batch;
    let OpenedLog { mut log, batches } = Log::open(&path.join(LOG), witness.settled, epoch)?;
    let (noted, last) = Noted::open(path)?;
    check_noted(last, &batches, log.position())?;
    let changes = read_changes(&batches)?;
    let mut expected = expected(witness, &changes)?;
    write_missing(&sled, &changes)?;
    sled.sync()?;
    let damaged = compare(&sled, &expected, &[])?;
    damaged.values().for_each(|what| tracing::error!("damaged: {what}"));
    expected.settled = log.position();
    expected.epoch = epoch;
    expected.write(path).map_err(|error| failed(&error))?;
    if sled.form() == Form::Before {
        tracing::warn!(
            "the data folder now has a log and a witness; what was lost before can't be known"
        );
    }
    if sled.form() != Form::Present {
        sled.mark_as_present()?;
    }
    // What was settled before the last settlement is freed. So is everything after a rewrite or an erasure, of which no
    // old bytes may stay in the log.
    let is_removal = |change: &Logged| matches!(change, Logged::Rewrite(_) | Logged::Erase(_));
    let has_removals = changes.iter().any(|(_, changes)| changes.iter().any(is_removal));
    let free = if has_removals { log.position().batch } else { settled };
    log.free_upto(free).map_err(|error| failed(&error))?;
    let writer = Writer { log, next: HashMap::new() };
    let room = FreeSpace::new(path, reserve);
    start(Opened { path, lock, sled, room, writer, witness: expected, damaged, noted })
}

/// The parts of a store in which everything is settled.
struct Opened<'p> {
    path: &'p Path,
    lock: FolderLock,
    sled: SledStore,
    room: FreeSpace,
    writer: Writer,
    witness: Witness,
    damaged: BTreeMap<LedgerId, String>,
    noted: Noted,
}

/// Puts a store together, and starts its thread.
fn start(opened: Opened<'_>) -> Result<DiskStore, StoreError> {
    let Opened { path, lock, sled, room, writer, witness, damaged, noted } = opened;
    let position = writer.log.position();
    let shared = Arc::new(Shared {
        path: path.to_owned(),
        sled: Reopenable::new(path, sled),
        room,
        damaged,
        layers: RwLock::new(Layers { newest: Layer::new(position), settling: None }),
        waiting: Mutex::default(),
        writer: Mutex::new(writer),
        witness: Mutex::new(witness),
        settlement: Mutex::new(Settlement { last: Some(position), ..Settlement::default() }),
        settled: Condvar::new(),
        due: Condvar::new(),
        stopped: OnceLock::new(),
        acknowledged: Mutex::new(position),
        freeing: Mutex::default(),
        removals: AtomicU64::new(0),
        _lock: lock,
    });
    let settler = Settler::start(shared.clone(), noted).map_err(|error| failed(&error))?;
    Ok(DiskStore { shared, _settler: settler })
}

/// Refuses a folder in which sled's folder is missing, and something else of a store is there.
pub(super) fn refuse_a_remainder(path: &Path) -> Result<(), StoreError> {
    let has_content = |name: &str| {
        fs::read_dir(path.join(name)).is_ok_and(|mut content| content.next().is_some())
    };
    if has_content(SLED) {
        return Ok(());
    }
    let left = [LOG, KEYS].into_iter().find(|name| has_content(name));
    let left = left.or_else(|| witness::path_of(path).exists().then_some(witness::FILE));
    match left {
        Some(left) => Err(StoreError::Damaged(format!(
            "{} is missing or empty, although {} is there",
            path.join(SLED).display(),
            path.join(left).display()
        ))),
        None => Ok(()),
    }
}

/// Returns the witness of a folder. A new folder, or one of the version before, gets its first witness.
fn prepare(path: &Path, sled: &SledStore) -> Result<Witness, StoreError> {
    let found = Witness::read(path)?;
    let witness = match (sled.form(), found) {
        (Form::Present, Some(witness)) => return Ok(witness),
        (Form::Present, None) => {
            let place = witness::path_of(path);
            return Err(StoreError::Damaged(format!("{} is missing", place.display())));
        }
        (Form::New, Some(found)) if found.is_used() => {
            let place = path.join(SLED);
            return Err(StoreError::Damaged(format!(
                "{} is empty, although it had content",
                place.display()
            )));
        }
        // The folder is marked only after its witness was written. Nothing is committed before that.
        (Form::New | Form::Before, _) if is_logged(path) => {
            return Err(StoreError::Damaged(format!(
                "{} has lost the mark of its form, although the log has content",
                path.join(SLED).display()
            )));
        }
        (Form::Before, Some(found)) if found.epoch > 0 => return Ok(found),
        (Form::New, _) => Witness::empty(),
        (Form::Before, _) => witness_of(sled)?,
    };
    witness.write(path).map_err(|error| failed(&error))?;
    Ok(witness)
}

/// Returns whether anything was ever committed to the log of a folder.
fn is_logged(path: &Path) -> bool {
    let has_files = fs::read_dir(path.join(LOG)).is_ok_and(|mut files| files.next().is_some());
    has_files || fs::read(path.join(noted::FILE)).is_ok_and(|noted| !noted.is_empty())
}

/// Returns a witness of what sled contains.
fn witness_of(sled: &SledStore) -> Result<Witness, StoreError> {
    let mut witness = Witness::empty();
    for ledger in sled.ledgers()? {
        let len = sled.end(&ledger)?;
        // A damaged entry is found when its ledger is read.
        let last = match sled.entry(&ledger, Seq(len.saturating_sub(1))) {
            Ok(last) => last.unwrap_or_default(),
            Err(StoreError::Damaged(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let head = Head { len, last: entry_hash(&last), rewritten: BTreeMap::new() };
        witness.ledgers.insert(ledger, head);
    }
    witness.records = record_sum(sled)?;
    Ok(witness)
}

fn check_noted(noted: Position, batches: &[Batch], end: Position) -> Result<(), StoreError> {
    let same = batches.iter().find(|batch| batch.position.batch == noted.batch);
    if noted.batch > end.batch || same.is_some_and(|batch| batch.position != noted) {
        return Err(StoreError::Damaged(format!(
            "the log ends with batch {}, although batch {} was written",
            end.batch, noted.batch
        )));
    }
    Ok(())
}

/// The changes of a batch, with its number.
type Numbered = (u64, Vec<Logged>);

fn read_changes(batches: &[Batch]) -> Result<Vec<Numbered>, StoreError> {
    let read = batches.iter().map(|batch| {
        let number = batch.position.batch;
        Ok((number, decode(number, &batch.body)?))
    });
    read.collect()
}

/// Returns what sled must contain after all batches of the log.
fn expected(mut witness: Witness, changes: &[Numbered]) -> Result<Witness, StoreError> {
    let settled = witness.settled.batch;
    for (number, changes) in changes.iter().filter(|(number, _)| *number > settled) {
        for change in changes {
            match change {
                Logged::Append(append) => {
                    let head = witness.ledgers.entry(append.ledger.clone()).or_default();
                    if append.seq.0 != head.len {
                        return Err(StoreError::Damaged(format!(
                            "the ledger of {}: entry {} is missing before batch {number} of the log",
                            append.ledger, head.len
                        )));
                    }
                    head.len += 1;
                    head.last = entry_hash(&append.bytes);
                }
                Logged::Record { kind, key, old_hash, new } => {
                    let new = new.as_ref().map_or(0, |new| record_hash(kind, key, new));
                    witness.records.replace(*old_hash, new);
                }
                Logged::Rewrite(append) => witness.rewrite(append),
                Logged::Erase(ledger) => drop(witness.ledgers.remove(ledger)),
            }
        }
    }
    Ok(witness)
}

/// Makes all changes of the log again that sled does not have.
///
/// Nothing follows a rewrite or an erasure in the log: it is freed before the next commit. So each erasure comes after all
/// entries of its ledger, and each rewrite after its entry.
fn write_missing(sled: &SledStore, changes: &[Numbered]) -> Result<(), StoreError> {
    let mut appended: BTreeMap<&LedgerId, Vec<&Append>> = BTreeMap::new();
    let mut rewritten: BTreeMap<(&LedgerId, Seq), &Append> = BTreeMap::new();
    let mut records = BTreeMap::new();
    for change in changes.iter().flat_map(|(_, changes)| changes) {
        match change {
            Logged::Append(append) => appended.entry(&append.ledger).or_default().push(append),
            Logged::Rewrite(append) => {
                rewritten.insert((&append.ledger, append.seq), append);
            }
            Logged::Record { kind, key, new, .. } => {
                records.insert((kind.clone(), key.clone()), new);
            }
            Logged::Erase(ledger) => {
                sled.erase(ledger)?;
                appended.remove(ledger);
                rewritten.retain(|(of, _), _| *of != ledger);
            }
        }
    }
    for (ledger, mut appends) in appended {
        for append in &mut appends {
            if let Some(newer) = rewritten.get(&(ledger, append.seq)) {
                *append = newer;
            }
        }
        write_missing_entries(sled, ledger, &appends)?;
    }
    let mut differing = Vec::new();
    for append in rewritten.into_values() {
        // A damaged entry is named later, when sled is compared with the witness.
        match sled.entry(&append.ledger, append.seq) {
            Ok(Some(stored)) if stored != append.bytes => differing.push(append.clone()),
            Ok(_) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    replace(sled, &differing)?;
    sled.write(std::iter::empty(), records.iter().map(|(id, new)| (id, *new)))
}

/// Replaces entries of sled. An entry that can't be replaced because its ledger is damaged is left, and named later.
fn replace(sled: &SledStore, entries: &[Append]) -> Result<(), StoreError> {
    for entry in entries {
        match sled.rewrite(std::slice::from_ref(entry)) {
            Ok(()) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes those entries of a ledger that sled does not have as they must be. Their numbers follow each other.
///
/// If sled lacks entries before them, nothing is written, because it would hide that those are missing.
fn write_missing_entries(
    sled: &SledStore,
    ledger: &LedgerId,
    entries: &[&Append],
) -> Result<(), StoreError> {
    let Some((first, last)) = entries.first().zip(entries.last()) else { return Ok(()) };
    if sled.end(ledger)? < first.seq.0 {
        return Ok(());
    }
    let stored = sled.read_before(ledger, first.seq, last.seq.0 + 1).unwrap_or_default();
    if stored.iter().eq(entries.iter().map(|entry| &entry.bytes)) {
        return Ok(());
    }
    let (mut differing, mut missing) = (Vec::new(), Vec::new());
    for entry in entries {
        match sled.entry(ledger, entry.seq) {
            Ok(Some(stored)) if stored == entry.bytes => {}
            // The entry can be in a segment, so it is replaced where it is.
            Ok(Some(_)) => differing.push(Append::clone(entry)),
            Ok(None) | Err(StoreError::Damaged(_)) => missing.push(Append::clone(entry)),
            Err(error) => return Err(error),
        }
    }
    replace(sled, &differing)?;
    sled.write(missing.into_iter(), std::iter::empty())
}
