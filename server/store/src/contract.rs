//! The contract suite: tests of what every backend promises, run against each backend.

use super::{Append, Change, DiskStore, MAX_RECORD_BYTES, MemoryStore, Store, StoreError, Swap};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};

fn each(check: impl Fn(&dyn Store)) {
    check(&MemoryStore::default());
    let dir = tempfile::tempdir().unwrap();
    check(&DiskStore::open(dir.path(), 0).unwrap());
}

fn document(id: &str) -> LedgerId {
    DocumentId::new(id).into()
}

fn entry(id: &str, seq: u64, byte: u8) -> Append {
    Append { ledger: document(id), seq: Seq(seq), bytes: vec![byte; 3] }
}

#[test]
fn entries_come_back_in_order_from_any_place() {
    each(|store| {
        store.append(&[entry("a", 0, 0), entry("b", 0, 9), entry("a", 1, 1)]).unwrap();
        store.append(&[entry("a", 2, 2)]).unwrap();
        let a = document("a");
        assert_eq!(store.read(&a, Seq(0)).unwrap(), [[0; 3], [1; 3], [2; 3]]);
        assert_eq!(store.read(&a, Seq(2)).unwrap(), [[2; 3]]);
        assert!(store.read(&a, Seq(3)).unwrap().is_empty());
        assert_eq!(store.read(&document("b"), Seq(0)).unwrap(), [[9; 3]]);
        assert!(store.read(&document("none"), Seq(0)).unwrap().is_empty());
    });
}

#[test]
fn a_ledger_reads_the_same_piece_by_piece_packed_or_not() {
    each(|store| {
        let entries = chain(2_500);
        let a = entries[0].ledger.clone();
        store.append(&entries).unwrap();
        for packed in [false, true] {
            if packed {
                store.pack(&a).unwrap();
            }
            for from in [0, 1, 1_023, 1_024, 2_499, 2_500] {
                let read: Vec<Vec<u8>> = (from..)
                    .zip(super::entries(store, &a, Seq(from)))
                    .map(|(expected, stored)| {
                        let (seq, bytes) = stored.unwrap();
                        assert_eq!(seq, Seq(expected));
                        bytes
                    })
                    .collect();
                assert_eq!(read, store.read(&a, Seq(from)).unwrap(), "from {from}");
            }
        }
        assert!(store.read_some(&document("none"), Seq(0)).unwrap().is_empty());
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
        assert!(store.read(&document("b"), Seq(0)).unwrap().is_empty());
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap().len(), 1);
    });
}

#[test]
fn a_job_that_fails_leaves_the_other_jobs_of_its_commit_alone() {
    each(|store| {
        let swap = |key: &str, expected, value: &[u8]| {
            let (key, value) = (key.to_owned(), Some(value.to_vec()));
            Change::Swap(Swap { kind: "seat", key, expected, value })
        };
        store.append(&[entry("a", 0, 0)]).unwrap();
        let results = store.commit(vec![
            vec![Change::Append(entry("a", 1, 1)), swap("k", None, b"one")],
            vec![Change::Append(entry("b", 0, 9)), Change::Append(entry("a", 1, 8))],
            vec![swap("l", None, b"lost"), swap("k", None, b"lost")],
            vec![swap("m", None, &[0; MAX_RECORD_BYTES + 1])],
            vec![],
            vec![Change::Append(entry("a", 2, 2)), swap("k", Some(1), b"two")],
        ]);
        let conflict =
            |result: &Result<(), StoreError>| matches!(result, Err(StoreError::Conflict));
        assert!(results[0].is_ok() && results[4].is_ok() && results[5].is_ok());
        assert!(conflict(&results[1]) && conflict(&results[2]));
        assert!(matches!(results[3], Err(StoreError::TooLong)));
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap(), [[0; 3], [1; 3], [2; 3]]);
        assert!(store.read(&document("b"), Seq(0)).unwrap().is_empty());
        let record = store.get("seat", "k").unwrap().unwrap();
        assert_eq!((record.revision, record.value.as_slice()), (2, &b"two"[..]));
        assert_eq!(store.get("seat", "l").unwrap(), None);
        assert_eq!(store.get("seat", "m").unwrap(), None);
    });
}

#[test]
fn a_document_whose_name_begins_another_has_a_ledger_of_its_own() {
    each(|store| {
        store.append(&[entry("a", 0, 0), entry("ab", 0, 1)]).unwrap();
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap(), [[0; 3]]);
    });
}

