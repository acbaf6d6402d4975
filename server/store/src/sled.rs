//! The store of one machine: sled 0.34, hardened.
//!
//! What sled does not do by itself: its flush does not fsync on Linux, so each commit here syncs
//! the database file; leaves from 128 KiB go to files that are never synced, so large values
//! are split; a leftover `snap.*.generating` file keeps it from opening, so it is removed first;
//! and its own checksums do not cover what we mean, so every value carries one over key and value.

mod pieces;
mod records;

use super::{Append, Ledger, Space, Store, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use accord_document::ledger::{MAX_SEGMENT_ENTRIES, pack, unpack};
use pieces::{
    DOCUMENTS, PLANS, damaged, lacking, ledger_key, named, pieced, pieced_upto, put, put_entry,
    seq_of,
};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The unit in which sled uses its file again, in bytes. Half of its default: less of the file lies idle.
const SLED_SEGMENT: usize = 256 * 1024;

/// How many of the newest entries of a ledger are not packed: appending looks at the last.
const LOOSE: usize = 64;
/// Bytes of entries, unpacked, that are read together, and at which a segment ends: packing and reading take memory for
/// so much. A larger entry is read alone, and has a segment of its own.
const MAX_ENTRY_BYTES_AT_A_TIME: usize = 8 * 1024 * 1024;
/// The fewest entries that are packed together.
const WORTH_PACKING: usize = 768;

/// How keys and values are laid out, in the default tree. Forms 1 and 2 were never released.
const FORMAT: [u8; 1] = [3];
const FORMAT_KEY: &[u8] = b"format";

/// How long a folder that is in use is waited for.
const LETTING_GO: Duration = Duration::from_secs(2);

/// sled's cache, in bytes.
const CACHE: u64 = 64 * 1024 * 1024;

#[derive(Debug)]
pub struct SledStore {
    path: PathBuf,
    db: sled::Db,
    ledger: sled::Tree,
    /// Packed entries, by the number of the first.
    segments: sled::Tree,
    /// A state of each ledger.
    checkpoints: sled::Tree,
    records: sled::Tree,
    /// Held for writing by whoever moves or changes what is there, for reading by whoever reads. Appending
    /// needs neither.
    moving: RwLock<()>,
    /// The database file, opened again only to sync it: the page cache belongs to the file, not
    /// to the descriptor that wrote.
    file: File,
    /// Bytes of the disk that must stay free.
    reserve: u64,
}

impl SledStore {
    /// Opens or creates the store in a folder. `reserve` is how many bytes of the disk stay free.
    ///
    /// # Errors
    /// With a sentence that says what is wrong with the folder.
    pub fn open(path: &Path, reserve: u64) -> Result<Self, StoreError> {
        let unusable = |error: &io::Error| StoreError::Unusable {
            path: path.to_owned(),
            reason: match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "this user may not read and write it: run Accord as its owner".into()
                }
                _ => error.to_string(),
            },
        };
        fs::create_dir_all(path).map_err(|error| unusable(&error))?;
        let home = path.join("store");
        remove_leftovers(&home).map_err(|error| unusable(&error))?;
        let db = open_free(&home).map_err(|error| match error {
            sled::Error::Io(io) if is_lock(&io) => StoreError::InUse(path.to_owned()),
            sled::Error::Corruption { .. } => {
                StoreError::Damaged(format!("the store in {} can't be opened", path.display()))
            }
            sled::Error::Io(io) => unusable(&io),
            other => unusable(&io::Error::other(other)),
        })?;
        let ledger = db.open_tree("ledger").map_err(failed)?;
        let segments = db.open_tree("segments").map_err(failed)?;
        let checkpoints = db.open_tree("checkpoints").map_err(failed)?;
        let records = db.open_tree("records").map_err(failed)?;
        let file = File::open(home.join("db")).map_err(|error| unusable(&error))?;
        let store = Self {
            path: path.to_owned(),
            db,
            ledger,
            segments,
            checkpoints,
            records,
            moving: RwLock::default(),
            file,
            reserve,
        };
        store.know_format()?;
        store.sync()?;
        sync_dir(&home).and_then(|()| sync_dir(path)).map_err(|error| unusable(&error))?;
        Ok(store)
    }

    /// Bytes of the disk that are free.
    fn free(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.path)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Makes sure that what is stored here is in the form that this version writes.
    fn know_format(&self) -> Result<(), StoreError> {
        match self.db.get(FORMAT_KEY).map_err(failed)? {
            Some(found) if *found == FORMAT => Ok(()),
            None if self.ledger.is_empty() && self.records.is_empty() => {
                self.db.insert(FORMAT_KEY, &FORMAT).map_err(failed).map(drop)
            }
            _ => Err(StoreError::Unusable {
                path: self.path.clone(),
                reason:
                    "another version of Accord wrote it, in a form that this one does not read: \
                         name another folder"
                        .into(),
            }),
        }
    }

    /// Everything written so far is on disk when this returns.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.file.sync_data().map_err(|error| StoreError::SyncFailed(error.to_string()))
    }
}

