//! Tests of a disk that fails: sled is opened again, and nothing that was acknowledged is lost.

use super::*;
use crate::log::SEGMENT_BYTES;

/// Commits until something is settled, and waits for the end of that settlement.
fn settle_some(store: &DiskStore, id: &str, first: u64) {
    for seq in first..first + 4 {
        store.append(&[entry(id, seq, 200_000)]).unwrap();
    }
    settled(store);
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
        while store.shared.sled.has_failed() {
            assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len() as u64, first + 4);
        }
    }
    drop(store);
    assert_eq!(open(dir.path()).read(&document("a"), Seq(0)).unwrap().len(), 12);
}

/// The folder is marked, so that the next opening writes the log again as well. A server that dies meanwhile leaves the mark.
#[test]
fn a_failure_marks_the_folder_until_everything_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("unsynced");
    let store = open(dir.path());
    settle_some(&store, "a", 0);
    assert!(!mark.exists());
    store.shared.sled.notice(&StoreError::SyncFailed("a fault".into()));
    let copy = killed(&store);
    settle_some(&store, "a", 4);
    assert!(mark.exists());
    drop(store);
    for (dir, len) in [(dir.path(), 8), (copy.path(), 4)] {
        let store = open(dir);
        assert!(!dir.join("unsynced").exists());
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), len);
    }
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

/// Between the opening and the settlement, nobody may take a lost record for one that was never there.
#[test]
fn a_database_that_lost_a_record_answers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.swap("seat", "k", None, Some(b"author")).unwrap();
    settle_some(&store, "a", 0);
    let (id, none) = (("seat".to_owned(), "k".to_owned()), None);
    store
        .shared
        .sled
        .with(|sled| sled.write(std::iter::empty(), [(&id, &none)].into_iter()))
        .unwrap();
    store.shared.sled.notice(&StoreError::Full);
    while store.shared.stopped.get().is_none() {
        if store.get("seat", "k").is_err() {
            break;
        }
    }
    while store.stopped().is_none() {
        std::thread::yield_now();
    }
    assert!(store.get("seat", "k").is_err());
    assert!(store.swap("seat", "k", None, Some(b"another")).is_err());
    drop(store);
    assert_eq!(open(dir.path()).get("seat", "k").unwrap().unwrap().value, b"author");
}

/// Erasing frees space, so the reserve is for it as well.
#[test]
fn a_ledger_is_erased_although_the_reserve_is_used_up() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&[entry("a", 0, 100)]).unwrap();
    let store = DiskStore::open(dir.path(), u64::MAX).unwrap();
    store.erase(&document("a")).unwrap();
    assert!(store.stopped().is_none());
    assert!(store.read(&document("a"), Seq(0)).unwrap().is_empty());
}

#[test]
fn too_little_room_is_refused_before_anything_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path(), u64::MAX).unwrap();
    assert!(matches!(store.has_space(), Err(StoreError::Full)));
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

/// A disk on which sled can't be opened, because its file has another name until this is dropped.
struct Unopenable(PathBuf);

impl Unopenable {
    fn new(store: &DiskStore) -> Self {
        let file = paths::sled_file(&store.shared.path);
        fs::rename(&file, file.with_extension("away")).unwrap();
        store.shared.sled.notice(&StoreError::Failed("a fault".into()));
        Self(file)
    }
}

impl Drop for Unopenable {
    fn drop(&mut self) {
        fs::rename(self.0.with_extension("away"), &self.0).unwrap();
    }
}

/// Returns jobs that erase a ledger, rewrite an entry, and append to a third ledger.
fn removals() -> Vec<Vec<Change>> {
    let blanked = Append { bytes: b"gone".to_vec(), ..entry("b", 0, 0) };
    let appended = Change::Append(entry("a", 4, 10));
    vec![vec![Change::Erase(document("e"))], vec![Change::Rewrite(blanked)], vec![appended]]
}

fn assert_removed(store: &DiskStore) {
    assert!(store.stopped().is_none());
    assert!(store.read(&document("e"), Seq(0)).unwrap().is_empty());
    assert_eq!(store.read(&document("b"), Seq(0)).unwrap(), [b"gone"]);
    assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 5);
}

fn with_something_to_remove(dir: &Path) -> DiskStore {
    let store = open(dir);
    store.append(&[entry("e", 0, 100), entry("b", 0, 100)]).unwrap();
    settle_some(&store, "a", 0);
    store
}

/// The store must be able to make each removal that is in the log. A removal that it can't make is refused before it is
/// logged, and the store keeps working.
#[test]
fn a_removal_is_refused_while_the_database_can_not_be_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_something_to_remove(dir.path());
    let unopenable = Unopenable::new(&store);
    let results = store.shared.write(&mut lock(&store.shared.writer), removals());
    let [Err(erased), Err(rewritten), Ok(())] = &results[..] else { panic!("{results:?}") };
    assert!(matches!(erased, StoreError::Failed(_)), "{erased}");
    assert!(matches!(rewritten, StoreError::Failed(_)), "{rewritten}");
    assert!(store.stopped().is_none());
    drop(unopenable);
    for result in store.commit(removals().into_iter().take(2).collect()) {
        result.unwrap();
    }
    assert_removed(&store);
    drop(store);
    assert_removed(&open(dir.path()));
}

#[test]
fn a_removal_waits_until_the_database_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_something_to_remove(dir.path());
    let unopenable = Unopenable::new(&store);
    // The settler tries to open sled, and pauses.
    while store.read(&document("e"), Seq(0)).is_ok() {
        std::thread::yield_now();
    }
    std::thread::scope(|scope| {
        let removing = scope.spawn(|| store.commit(removals()));
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(unopenable);
        removing.join().unwrap().into_iter().for_each(|result| result.unwrap());
    });
    assert_removed(&store);
}
