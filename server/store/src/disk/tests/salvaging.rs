//! Tests of a salvage: what is saved of a damaged folder is a true part of what was written, and no redacted text is in it.

use super::*;
use crate::Salvage;
use crate::contract::chain;

/// Number of entries in each of the ledgers `a` and `b`.
const ENTRIES: u64 = 30;
/// Number of entries in the ledger `p`, of which most are packed.
const PACKED: u64 = 900;
const SECRET: &[u8] = b"a name that must go";

/// Writes ledgers, records and a redacted entry into a folder.
fn write(store: &DiskStore) {
    store.swap("seat", "k", None, Some(b"author")).unwrap();
    // Only real entries can be packed.
    let real = chain(PACKED).into_iter().map(|entry| Append { ledger: document("p"), ..entry });
    store.append(&real.collect::<Vec<_>>()).unwrap();
    assert!(store.pack(&document("p")).unwrap() > 0);
    let secret = |seq| Append { ledger: document("r"), seq: Seq(seq), bytes: SECRET.repeat(20) };
    store.append(&[entry("r", 0, 50), secret(1), entry("r", 2, 50), secret(3)]).unwrap();
    store.append(&[entry("e", 0, 50)]).unwrap();
    store.rewrite(&[entry("r", 1, 30), entry("r", 3, 30)]).unwrap();
    store.erase(&document("e")).unwrap();
    for seq in 0..ENTRIES {
        store.append(&[entry("a", seq, 30_000), entry("b", seq, 30_000)]).unwrap();
        let key = format!("{seq}");
        store.swap("mark", &key, None, Some(key.as_bytes())).unwrap();
    }
}

/// Returns what was written into a ledger.
fn written(id: &str) -> Vec<Vec<u8>> {
    match id {
        "a" | "b" => (0..ENTRIES).map(|seq| bytes_of(id, seq, 30_000)).collect(),
        "p" => chain(PACKED).into_iter().map(|entry| entry.bytes).collect(),
        _ => (0..4).map(|seq| bytes_of(id, seq, if seq % 2 == 0 { 50 } else { 30 })).collect(),
    }
}

fn salvaged(dir: &Path) -> (tempfile::TempDir, Salvage) {
    let scratch = tempfile::tempdir().unwrap();
    let salvage = DiskStore::salvage(dir, scratch.path()).unwrap();
    (scratch, salvage)
}

/// Checks that what is saved of a folder is true, and that each loss is named. Returns whether everything is saved.
fn check(dir: &Path, what: &str) -> bool {
    let (_scratch, salvage) = salvaged(dir);
    let mut is_whole = true;
    for id in ["a", "b", "p", "r"] {
        let found = salvage.ledger(&document(id));
        let true_ones = written(id);
        let count = found.entries.len();
        assert!(count <= true_ones.len(), "{what}: {id} has {count} entries");
        assert!(found.entries == true_ones[..count], "{what}: an entry of {id} is another");
        let is_named = found.fault.is_some() || !salvage.notes().is_empty();
        assert!(count == true_ones.len() || is_named, "{what}: {count} of {id}, and nothing said");
        is_whole &= count == true_ones.len();
    }
    let known = ["a", "b", "p", "r"].map(document);
    assert!(salvage.ledgers().all(|ledger| known.contains(ledger)), "{what}: a ledger is back");
    let mut records = 0;
    for (kind, key, value) in salvage.records() {
        let expected = if kind == "seat" { "author" } else { key };
        assert_eq!(value, expected.as_bytes(), "{what}: {kind} {key}");
        records += 1;
    }
    assert!(records == 31 || !salvage.notes().is_empty(), "{what}: {records} records");
    is_whole && records == 31
}

/// Damages each file of a folder in many ways.
fn try_faults(dir: &Path) -> (usize, usize) {
    let (mut whole, mut partial) = (0, 0);
    for file in files(dir) {
        let name = file.strip_prefix(dir).unwrap();
        let bytes = fs::read(&file).unwrap();
        for n in 0..14 {
            let copy = copy_of(dir);
            let mut changed = bytes.clone();
            match n {
                0..8 if !changed.is_empty() => {
                    let at = changed.len() * (2 * n + 1) / 16;
                    flip_behind(&mut changed, at, n);
                }
                0..12 => changed.truncate(changed.len() * (n - 8.min(n)) / 4),
                // A place that the disk has lost reads as zeroes.
                12 => {
                    let (from, to) = (changed.len() / 4, changed.len() / 2);
                    changed[from..to].fill(0);
                }
                _ => changed.iter_mut().take(700).for_each(|byte| *byte = 0xa5),
            }
            fs::write(copy.path().join(name), changed).unwrap();
            let is_whole = check(copy.path(), &format!("{}, fault {n}", name.display()));
            *(if is_whole { &mut whole } else { &mut partial }) += 1;
            let is_beside = [witness::FILE, noted::FILE].iter().any(|file| name == Path::new(file));
            assert!(is_whole || !is_beside, "{}, fault {n}", name.display());
        }
        let copy = copy_of(dir);
        fs::remove_file(copy.path().join(name)).unwrap();
        check(copy.path(), &format!("{} removed", name.display()));
    }
    (whole, partial)
}

