//! Tests of large updates that are taken in several turns: their parts each cost little, and together make the same
//! document as the whole update.
//!
//! Rule C8.

use super::*;
use crate::state::{EditOutcome, LargeEdit};
use crate::template::FACTS;
use crate::update::{Claim, Id, UpdatePart};
use yrs::types::Attrs;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, Transact, Update};

/// Submits a part of an update. If it needs a check, also checks it.
fn take_or_cut(state: &mut DocumentState, part: &UpdatePart) -> Result<EditOutcome, Refusal> {
    let UpdatePart { update, claims } = part.clone();
    let mut outcome = state.edit_part(&actor(), 9, [1; 16], &update, claims)?;
    while let EditOutcome::NeedsCheck(large) = outcome {
        outcome = checked(state, large)?;
    }
    Ok(outcome)
}

/// Checks a large update as a room does.
fn checked(state: &mut DocumentState, large: LargeEdit) -> Result<EditOutcome, Refusal> {
    let checked = state.begin_check(&actor(), large, true).run();
    state.end_check(checked, None)
}

/// Integrates an update in turns, as a room does, and returns its entries.
fn in_turns(
    state: &mut DocumentState,
    update: &[u8],
    claims: Vec<Claim>,
) -> Result<Vec<Entry>, Refusal> {
    let mut outcome = state.edit_in_turn(&actor(), 9, [1; 16], update, claims)?;
    let mut left = Vec::new();
    let mut entries = Vec::new();
    loop {
        match outcome {
            EditOutcome::NeedsCheck(large) => {
                outcome = checked(state, large)?;
                continue;
            }
            EditOutcome::Taken(entry) => entries.extend(entry),
            EditOutcome::InParts(parts) => left.extend(parts.into_iter().rev()),
        }
        let Some(part) = left.pop() else { return Ok(entries) };
        outcome = take_or_cut(state, &part)?;
    }
}

fn steps(entry: &Entry) -> (usize, usize) {
    let (update, _) = entry.body.edit().unwrap();
    let scan = scan(update).unwrap();
    (scan.runs.iter().map(|run| run.structs.len()).sum(), scan.deletes.len())
}

/// Encodes the whole document. Documents with equal content have equal encodings, whichever updates they came from.
fn content(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// Returns the merged work of two people who wrote mostly without a connection: texts, formats, values, nested types
/// and deletions.
fn offline_spell() -> Vec<u8> {
    let docs = [7, 8].map(crate::ydoc::new);
    let mut dice = 1u32;
    let mut roll = |sides: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 8) % sides
    };
    for round in 0..6_000u32 {
        let doc = &docs[(round % 2) as usize];
        let text = doc.get_or_insert_text("problem");
        let facts = doc.get_or_insert_map("facts");
        let mut txn = doc.transact_mut();
        let len = text.len(&txn);
        match roll(8) {
            0 if len > 2 => text.remove_range(&mut txn, roll(len - 2), 2),
            1 if len > 8 => {
                let bold = Attrs::from([("bold".into(), Any::from(true))]);
                text.format(&mut txn, roll(len - 8), 5, bold);
            }
            2 => drop(facts.insert(&mut txn, format!("k{}", roll(5)), Any::from(round))),
            3 => {
                let nested = facts.insert(&mut txn, "nested", yrs::MapPrelim::default());
                nested.insert(&mut txn, "in", Any::from(round));
            }
            _ => text.insert(&mut txn, roll(len + 1), "é word "),
        }
        drop(txn);
        // Every 1,500 rounds, the second document receives the content of the first, so that later text refers to text
        // of the other person.
        if round % 1_500 == 1_499 {
            let all = content(&docs[0]);
            docs[1].transact_mut().apply_update(Update::decode_v1(&all).unwrap()).unwrap();
        }
    }
    let all = content(&docs[0]);
    docs[1].transact_mut().apply_update(Update::decode_v1(&all).unwrap()).unwrap();
    content(&docs[1])
}

