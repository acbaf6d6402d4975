//! Tests of documents in which many clients wrote. The content of an edit is encoded without asking yrs, which would visit
//! every client that ever wrote. The bytes are those of yrs all the same: in these builds, [`DocumentState::edit`] itself
//! compares the bytes of each edit.

use super::costs::{actor, empty};
use super::*;
use crate::lib0::Write;
use crate::model::attributes::Attributes;
use crate::model::delta::Op;
use crate::model::{Replica, Target};
use crate::random::Random;
use crate::update::scan;

/// Makes an edit. Returns whether its content is encoded without asking yrs.
fn is_own(state: &mut DocumentState, update: &[u8]) -> bool {
    let scan = scan(update).unwrap();
    let checked = state.basis.index.check(&actor().person, &scan).unwrap();
    let is_own = state.basis.index.keeps_structs(&scan, &checked);
    state.edit(&actor(), 9, [1; 16], update).unwrap();
    is_own
}

/// Encodes an item of text behind an element, or at the beginning of the text `problem`.
fn item(origin: Option<(u64, u32)>, text: &str) -> Vec<u8> {
    between(origin, None, text)
}

/// Encodes an item of text between two elements.
fn between(left: Option<(u64, u32)>, right: Option<(u64, u32)>, text: &str) -> Vec<u8> {
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let mut out = vec![4 | flag(left.is_some(), 0x80) | flag(right.is_some(), 0x40)];
    for (client, clock) in left.into_iter().chain(right) {
        out.put_var(client);
        out.put_var(u64::from(clock));
    }
    if left.is_none() && right.is_none() {
        out.push(1);
        out.put_buf(b"problem");
    }
    out.put_buf(text.as_bytes());
    out
}

/// Encodes an update of one client with the ranges of its own elements that it deletes.
fn update(client: u64, clock: u32, structs: &[Vec<u8>], deleted: &[(u32, u32)]) -> Vec<u8> {
    let mut out = vec![1];
    out.put_var(structs.len() as u64);
    out.put_var(client);
    out.put_var(u64::from(clock));
    structs.iter().for_each(|item| out.extend(item));
    out.put_var(u64::from(!deleted.is_empty()));
    if !deleted.is_empty() {
        out.put_var(client);
        out.put_var(deleted.len() as u64);
        deleted.iter().for_each(|&(clock, len)| {
            out.put_var(u64::from(clock));
            out.put_var(u64::from(len));
        });
    }
    out
}

#[test]
fn what_people_do_in_the_editor_is_encoded_without_asking_yrs() {
    let (mut state, mut replica) = (empty(), Replica::new(7));
    let problem = Target::field("problem");
    let bold = || Attributes::from_iter([("bold", true.into())]);
    let mut own = |act: &dyn Fn(&mut Replica)| {
        act(&mut replica);
        let made = replica.take_made();
        assert!(!made.is_empty());
        made.iter().all(|update| is_own(&mut state, update))
    };
    assert!(own(&|replica| replica.edit(&problem, &[Op::text("some words, \u{d55c}\u{1f600}")])));
    let middle = |op| [Op::retain(4, Attributes::new()), op];
    assert!(own(&|replica| replica.edit(&problem, &middle(Op::text("a")))));
    assert!(own(&|replica| replica.edit(&problem, &middle(Op::delete(3)))));
    assert!(own(&|replica| replica.edit(&problem, &[Op::retain(3, bold())])));
    own(&|replica| replica.add_milestone("m", None));
    own(&|replica| replica.add_milestone("n", None));
    let what = Target::milestone("m", "what");
    assert!(own(&|replica| replica.edit(&what, &[Op::text("in a milestone")])));
    // A value that replaces another one is the exception.
    assert!(!own(&|replica| replica.move_milestone("n", Some("m"))));
}

#[test]
fn what_yrs_changes_is_asked_of_yrs() {
    let mut state = empty();
    assert!(is_own(&mut state, &update(7, 0, &[item(None, "words")], &[])));
    assert!(is_own(&mut state, &update(8, 0, &[item(Some((7, 1)), "words")], &[])));
    // The document contains a part of the update.
    assert!(!is_own(&mut state, &update(8, 4, &[item(Some((8, 3)), "s more")], &[])));
    // The update deletes a part of what it inserts, in one range or in two that are adjacent.
    assert!(!is_own(&mut state, &update(9, 0, &[item(Some((7, 1)), "words")], &[(1, 2)])));
    let adjacent = [(0, 2), (2, 3)];
    assert!(!is_own(&mut state, &update(10, 0, &[item(Some((7, 1)), "words")], &adjacent)));
    assert!(is_own(&mut state, &update(11, 0, &[item(Some((7, 1)), "words")], &[(0, 5)])));
    // The update inserts something inside what it inserts.
    let inside = between(Some((12, 2)), Some((12, 3)), "x");
    let structs = [item(Some((7, 1)), "words"), inside];
    assert!(!is_own(&mut state, &update(12, 0, &structs, &[])));
    // A range that the sender had collected as garbage.
    assert!(!is_own(&mut state, &update(13, 0, &[vec![0, 3]], &[])));
    // Something beside elements that were collected.
    assert!(!is_own(&mut state, &update(14, 0, &[item(Some((13, 2)), "words")], &[])));
    assert!(!state.is_broken());
}