/// Opens sled's folder. Whoever had it open last may still be letting go: sled's threads outlive the store
/// that they worked for by a moment.
fn open_free(home: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new()
        .path(home)
        .cache_capacity(CACHE)
        .segment_size(SLED_SEGMENT)
        // Commits flush; a background flush would only race with them.
        .flush_every_ms(None);
    let since = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(io)) if is_lock(&io) && since.elapsed() < LETTING_GO => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}

/// A crash while sled writes a snapshot leaves a file that it then takes for corruption.
fn remove_leftovers(home: &Path) -> io::Result<()> {
    if !home.exists() {
        return Ok(());
    }
    let mut removed = false;
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    if removed { sync_dir(home) } else { Ok(()) }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn is_lock(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("lock")
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(io) if io.kind() == io::ErrorKind::StorageFull => StoreError::Full,
        sled::Error::Corruption { .. } => StoreError::Damaged(error.to_string()),
        other => StoreError::Failed(other.to_string()),
    }
}

/// How many entries that are not packed are read at a time.
const LOOSE_AT_A_TIME: usize = 64;

impl Ledger for SledStore {
    fn append(&self, batch: &[Append]) -> Result<(), StoreError> {
        let mut next: BTreeMap<&LedgerId, u64> = BTreeMap::new();
        let mut writes = sled::Batch::default();
        for append in batch {
            let has = |seq| {
                let key = ledger_key(&append.ledger, Seq(seq), 0);
                self.ledger.contains_key(key).map_err(failed)
            };
            let seq = append.seq.0;
            let follows = match next.get(&append.ledger) {
                Some(&next) => seq == next,
                None => !has(seq)? && (seq == 0 || has(seq - 1)?),
            };
            if !follows {
                return Err(StoreError::Conflict);
            }
            next.insert(&append.ledger, seq + 1);
            put_entry(&mut writes, append)?;
        }
        self.ledger.apply_batch(writes).map_err(failed)?;
        self.sync()
    }

    fn read(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        let _settled = self.moving.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Vec::new();
        let mut next = from.0;
        // Where the first is not packed, none behind it is.
        let is_loose = self.ledger.contains_key(ledger_key(ledger, from, 0)).map_err(failed)?;
        let segments = if is_loose { Vec::new() } else { self.segments_from(ledger, from)? };
        for (first, segment) in segments {
            let unpacked = unpack_segment(ledger, &segment)?;
            let end = first + unpacked.len() as u64;
            if first > next {
                return Err(lacking(ledger, next));
            }
            let known = usize::try_from(next - first).unwrap_or(usize::MAX);
            entries.extend(unpacked.into_iter().skip(known));
            next = next.max(end);
        }
        for (seq, bytes) in pieced(&self.ledger, ledger, Seq(next))? {
            if seq != next {
                return Err(lacking(ledger, next));
            }
            entries.push(bytes);
            next += 1;
        }
        Ok(entries)
    }

