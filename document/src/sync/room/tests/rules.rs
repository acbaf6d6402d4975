//! Tests of the frames that a room sends, by the rules of the protocol.

use super::{ANA, is_document, room};
use crate::body::{Quorum, Redaction, Step};
use crate::ids::{Digest, PersonId, Seq, SessionId};
use crate::limits;
use crate::people::{Actor, Seat, Sector, Standing};
use crate::plan::Grant;
use crate::sync::Room;
use crate::sync::admission::Admission;
use crate::sync::connection::{ConnectionId, Dialect};
use crate::sync::presence::PresenceUser;
use crate::sync::room::{Effect, QUIET_MS};
use crate::sync::wire::{Message, ServerNote, read_frame};
use yrs::{GetString, Text, Transact};

const BEN: ConnectionId = ConnectionId(2);

/// Adds Ben to the room with a seat, and returns him and the effects. His client speaks `accord.v1`.
fn let_ben_in(room: &mut Room, seat: Seat) -> (Actor, Vec<Effect>) {
    let actor = Actor {
        person: PersonId::new("ben"),
        seat,
        sector: Sector::CivilSociety,
        session: SessionId::new("t"),
    };
    let user =
        PresenceUser { person: actor.person.clone(), name: "Ben".into(), sector: actor.sector };
    let admission = Admission {
        session: actor.session.clone(),
        actor: actor.clone(),
        user,
        dialect: Dialect::Accord,
        may_write: true,
    };
    (actor, room.join(BEN, admission, 0))
}

/// Returns the notes that are sent to a connection.
fn notes(effects: &[Effect], to: ConnectionId) -> Vec<ServerNote> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Send(id, frame) if *id == to => Some(frame),
        _ => None,
    });
    let mut notes = Vec::new();
    for frame in frames {
        for message in read_frame(frame).unwrap() {
            if let Message::Note(json) = message {
                notes.push(serde_json::from_str(json).unwrap());
            }
        }
    }
    notes
}

/// Returns whether an update is sent to a connection.
fn is_updated(effects: &[Effect], id: ConnectionId) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Send(to, frame) if *to == id && frame.starts_with(&[0, 2])))
}

fn closed_with(effects: &[Effect], id: ConnectionId) -> Option<u16> {
    effects.iter().find_map(|effect| match effect {
        Effect::Close(to, close) if *to == id => Some(close.code),
        _ => None,
    })
}

/// Returns the updates of a client that types two words.
fn two_words(client: u64) -> [Vec<u8>; 2] {
    let doc = crate::ydoc::new(client);
    let text = doc.get_or_insert_text("problem");
    ["one ", "two "].map(|word| {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, word);
        txn.encode_update_v1()
    })
}

fn edit(number: u64, update: &[u8]) -> Vec<u8> {
    Message::Edit { number, claims: &[], update }.encode()
}

/// Reports to the room that everything is on disk, and returns the effects that follow.
fn commit(room: &mut Room) -> Vec<Effect> {
    let seq = room.state().position().seq;
    room.committed(seq)
}

/// Rules A1, A3 and M2.
#[test]
fn an_accord_client_is_greeted_and_told_by_number_what_is_on_disk() {
    let mut room = room();
    let ledger = room.state().position().seq;
    // Ana's stock client has synced, so it receives what others write.
    room.frame(ANA, &Message::Step1(&[0]).encode(), 0);
    let (_, greeting) = let_ben_in(&mut room, Seat::Author);
    let [ServerNote::Hello { position, may_write: true }] = &notes(&greeting, BEN)[..] else {
        panic!("{greeting:?}");
    };
    assert_eq!(position.seq, ledger);
    for (number, update) in (1..).zip(two_words(20)) {
        let effects = room.frame(BEN, &edit(number, &update), 1);
        assert!(notes(&effects, BEN).is_empty() && !is_updated(&effects, ANA), "not on disk yet");
        let effects = commit(&mut room);
        let saved = notes(&effects, BEN);
        assert!(
            matches!(saved[..], [ServerNote::Saved { number: n, .. }] if n == number),
            "{saved:?}"
        );
        assert!(is_updated(&effects, ANA) && !is_updated(&effects, BEN));
    }
}

