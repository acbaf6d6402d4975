use super::*;
use crate::update::scan::scan;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Transact, Update};

const CLIENT: u64 = 7;

/// Returns an update of one client. `structs` are encoded structs, each with its info byte.
fn update(structs: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![1];
    out.put_var(structs.len() as u64);
    out.put_var(CLIENT);
    out.put_var(0);
    structs.iter().for_each(|bytes| out.extend_from_slice(bytes));
    out.push(0);
    out
}

/// Returns an item at the start of a root type, or under a key of the root type.
fn first(kind: u8, root: &str, key: Option<&str>, content: &[u8]) -> Vec<u8> {
    let mut out = vec![kind | if key.is_some() { 0x20 } else { 0 }, 1];
    out.put_buf(root.as_bytes());
    if let Some(key) = key {
        out.put_buf(key.as_bytes());
    }
    out.extend_from_slice(content);
    out
}

/// Returns an item whose origin is the element of the same client at `clock`.
fn behind(kind: u8, clock: u32, content: &[u8]) -> Vec<u8> {
    let mut out = vec![kind | 0x80];
    out.put_var(CLIENT);
    out.put_var(u64::from(clock));
    out.extend_from_slice(content);
    out
}

fn text(said: &str) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_buf(said.as_bytes());
    out
}

fn document(update: &[u8]) -> Doc {
    let doc = crate::ydoc::new(1);
    let decoded = Update::decode_v1(update).unwrap();
    doc.transact_mut().apply_update(decoded).unwrap();
    doc
}

fn encoded(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_diff_v1(&StateVector::default())
}

/// Merges the structs of an update, and checks that `expect` structs remain and that the document stays the same.
/// Returns the merged update.
fn check(structs: &[Vec<u8>], expect: usize) -> Vec<u8> {
    let before = update(structs);
    let merged = merge(&before, |_| 0, &BTreeSet::new()).unwrap();
    assert_eq!(merged.structs, expect);
    assert_eq!(scan(&merged.bytes).unwrap().runs[0].structs.len(), expect);
    assert_eq!(encoded(&document(&merged.bytes)), encoded(&document(&before)));
    merged.bytes.into_owned()
}

/// Rule U12.
#[test]
fn letters_typed_one_after_the_other_become_one_item() {
    let mut structs = vec![first(kind::TEXT, "problem", None, &text("한"))];
    structs.extend((0..500).map(|clock| behind(kind::TEXT, clock, &text("e"))));
    let merged = check(&structs, 1);
    let doc = document(&merged);
    let read = doc.get_or_insert_text("problem").get_string(&doc.transact());
    assert_eq!(read, format!("한{}", "e".repeat(500)));
}

#[test]
fn values_and_gaps_are_merged_and_what_yrs_keeps_apart_stays_apart() {
    let one = [1, 126];
    check(&[first(kind::ANY, "list", None, &one), behind(kind::ANY, 0, &one)], 1);
    let gone = vec![kind::COLLECTED, 2];
    check(
        &[
            gone.clone(),
            gone.clone(),
            behind(kind::DELETED, 3, &[1]),
            behind(kind::DELETED, 4, &[1]),
        ],
        2,
    );
    // An embedded value is never merged, and a letter is merged only with the letter directly before it.
    let value = text("{}");
    check(&[first(kind::EMBED, "problem", None, &value), behind(kind::EMBED, 0, &value)], 2);
    let structs = [
        first(kind::TEXT, "problem", None, &text("ab")),
        behind(kind::TEXT, 0, &text("c")),
        behind(kind::TEXT, 2, &text("d")),
    ];
    check(&structs, 2);
}

#[test]
fn nothing_is_joined_to_what_is_known_nor_where_each_value_replaces_the_one_before() {
    let letters =
        [first(kind::TEXT, "problem", None, &text("a")), behind(kind::TEXT, 0, &text("b"))];
    assert_eq!(merge(&update(&letters), |_| 1, &BTreeSet::new()).unwrap().structs, 2);
    let values =
        [first(kind::ANY, "facts", Some("due"), &[1, 126]), behind(kind::ANY, 0, &[1, 121])];
    let apart = BTreeSet::from([Id { client: CLIENT, clock: 0 }]);
    assert_eq!(merge(&update(&values), |_| 0, &apart).unwrap().structs, 2);
}

/// An update can repeat known structs, and name any positions for them. These positions do not prevent the merging of
/// new structs.
#[test]
fn places_of_what_is_known_cut_nothing() {
    let mut out = vec![2, 1];
    // The struct of client 9 is known already. The update places it between the two letters of client 7.
    out.put_var(9);
    out.put_var(0);
    out.push(kind::TEXT | 0xc0);
    for clock in [0, 1] {
        out.put_var(CLIENT);
        out.put_var(clock);
    }
    out.extend(text("x"));
    let letters =
        [first(kind::TEXT, "problem", None, &text("a")), behind(kind::TEXT, 0, &text("b"))];
    let run = update(&letters);
    out.extend_from_slice(&run[1..]);
    let known = |client| if client == 9 { 1 } else { 0 };
    assert_eq!(merge(&out, known, &BTreeSet::new()).unwrap().structs, 2);
    assert_eq!(
        merge(&out, |_| 0, &BTreeSet::new()).unwrap().structs,
        3,
        "a reference to a new element cuts"
    );
}

#[test]
fn what_is_malformed_stays_so() {
    let empty = [first(kind::TEXT, "problem", None, &text("a")), behind(kind::TEXT, 0, &text(""))];
    let before = update(&empty);
    let merged = merge(&before, |_| 0, &BTreeSet::new()).unwrap();
    assert!(scan(&merged.bytes).is_err());
    for at in 0..before.len() {
        let cut = &before[..at];
        let merged = merge(cut, |_| 0, &BTreeSet::new());
        assert!(merged.is_err() || scan(&merged.unwrap().bytes).is_err(), "{at}");
    }
}
