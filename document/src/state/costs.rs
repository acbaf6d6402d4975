//! Tests of the limits on the cost of one update, and of ordinary updates that stay far below these limits.

mod formatting;
mod turns;

use super::measures::Measures;
use super::*;
use crate::ids::{PersonId, SessionId};
use crate::ledger::RULES;
use crate::lib0::Write;
use crate::limits;
use crate::people::Sector;
use crate::people::{Actor, Seat};
use crate::update::{Refusal, merge, scan};
use std::collections::BTreeSet;
use yrs::{Any, GetString, Map, Text};

pub(super) fn actor() -> Actor {
    Actor {
        person: PersonId::new("ana"),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    }
}

pub(super) fn empty() -> DocumentState {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: "s".into(),
        language: "en".into(),
        rules: RULES,
    };
    DocumentState::begin(&genesis.entry(actor(), 5, [0; 16])).unwrap()
}

fn edit(state: &mut DocumentState, update: &[u8]) -> Result<Option<Entry>, Refusal> {
    state.edit(&actor(), 9, [1; 16], update)
}

fn read(state: &DocumentState) -> String {
    state.doc().get_or_insert_text("problem").get_string(&state.doc().transact())
}

/// Encodes an update of one client, from its encoded structs and the ranges (clock and length) that it deletes.
fn update(client: u64, clock: u32, structs: &[Vec<u8>], deleted: &[(u32, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_var(u64::from(!structs.is_empty()));
    if !structs.is_empty() {
        out.put_var(structs.len() as u64);
        out.put_var(client);
        out.put_var(u64::from(clock));
        structs.iter().for_each(|bytes| out.extend_from_slice(bytes));
    }
    out.put_var(u64::from(!deleted.is_empty()));
    if !deleted.is_empty() {
        out.put_var(client);
        out.put_var(deleted.len() as u64);
        for (from, len) in deleted {
            out.put_var(u64::from(*from));
            out.put_var(u64::from(*len));
        }
    }
    out
}

/// Encodes a struct with text at the beginning of `problem`.
fn first(text: &str) -> Vec<u8> {
    let mut out = vec![4, 1];
    out.put_buf(b"problem");
    out.put_buf(text.as_bytes());
    out
}

/// Encodes a struct with text between two elements of a client, or between `left` and the end of the text.
fn between(client: u64, left: u32, right: Option<u32>, text: &str) -> Vec<u8> {
    let mut out = vec![4 | 0x80 | if right.is_some() { 0x40 } else { 0 }];
    for clock in std::iter::once(left).chain(right) {
        out.put_var(client);
        out.put_var(u64::from(clock));
    }
    out.put_buf(text.as_bytes());
    out
}

/// Encodes letters that were typed one by one. Each is an item of its own, as in the merged updates of offline work.
fn typed(client: u64, count: u32) -> Vec<u8> {
    let mut structs = vec![first("a")];
    structs.extend((1..count).map(|clock| between(client, clock - 1, None, "a")));
    update(client, 0, &structs, &[])
}

#[test]
fn a_long_offline_spell_is_taken_as_one_item() {
    let (mut state, mut replayed) = (empty(), empty());
    let entry = edit(&mut state, &typed(7, 400_000)).unwrap().unwrap();
    assert_eq!(read(&state).len(), 400_000);
    let (net, _) = entry.body.edit().unwrap();
    assert!(net.len() < 400_100, "{} bytes", net.len());
    assert_eq!(replayed.apply(&entry).unwrap(), Outcome::Applied);
    assert_eq!(read(&replayed), read(&state));
}

/// Rule U5.
#[test]
fn an_update_of_too_many_items_is_refused_before_it_is_read_whole() {
    // Each item is inserted directly in front of the item that was written last, so that no two items can be merged.
    let mut structs = vec![first("a")];
    for clock in 1..u32::try_from(limits::MAX_ITEMS_PER_UPDATE).unwrap() + 1 {
        let mut item = vec![4 | 0x40];
        item.put_var(7);
        item.put_var(u64::from(clock - 1));
        item.put_buf(b"b");
        structs.push(item);
    }
    let mut state = empty();
    let refused = edit(&mut state, &update(7, 0, &structs, &[])).unwrap_err();
    assert_eq!(refused, Refusal::TooManyItems);
    structs.pop();
    assert!(edit(&mut state, &update(7, 0, &structs, &[])).unwrap().is_some());
}

/// Rule U11.
#[test]
fn splits_in_front_of_many_items_are_refused() {
    let mut state = empty();
    let len = 60_000;
    edit(&mut state, &typed(7, len)).unwrap();
    // The insertions go from the end of the text to its beginning, so that each split moves all items of earlier splits.
    let backwards = |count: u32| -> Vec<Vec<u8>> {
        (0..count).map(|at| between(7, len - 2 - 2 * at, Some(len - 1 - 2 * at), "b")).collect()
    };
    let refused = edit(&mut state, &update(8, 0, &backwards(29_000), &[])).unwrap_err();
    assert_eq!(refused, Refusal::Fragmented);
    assert_eq!(read(&state).len(), len as usize, "nothing of it came in");
    assert!(edit(&mut state, &update(8, 0, &backwards(5_000), &[])).unwrap().is_some());
}

#[test]
fn many_deletions_in_a_long_text_are_taken_while_they_cost_little() {
    let every_other =
        |count: u32| -> Vec<(u32, u32)> { (0..count).map(|at| (2 * at, 1)).collect() };
    let len = 200_000;
    let mut state = empty();
    edit(&mut state, &typed(7, len)).unwrap();
    let refused = edit(&mut state, &update(7, len, &[], &every_other(len / 2))).unwrap_err();
    assert_eq!(refused, Refusal::TooLarge, "more items than a document may have");
    let refused = edit(&mut state, &update(7, len, &[], &every_other(20_000))).unwrap_err();
    assert_eq!(refused, Refusal::Fragmented, "each copies half of the text");
    assert_eq!(read(&state).len(), len as usize, "nothing of it came in");
    // Ranges that are sent in descending order cost no more than in ascending order.
    let backwards: Vec<_> = every_other(500).into_iter().rev().collect();
    assert!(edit(&mut state, &update(7, len, &[], &backwards)).unwrap().is_some());
    assert_eq!(read(&state).len(), len as usize - 500);
}

#[test]
fn a_spell_of_writing_and_deleting_splits_nothing() {
    // Text that was typed and partly deleted offline arrives in items that end where the deletions end, so yrs splits
    // none.
    let len: u32 = 60_000;
    let mut structs = vec![first("a")];
    structs.extend((1..len).map(|clock| between(7, clock - 1, None, "a")));
    let deleted: Vec<(u32, u32)> = (0..len / 4).map(|at| (4 * at, 2)).collect();
    let mut state = empty();
    let bytes = update(7, 0, &structs, &deleted);
    let merged = merge(&bytes, |_| 0, &BTreeSet::new()).unwrap();
    assert_eq!(merged.structs, len as usize / 2);
    let scanned = scan(&merged.bytes).unwrap();
    let novelty = state.basis.index.check(&actor().person, &scanned).unwrap();
    assert_eq!(state.basis.measures.items.splits(&state.basis.index, &scanned, &novelty).cost, 0);
    assert!(edit(&mut state, &bytes).unwrap().is_some());
    assert_eq!(read(&state).len(), len as usize / 2);
}

#[test]
fn values_that_replace_each_other_are_taken_as_they_were_sent() {
    let doc = crate::ydoc::new(7);
    let facts = doc.get_or_insert_map("facts");
    let text = doc.get_or_insert_text("problem");
    let mut state = empty();
    let mut updates = Vec::new();
    for day in ["2027-01-01", "2027-02-01", "2027-03-01"] {
        let mut txn = doc.transact_mut();
        facts.insert(&mut txn, "period_from", Any::from(day));
        updates.push(txn.encode_update_v1());
    }
    {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, "a");
        updates.push(txn.encode_update_v1());
    }
    // Each value is sent as an item that is not deleted, as by a client without garbage collection.
    let mut structs = Vec::new();
    for (clock, day) in ["2027-01-01", "2027-02-01", "2027-03-01"].iter().enumerate() {
        let mut item = Vec::new();
        if clock == 0 {
            item.extend([8 | 0x20, 1]);
            item.put_buf(b"facts");
            item.put_buf(b"period_from");
        } else {
            item.push(8 | 0x80);
            item.put_var(7);
            item.put_var(clock as u64 - 1);
        }
        item.extend([1, 119]);
        item.put_buf(day.as_bytes());
        structs.push(item);
    }
    structs.push(first("a"));
    edit(&mut state, &update(7, 0, &structs, &[])).unwrap();
    let mut each = empty();
    for update in &updates {
        edit(&mut each, update).unwrap();
    }
    let all = StateVector::default();
    assert_eq!(state.encode_since(&all), each.encode_since(&all));
    let value = state.doc().get_or_insert_map("facts").get(&state.doc().transact(), "period_from");
    assert_eq!(value.unwrap().to_string(&state.doc().transact()), "2027-03-01");
}

#[test]
fn the_counts_of_items_are_found_again_from_a_checkpoint() {
    let mut state = empty();
    edit(&mut state, &typed(7, 1_000)).unwrap();
    let ranges: Vec<(u32, u32)> = (0..400).map(|at| (2 * at, 1)).collect();
    edit(&mut state, &update(7, 1_000, &[], &ranges)).unwrap();
    let resumed = DocumentState::resume(&state.checkpoint()).unwrap();
    let none = Splits::default();
    assert!(state.basis.measures.items.after(&none) >= resumed.basis.measures.items.after(&none));
    assert_eq!(
        resumed.basis.measures.items.after(&none),
        800,
        "every other letter of the first 800, and what is between"
    );
}

#[test]
fn a_document_that_is_full_is_measured_again_once_that_may_help() {
    let mut state = empty();
    let len = limits::MAX_STATE_BYTES as u32 - 8_000;
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
    // Each keystroke merges with the item before it, so the document grows by far less than the bytes of the updates.
    for at in 0..1_000 {
        let key = update(7, len + at, &[between(7, len + at - 1, None, "a")], &[]);
        edit(&mut state, &key).unwrap();
    }
    assert!(state.size() <= limits::MAX_STATE_BYTES);
    let large = update(7, len + 1_000, &[between(7, len + 999, None, &"a".repeat(10_000))], &[]);
    let size = state.size();
    assert_eq!(edit(&mut state, &large).unwrap_err(), Refusal::TooLarge);
    assert_eq!(state.size(), size, "not measured for what can't help");
    edit(&mut state, &update(7, len + 1_000, &[], &[(1_000, 100_000)])).unwrap();
    assert!(state.size() < size, "measured in the turn that made room");
    edit(&mut state, &large).unwrap();
}

#[test]
fn what_was_taken_once_is_taken_again_whatever_it_has_become() {
    let (mut state, mut replayed) = (empty(), empty());
    let half = limits::MAX_STATE_BYTES / 2 + 1_000;
    // The estimates are reset between two updates, as if the limit had been higher when these were accepted.
    for client in [7, 8] {
        let entry = edit(&mut state, &update(client, 0, &[first(&"a".repeat(half))], &[]));
        state.basis.measures = Measures::default();
        assert!(matches!(replayed.apply(&entry.unwrap().unwrap()), Ok(Outcome::Applied)));
    }
    assert!(replayed.size() > limits::MAX_STATE_BYTES);
    let resumed = DocumentState::resume(&replayed.checkpoint()).unwrap();
    assert!(resumed.size() > limits::MAX_STATE_BYTES);
    assert_eq!(read(&resumed).len(), 2 * half);
    // Now only an update that makes room is accepted.
    let mut state = resumed;
    assert_eq!(edit(&mut state, &typed(9, 1)).unwrap_err(), Refusal::TooLarge);
    edit(&mut state, &update(7, half as u32, &[], &[(0, 10_000)])).unwrap();
    edit(&mut state, &typed(9, 1)).unwrap();
}

#[test]
fn what_splits_add_is_counted() {
    let mut state = empty();
    edit(&mut state, &typed(7, 200_000)).unwrap();
    for start in 0..10 {
        let ranges: Vec<(u32, u32)> = (0..1_000).map(|at| (start * 20_000 + 20 * at, 1)).collect();
        edit(&mut state, &update(7, 200_000, &[], &ranges)).unwrap();
    }
    let encoded = state.encode_since(&StateVector::default()).len();
    assert!(state.size() >= encoded, "{} of {encoded}", state.size());
}

/// Encodes letters that are each inserted directly after the first one, and so before the letter written last. No two of them
/// can be merged.
fn reversed(client: u64, clocks: std::ops::Range<u32>) -> Vec<u8> {
    let item = |clock: u32| match clock {
        0 => first("a"),
        1 => between(client, 0, None, "a"),
        _ => between(client, 0, Some(clock - 1), "a"),
    };
    let structs: Vec<_> = clocks.clone().map(item).collect();
    update(client, clocks.start, &structs, &[])
}

#[test]
fn two_who_wrote_all_day_at_the_same_place_without_each_other_are_both_taken() {
    let mut state = empty();
    for client in [7, 8] {
        // Each person writes 600 words of four letters, each after a change of format, so that nothing can be merged: 1,200
        // items.
        let word = |at: u32| {
            let mut format = vec![6 | 0x80];
            format.put_var(client);
            format.put_var(u64::from(5 * at + 3));
            format.put_buf(b"bold");
            format.put_buf(if at.is_multiple_of(2) { b"true" } else { b"null" });
            [format, between(client, 5 * at + 4, None, "word")]
        };
        let mut structs = vec![first("word")];
        structs.extend((0..600).flat_map(word));
        assert!(edit(&mut state, &update(client, 0, &structs, &[])).unwrap().is_some());
    }
}

#[test]
fn what_stands_between_the_neighbours_of_new_elements_is_bounded_in_items() {
    // This text is one item. Integration visits it once, whatever its length.
    let mut state = empty();
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(300_000))], &[])).unwrap();
    for client in 100..160 {
        let behind_all = update(client, 0, &[between(7, 0, None, "b")], &[]);
        assert!(edit(&mut state, &behind_all).unwrap().is_some(), "client {client}");
    }
    // This text has an item for each letter.
    let mut state = empty();
    for from in [0, 60_000] {
        edit(&mut state, &reversed(7, from..from + 60_000)).unwrap();
    }
    let news = |clients: std::ops::Range<u64>| {
        let mut out = Vec::new();
        out.put_var(clients.end - clients.start);
        for client in clients {
            out.put_var(1);
            out.put_var(client);
            out.put_var(0);
            out.extend(between(7, 0, None, "b"));
        }
        out.push(0);
        out
    };
    assert!(edit(&mut state, &news(200..202)).unwrap().is_some());
    assert_eq!(edit(&mut state, &news(300..364)).unwrap_err(), Refusal::TooManyBetween);
}

#[test]
fn ten_thousand_places_of_a_long_text_that_was_pasted_whole_are_replaced_at_once() {
    let mut state = empty();
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(400_000))], &[])).unwrap();
    let places: Vec<(u32, u32)> = (0..10_000).map(|at| (40 * at + 1, 3)).collect();
    let structs: Vec<_> =
        places.iter().map(|&(at, _)| between(7, at - 1, Some(at), "new")).collect();
    let mut out = update(8, 0, &structs, &[]);
    out.pop();
    out.put_var(1);
    out.put_var(7);
    out.put_var(places.len() as u64);
    for (from, len) in &places {
        out.put_var(u64::from(*from));
        out.put_var(u64::from(*len));
    }
    let replaced = edit(&mut state, &out);
    assert!(replaced.as_ref().is_ok_and(Option::is_some), "{:?}", replaced.err());
    assert_eq!(read(&state).len(), 400_000);
}