/// Rules M2 and M1: a stock client gets its own edit back, once it is on disk.
#[test]
fn a_stock_client_is_answered_and_gets_its_own_edit_back() {
    let mut room = room();
    let kinds: Vec<Vec<u8>> = room
        .frame(ANA, &Message::Step1(&[0]).encode(), 0)
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(ANA, frame) => Some(frame.iter().take(2).copied().collect()),
            _ => None,
        })
        .collect();
    assert!(
        matches!(&kinds[..], [two, one, all] if two[..] == [0, 1] && one[..] == [0, 0] && all[0] == 1)
    );
    let [update, _] = two_words(10);
    assert!(!is_updated(&room.frame(ANA, &Message::Update(&update).encode(), 1), ANA));
    assert!(is_updated(&commit(&mut room), ANA));
}

/// Rule M6.
#[test]
fn a_connection_that_hears_nothing_gets_everybodys_awareness_again() {
    let mut room = room();
    let is_awareness =
        |effect: &Effect| matches!(effect, Effect::Send(ANA, frame) if frame.starts_with(&[1]));
    assert!(!room.tick(QUIET_MS - 1).iter().any(is_awareness));
    assert!(room.tick(QUIET_MS).iter().any(is_awareness));
    assert!(!room.tick(QUIET_MS + 1).iter().any(is_awareness), "it has just been sent something");
}

/// Rule A4.
#[test]
fn what_is_refused_or_can_not_be_saved_is_said_before_the_connection_closes() {
    let mut room = room();
    let_ben_in(&mut room, Seat::Observer);
    let [update, _] = two_words(20);
    let effects = room.frame(BEN, &edit(7, &update), 1);
    let refused = notes(&effects, BEN);
    assert!(matches!(refused[..], [ServerNote::Refused { number: 7, .. }]), "{refused:?}");
    assert_eq!(closed_with(&effects, BEN), Some(4403));
    assert!(matches!(effects.last(), Some(Effect::Close(..))), "{effects:?}");

    let_ben_in(&mut room, Seat::Author);
    let effects = room.fail("The disk is full.");
    let trouble = notes(&effects, BEN);
    assert!(matches!(trouble[..], [ServerNote::Trouble { .. }]), "{trouble:?}");
    assert_eq!(closed_with(&effects, BEN), Some(1013));
}

/// Rule A6.
#[test]
fn a_client_is_told_of_a_redaction_once_its_deletion_was_sent() {
    let mut room = room();
    let (fay, _) = let_ben_in(&mut room, Seat::Facilitator);
    let redaction =
        Redaction { reason: "a secret".into(), ranges: Vec::new(), targets: Vec::new() };
    let effects = room.redact(&fay, redaction, 1).unwrap();
    assert!(notes(&effects, BEN).is_empty(), "it is not on disk yet");
    assert_eq!(notes(&commit(&mut room), BEN), [ServerNote::Redacted]);
}

/// Rule A8.
#[test]
fn a_client_is_told_of_each_step_to_a_release_and_of_the_edit_that_makes_it_stale() {
    let mut room = room();
    let (fay, _) = let_ben_in(&mut room, Seat::Facilitator);
    let step = Step::Propose {
        moment: Seq(0),
        digest: Digest([1; 32]),
        quorum: Quorum::LEAST,
        gaps: Vec::new(),
        message: String::new(),
    };
    room.step(&fay, step, 1).unwrap();
    assert_eq!(notes(&commit(&mut room), BEN), [ServerNote::Release]);
    let [one, two] = two_words(10);
    room.frame(ANA, &Message::Update(&one).encode(), 2);
    assert_eq!(notes(&commit(&mut room), BEN), [ServerNote::Release], "it is stale now");
    room.frame(ANA, &Message::Update(&two).encode(), 3);
    assert_eq!(notes(&commit(&mut room), BEN), [], "it was stale before");
}

