//! Tests of what the log and the witness promise: what was committed is there after every kind of stop, and what is not
//! there any more is healed or named.

mod damage;
mod failing;
mod salvaging;

use super::*;
use crate::{Append, Ledger as _, Records as _};
use accord_document::ids::{DocumentId, Seq};
use std::fs;
use std::path::Path;

fn document(id: &str) -> LedgerId {
    DocumentId::new(id).into()
}

fn entry(id: &str, seq: u64, len: usize) -> Append {
    Append { ledger: document(id), seq: Seq(seq), bytes: bytes_of(id, seq, len) }
}

fn bytes_of(id: &str, seq: u64, len: usize) -> Vec<u8> {
    format!("{id}/{seq} ").into_bytes().into_iter().cycle().take(len).collect()
}

fn open(dir: &Path) -> DiskStore {
    DiskStore::open(dir, 0).unwrap()
}

/// Returns a copy of an open store's folder, as the death of the process at this moment would leave it. Nothing may be
/// committed or settled while the files are copied one after the other.
fn killed(store: &DiskStore) -> tempfile::TempDir {
    let _writer = lock(&store.shared.writer);
    let _witness = lock(&store.shared.witness);
    copy_of(&store.shared.path)
}

/// Copies a data folder.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    copying::copy_all(dir, made.path()).unwrap();
    made
}

/// Waits until nothing is being settled.
fn settled(store: &DiskStore) {
    let state = lock(&store.shared.settlement);
    drop(store.shared.settled.wait_while(state, |state| state.is_due).unwrap());
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Flips a bit of the first byte at or behind a place that is not zero, because most of a file can be empty.
fn flip_behind(bytes: &mut [u8], at: usize, bit: usize) {
    let at = bytes[at..].iter().position(|byte| *byte != 0).map_or(at, |skipped| at + skipped);
    bytes[at] ^= 1 << (bit % 8);
}

/// Whether bytes are in a file of the log. Meanwhile, the settler can remove a file that it has zeroed.
fn is_in_log(dir: &Path, wanted: &[u8]) -> bool {
    let all = files(&dir.join("log"));
    let has = |bytes: Vec<u8>| bytes.windows(wanted.len()).any(|bytes| bytes == wanted);
    all.iter().any(|file| match fs::read(file) {
        Ok(bytes) => has(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => panic!("{error}"),
    })
}

#[test]
fn what_was_committed_is_there_after_a_stop_at_any_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut copies = Vec::new();
    for seq in 0..40 {
        let swap = crate::Swap {
            kind: "seat",
            key: "k".into(),
            expected: (seq > 0).then_some(seq),
            value: Some(seq.to_string().into_bytes()),
        };
        let job = vec![Change::Append(entry("a", seq, 150_000)), Change::Swap(swap)];
        store.commit_one(job).unwrap();
        if seq % 3 == 0 {
            copies.push((seq, killed(&store)));
        }
    }
    for (last, copy) in copies {
        let store = open(copy.path());
        let read = store.read(&document("a"), Seq(0)).unwrap();
        assert_eq!(read.len() as u64, last + 1);
        assert!((0..).zip(&read).all(|(seq, bytes)| *bytes == bytes_of("a", seq, 150_000)));
        let record = store.get("seat", "k").unwrap().unwrap();
        assert_eq!((record.revision, record.value), (last + 1, last.to_string().into_bytes()));
        store.append(&[entry("a", last + 1, 10)]).unwrap();
    }
}

#[test]
fn the_log_stays_small_while_much_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seq in 0..600 {
        store.append(&[entry("a", seq, 50_000)]).unwrap();
    }
    settled(&store);
    let log: u64 = files(&dir.path().join("log")).iter().map(|f| f.metadata().unwrap().len()).sum();
    assert!(log <= 24 * 1024 * 1024, "{log}");
    assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 600);
}

#[test]
fn a_rewritten_or_erased_entry_leaves_no_copy_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let secret = b"a name that must go";
    let with = |seq| Append { ledger: document("a"), seq: Seq(seq), bytes: secret.repeat(50) };
    store.append(&[with(0), with(1), entry("b", 0, 100)]).unwrap();
    let in_log = || {
        let all = files(&dir.path().join("log"));
        all.iter()
            .any(|file| fs::read(file).unwrap().windows(secret.len()).any(|bytes| bytes == secret))
    };
    assert!(in_log());
    store.rewrite(&[entry("a", 0, 5), entry("a", 1, 5)]).unwrap();
    assert!(!in_log());
    store.append(&[with(2)]).unwrap();
    store.erase(&document("a")).unwrap();
    assert!(!in_log());
    drop(store);
    let store = open(dir.path());
    assert!(store.read(&document("a"), Seq(0)).unwrap().is_empty());
    assert_eq!(store.read(&document("b"), Seq(0)).unwrap(), [bytes_of("b", 0, 100)]);
}