#[test]
fn a_large_update_is_taken_in_parts_that_make_the_same_document() {
    let update = offline_spell();
    let (mut whole, mut parted, mut replayed) = (empty(), empty(), empty());
    edit(&mut whole, &update).unwrap().unwrap();
    let entries = in_turns(&mut parted, &update, Vec::new()).unwrap();
    assert!(entries.len() > 3, "{} entries", entries.len());
    for entry in &entries {
        let (structs, deleted) = steps(entry);
        // The limit of deleted ranges is doubled here, because deleting a shared type also deletes its content.
        assert!(structs <= limits::MAX_STEPS_PER_TURN, "{structs} structs");
        assert!(deleted <= 2 * limits::MAX_STEPS_PER_TURN, "{deleted} ranges");
        assert_eq!(replayed.apply(entry).unwrap(), Outcome::Applied);
    }
    assert_eq!(content(parted.doc()), content(whole.doc()));
    assert_eq!(content(replayed.doc()), content(whole.doc()));
    assert_eq!(in_turns(&mut parted, &update, Vec::new()).unwrap(), [], "nothing of it is new");
}

#[test]
fn what_was_known_before_is_no_part_of_it() {
    let mut state = empty();
    let (structs, more) = (reversed(7, 0..3_000), reversed(7, 0..9_000));
    assert!(in_turns(&mut state, &structs, Vec::new()).unwrap().len() >= 2);
    let entries = in_turns(&mut state, &more, Vec::new()).unwrap();
    assert_eq!(entries.iter().map(|entry| steps(entry).0).sum::<usize>(), 6_000);
    assert_eq!(read(&state).len(), 9_000);
}

/// Returns a claim that the first `len` elements of client 7 repeat those of client 6.
fn all_of_client_6(len: u32) -> Claim {
    Claim { new: Id { client: 7, clock: 0 }, old: Id { client: 6, clock: 0 }, len }
}

#[test]
fn a_claim_goes_with_the_parts_that_bring_what_it_is_about() {
    let mut state = empty();
    let len = 10_000;
    edit(&mut state, &update(6, 0, &[first(&"b".repeat(10_000))], &[])).unwrap();
    let entries = in_turns(&mut state, &reversed(7, 0..len), vec![all_of_client_6(len)]).unwrap();
    assert!(entries.len() >= 5);
    let claims: Vec<Claim> =
        entries.iter().flat_map(|entry| entry.body.edit().unwrap().1.claims.clone()).collect();
    let mut next = 0;
    for claim in claims {
        assert_eq!((claim.new.clock, claim.old.clock), (next, next));
        next += claim.len;
    }
    assert_eq!(next, len);
}

/// Rule U11.
#[test]
fn splits_of_a_long_text_are_taken_a_few_at_a_time() {
    let mut state = empty();
    let len = 300_000;
    edit(&mut state, &typed(7, len)).unwrap();
    let every_other: Vec<(u32, u32)> = (0..20_000).map(|at| (2 * at, 1)).collect();
    let sent = update(7, len, &[], &every_other);
    assert_eq!(edit(&mut state, &sent).unwrap_err(), Refusal::Fragmented, "as a whole");
    let entries = in_turns(&mut state, &sent, Vec::new()).unwrap();
    assert!(entries.len() > 10, "{} entries", entries.len());
    assert_eq!(read(&state).len(), len as usize - 20_000);
}

/// Encodes an update of client 8 that replaces every second word of client 7. For each of these words, the update
/// inserts a new word before the old one, and deletes the old one.
fn replacements(words: u32) -> Vec<u8> {
    let structs: Vec<_> =
        (0..words).map(|at| between_of(7, (8 * at).checked_sub(1), Some(8 * at), "new ")).collect();
    let mut out = update(8, 0, &structs, &[]);
    out.pop();
    out.put_var(1);
    out.put_var(7);
    out.put_var(u64::from(words));
    for at in 0..words {
        out.put_var(u64::from(8 * at));
        out.put_var(4);
    }
    out
}

/// Encodes a struct with text between two elements of a client, or at the beginning of the text if `left` is `None`.
fn between_of(client: u64, left: Option<u32>, right: Option<u32>, text: &str) -> Vec<u8> {
    if let Some(left) = left {
        return between(client, left, right, text);
    }
    let mut out = vec![4 | 0x40];
    out.put_var(client);
    out.put_var(u64::from(right.unwrap()));
    out.put_buf(text.as_bytes());
    out
}