#[test]
fn what_is_salvaged_of_a_damaged_folder_is_true_and_each_loss_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    write(&store);
    settled(&store);
    // Within a second, the last batch is noted.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let killed = killed(&store);
    drop(store);
    for folder in [killed.path(), dir.path()] {
        assert!(check(folder, "nothing damaged"));
        let (_scratch, salvage) = salvaged(folder);
        assert!(salvage.notes().is_empty(), "{:?}", salvage.notes());
        let (whole, partial) = try_faults(folder);
        println!("{whole} whole, {partial} partial");
        assert!(whole > 0 && partial > 0, "{whole} and {partial}");
    }
}

/// The log alone has what was committed last. Damage to one of its batches loses neither those before nor those behind.
#[test]
fn batches_behind_damage_in_the_log_are_salvaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seq in 0..6 {
        store.append(&[entry(&format!("d{seq}"), 0, 2_000)]).unwrap();
    }
    let killed = killed(&store);
    let log = files(&killed.path().join("log")).remove(0);
    let bytes = fs::read(&log).unwrap();
    // Each batch takes five blocks behind the header.
    for (place, is_header) in [(512 * 6, false), (512 * 8, false), (0, true)] {
        let copy = copy_of(killed.path());
        let mut changed = bytes.clone();
        changed[place + 40] ^= 4;
        fs::write(copy.path().join("log").join(log.file_name().unwrap()), changed).unwrap();
        let (_scratch, salvage) = salvaged(copy.path());
        let found = (0..6).filter(|seq| {
            let found = salvage.ledger(&document(&format!("d{seq}")));
            assert!(found.fault.is_none());
            found.entries == [bytes_of(&format!("d{seq}"), 0, 2_000)]
        });
        let found: Vec<_> = found.collect();
        if is_header {
            // Its epoch and first batch are found by trying.
            assert_eq!(found, [0, 1, 2, 3, 4, 5], "{place}");
            assert!(salvage.notes().is_empty(), "{:?}", salvage.notes());
        } else {
            assert_eq!(found, [0, 2, 3, 4, 5], "{place}");
            assert_eq!(salvage.notes(), ["batch 2 of the log is lost"]);
        }
    }
}

#[test]
fn a_folder_without_its_database_gives_what_the_log_has() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(&[entry("a", 0, 100), entry("a", 1, 100)]).unwrap();
    let copy = killed(&store);
    fs::remove_dir_all(copy.path().join("store")).unwrap();
    let before = files(copy.path());
    let (_scratch, salvage) = salvaged(copy.path());
    assert_eq!(files(copy.path()), before, "nothing is changed");
    assert_eq!(salvage.ledger(&document("a")).entries.len(), 2);
    assert!(salvage.notes()[0].contains("is missing"), "{:?}", salvage.notes());
    assert!(salvage.notes()[0].contains(&copy.path().display().to_string()));
}

#[test]
fn a_folder_in_use_is_not_salvaged() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let scratch = tempfile::tempdir().unwrap();
    let refused = DiskStore::salvage(dir.path(), scratch.path());
    assert!(matches!(refused, Err(StoreError::InUse(_))));
}

/// A database that has lost its newest changes has the old bytes of a redacted entry. The witness has the new hash.
#[test]
fn a_redacted_entry_that_is_back_is_not_salvaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    write(&store);
    drop(store);
    {
        let sled = SledStore::open(dir.path()).unwrap();
        let old = Append { ledger: document("r"), seq: Seq(1), bytes: SECRET.repeat(20) };
        sled.rewrite(&[old]).unwrap();
        sled.write(std::iter::once(entry("e", 0, 50)), std::iter::empty()).unwrap();
        sled.sync().unwrap();
    }
    let (_scratch, salvage) = salvaged(dir.path());
    let found = salvage.ledger(&document("r"));
    assert_eq!(found.entries, written("r")[..1]);
    assert_eq!(found.total, 4);
    let fault = found.fault.unwrap();
    assert_eq!(fault, "entry 1 is not as it was written");
    assert!(!salvage.ledgers().any(|ledger| *ledger == document("e")));
    assert_eq!(salvage.notes(), ["document e was erased and is back, so it is left out"]);
}
