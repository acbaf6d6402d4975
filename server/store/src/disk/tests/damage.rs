//! Tests of damaged folders: what is damaged is healed or named.

use super::*;

/// What a fault did to a copy of a data folder.
#[derive(Debug, Default)]
struct Faults {
    named: usize,
    harmless: usize,
}

/// Flips bits and cuts files of a folder with 30 entries in each of `a` and `b`, and a record.
fn try_faults(dir: &Path, faults: &mut Faults) {
    let whole = |store: &DiskStore, id: &str| {
        let read = store.read(&document(id), Seq(0))?;
        Ok::<_, StoreError>(
            read.len() == 30
                && (0..).zip(&read).all(|(seq, bytes)| *bytes == bytes_of(id, seq, 30_000)),
        )
    };
    let check = |copy: &Path, what: &str| match DiskStore::open(copy, 0) {
        Err(_) => true,
        Ok(store) => {
            let mut is_named = false;
            for id in ["a", "b"] {
                match whole(&store, id) {
                    Ok(is_whole) => {
                        assert!(is_whole, "{what}: {id} is not whole, and nothing says so")
                    }
                    Err(_) => is_named = true,
                }
            }
            let record = store.get("seat", "k").unwrap().unwrap();
            assert_eq!(record.value, b"author");
            is_named
        }
    };
    for file in files(dir) {
        let name = file.strip_prefix(dir).unwrap();
        let bytes = fs::read(&file).unwrap();
        for n in 0..14 {
            let copy = copy_of(dir);
            let mut changed = bytes.clone();
            if n < 9 && !changed.is_empty() {
                let at = changed.len() * (2 * n + 1) / 18;
                flip_behind(&mut changed, at, n);
            } else {
                changed.truncate(changed.len() * (n - 9.min(n)) / 5);
            }
            fs::write(copy.path().join(name), changed).unwrap();
            let what = format!("{}, fault {n}", name.display());
            if check(copy.path(), &what) { faults.named += 1 } else { faults.harmless += 1 }
        }
        let copy = copy_of(dir);
        fs::remove_file(copy.path().join(name)).unwrap();
        let what = format!("{} removed", name.display());
        if check(copy.path(), &what) { faults.named += 1 } else { faults.harmless += 1 }
    }
}

#[test]
fn every_flipped_bit_and_cut_is_healed_or_named() {
    let mut faults = Faults::default();
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.swap("seat", "k", None, Some(b"author")).unwrap();
    for seq in 0..30 {
        store.append(&[entry("a", seq, 30_000), entry("b", seq, 30_000)]).unwrap();
    }
    settled(&store);
    // Within a second, the last batch is noted.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    try_faults(killed(&store).path(), &mut faults);
    drop(store);
    try_faults(dir.path(), &mut faults);
    println!("{faults:?}");
    assert!(faults.named > 0 && faults.harmless > 0, "{faults:?}");
}

#[test]
fn an_empty_store_beside_the_rest_of_one_is_damage() {
    for left in ["log", "witness", "keys"] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).append(&[entry("a", 0, 10)]).unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        fs::write(dir.path().join("keys/signing.key"), b"k").unwrap();
        for name in ["log", "witness", "keys", "store"].into_iter().filter(|name| *name != left) {
            let path = dir.path().join(name);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap()
            } else {
                fs::remove_file(path).unwrap()
            }
        }
        let refused = DiskStore::open(dir.path(), 0);
        assert!(matches!(refused, Err(StoreError::Damaged(_))), "{left}");
        assert!(!dir.path().join("store").exists(), "{left}: nothing new was made");
    }
}

/// Returns the damaged copy's error, and checks that opening it left its log as it was.
fn refused_with_its_log(dir: &Path) -> StoreError {
    let log = || files(&dir.join("log")).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>();
    let before = log();
    let refused = DiskStore::open(dir, 0).unwrap_err();
    assert!(log() == before && !before.is_empty());
    refused
}

#[test]
fn a_log_is_never_thrown_away_because_sled_lost_its_mark() {
    // Nothing of a new folder is settled yet.
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(&[entry("a", 0, 100)]).unwrap();
    let copy = killed(&store);
    fs::remove_file(copy.path().join("store/db")).unwrap();
    assert!(matches!(refused_with_its_log(copy.path()), StoreError::Damaged(_)));
    // A folder that was carried over falls back to the mark of the version before.
    drop(store);
    {
        let sled = SledStore::open(dir.path()).unwrap();
        sled.mark_as_before();
    }
    assert!(matches!(refused_with_its_log(dir.path()), StoreError::Damaged(_)));
}

/// The log has only the newest entries. They must not hide that older ones are missing.
#[test]
fn a_gap_before_what_the_log_has_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seq in 0..30 {
        store.append(&[entry("a", seq, 100_000), entry("b", seq, 10)]).unwrap();
        if seq % 10 == 9 {
            store.shared.settle_now().unwrap();
        }
    }
    // The log is freed a little later.
    while is_in_log(dir.path(), &bytes_of("a", 0, 40)) {
        std::thread::yield_now();
    }
    store.append(&[entry("a", 30, 10)]).unwrap();
    let copy = killed(&store);
    SledStore::open(copy.path()).unwrap().erase(&document("a")).unwrap();
    let store = open(copy.path());
    for _ in 0..2 {
        assert!(matches!(store.read(&document("a"), Seq(0)), Err(StoreError::Damaged(_))));
        assert!(matches!(store.entry(&document("a"), Seq(30)), Err(StoreError::Damaged(_))));
        assert!(matches!(store.append(&[entry("a", 31, 10)]), Err(StoreError::Damaged(_))));
    }
    assert_eq!(store.read(&document("b"), Seq(0)).unwrap().len(), 30);
}
