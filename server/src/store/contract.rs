//! What every backend promises, run against each.

use super::{Append, MemoryStore, SledStore, Store, StoreError};
use accord_document::ids::{DocumentId, Seq};

fn each(check: impl Fn(&dyn Store)) {
    check(&MemoryStore::default());
    let dir = tempfile::tempdir().unwrap();
    check(&SledStore::open(dir.path(), 0).unwrap());
}

fn entry(document: &str, seq: u64, byte: u8) -> Append {
    Append { document: DocumentId::new(document), seq: Seq(seq), bytes: vec![byte; 3] }
}

#[test]
fn entries_come_back_in_order_from_any_place() {
    each(|store| {
        store.append(&[entry("a", 0, 0), entry("b", 0, 9), entry("a", 1, 1)]).unwrap();
        store.append(&[entry("a", 2, 2)]).unwrap();
        let a = DocumentId::new("a");
        assert_eq!(store.read(&a, Seq(0)).unwrap(), [[0; 3], [1; 3], [2; 3]]);
        assert_eq!(store.read(&a, Seq(2)).unwrap(), [[2; 3]]);
        assert!(store.read(&a, Seq(3)).unwrap().is_empty());
        assert_eq!(store.read(&DocumentId::new("b"), Seq(0)).unwrap(), [[9; 3]]);
        assert!(store.read(&DocumentId::new("none"), Seq(0)).unwrap().is_empty());
    });
}

#[test]
fn an_entry_out_of_its_place_refuses_the_whole_batch() {
    each(|store| {
        store.append(&[entry("a", 0, 0)]).unwrap();
        for wrong in [0, 2] {
            let batch = [entry("b", 0, 5), entry("a", wrong, 1)];
            assert!(matches!(store.append(&batch), Err(StoreError::Conflict)), "{wrong}");
        }
        assert!(store.read(&DocumentId::new("b"), Seq(0)).unwrap().is_empty());
        assert_eq!(store.read(&DocumentId::new("a"), Seq(0)).unwrap().len(), 1);
    });
}

#[test]
fn a_document_whose_name_begins_another_has_a_ledger_of_its_own() {
    each(|store| {
        store.append(&[entry("a", 0, 0), entry("ab", 0, 1)]).unwrap();
        assert_eq!(store.read(&DocumentId::new("a"), Seq(0)).unwrap(), [[0; 3]]);
    });
}

#[test]
fn a_record_changes_only_for_whoever_saw_its_last_revision() {
    each(|store| {
        store.swap("seat", "p/1", None, Some(b"author")).unwrap();
        assert!(matches!(store.swap("seat", "p/1", None, Some(b"x")), Err(StoreError::Conflict)));
        let first = store.get("seat", "p/1").unwrap().unwrap();
        store.swap("seat", "p/1", Some(first.revision), Some(b"observer")).unwrap();
        let stale = store.swap("seat", "p/1", Some(first.revision), None);
        assert!(matches!(stale, Err(StoreError::Conflict)));
        let second = store.get("seat", "p/1").unwrap().unwrap();
        assert_eq!(second.value, b"observer");
        store.swap("seat", "p/1", Some(second.revision), None).unwrap();
        assert_eq!(store.get("seat", "p/1").unwrap(), None);
    });
}

#[test]
fn records_are_scanned_by_kind_and_prefix() {
    each(|store| {
        for (kind, key) in [("seat", "q/1"), ("seat", "p/2"), ("seat", "p/1"), ("seats", "p/3")] {
            store.swap(kind, key, None, Some(key.as_bytes())).unwrap();
        }
        let keys = |prefix| {
            let found = store.scan("seat", prefix).unwrap();
            found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys("p/"), ["p/1", "p/2"]);
        assert_eq!(keys(""), ["p/1", "p/2", "q/1"]);
    });
}
