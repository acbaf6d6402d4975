//! Tests of applying a ledger, and of the entries that a document refuses.

use super::*;
use crate::body::Redaction;
use crate::ids::{PersonId, SessionId};
use crate::ledger::RULES;
use crate::lib0::Write as _;
use crate::model::attributes::Attributes;
use crate::model::content::Content;
use crate::model::delta::Op;
use crate::model::{Replica, Target};
use crate::people::Sector;
use crate::people::{Actor, Seat};
use crate::random::Random;
use crate::template::FACTS;
use crate::update::{Range, Refusal, ScanError};
use std::collections::BTreeMap;

fn actor(person: &str, seat: Seat) -> Actor {
    Actor {
        person: PersonId::new(person),
        seat,
        sector: Sector::Other,
        session: SessionId::new("s"),
    }
}

fn genesis() -> Entry {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: "s".into(),
        language: "en".into(),
        rules: RULES,
    };
    genesis.entry(actor("p", Seat::Author), 5, [0; 16])
}

/// Returns updates of two clients: insertions, formats, deletions, and a milestone that is added and removed.
fn updates() -> Vec<Vec<u8>> {
    let mut replicas = [Replica::new(1), Replica::new(2)];
    let mut all = Vec::new();
    for round in 0..12usize {
        let replica = &mut replicas[round % 2];
        let target = Target::field("problem");
        match round {
            4 => replica.add_milestone("m", None),
            6 => replica.remove_milestone("m"),
            5 | 7 => replica
                .edit(&target, &[Op::retain(2, Attributes::from_iter([("bold", true.into())]))]),
            8 => replica.edit(&target, &[Op::retain(1, Attributes::new()), Op::delete(2)]),
            _ => replica.edit(&target, &[Op::text("some words, \u{d55c}\u{1f600}")]),
        }
        for update in replica.take_made() {
            replicas[(round + 1) % 2].apply(&update).unwrap();
            all.push(update);
        }
    }
    all
}