#[test]
fn what_belongs_to_a_deleted_type_is_asked_of_yrs() {
    use yrs::{Map, MapPrelim, Text, TextPrelim};
    let (doc, mut state) = (crate::ydoc::new(7), empty());
    let root = doc.get_or_insert_map("milestones");
    let take = |state: &mut DocumentState, act: &dyn Fn(&mut yrs::TransactionMut<'_>)| {
        let mut txn = doc.transact_mut();
        act(&mut txn);
        is_own(state, &txn.encode_update_v1())
    };
    take(&mut state, &|txn| {
        let map = root.insert(txn, "m", MapPrelim::default());
        map.insert(txn, "what", TextPrelim::new("words"));
    });
    // Somebody else writes in the type while it is deleted.
    let other = crate::ydoc::new(8);
    {
        use yrs::updates::decoder::Decode;
        let all = yrs::Update::decode_v1(&state.encode_since(&StateVector::default())).unwrap();
        other.transact_mut().apply_update(all).unwrap();
    }
    assert!(take(&mut state, &|txn| drop(root.remove(txn, "m"))));
    let root = other.get_or_insert_map("milestones");
    let mut txn = other.transact_mut();
    let Some(yrs::Out::YMap(map)) = root.get(&txn, "m") else { panic!("it is a map") };
    let Some(yrs::Out::YText(text)) = map.get(&txn, "what") else { panic!("it is a text") };
    text.insert(&mut txn, 0, "more ");
    assert!(!is_own(&mut state, &txn.encode_update_v1()));
    assert!(!state.is_broken());
}

#[test]
fn the_bytes_are_those_of_yrs_in_random_sessions() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut next = move |limit: u32| random.below(limit as usize) as u32;
    let (mut own, mut all) = (0, 0);
    for _ in 0..20 {
        let mut state = empty();
        let mut replicas: Vec<Replica> = (1..4).map(Replica::new).collect();
        let mut sent = [0; 3];
        let mut made: Vec<Vec<u8>> = Vec::new();
        for round in 0..60 {
            let who = next(3) as usize;
            let replica = &mut replicas[who];
            // Each person sees what the others did, but not at once.
            if next(3) == 0 {
                made[sent[who]..].iter().for_each(|update| drop(replica.apply(update)));
                sent[who] = made.len();
                replica.take_made();
            }
            let target = if next(2) == 0 {
                Target::field("problem")
            } else {
                Target::milestone(&format!("m{who}"), "what")
            };
            // What is deleted or formatted is there, because it has just been typed.
            replica.edit(&target, &[Op::text("some words")]);
            match next(8) {
                0 => replica.add_milestone(&format!("m{who}"), None),
                1 => replica.remove_milestone(&format!("m{}", next(3))),
                2 => replica.edit(&target, &[Op::delete(1 + next(4))]),
                3 => replica.edit(
                    &target,
                    &[Op::retain(1 + next(3), Attributes::from_iter([("bold", true.into())]))],
                ),
                4 => drop(replica.undo()),
                _ => replica.edit(&target, &[Op::text(&format!("word{round} \u{1f600}"))]),
            }
            for update in replica.take_made() {
                own += usize::from(is_own(&mut state, &update));
                all += 1;
                made.push(update);
            }
        }
        assert!(!state.is_broken());
    }
    assert!(all > 500 && own > all / 2 && own < all, "{own} of {all}");
}

#[test]
fn a_document_of_many_clients_opens_as_it_was() {
    let mut state = empty();
    let client = |number: u32| u64::from((number + 1).wrapping_mul(0x9E37_79B1));
    assert!(is_own(&mut state, &update(client(0), 0, &[item(None, "a word ")], &[])));
    let mut right = None;
    for number in 1..1_000 {
        // Each client writes behind or inside the word written last, and some delete a part of what they write.
        let before = client(number - 1);
        let left = if number % 3 == 0 {
            right = Some((before, 3));
            (before, 2)
        } else {
            (before, 6)
        };
        let structs = [between(Some(left), right, "a word ")];
        let deleted: &[(u32, u32)] = if number % 5 == 0 { &[(1, 2), (4, 1)] } else { &[] };
        is_own(&mut state, &update(client(number), 0, &structs, deleted));
    }
    let opened = DocumentState::resume(&state.checkpoint()).unwrap();
    let all = StateVector::default();
    assert_eq!(opened.encode_since(&all), state.encode_since(&all));
    assert_eq!(opened.checkpoint().len(), state.checkpoint().len());
}