#[test]
fn documents_plans_and_the_audit_record_have_ledgers_apart() {
    each(|store| {
        let plan = |id| LedgerId::Plan(PlanId::new(id));
        let ledgers = [document("a"), plan("a"), plan("ab"), plan("b"), LedgerId::Audit];
        let batch: Vec<_> = (0..)
            .zip(&ledgers)
            .map(|(n, ledger)| Append { ledger: ledger.clone(), seq: Seq(0), bytes: vec![n] })
            .collect();
        store.append(&batch).unwrap();
        store.append(&[Append { ledger: plan("ab"), seq: Seq(1), bytes: vec![9] }]).unwrap();
        for (n, ledger) in (0..).zip(&ledgers) {
            assert_eq!(store.read(ledger, Seq(0)).unwrap()[0], [n], "{ledger}");
        }
        assert_eq!(store.plans().unwrap(), ["a", "ab", "b"].map(PlanId::new));
    });
}

#[test]
fn an_entry_is_rewritten_where_it_stands_and_nowhere_else() {
    each(|store| {
        let long = Append { ledger: document("a"), seq: Seq(1), bytes: vec![7; 200_000] };
        store.append(&[entry("a", 0, 0), long, entry("a", 2, 2)]).unwrap();
        store.rewrite(&[entry("a", 1, 9)]).unwrap();
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap(), [[0; 3], [9; 3], [2; 3]]);
        let absent = store.rewrite(&[entry("a", 0, 8), entry("a", 3, 8)]);
        assert!(matches!(absent, Err(StoreError::Conflict)));
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap()[0], [0; 3], "all or none");
    });
}

#[test]
fn an_erased_ledger_is_gone_and_its_neighbours_are_not() {
    each(|store| {
        let long = Append { ledger: document("b"), seq: Seq(0), bytes: vec![7; 200_000] };
        store.append(&[entry("a", 0, 0), long, entry("b", 1, 1), entry("bc", 0, 2)]).unwrap();
        store.erase(&document("b")).unwrap();
        assert!(store.read(&document("b"), Seq(0)).unwrap().is_empty());
        assert_eq!(store.read(&document("a"), Seq(0)).unwrap(), [[0; 3]]);
        assert_eq!(store.read(&document("bc"), Seq(0)).unwrap(), [[2; 3]]);
        store.erase(&document("none")).unwrap();
    });
}

#[test]
fn several_records_change_together_or_not_at_all() {
    each(|store| {
        store.swap("email", "x", None, Some(b"taken")).unwrap();
        let new = |kind, key: &str| Swap {
            kind,
            key: key.into(),
            expected: None,
            value: Some(b"p1".to_vec()),
        };
        let both = store.swap_all(&[new("person", "p1"), new("email", "x")]);
        assert!(matches!(both, Err(StoreError::Conflict)));
        assert_eq!(store.get("person", "p1").unwrap(), None);
        store.swap_all(&[new("person", "p1"), new("email", "y")]).unwrap();
        assert_eq!(store.get("email", "y").unwrap().unwrap().value, b"p1");
        assert_eq!(store.get("person", "p1").unwrap().unwrap().revision, 1);
    });
}

#[test]
fn a_record_changes_only_for_a_writer_who_saw_its_last_revision() {
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

/// Returns a ledger of real entries with one letter each. Only real entries can be packed.
pub(super) fn chain(count: u64) -> Vec<Append> {
    chain_of(count, |_| 1)
}

/// Returns an entry of a [`chain`], with its letter redacted.
pub(super) fn blanked(append: &Append) -> Append {
    use accord_document::body::Redaction;
    use accord_document::ledger::Entry;
    use accord_document::update::{Range, ScanError};
    let whole = Entry::decode(&append.bytes).unwrap();
    let range = Range { client: 7, clock: append.seq.0 as u32 - 1, len: 1 };
    let (_, blanked) =
        Redaction::of(String::new(), vec![range], [Ok::<_, ScanError>(&whole)]).unwrap();
    Append { bytes: blanked[0].encode(), ..append.clone() }
}

/// Returns a ledger of real entries, where `letters` gives the number of letters of each.
pub(super) fn chain_of(count: u64, letters: impl Fn(u64) -> usize) -> Vec<Append> {
    use accord_document::body::{Body, Genesis};
    use accord_document::ids::{LineageId, PersonId, SessionId};
    use accord_document::ledger::{Entry, RULES};
    use accord_document::lib0::Write;
    use accord_document::people::{Actor, Seat, Sector};
    let actor = Actor {
        person: PersonId::new("p"),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    };
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: "s".into(),
        language: "en".into(),
        rules: RULES,
    };
    let mut last = genesis.entry(actor.clone(), 0, [0; 16]);
    let (mut all, mut clock) = (Vec::new(), 0);
    for n in 0..count {
        all.push(Append { ledger: document("a"), seq: last.seq, bytes: last.encode() });
        // The update inserts letters at the beginning of a text, as client 7.
        let mut update = vec![1, 1, 7];
        update.put_var(clock);
        update.extend_from_slice(&[4, 1, 1, b't']);
        update.put_buf(&vec![b'x'; letters(n)]);
        update.push(0);
        clock += letters(n) as u64;
        let provenance = Default::default();
        last = Entry {
            seq: Seq(n + 1),
            time: n * 250,
            actor: actor.clone(),
            previous: last.hash(),
            salt: [n as u8; 16],
            body: Body::Edit { update, provenance },
        };
    }
    all
}