#[test]
fn mutated_updates_are_refused_or_replay_to_the_same_document() {
    let updates = updates();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut next = move |limit: usize| random.below(limit);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..1_500 {
        let mut state = DocumentState::begin(&genesis()).unwrap();
        let mut entries = Vec::new();
        for update in &updates {
            let mut bytes = update.clone();
            if next(3) == 0 {
                for _ in 0..=next(3) {
                    let at = next(bytes.len());
                    bytes[at] = next(256) as u8;
                }
            }
            match state.edit(&actor("p", Seat::Author), 9, [1; 16], &bytes) {
                Ok(entry) => {
                    taken += 1;
                    entries.extend(entry);
                }
                Err(_) => refused += 1,
            }
            if state.is_broken() {
                break;
            }
        }
        let mut replayed = DocumentState::begin(&genesis()).unwrap();
        for entry in &entries {
            let entry = Entry::decode(&entry.encode()).unwrap();
            assert_eq!(replayed.apply(&entry), Ok(Outcome::Applied));
        }
        assert_eq!(replayed.position(), state.position());
        if !state.is_broken() {
            assert_eq!(replayed.state_vector(), state.state_vector());
            assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
}

#[test]
fn a_client_id_belongs_to_the_first_person_who_used_it() {
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let updates = updates();
    state.edit(&actor("ana", Seat::Author), 9, [1; 16], &updates[0]).unwrap();
    let mut stolen = Replica::new(1);
    stolen.apply(&updates[0]).unwrap();
    stolen.edit(&Target::field("problem"), &[Op::text("in her name")]);
    let forged = stolen.take_made().pop().unwrap();
    let refused = state.edit(&actor("ben", Seat::Author), 9, [1; 16], &forged);
    assert_eq!(refused, Err(Refusal::Forged { client: 1 }));
    assert!(state.edit(&actor("ana", Seat::Author), 9, [1; 16], &forged).is_ok());
}

/// Rule U4. yrs inserts the rest of a partly known struct behind the known part, so it would have appeared in a text that
/// the check had not seen.
#[test]
fn u4_the_rest_of_a_struct_is_where_its_known_part_is() {
    let ana = actor("ana", Seat::Author);
    let text = |clock: u8, root: &str, text: &str| {
        let mut update = vec![1, 1, 1, clock, 4, 1];
        update.put_buf(root.as_bytes());
        update.put_buf(text.as_bytes());
        update.push(0);
        update
    };
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let mut entries = Vec::new();
    entries.extend(state.edit(&ana, 9, [1; 16], &text(0, "problem", "abc")).unwrap());
    // Another client's garbage: one struct, at clock 0.
    entries.extend(state.edit(&ana, 9, [1; 16], &[1, 1, 2, 0, 0, 1, 0]).unwrap());
    let beside_garbage = [1, 1, 1, 1, 0x84, 2, 0, 4, b'b', b'c', b'd', b'e', 0];
    for forged in [&text(1, "elsewhere", "bcde")[..], &text(1, "title", "bcde"), &beside_garbage] {
        let refused = state.edit(&ana, 9, [1; 16], forged);
        assert_eq!(refused, Err(Refusal::Misplaced));
    }
    // If a client has written only garbage, an update can't continue the garbage with text that is shown.
    entries.extend(state.edit(&ana, 9, [1; 16], &[1, 1, 3, 0, 0, 3, 0]).unwrap());
    let mut revived = text(1, "problem", "bcde");
    revived[2] = 3;
    assert_eq!(state.edit(&ana, 9, [1; 16], &revived), Err(Refusal::Misplaced));
    entries.extend(state.edit(&ana, 9, [1; 16], &text(1, "problem", "bcde")).unwrap());
    assert_eq!(Content::read(state.doc()).plain("problem"), "abcde");
    let mut replayed = DocumentState::begin(&genesis()).unwrap();
    for entry in &entries {
        assert_eq!(replayed.apply(entry), Ok(Outcome::Applied));
    }
    assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
}

/// Rule U4. Yjs collects an item beside garbage, and yrs shows it in the text of its other neighbour. Readers with a stock
/// client would then see another text than Accord's pages, under the same digest.
#[test]
fn u4_no_shown_item_has_garbage_beside_it() {
    let ana = actor("ana", Seat::Author);
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let mut words = vec![1, 1, 1, 0, 4, 1];
    words.put_buf(b"problem");
    words.put_buf(b"abc");
    words.push(0);
    state.edit(&ana, 9, [1; 16], &words).unwrap();
    state.edit(&ana, 9, [1; 16], &[1, 1, 2, 0, 0, 1, 0]).unwrap();
    let before_the_text = [1, 1, 3, 0, 0xc4, 2, 0, 1, 0, 1, b'x', 0];
    let behind_the_text = [1, 1, 3, 0, 0xc4, 1, 2, 2, 0, 1, b'x', 0];
    for forged in [before_the_text, behind_the_text] {
        assert_eq!(state.edit(&ana, 9, [1; 16], &forged), Err(Refusal::Misplaced));
    }
    assert_eq!(Content::read(state.doc()).plain("problem"), "abc");
    // The same holds in a root that no reader sees.
    let elsewhere = [1, 1, 4, 0, 4, 1, 1, b'x', 1, b'y', 0];
    assert!(state.edit(&ana, 9, [1; 16], &elsewhere).is_ok());
    let unseen = [1, 1, 3, 0, 0xc4, 4, 0, 2, 0, 1, b'x', 0];
    assert_eq!(state.edit(&ana, 9, [1; 16], &unseen), Err(Refusal::Misplaced));
    // An item that has only garbage beside it is garbage for everybody.
    let between_garbage = [1, 1, 3, 0, 0x84, 2, 0, 1, b'x', 0];
    assert!(state.edit(&ana, 9, [1; 16], &between_garbage).is_ok());
    assert_eq!(Content::read(state.doc()).plain("problem"), "abc");
}

/// Rule U14. Yjs would fail to collect the map of the first update, and yrs would keep a reference to the map's memory.
#[test]
fn u14_an_item_under_a_key_has_one_live_element() {
    let ana = actor("ana", Seat::Author);
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let values = |deletions: &[u8]| {
        let mut update = vec![1, 1, 1, 0, 0x28, 1];
        update.put_buf(FACTS.as_bytes());
        update.put_buf(b"due");
        // Two values: "a" and "b".
        update.extend([2, 119, 1, b'a', 119, 1, b'b']);
        update.extend(deletions);
        update
    };
    let [one, first, both] = [&[0][..], &[1, 1, 1, 0, 1], &[1, 1, 1, 0, 2]].map(values);
    for several in [one, first] {
        assert_eq!(state.edit(&ana, 9, [1; 16], &several), Err(Refusal::SeveralValues));
    }
    // A client that keeps deleted values for its undo sends them in this form.
    assert!(state.edit(&ana, 9, [1; 16], &both).is_ok());
    assert_eq!(Content::read(state.doc()).facts, BTreeMap::new());
}

/// Rule M4.
#[test]
fn what_adds_nothing_is_no_entry_also_for_readers() {
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let update = &updates()[0];
    state.edit(&actor("ana", Seat::Author), 9, [1; 16], update).unwrap();
    let reader = actor("obi", Seat::Observer);
    assert_eq!(state.edit(&reader, 9, [1; 16], update), Ok(None));
    let new = &updates()[1];
    assert_eq!(state.edit(&reader, 9, [1; 16], new), Err(Refusal::ReadOnly));
}

/// A secret that was typed in pieces is redacted. Afterwards no stored entry contains it, the chain verifies, and the
/// remaining text is unchanged.
#[test]
fn a_redaction_takes_a_passage_out_of_the_ledger_and_leaves_the_chain() {
    let ana = actor("ana", Seat::Author);
    let fay = actor("fay", Seat::Facilitator);
    let target = Target::field("problem");
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let mut entries = vec![genesis()];
    let mut replica = Replica::new(1);
    for (at, words) in [(0, "The key is hun"), (14, "ter2 and that is all."), (4, "good ")] {
        let retain = Op::retain(at, Attributes::new());
        let ops: Vec<_> = (at > 0).then_some(retain).into_iter().chain([Op::text(words)]).collect();
        replica.edit(&target, &ops);
        for update in replica.take_made() {
            entries.extend(state.edit(&ana, 9, [3; 16], &update).unwrap());
        }
    }
    let (before, from) = (state.position().clone(), "The good key is ".len() as u32);
    let passage = crate::model::locate(state.doc(), &target, from, "hunter2").unwrap();
    assert!(crate::model::locate(state.doc(), &target, from, "hunter3").is_none());
    let reason = "A password was pasted".to_owned();
    let (redaction, blanked) =
        Redaction::of(reason, passage, entries.iter().map(Ok::<_, ScanError>)).unwrap();
    assert_eq!(blanked.len(), 2);
    let salts = [[4; 16], [5; 16]];
    let refused = state.redact(&ana, 10, salts, redaction.clone());
    assert_eq!(refused, Err(RedactionError::Seat), "an author may not");
    let unexplained = Redaction { reason: String::new(), ..redaction.clone() };
    assert_eq!(state.redact(&fay, 10, salts, unexplained), Err(RedactionError::Reason));
    assert_eq!(*state.position(), before, "nothing half done");
    let (deletion, entry) = state.redact(&fay, 10, salts, redaction).unwrap();
    entries.extend(deletion);
    entries.push(entry);

    let replay = |entries: &[Entry]| {
        let mut replayed = DocumentState::begin(&entries[0]).unwrap();
        for entry in &entries[1..] {
            let entry = Entry::decode(&entry.encode()).unwrap();
            assert_eq!(replayed.apply(&entry), Ok(Outcome::Applied));
        }
        replayed
    };
    // First the entries are not blanked yet, as if the server had stopped after the redaction.
    let halfway = replay(&entries);
    halfway.check_blanked().unwrap();
    let unfinished: Vec<_> = halfway.unfinished_redactions();
    assert_eq!(unfinished.len(), 2);
    for (seq, ranges) in unfinished {
        let again =
            Redaction::of(String::new(), ranges, [Ok::<_, ScanError>(&entries[seq.0 as usize])]);
        let same = blanked.iter().find(|entry| entry.seq == seq).cloned();
        assert_eq!(again.unwrap().1.pop(), same, "finished later, it is the same");
    }
    for entry in blanked.clone() {
        let seq = entry.seq.0 as usize;
        entries[seq] = entry;
    }
    let stored: Vec<u8> = entries.iter().flat_map(Entry::encode).collect();
    let stored = String::from_utf8_lossy(&stored);
    assert!(!stored.contains("hun") && !stored.contains("ter2"), "{stored}");
    let replayed = replay(&entries);
    replayed.check_blanked().unwrap();
    assert!(replayed.unfinished_redactions().is_empty());
    assert_eq!(replayed.position(), state.position());
    assert_ne!(*replayed.position(), before);
    assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
    assert_eq!(replayed.redactions()[0].reason, "A password was pasted");
    assert_eq!(replayed.redactions()[0].person.as_str(), "fay");

    // `check_blanked` finds an entry that was blanked further than announced, or without a redaction.
    let all = [Range { client: 1, clock: 0, len: 40 }];
    let (_, more) =
        Redaction::of(String::new(), all.to_vec(), entries.iter().map(Ok::<_, ScanError>)).unwrap();
    for entry in more {
        let mut forged = entries.clone();
        let seq = entry.seq;
        forged[seq.0 as usize] = entry;
        let mut replayed = DocumentState::begin(&forged[0]).unwrap();
        for entry in &forged[1..] {
            replayed.apply(entry).unwrap();
        }
        assert_eq!(replayed.check_blanked(), Err(LedgerError::Unexplained(seq)));
    }
}

#[test]
fn blanked_entries_whose_redaction_is_lost_can_be_announced_again() {
    let fay = actor("fay", Seat::Facilitator);
    let mut entries = vec![genesis()];
    let mut state = DocumentState::begin(&entries[0]).unwrap();
    entries
        .push(state.edit(&actor("p", Seat::Author), 5, [1; 16], &updates()[0]).unwrap().unwrap());
    let all = vec![Range { client: 1, clock: 0, len: 1_000 }];
    let blanked =
        Redaction::of(String::new(), all, entries.iter().map(Ok::<_, ScanError>)).unwrap().1;
    for entry in blanked {
        let seq = entry.seq.0 as usize;
        entries[seq] = entry;
    }
    let replay = |entries: &[Entry]| {
        let mut replayed = DocumentState::begin(&entries[0]).unwrap();
        for entry in &entries[1..] {
            assert_eq!(replayed.apply(entry), Ok(Outcome::Applied));
        }
        replayed
    };
    let mut state = replay(&entries);
    assert_eq!(state.check_blanked(), Err(LedgerError::Unexplained(Seq(1))));
    let entry = state.announce_blanked(&fay, 9, [2; 16], "its redaction is lost".into()).unwrap();
    entries.extend(entry);
    state.check_blanked().unwrap();
    assert_eq!(state.announce_blanked(&fay, 9, [3; 16], "again".into()), Ok(None));
    let replayed = replay(&entries);
    replayed.check_blanked().unwrap();
    assert!(replayed.unfinished_redactions().is_empty());
    assert_eq!(replayed.position(), state.position());
    assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
}

#[test]
fn time_never_runs_backwards() {
    let mut state = DocumentState::begin(&genesis()).unwrap();
    let entry = state.edit(&actor("p", Seat::Author), 1, [1; 16], &updates()[0]).unwrap().unwrap();
    assert_eq!(entry.time, 5, "not less than the entry before");
}