#[test]
fn a_word_and_what_replaces_it_are_in_the_same_part() {
    let mut state = empty();
    edit(&mut state, &update(7, 0, &[first(&"old too ".repeat(5_000))], &[])).unwrap();
    let mut left = vec![UpdatePart { update: replacements(5_000), claims: Vec::new() }];
    let mut turns = 0;
    while let Some(part) = left.pop() {
        match take_or_cut(&mut state, &part).unwrap() {
            EditOutcome::Taken(_) => turns += 1,
            EditOutcome::NeedsCheck(_) => unreachable!("it was checked"),
            EditOutcome::InParts(parts) => left.extend(parts.into_iter().rev()),
        }
        assert_eq!(read(&state).len(), 40_000, "each word is there once");
    }
    assert!(turns > 2);
    assert_eq!(read(&state), "new too ".repeat(5_000));
}

/// Rules C8 and U14: the values that somebody replaced while offline arrive together with their deletion, however many
/// other deletions go into the same part.
#[test]
fn replaced_values_of_a_key_and_their_deletion_are_in_the_same_part() {
    let mut state = empty();
    edit(&mut state, &update(7, 0, &[first(&"old too ".repeat(5_000))], &[])).unwrap();
    let words = limits::MAX_STEPS_PER_TURN as u32 - 1;
    let mut structs: Vec<_> =
        (0..words).map(|at| between_of(7, (4 * at).checked_sub(1), Some(4 * at), "abcd")).collect();
    let mut values = vec![0x28, 1];
    values.put_buf(FACTS.as_bytes());
    values.put_buf(b"due");
    values.extend([2, 119, 1, b'a', 119, 1, b'b']);
    structs.push(values);
    let mut deletions: Vec<_> = (0..2 * words).map(|half| (2 * half, 1)).collect();
    deletions.push((4 * words, 2));
    let sent = update(8, 0, &structs, &deletions);
    assert!(in_turns(&mut state, &sent, Vec::new()).unwrap().len() > 1);
    assert!(read(&state).starts_with("bdold bdtoo "));
}

/// The check of a refused update must undo the splits that it made in the order of elements. Otherwise the next update
/// would seem cheaper than it is (rule U11).
#[test]
fn an_update_that_was_refused_hides_no_later_splits() {
    let mut state = empty();
    let len = 200_000;
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
    let many = |client| {
        let structs: Vec<_> = (1..1_000)
            .map(|at| between(7, len - 1 - 100 * at, Some(len - 100 * at), "b"))
            .collect();
        update(client, 0, &structs, &[])
    };
    let moves = |state: &mut DocumentState| {
        let bytes = many(8);
        let scanned = scan(&bytes).unwrap();
        let novelty = state.basis.index.check(&actor().person, &scanned).unwrap();
        state.basis.measures.items.splits(&state.basis.index, &scanned, &novelty).cost
    };
    let before = moves(&mut state);
    // The last element of this update names, as its neighbours, two elements that were never next to each other.
    let mut structs: Vec<_> =
        (1..1_000).map(|at| between(7, len - 1 - 100 * at, Some(len - 100 * at), "b")).collect();
    structs.push(between(7, 0, Some(len - 1), "b"));
    let refused = edit(&mut state, &update(9, 0, &structs, &[])).unwrap_err();
    assert_eq!(refused, Refusal::Misplaced);
    assert_eq!(moves(&mut state), before);
    // The refused update left the order of elements unchanged: the update without the last element is accepted.
    in_turns(&mut state, &many(8), Vec::new()).unwrap();
    assert_eq!(read(&state).len(), len as usize + 999);
}

#[test]
fn few_splits_of_a_long_text_are_counted_too() {
    let mut state = empty();
    let len = 4_000_000;
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
    let structs: Vec<_> =
        (1..16).map(|at| between(7, len - 1 - 1_000 * at, Some(len - 1_000 * at), "b")).collect();
    let entries = in_turns(&mut state, &update(8, 0, &structs, &[]), Vec::new()).unwrap();
    assert!(entries.len() > 2, "{} entries", entries.len());
}