    fn read_some(&self, ledger: &LedgerId, from: Seq) -> Result<Vec<Vec<u8>>, StoreError> {
        let _settled = self.moving.read().unwrap_or_else(PoisonError::into_inner);
        let first = self.segment_before(ledger, from)?;
        let segment = pieced_upto(&self.segments, ledger, Seq(first), Seq(first))?.pop();
        if let Some((first, segment)) = segment {
            let known = usize::try_from(from.0 - first).unwrap_or(usize::MAX);
            let packed: Vec<_> =
                unpack_segment(ledger, &segment)?.into_iter().skip(known).collect();
            if !packed.is_empty() {
                return Ok(packed);
            }
        }
        let loose = self.some_loose(ledger, from.0, LOOSE_AT_A_TIME)?;
        // A gap is found when it comes first.
        if loose.is_empty() && self.ends_behind(ledger, from)? {
            return Err(lacking(ledger, from.0));
        }
        Ok(loose)
    }

    fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        let _settled = self.moving.read().unwrap_or_else(PoisonError::into_inner);
        let first = self.segment_before(ledger, seq)?;
        let mut segment = pieced_upto(&self.segments, ledger, Seq(first), Seq(first))?;
        if let Some((first, segment)) = segment.pop() {
            let place = usize::try_from(seq.0 - first).unwrap_or(usize::MAX);
            let packed = unpack_segment(ledger, &segment)?.into_iter().nth(place);
            if packed.is_some() {
                return Ok(packed);
            }
        }
        Ok(pieced_upto(&self.ledger, ledger, seq, seq)?.pop().map(|(_, bytes)| bytes))
    }

    fn rewrite(&self, entries: &[Append]) -> Result<(), StoreError> {
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        let (mut loose, mut packed) = (sled::Batch::default(), sled::Batch::default());
        let mut outdated = sled::Batch::default();
        let mut by_segment: BTreeMap<(&LedgerId, u64), Vec<&Append>> = BTreeMap::new();
        for entry in entries {
            let first = self.segment_before(&entry.ledger, entry.seq)?;
            by_segment.entry((&entry.ledger, first)).or_default().push(entry);
        }
        for ((ledger, first), entries) in by_segment {
            let states = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(0), u16::MAX);
            for key in self.checkpoints.range(states).keys() {
                outdated.remove(key.map_err(failed)?);
            }
            let segment = pieced_upto(&self.segments, ledger, Seq(first), Seq(first))?.pop();
            let mut segment = match segment {
                Some((_, bytes)) => unpack_segment(ledger, &bytes)?,
                None => Vec::new(),
            };
            let mut is_in_segment = false;
            for entry in entries {
                let place = usize::try_from(entry.seq.0 - first).unwrap_or(usize::MAX);
                if let Some(old) = segment.get_mut(place) {
                    old.clone_from(&entry.bytes);
                    is_in_segment = true;
                } else if self
                    .ledger
                    .contains_key(ledger_key(ledger, entry.seq, 0))
                    .map_err(failed)?
                {
                    put(&self.ledger, &mut loose, entry)?;
                } else {
                    return Err(StoreError::Conflict);
                }
            }
            if is_in_segment {
                let bytes = pack_segment(ledger, &segment)?;
                let segment = Append { ledger: ledger.clone(), seq: Seq(first), bytes };
                put(&self.segments, &mut packed, &segment)?;
            }
        }
        let trees = (&self.ledger, &self.segments, &self.checkpoints);
        let all = trees.transaction(|(ledger, segments, checkpoints)| {
            ledger.apply_batch(&loose)?;
            segments.apply_batch(&packed)?;
            checkpoints.apply_batch(&outdated)?;
            Ok::<_, ConflictableTransactionError<sled::Error>>(())
        });
        all.map_err(|error| match error {
            TransactionError::Abort(error) | TransactionError::Storage(error) => failed(error),
        })?;
        self.sync()
    }

    fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        let mut packed = 0;
        loop {
            match self.pack_some(ledger)? {
                0 => break,
                entries => packed += entries,
            }
        }
        if packed > 0 {
            self.sync()?;
        }
        Ok(packed)
    }

    fn erase(&self, ledger: &LedgerId) -> Result<(), StoreError> {
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        for tree in [&self.ledger, &self.segments, &self.checkpoints] {
            let all = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
            let mut writes = sled::Batch::default();
            for key in tree.range(all).keys() {
                writes.remove(key.map_err(failed)?);
            }
            tree.apply_batch(writes).map_err(failed)?;
        }
        self.sync()
    }

    fn keep_checkpoint(&self, ledger: &LedgerId, state: &[u8]) -> Result<(), StoreError> {
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        let mut writes = sled::Batch::default();
        let state = Append { ledger: ledger.clone(), seq: Seq(0), bytes: state.to_vec() };
        put(&self.checkpoints, &mut writes, &state)?;
        self.checkpoints.apply_batch(writes).map_err(failed)?;
        // Whatever is not synced when the process ends is gone.
        self.sync()
    }

    fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError> {
        let _settled = self.moving.read().unwrap_or_else(PoisonError::into_inner);
        match pieced(&self.checkpoints, ledger, Seq(0)) {
            Ok(mut found) => Ok(found.pop().map(|(_, state)| state)),
            // It can be made again.
            Err(StoreError::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        // Of a ledger that is packed, the newest entries are not: each has some there.
        Ok(named(&self.ledger, DOCUMENTS)?.into_iter().map(DocumentId::new).collect())
    }

    fn plans(&self) -> Result<Vec<PlanId>, StoreError> {
        Ok(named(&self.ledger, PLANS)?.into_iter().map(PlanId::new).collect())
    }
}

impl SledStore {
    /// The segments that hold entries from a number on, each with its first.
    fn segments_from(
        &self,
        ledger: &LedgerId,
        from: Seq,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        pieced(&self.segments, ledger, Seq(self.segment_before(ledger, from)?))
    }

    /// Where the segment begins that may hold an entry: the last that begins before it. The entry itself,
    /// where there is none.
    fn segment_before(&self, ledger: &LedgerId, seq: Seq) -> Result<u64, StoreError> {
        let upto = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, seq, u16::MAX);
        match self.segments.range(upto).next_back() {
            Some(pair) => Ok(seq_of(ledger, &pair.map_err(failed)?.0)?.0),
            None => Ok(seq.0),
        }
    }

    /// Whether any entry has this number or a higher one.
    fn ends_behind(&self, ledger: &LedgerId, from: Seq) -> Result<bool, StoreError> {
        let rest = || ledger_key(ledger, from, 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
        for tree in [&self.ledger, &self.segments] {
            if tree.range(rest()).next().transpose().map_err(failed)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The number behind a ledger's last loose entry; None when all are packed.
    fn loose_end(&self, ledger: &LedgerId) -> Result<Option<u64>, StoreError> {
        let all = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
        let Some(key) = self.ledger.range(all).keys().next_back() else { return Ok(None) };
        let (seq, _) = seq_of(ledger, &key.map_err(failed)?)?;
        Ok(Some(seq + 1))
    }

    /// The loose entries from a number on, without a gap: `at_most` of them, and so many that they take no more than
    /// [`MAX_ENTRY_BYTES_AT_A_TIME`], but one at least if it is there.
    fn some_loose(
        &self,
        ledger: &LedgerId,
        first: u64,
        at_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        for seq in (first..).take(at_most) {
            let entry = pieced_upto(&self.ledger, ledger, Seq(seq), Seq(seq))?.pop();
            let Some((_, entry)) = entry else { break };
            bytes += entry.len();
            if bytes > MAX_ENTRY_BYTES_AT_A_TIME && !some.is_empty() {
                break;
            }
            some.push(entry);
        }
        Ok(some)
    }

    /// Packs the oldest loose entries into one segment, and says how many: none when too few are settled. Readers wait
    /// for one segment at most.
    fn pack_some(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        let _moving = self.moving.write().unwrap_or_else(PoisonError::into_inner);
        let Some(end) = self.loose_end(ledger)? else { return Ok(0) };
        let first = self.packed_end(ledger)?;
        let loose = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
        let settled = loose.saturating_sub(LOOSE);
        if settled < WORTH_PACKING {
            return Ok(0);
        }
        let chunk = self.some_loose(ledger, first, settled.min(MAX_SEGMENT_ENTRIES))?;
        if chunk.is_empty() {
            return Err(lacking(ledger, first));
        }
        let segment = pack_segment(ledger, &chunk)?;
        // Before anything is removed, what replaces it must be what it was.
        if unpack_segment(ledger, &segment)? != chunk {
            return Err(damaged(ledger, "can't be packed"));
        }
        let mut writes = sled::Batch::default();
        let segment = Append { ledger: ledger.clone(), seq: Seq(first), bytes: segment };
        put(&self.segments, &mut writes, &segment)?;
        self.segments.apply_batch(writes).map_err(failed)?;
        self.sync()?;
        // If the server stops here, the entries stand twice, and are read from the segment.
        let mut removals = sled::Batch::default();
        let behind = Seq(first + chunk.len() as u64);
        for key in
            self.ledger.range(ledger_key(ledger, Seq(0), 0)..ledger_key(ledger, behind, 0)).keys()
        {
            removals.remove(key.map_err(failed)?);
        }
        self.ledger.apply_batch(removals).map_err(failed)?;
        Ok(chunk.len())
    }

    /// The number of the first entry that is in no segment.
    fn packed_end(&self, ledger: &LedgerId) -> Result<u64, StoreError> {
        match self.segments_from(ledger, Seq(u64::MAX))?.pop() {
            Some((first, segment)) => Ok(first + unpack_segment(ledger, &segment)?.len() as u64),
            None => Ok(0),
        }
    }
}

fn pack_segment(ledger: &LedgerId, entries: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
    pack(entries).map_err(|error| damaged(ledger, &error.to_string()))
}

fn unpack_segment(ledger: &LedgerId, segment: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    unpack(segment).map_err(|error| damaged(ledger, &error.to_string()))
}

impl Store for SledStore {
    fn has_room(&self) -> Result<(), StoreError> {
        if self.free()? < self.reserve { Err(StoreError::Full) } else { Ok(()) }
    }

    fn space(&self) -> Result<Space, StoreError> {
        let used = self.db.size_on_disk().map_err(failed)?;
        Ok(Space { used, free: self.free()? })
    }
}

#[cfg(test)]
mod tests {
    use super::pieces::PIECE;
    use super::*;
    use crate::Records as _;
    use accord_document::ids::DocumentId;

    fn document(id: &str) -> LedgerId {
        DocumentId::new(id).into()
    }

    fn entry(id: &str, seq: u64, bytes: Vec<u8>) -> Append {
        Append { ledger: document(id), seq: Seq(seq), bytes }
    }

    fn open(dir: &Path) -> SledStore {
        SledStore::open(dir, 0).unwrap()
    }

    #[test]
    fn large_entries_are_packed_in_segments_of_bounded_size() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path(), 16 * 1024 * 1024).unwrap();
        let ledger = document("a");
        // Together more than may come out of one segment, and one that is larger than a segment of several.
        let large = |n| match n {
            40 => MAX_ENTRY_BYTES_AT_A_TIME + 1,
            1_100.. => 300_000,
            _ => 60_000,
        };
        let chain = super::super::contract::chain_of(1_200, large);
        for batch in chain.chunks(100) {
            store.append(batch).unwrap();
        }
        let entries: Vec<Vec<u8>> = chain.into_iter().map(|append| append.bytes).collect();
        assert!(store.pack(&ledger).unwrap() > 0);
        assert!(store.segments.len() > 1);
        assert_eq!(store.pack(&ledger).unwrap(), 0);
        assert_eq!(store.read(&ledger, Seq(0)).unwrap(), entries);
        let one_by_one = crate::entries(&store, &ledger, Seq(0)).map(|stored| stored.unwrap().1);
        assert_eq!(one_by_one.collect::<Vec<_>>(), entries);
        let loose = Seq(1_100);
        assert!(
            store.read_some(&ledger, loose).unwrap().iter().map(Vec::len).sum::<usize>()
                <= MAX_ENTRY_BYTES_AT_A_TIME
        );
        assert_eq!(store.entry(&ledger, Seq(40)).unwrap().as_ref(), Some(&entries[40]));
    }

    #[test]
    fn entries_and_records_survive_reopening() {
        let dir = tempfile::tempdir().unwrap();
        {
            let store = open(dir.path());
            store.append(&[entry("a", 0, vec![1; 200_000]), entry("a", 1, vec![])]).unwrap();
            store.swap("person", "p1", None, Some(b"x")).unwrap();
        }
        let store = open(dir.path());
        let read = store.read(&document("a"), Seq(0)).unwrap();
        assert_eq!(read, [vec![1; 200_000], vec![]]);
        assert_eq!(store.get("person", "p1").unwrap().unwrap().value, b"x");
    }

    /// What sled puts into files of its own, it never syncs.
    #[test]
    fn nothing_is_written_beside_the_file_that_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        for seq in 0..40 {
            let len = if seq % 10 == 0 { 2_000_000 } else { 40 + 900 * seq as usize };
            store.append(&[entry("a", seq, vec![seq as u8; len])]).unwrap();
            let record = vec![seq as u8; PIECE - 64];
            store.swap("person", &seq.to_string(), None, Some(&record)).unwrap();
        }
        let blobs = fs::read_dir(dir.path().join("store/blobs")).unwrap();
        assert_eq!(blobs.count(), 0);
    }

    #[test]
    fn a_folder_of_another_form_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).db.insert(FORMAT_KEY, &[1]).unwrap();
        let refused = SledStore::open(dir.path(), 0).unwrap_err();
        assert!(refused.to_string().contains("another version of Accord"), "{refused}");
    }

    /// The server stopped after a segment was written and before its entries were removed.
    #[test]
    fn entries_that_stand_twice_are_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let all = super::super::contract::chain(3_000);
        let bytes: Vec<_> = all.iter().map(|entry| entry.bytes.clone()).collect();
        store.append(&all).unwrap();
        store.pack(&document("a")).unwrap();
        let mut again = sled::Batch::default();
        all.iter().for_each(|entry| drop(put_entry(&mut again, entry)));
        store.ledger.apply_batch(again).unwrap();
        for from in [0, 1_500, 2_900] {
            let read = store.read(&document("a"), Seq(from)).unwrap();
            assert_eq!(read, bytes[from as usize..]);
        }
        // The next packing tidies up.
        let more = super::super::contract::chain(5_000).split_off(3_000);
        store.append(&more).unwrap();
        assert!(store.pack(&document("a")).unwrap() > 0);
        assert!(store.ledger.len() <= LOOSE);
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 5_000);
    }

    #[test]
    fn a_second_server_on_the_same_folder_is_told_so() {
        let dir = tempfile::tempdir().unwrap();
        let _first = open(dir.path());
        assert!(matches!(SledStore::open(dir.path(), 0), Err(StoreError::InUse(_))));
    }

    #[test]
    fn a_leftover_snapshot_does_not_keep_the_store_from_opening() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).append(&[entry("a", 0, vec![7])]).unwrap();
        fs::write(dir.path().join("store/snap.0000000000000ABC.generating"), b"half").unwrap();
        assert_eq!(open(dir.path()).read(&document("a"), Seq(0)).unwrap(), [vec![7]]);
    }

    #[test]
    fn a_changed_value_and_a_missing_entry_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let a = document("a");
        for seq in 0..3 {
            store.append(&[entry("a", seq, vec![9; 10])]).unwrap();
        }
        let key = ledger_key(&a, Seq(1), 0);
        let good = store.ledger.get(&key).unwrap().unwrap();
        for at in 0..good.len() {
            let mut bad = good.to_vec();
            bad[at] ^= 4;
            store.ledger.insert(&key, bad).unwrap();
            assert!(matches!(store.read(&a, Seq(0)), Err(StoreError::Damaged(_))), "byte {at}");
        }
        store.ledger.remove(&key).unwrap();
        assert!(matches!(store.read(&a, Seq(0)), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn too_little_room_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path(), u64::MAX).unwrap();
        assert!(matches!(store.has_room(), Err(StoreError::Full)));
    }
}