/// Rule P1.
#[test]
fn an_awareness_state_of_more_than_4_kib_is_malformed() {
    let awareness = |len: usize| {
        let state = format!("\"{}\"", "x".repeat(len - 2));
        let mut update = Vec::new();
        crate::lib0::Write::put_var(&mut update, 1);
        crate::lib0::Write::put_var(&mut update, 10);
        crate::lib0::Write::put_var(&mut update, 1);
        crate::lib0::Write::put_buf(&mut update, state.as_bytes());
        Message::Awareness(&update).encode()
    };
    assert_eq!(closed_with(&room().frame(ANA, &awareness(4096), 1), ANA), None);
    assert_eq!(closed_with(&room().frame(ANA, &awareness(4097), 1), ANA), Some(4400));
}

#[test]
fn notes_and_state_vectors_are_bounded_before_they_are_read() {
    let note = |len: usize| {
        let json = format!("{{\"note\":\"hello\",\"more\":\"{}\"}}", "x".repeat(len - 26));
        assert_eq!(json.len(), len);
        Message::Note(&json).encode()
    };
    for (len, code) in [(4_096, None), (4_097, Some(4400))] {
        let mut room = room();
        let_ben_in(&mut room, Seat::Author);
        assert_eq!(closed_with(&room.frame(BEN, &note(len), 1), BEN), code, "{len} bytes");
    }
    let vector = |clients: u64| {
        let mut bytes = Vec::new();
        crate::lib0::Write::put_var(&mut bytes, clients);
        for client in 0..clients {
            crate::lib0::Write::put_var(&mut bytes, client);
            crate::lib0::Write::put_var(&mut bytes, 1);
        }
        Message::Step1(&bytes).encode()
    };
    for (clients, code) in [(262_144, None), (262_145, Some(4400))] {
        assert_eq!(closed_with(&room().frame(ANA, &vector(clients), 1), ANA), code, "{clients}");
    }
}

/// Rules C8, A3 and M2.
#[test]
fn a_large_edit_leaves_turns_to_others_and_is_acknowledged_once_as_a_whole() {
    let mut room = room();
    let_ben_in(&mut room, Seat::Author);
    for id in [ANA, BEN] {
        room.frame(id, &Message::Step1(&[0]).encode(), 0);
    }
    let large = {
        let doc = crate::ydoc::new(20);
        let text = doc.get_or_insert_text("problem");
        let mut txn = doc.transact_mut();
        // Each letter is inserted before the previous one, so that no two letters can be one item.
        (0..3 * limits::MAX_STEPS_PER_TURN).for_each(|_| text.insert(&mut txn, 0, "a"));
        txn.encode_update_v1()
    };
    let [mut theirs, ask] = [edit(7, &large), Message::Step1(&[0]).encode()];
    theirs.extend(ask);
    let mut effects = room.frame(BEN, &theirs, 1);
    let mut words = two_words(10).into_iter();
    let (mut parts, mut answers, mut is_answered) = (0, Vec::new(), false);
    while effects.last() == Some(&Effect::Continue(BEN)) {
        assert!(!is_answered, "the document is asked for behind the edit");
        // Ana's edits are taken between the parts of Ben's edit, and she receives each part.
        if let Some(word) = words.next() {
            room.frame(ANA, &Message::Update(&word).encode(), 1);
            assert!(is_updated(&commit(&mut room), BEN));
        }
        effects = room.continue_frame(BEN, 1);
        let durable = commit(&mut room);
        parts += usize::from(is_updated(&durable, ANA));
        assert!(!is_updated(&durable, BEN), "it has them");
        answers.extend(notes(&durable, BEN));
        is_answered |= durable.iter().chain(&effects).any(is_document);
    }
    assert_eq!(parts, 3);
    assert!(matches!(answers[..], [ServerNote::Saved { number: 7, .. }]), "{answers:?}");
    assert!(is_answered, "the answer to the step 1 comes last");
    assert_eq!(words.next(), None);
}

