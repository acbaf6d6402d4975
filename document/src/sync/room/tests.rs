use super::*;
use crate::body::Genesis;
use crate::ids::{LineageId, SessionId};
use crate::ledger::RULES;
use crate::people::{Actor, Seat, Sector};
use crate::sync::presence::Face;

const ANA: ConnectionId = ConnectionId(1);

fn room() -> Room {
    let actor = Actor {
        person: PersonId::new("ana"),
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
    let state = DocumentState::begin(&genesis.entry(actor.clone(), 0, [0; 16])).unwrap();
    let mut room = Room::new(state, [7; 32]);
    let face = Face { person: actor.person.clone(), name: "Ana".into(), sector: actor.sector };
    let session = actor.session.clone();
    let admission = Admission { actor, session, face, dialect: Dialect::Stock, may_write: true };
    room.join(ANA, admission, 0);
    room
}

/// Whether a frame is the answer to a step 1.
fn is_document(effect: &Effect) -> bool {
    matches!(effect, Effect::Send(_, frame) if frame.starts_with(&[0, 1]))
}

#[test]
fn one_document_waits_for_a_client_however_often_it_asks_while_the_store_is_slow() {
    let mut room = room();
    let writer = crate::ydoc::new(10);
    let text = writer.get_or_insert_text("problem");
    let update = {
        use yrs::{Text, Transact};
        let mut txn = writer.transact_mut();
        text.insert(&mut txn, 0, "words");
        txn.encode_update_v1()
    };
    let appended = room.frame(ANA, &Message::Update(&update).encode(), 1);
    assert!(appended.iter().any(|effect| matches!(effect, Effect::Append(_))));
    let step1 = Message::Step1(&StateVector::default().encode_v1()).encode();
    for _ in 0..100 {
        assert!(!room.frame(ANA, &step1, 2).iter().any(is_document), "it is not on disk yet");
    }
    assert!(room.held.len() <= 2, "{} wait", room.held.len());
    let seq = room.state().position().seq;
    let sent = room.committed(seq);
    assert_eq!(sent.iter().filter(|effect| is_document(effect)).count(), 1);
    assert!(room.frame(ANA, &step1, 3).iter().any(is_document), "asked again, answered again");
}

#[test]
fn one_frame_asks_for_one_answer() {
    let step1 = Message::Step1(&StateVector::default().encode_v1()).encode();
    let query = Message::QueryAwareness.encode();
    for frame in [
        step1.repeat(2),
        query.repeat(2),
        [step1.clone(), query.clone(), vec![3; 1 << 20]].concat(),
    ] {
        let effects = room().frame(ANA, &frame, 1);
        assert!(!effects.iter().any(is_document));
        let closes =
            |effect: &Effect| matches!(effect, Effect::Close(_, close) if close.code == 4400);
        assert!(effects.iter().any(closes));
    }
    let both = room().frame(ANA, &[step1, query].concat(), 1);
    assert_eq!(both.iter().filter(|effect| is_document(effect)).count(), 1);
}