#[test]
fn packing_changes_nothing_that_can_be_read() {
    each(|store| {
        let all = chain(12_000);
        let bytes: Vec<_> = all.iter().map(|entry| entry.bytes.clone()).collect();
        let ledger = document("a");
        let other = entry("ab", 0, 7);
        store.append(std::slice::from_ref(&other)).unwrap();
        let mut written = 0;
        // The ledger is packed several times while it grows.
        for upto in [100, 9_000, 9_001, 12_000] {
            store.append(&all[written..upto]).unwrap();
            written = upto;
            store.pack(&ledger).unwrap();
            for from in [0, 1, 99, 4_095, 4_096, 4_097, 8_192, 8_900, upto - 1, upto, upto + 5] {
                let wanted = &bytes[from.min(upto)..upto];
                assert_eq!(
                    store.read(&ledger, Seq(from as u64)).unwrap(),
                    wanted,
                    "{from}, {upto}"
                );
                let one = store.entry(&ledger, Seq(from as u64)).unwrap();
                assert_eq!(one.as_ref(), wanted.first(), "{from}, {upto}");
            }
        }
        assert!(matches!(store.append(&all[5..6]), Err(StoreError::Conflict)));
        assert_eq!(store.read(&other.ledger, Seq(0)).unwrap(), [other.bytes]);
        // Packed entries can be rewritten, also together with loose ones.
        let blank = |seq: usize| blanked(&all[seq]);
        let rewritten = [blank(11_999), blank(10)];
        let absent = Append { seq: Seq(12_000), ..blank(11_999) };
        assert!(matches!(store.rewrite(&[blank(10), absent]), Err(StoreError::Conflict)));
        assert_eq!(store.read(&ledger, Seq(0)).unwrap(), bytes, "all or none");
        store.rewrite(&rewritten).unwrap();
        let read = store.read(&ledger, Seq(0)).unwrap();
        assert_eq!((&read[11_999], &read[10]), (&rewritten[0].bytes, &rewritten[1].bytes));
        assert_eq!(read[11..11_999], bytes[11..11_999]);
        store.erase(&ledger).unwrap();
        assert!(store.read(&ledger, Seq(0)).unwrap().is_empty());
    });
}

#[test]
fn a_checkpoint_is_kept_until_another_or_until_its_ledger_is_rewritten() {
    each(|store| {
        let (a, b) = (document("a"), document("b"));
        store.append(&[entry("a", 0, 0), entry("b", 0, 0)]).unwrap();
        assert_eq!(store.checkpoint(&a).unwrap(), None);
        store.keep_checkpoint(&a, &vec![1; 100_000]).unwrap();
        store.keep_checkpoint(&b, b"b").unwrap();
        assert_eq!(store.checkpoint(&a).unwrap().unwrap(), [1; 100_000]);
        store.keep_checkpoint(&a, b"shorter").unwrap();
        assert_eq!(store.checkpoint(&a).unwrap().unwrap(), b"shorter");
        // A checkpoint can contain what a redaction took out, so rewriting an entry removes it.
        store.rewrite(&[entry("a", 0, 9)]).unwrap();
        assert_eq!(store.checkpoint(&a).unwrap(), None);
        assert_eq!(store.checkpoint(&b).unwrap().unwrap(), b"b");
        store.erase(&b).unwrap();
        assert_eq!(store.checkpoint(&b).unwrap(), None);
        assert_eq!(store.documents().unwrap(), [DocumentId::new("a")]);
    });
}

#[test]
fn a_record_that_is_too_long_is_refused_as_that_and_nothing_is_written() {
    each(|store| {
        let long = vec![b'x'; MAX_RECORD_BYTES + 1];
        store.swap("a", "k", None, Some(&long[1..])).unwrap();
        assert!(matches!(store.swap("a", "l", None, Some(&long)), Err(StoreError::TooLong)));
        assert_eq!(store.get("a", "l").unwrap(), None);
    });
}

#[test]
fn all_records_are_told_for_a_backup_and_put_where_it_is_restored() {
    each(|store| {
        store.swap("b", "k/1", None, Some(b"one")).unwrap();
        store.swap("a", "k", None, Some(b"two")).unwrap();
        store.swap("a", "k", Some(1), Some(b"three")).unwrap();
        let told = || -> Vec<_> {
            let all = store.all().unwrap().into_iter();
            all.map(|(kind, key, record)| (kind, key, record.value)).collect()
        };
        let record =
            |kind: &str, key: &str, value: &[u8]| (kind.into(), key.into(), value.to_vec());
        assert_eq!(told(), [record("a", "k", b"three"), record("b", "k/1", b"one")]);
        store.put("c", "", b"four").unwrap();
        assert_eq!(told().pop(), Some(record("c", "", b"four")));
        assert_eq!(store.get("c", "").unwrap().unwrap().revision, 1);
    });
}
