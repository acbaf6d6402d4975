//! Tests of a disk that fails: sled is opened again, and nothing that was acknowledged is lost.

use super::*;
use crate::log::SEGMENT_BYTES;
use std::os::unix::fs::MetadataExt as _;

/// Commits until something is settled, and waits for the end of that settlement.
fn settle_some(store: &DiskStore, id: &str, first: u64) {
    for seq in first..first + 4 {
        store.append(&[entry(id, seq, 200_000)]).unwrap();
    }
    settled(store);
}

fn number_of(file: &Path) -> u64 {
    fs::metadata(file).unwrap().ino()
}

#[test]
fn a_database_that_failed_is_opened_again_while_the_store_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    settle_some(&store, "a", 0);
    for (round, error) in
        [StoreError::Full, StoreError::Failed("a fault".into())].iter().enumerate()
    {
        store.shared.sled.notice(error);
        let first = 4 * (round as u64 + 1);
        settle_some(&store, "a", first);
        while store.shared.sled.has_failed() || store.shared.sled.is_unverified() {
            assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len() as u64, first + 4);
        }
    }
    drop(store);
    assert_eq!(open(dir.path()).read(&document("a"), Seq(0)).unwrap().len(), 12);
}

/// After a failed sync, what is read can be on no disk. So it is written to a new file.
#[test]
fn what_a_failed_sync_leaves_is_written_to_new_files() {
    let dir = tempfile::tempdir().unwrap();
    let (sled, mark) = (dir.path().join("store/db"), dir.path().join("unsynced"));
    let store = open(dir.path());
    settle_some(&store, "a", 0);
    let old = number_of(&sled);
    // A file keeps its number as long as it is open, so the number of its copy differs.
    let _old = fs::File::open(&sled).unwrap();
    store.shared.sled.notice(&StoreError::SyncFailed("a fault".into()));
    settle_some(&store, "a", 4);
    while store.shared.sled.has_failed() || store.shared.sled.is_unverified() {
        std::thread::yield_now();
    }
    assert_ne!(number_of(&sled), old);
    assert!(mark.exists(), "the next opening writes the log again, too");
    drop(store);
    let logs = files(&dir.path().join("log"));
    let old_logs: Vec<_> = logs.iter().map(|log| fs::File::open(log).unwrap()).collect();
    let store = open(dir.path());
    assert!(!mark.exists());
    let was_there =
        |log: &PathBuf| old_logs.iter().any(|old| old.metadata().unwrap().ino() == number_of(log));
    assert!(!files(&dir.path().join("log")).iter().any(was_there));
    assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 8);
}

/// The store stops, and does not write a witness that says that everything is there. The next opening has the log.
#[test]
fn a_database_that_lost_something_settled_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    settle_some(&store, "a", 0);
    store.shared.sled.with(|sled| sled.erase(&document("a"))).unwrap();
    store.shared.sled.notice(&StoreError::Full);
    let refused = (0..)
        .find_map(|seq| store.append(&[entry("b", seq, 100_000)]).err().map(|error| (seq, error)));
    let (count, error) = refused.unwrap();
    assert!(matches!(&error, StoreError::Failed(what) if what.contains("lacks")), "{error}");
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 4);
    assert_eq!(store.read(&document("b"), Seq(0)).unwrap().len() as u64, count);
}

#[test]
fn too_little_room_is_refused_before_anything_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path(), u64::MAX).unwrap();
    assert!(matches!(store.has_room(), Err(StoreError::Full)));
    let refused = (0..)
        .find_map(|seq| store.append(&[entry("a", seq, 500_000)]).err().map(|error| (seq, error)));
    let (count, error) = refused.unwrap();
    assert!(matches!(error, StoreError::Full), "{error}");
    let bytes: u64 =
        files(&dir.path().join("log")).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(bytes < 24 * SEGMENT_BYTES, "the log is bounded");
    assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len() as u64, count);
    drop(store);
    assert_eq!(open(dir.path()).read(&document("a"), Seq(0)).unwrap().len() as u64, count);
}

/// A removal waits until the segments that the settler is just freeing are zero.
#[test]
fn no_old_bytes_are_in_segments_that_are_being_freed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    store.append(&[entry("secret", 0, 100)]).unwrap();
    let busy = store.clone();
    let writing = std::thread::spawn(move || {
        for seq in 0..120 {
            busy.append(&[entry("a", seq, 100_000)]).unwrap();
        }
    });
    for round in 1..20 {
        let secret = entry("secret", round, 100);
        store.append(std::slice::from_ref(&secret)).unwrap();
        store.append(&[entry("b", round - 1, 400_000)]).unwrap();
        store.rewrite(&[Append { bytes: b"gone".to_vec(), ..secret.clone() }]).unwrap();
        assert!(!is_in_log(dir.path(), &secret.bytes), "round {round}");
    }
    writing.join().unwrap();
}