/// The log has the rewrite after the entry that it replaces. A stop before the rewrite was settled must not bring the old
/// entry back.
#[test]
fn a_rewrite_that_was_only_logged_is_made_when_the_store_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(&[entry("a", 0, 100), entry("a", 1, 100), entry("b", 0, 100)]).unwrap();
    {
        let mut writer = lock(&store.shared.writer);
        let changes = [
            Resolved::Rewrite(entry("a", 1, 3)),
            Resolved::Rewrite(entry("a", 0, 2)),
            Resolved::Erase(document("b")),
        ];
        writer.log.append(&changes::encode(&changes)).unwrap();
    }
    let copy = killed(&store);
    for _ in 0..2 {
        let store = open(copy.path());
        for old in [bytes_of("a", 1, 100), bytes_of("b", 0, 100)] {
            assert!(!is_in_log(copy.path(), &old));
        }
        let expected = [bytes_of("a", 0, 2), bytes_of("a", 1, 3)];
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap(), expected);
        assert!(store.read(&document("b"), Seq(0)).unwrap().is_empty());
    }
}

#[test]
fn a_folder_of_the_version_before_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    {
        let sled = SledStore::open(dir.path()).unwrap();
        let id = ("seat".to_owned(), "k".to_owned());
        let record = Some(Record { revision: 4, value: b"author".to_vec() });
        let entries = (0..3).map(|seq| entry("a", seq, 100));
        sled.write(entries, std::iter::once((&id, &record))).unwrap();
        sled.mark_as_before();
    }
    // A stop while the folder is carried over leaves parts of the new form.
    fs::create_dir_all(dir.path().join("log")).unwrap();
    fs::write(dir.path().join("noted"), b"").unwrap();
    Witness::empty().write(dir.path()).unwrap();
    for _ in 0..2 {
        let store = open(dir.path());
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 3);
        assert_eq!(store.get("seat", "k").unwrap().unwrap().revision, 4);
    }
    assert!(dir.path().join("witness").exists());
}

#[test]
fn commits_of_many_threads_are_all_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let store = store.clone();
            std::thread::spawn(move || {
                let id = format!("d{thread}");
                for seq in 0..100 {
                    store.append(&[entry(&id, seq, 3_000)]).unwrap();
                    assert_eq!(store.read(&document(&id), Seq(seq)).unwrap().len(), 1);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    drop(Arc::into_inner(store).unwrap());
    let store = open(dir.path());
    for thread in 0..8 {
        assert_eq!(store.read(&document(&format!("d{thread}")), Seq(0)).unwrap().len(), 100);
    }
}

#[test]
fn a_folder_is_copied_unchanged_while_no_server_uses_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(&[entry("a", 0, 100)]).unwrap();
    let to = tempfile::tempdir().unwrap();
    assert!(matches!(DiskStore::copy(dir.path(), to.path()), Err(StoreError::InUse(_))));
    drop(store);
    let contents = || files(dir.path()).into_iter().map(|file| fs::read(file).unwrap());
    let before: Vec<_> = contents().collect();
    let to = tempfile::tempdir().unwrap();
    DiskStore::copy(dir.path(), to.path()).unwrap();
    assert_eq!(open(to.path()).read(&document("a"), Seq(0)).unwrap().len(), 1);
    assert!(contents().eq(before));
}

#[test]
fn a_rewrite_that_can_t_be_made_fails_its_job_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(&[entry("a", 0, 10), entry("b", 0, 10)]).unwrap();
    let results = store.commit(vec![
        vec![Change::Erase(document("a"))],
        vec![Change::Rewrite(entry("a", 0, 5))],
        vec![Change::Append(entry("b", 1, 10))],
    ]);
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(results[1], Err(StoreError::Conflict)));
    store.append(&[entry("b", 2, 10)]).unwrap();
    drop(store);
    let store = open(dir.path());
    assert!(store.read(&document("a"), Seq(0)).unwrap().is_empty());
    assert_eq!(store.read(&document("b"), Seq(0)).unwrap().len(), 3);
}

#[test]
fn the_log_does_not_grow_with_each_opening() {
    let dir = tempfile::tempdir().unwrap();
    for seq in 0..12 {
        open(dir.path()).append(&[entry("a", seq, 100)]).unwrap();
    }
    let log = files(&dir.path().join("log"));
    assert!(log.len() <= 4, "{log:?}");
}

/// Commits wait for a settlement, and the settlement needs what commits hold. Neither may wait for the other for ever.
#[test]
fn commits_larger_than_a_layer_wait_for_the_settler_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    let threads: Vec<_> = (0..6)
        .map(|thread| {
            let store = store.clone();
            std::thread::spawn(move || {
                for seq in 0..4 {
                    store.append(&[entry(&format!("d{thread}"), seq, 5_000_000)]).unwrap();
                    let key = format!("{thread}/{seq}");
                    store.swap("seat", &key, None, Some(b"x")).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(store.scan("seat", "").unwrap().len(), 24);
}