/// Rules U5 and U13.
#[test]
fn what_is_wrong_with_the_whole_is_found_before_the_first_part_is_taken() {
    let mut state = empty();
    for from in [0, 60_000] {
        edit(&mut state, &reversed(7, from..from + 60_000)).unwrap();
    }
    edit(&mut state, &reversed(7, 120_000..129_000)).unwrap();
    let refused = in_turns(&mut state, &reversed(9, 0..5_000), Vec::new()).unwrap_err();
    assert_eq!(refused, Refusal::TooLarge);
    assert_eq!(read(&state).len(), 129_000, "nothing of it came in");
}

#[test]
fn what_is_sent_again_keeps_its_claims_where_it_is_new() {
    let mut state = empty();
    let len = 5_000;
    edit(&mut state, &update(6, 0, &[first(&"b".repeat(5_000))], &[])).unwrap();
    let all = all_of_client_6(len);
    in_turns(&mut state, &reversed(7, 0..2_000), vec![all]).unwrap();
    let entries = in_turns(&mut state, &reversed(7, 0..len), vec![all]).unwrap();
    let claims = entries.iter().flat_map(|entry| entry.body.edit().unwrap().1.claims.clone());
    assert_eq!(claims.map(|claim| claim.len).sum::<u32>(), 3_000);
}

/// Rules U5 and U9.
#[test]
fn one_element_that_costs_more_than_a_turn_is_refused() {
    let mut state = empty();
    for from in [0, 50_000] {
        in_turns(&mut state, &reversed(7, from..from + 50_000), Vec::new()).unwrap();
    }
    let behind_all = update(8, 0, &[between(7, 0, None, "b")], &[]);
    let refused = in_turns(&mut state, &behind_all, Vec::new()).unwrap_err();
    assert_eq!(refused, Refusal::TooManyBetween);
    let too_many = reversed(9, 0..u32::try_from(limits::MAX_ITEMS_PER_UPDATE).unwrap() + 1);
    assert_eq!(in_turns(&mut state, &too_many, Vec::new()).unwrap_err(), Refusal::TooManyItems);
}

/// Rule A3: an edit that others have made as well, before its turn, is accepted without an entry.
#[test]
fn a_large_deletion_that_others_made_before_its_turn_is_taken() {
    let mut state = empty();
    let len = 5 * limits::MAX_STEPS_PER_TURN as u32;
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
    let every_second: Vec<_> = (0..len / 2).map(|at| (2 * at, 1)).collect();
    let deletes = update(7, 0, &[], &every_second);
    let outcome = state.edit_in_turn(&actor(), 9, [1; 16], &deletes, Vec::new()).unwrap();
    let EditOutcome::NeedsCheck(large) = outcome else { panic!("{outcome:?}") };
    let check = state.begin_check(&actor(), large, true);
    edit(&mut state, &update(7, 0, &[], &[(0, len)])).unwrap();
    let EditOutcome::InParts(parts) = state.end_check(check.run(), None).unwrap() else {
        panic!("the check saw a document in which there was something to delete")
    };
    for part in parts {
        let outcome = take_or_cut(&mut state, &part).unwrap();
        assert!(matches!(outcome, EditOutcome::Taken(None)), "{outcome:?}");
    }
}

/// Rule A3: an edit that changes nothing is accepted from somebody whose edits are not accepted now (rules M4, U6, U10).
#[test]
fn only_a_large_edit_that_adds_nothing_is_accepted_from_somebody_who_may_not_write() {
    let mut state = empty();
    let all = reversed(7, 0..9_000);
    in_turns(&mut state, &all, Vec::new()).unwrap();
    let mut taken = |update: Vec<u8>| {
        let large = LargeEdit::new(update, Vec::new());
        let check = state.begin_check(&actor(), large, false);
        state.end_check(check.run(), Some(Refusal::ReadOnly))
    };
    assert!(matches!(taken(all), Ok(EditOutcome::Taken(None))));
    assert_eq!(taken(reversed(7, 0..9_001)).unwrap_err(), Refusal::ReadOnly);
}