/// Rule C8.
#[test]
fn others_write_while_a_large_edit_is_checked() {
    let mut room = room();
    let_ben_in(&mut room, Seat::Author);
    let words = "word ".repeat(limits::MAX_BYTES_CHECKED_IN_TURN);
    let doc = crate::ydoc::new(20);
    let text = doc.get_or_insert_text("problem");
    let large = {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, &words);
        txn.encode_update_v1()
    };
    let effects = room.frame(BEN, &edit(7, &large), 1);
    assert_eq!(effects, [Effect::Continue(BEN)], "nothing of it is checked in its first turn");
    let check = room.begin_check(BEN).unwrap();
    assert!(room.begin_check(BEN).is_none(), "one check is enough");
    let [first, _] = two_words(10);
    assert!(is_appended(&room.frame(ANA, &Message::Update(&first).encode(), 1)));
    commit(&mut room);
    let effects = room.end_check(BEN, check.run(), 1);
    assert_eq!(effects, [Effect::Continue(BEN)], "the first part has a turn of its own");
    assert!(room.begin_check(BEN).is_none(), "a part is not checked as a whole again");
    assert!(is_appended(&room.continue_frame(BEN, 1)));
    let saved = notes(&commit(&mut room), BEN);
    assert!(matches!(saved[..], [ServerNote::Saved { number: 7, .. }]), "{saved:?}");
    let both = room.state().doc().get_or_insert_text("problem");
    let both = both.get_string(&room.state().doc().transact());
    assert!(both.contains(&words) && both.len() > words.len());
}

/// Rule C8.
#[test]
fn of_several_edits_in_one_frame_each_takes_a_turn() {
    let mut room = room();
    let_ben_in(&mut room, Seat::Author);
    let edits: Vec<u8> =
        (1..).zip(two_words(20)).flat_map(|(number, update)| edit(number, &update)).collect();
    let effects = room.frame(BEN, &edits, 1);
    let appended = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::Append(_))).count()
    };
    assert_eq!((appended(&effects), effects.last()), (1, Some(&Effect::Continue(BEN))));
    let effects = room.continue_frame(BEN, 1);
    assert_eq!(appended(&effects), 1);
    assert!(!effects.contains(&Effect::Continue(BEN)));
    assert_eq!(notes(&commit(&mut room), BEN).len(), 2, "both are acknowledged");
}

/// Rule C8.
#[test]
fn what_is_left_of_a_large_edit_is_judged_when_its_turn_comes() {
    let mut room = room();
    let_ben_in(&mut room, Seat::Author);
    let doc = crate::ydoc::new(20);
    let text = doc.get_or_insert_text("problem");
    let large = {
        let mut txn = doc.transact_mut();
        (0..2 * limits::MAX_STEPS_PER_TURN).for_each(|_| text.insert(&mut txn, 0, "a"));
        txn.encode_update_v1()
    };
    room.frame(BEN, &edit(7, &large), 1);
    // The first turns check the whole edit and cut it, so the first part is taken in a later turn.
    let is_part_taken = (0..4).any(|_| is_appended(&room.continue_frame(BEN, 1)));
    assert!(is_part_taken);
    // Ben loses the right to write between two parts. The room refuses the edit, so his client keeps all of it.
    let standing = Standing::new(Seat::Observer, Sector::CivilSociety, false).unwrap();
    room.revise(|_| Ok(Grant { standing, may_write: false }), 1);
    let effects = room.continue_frame(BEN, 1);
    assert!(!is_appended(&effects));
    let refused = notes(&effects, BEN);
    assert!(matches!(refused[..], [ServerNote::Refused { number: 7, .. }]), "{refused:?}");
    assert_eq!(closed_with(&effects, BEN), Some(4403));
    assert!(room.continue_frame(BEN, 1).is_empty(), "nothing of his is left");
}

fn is_appended(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Append(_)))
}
