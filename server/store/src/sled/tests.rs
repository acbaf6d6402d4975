//! Tests of guarantees that sled does not give by itself.

use super::pieces::{MAX_PIECE_BYTES, ledger_key, pieced_upto, put_entry};
use super::segments::{MAX_ENTRY_BYTES_AT_A_TIME, MIN_LOOSE_ENTRIES};
use super::*;
use crate::Append;
use crate::contract::{blanked, chain, chain_of};
use accord_document::ids::{DocumentId, LedgerId, Seq};

fn document(id: &str) -> LedgerId {
    DocumentId::new(id).into()
}

fn entry(id: &str, seq: u64, bytes: Vec<u8>) -> Append {
    Append { ledger: document(id), seq: Seq(seq), bytes }
}

fn open(dir: &Path) -> SledStore {
    let store = SledStore::open(dir).unwrap();
    store.mark_as_present().unwrap();
    store
}

fn append(store: &SledStore, entries: &[Append]) {
    store.write(entries.iter().cloned(), std::iter::empty()).unwrap();
    store.sync().unwrap();
}

fn read(store: &SledStore, ledger: &LedgerId, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    store.read_before(ledger, Seq(from), u64::MAX)
}

fn put(store: &SledStore, key: &str, value: &[u8]) {
    let record = Some(Record { revision: 1, value: value.to_vec() });
    let key = ("person".to_owned(), key.to_owned());
    store.write(std::iter::empty(), std::iter::once((&key, &record))).unwrap();
    store.sync().unwrap();
}

#[test]
fn large_entries_are_packed_in_segments_of_bounded_size() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path()).unwrap();
    let ledger = document("a");
    // Together, the entries exceed one segment. Entry 40 exceeds the size of a segment by itself.
    let large = |n| match n {
        40 => MAX_ENTRY_BYTES_AT_A_TIME + 1,
        1_100.. => 300_000,
        _ => 60_000,
    };
    let chain = chain_of(1_200, large);
    for batch in chain.chunks(100) {
        append(&store, batch);
    }
    let entries: Vec<Vec<u8>> = chain.into_iter().map(|append| append.bytes).collect();
    assert!(store.pack(&ledger).unwrap() > 0);
    assert!(store.segments.len() > 1);
    assert_eq!(store.pack(&ledger).unwrap(), 0);
    assert_eq!(read(&store, &ledger, 0).unwrap(), entries);
    let mut piece_by_piece: Vec<Vec<u8>> = Vec::new();
    loop {
        let more = store.read_some(&ledger, Seq(piece_by_piece.len() as u64)).unwrap();
        if more.is_empty() {
            break;
        }
        piece_by_piece.extend(more);
    }
    assert_eq!(piece_by_piece, entries);
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
        append(&store, &[entry("a", 0, vec![1; 200_000]), entry("a", 1, vec![])]);
        put(&store, "p1", b"x");
    }
    let store = open(dir.path());
    let read = read(&store, &document("a"), 0).unwrap();
    assert_eq!(read, [vec![1; 200_000], vec![]]);
    assert_eq!(store.get("person", "p1").unwrap().unwrap().value, b"x");
}

/// sled never syncs the files that it writes beside the database file, so there must be none.
#[test]
fn nothing_is_written_beside_the_file_that_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for seq in 0..40 {
        let len = if seq % 10 == 0 { 2_000_000 } else { 40 + 900 * seq as usize };
        append(&store, &[entry("a", seq, vec![seq as u8; len])]);
        let record = vec![seq as u8; MAX_PIECE_BYTES - 64];
        put(&store, &seq.to_string(), &record);
    }
    let blobs = fs::read_dir(dir.path().join("store/blobs")).unwrap();
    assert_eq!(blobs.count(), 0);
}

#[test]
fn a_folder_of_another_form_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).db.insert(FORMAT_KEY, &[1]).unwrap();
    let refused = SledStore::open(dir.path()).unwrap_err();
    assert!(refused.to_string().contains("another version of Accord"), "{refused}");
}

/// The state is that of a server that stopped after it wrote a segment, and before it removed the loose entries.
#[test]
fn entries_that_stand_twice_are_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = chain(3_000);
    let bytes: Vec<_> = all.iter().map(|entry| entry.bytes.clone()).collect();
    append(&store, &all);
    store.pack(&document("a")).unwrap();
    let mut again = sled::Batch::default();
    all.iter().for_each(|entry| drop(put_entry(&mut again, entry)));
    store.ledger.apply_batch(again).unwrap();
    for from in [0, 1_500, 2_900] {
        let read = read(&store, &document("a"), from).unwrap();
        assert_eq!(read, bytes[from as usize..]);
    }
    // A rewrite replaces an entry both in its segment and where it is stored alone.
    let blanked = blanked(&all[10]);
    store.rewrite(std::slice::from_ref(&blanked)).unwrap();
    assert_eq!(store.entry(&document("a"), Seq(10)).unwrap().unwrap(), blanked.bytes);
    let loose = pieced_upto(&store.ledger, &document("a"), Seq(10), Seq(10)).unwrap();
    assert_eq!(loose, [(10, blanked.bytes)]);
    // The next packing removes the second copies.
    let more = chain(5_000).split_off(3_000);
    append(&store, &more);
    assert!(store.pack(&document("a")).unwrap() > 0);
    assert!(store.ledger.len() <= MIN_LOOSE_ENTRIES);
    assert_eq!(read(&store, &document("a"), 0).unwrap().len(), 5_000);
}

#[test]
fn a_second_server_on_the_same_folder_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    assert!(matches!(SledStore::open(dir.path()), Err(StoreError::InUse(_))));
}

#[test]
fn a_leftover_snapshot_does_not_keep_the_store_from_opening() {
    let dir = tempfile::tempdir().unwrap();
    append(&open(dir.path()), &[entry("a", 0, vec![7])]);
    fs::write(dir.path().join("store/snap.0000000000000ABC.generating"), b"half").unwrap();
    assert_eq!(read(&open(dir.path()), &document("a"), 0).unwrap(), [vec![7]]);
}

#[test]
fn a_changed_value_and_a_missing_entry_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let a = document("a");
    for seq in 0..3 {
        append(&store, &[entry("a", seq, vec![9; 10])]);
    }
    let key = ledger_key(&a, Seq(1), 0);
    let good = store.ledger.get(&key).unwrap().unwrap();
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 4;
        store.ledger.insert(&key, bad).unwrap();
        assert!(matches!(read(&store, &a, 0), Err(StoreError::Damaged(_))), "byte {at}");
    }
    store.ledger.remove(&key).unwrap();
    assert!(matches!(read(&store, &a, 0), Err(StoreError::Damaged(_))));
}