/// The author gets the right to write while the edit is checked.
#[test]
fn a_large_edit_is_checked_again_if_its_author_may_write_by_then() {
    let mut state = empty();
    let large = LargeEdit::new(reversed(7, 0..9_000), Vec::new());
    let check = state.begin_check(&actor(), large, false);
    let EditOutcome::NeedsCheck(again) = state.end_check(check.run(), None).unwrap() else {
        panic!("only an edit that adds nothing was accepted")
    };
    let outcome = checked(&mut state, again).unwrap();
    assert!(matches!(outcome, EditOutcome::InParts(parts) if parts.len() > 1));
}

/// Rule C8: yrs joins the items of a deleted range one by one, and moves all later items of their client each time.
#[test]
fn one_range_that_deletes_many_items_is_cut() {
    let items = 20_000;
    let item = |clock: u32| match clock {
        0 => first("a"),
        _ if clock.is_multiple_of(2) => between(7, clock - 1, None, "a"),
        _ => {
            let mut format = vec![6 | 0x80];
            format.put_var(7);
            format.put_var(u64::from(clock) - 1);
            format.put_buf(b"bold");
            format.put_buf(b"true");
            format
        }
    };
    let (mut state, mut replayed) = (empty(), empty());
    let all = update(7, 0, &(0..items).map(item).collect::<Vec<_>>(), &[]);
    let mut entries = in_turns(&mut state, &all, Vec::new()).unwrap();
    let half = in_turns(&mut state, &update(7, 0, &[], &[(0, items / 2)]), Vec::new()).unwrap();
    assert!(half.len() > 1, "{} entries", half.len());
    for entry in &half {
        let (bytes, _) = entry.body.edit().unwrap();
        let deleted: u32 = scan(bytes).unwrap().deletes.iter().map(|range| range.len).sum();
        let moves = u64::from(deleted) * u64::from(items);
        assert!(moves <= limits::MAX_JOINING_MOVES_PER_TURN, "{deleted} elements");
    }
    assert_eq!(read(&state).len(), items as usize / 4);
    entries.extend(half);
    for entry in &entries {
        assert_eq!(replayed.apply(entry).unwrap(), Outcome::Applied);
    }
    assert_eq!(content(replayed.doc()), content(state.doc()));
}

/// Rule C8: a range can be sent whole although every second element of it is deleted already.
#[test]
fn a_deletion_across_many_deleted_elements_is_cut() {
    let len = 6 * limits::MAX_STEPS_PER_TURN as u32;
    let every_second: Vec<_> = (0..len / 2).map(|at| (2 * at, 1)).collect();
    let long = "b".repeat(2 * limits::MAX_BYTES_CHECKED_IN_TURN);
    for beside in [Vec::new(), vec![first(&long)]] {
        let mut state = empty();
        edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
        in_turns(&mut state, &update(7, 0, &[], &every_second), Vec::new()).unwrap();
        let mut sent = update(8, 0, &beside, &[]);
        sent.pop();
        sent.extend([1, 7, 1, 0]);
        sent.put_var(len.into());
        let entries = in_turns(&mut state, &sent, Vec::new()).unwrap();
        assert!(entries.len() > 2, "{} entries", entries.len());
        assert_eq!(read(&state), if beside.is_empty() { "" } else { &long });
    }
}

/// A document that only seems to be full is measured before a large edit is refused.
#[test]
fn a_document_is_measured_again_for_a_large_edit() {
    let mut state = empty();
    let len = limits::MAX_STATE_BYTES as u32 - 400_000;
    edit(&mut state, &update(7, 0, &[first(&"a".repeat(len as usize))], &[])).unwrap();
    edit(&mut state, &update(7, len, &[], &[(1_000, 300_000)])).unwrap();
    let large = update(7, len, &[between(7, len - 1, None, &"a".repeat(500_000))], &[]);
    assert_eq!(in_turns(&mut state, &large, Vec::new()).unwrap().len(), 1);
    let larger =
        update(7, len + 500_000, &[between(7, len + 499_999, None, &"a".repeat(500_000))], &[]);
    assert_eq!(in_turns(&mut state, &larger, Vec::new()).unwrap_err(), Refusal::TooLarge);
}
