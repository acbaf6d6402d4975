mod awareness;
mod rules;

use super::*;
use crate::body::Genesis;
use crate::ids::{LineageId, SessionId};
use crate::ledger::RULES;
use crate::people::{Actor, Seat, Sector};
use crate::plan::Grant;
use crate::sync::presence::PresenceUser;
use yrs::StateVector;
use yrs::updates::encoder::Encode;

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
    let user =
        PresenceUser { person: actor.person.clone(), name: "Ana".into(), sector: actor.sector };
    let session = actor.session.clone();
    let admission = Admission { actor, session, user, dialect: Dialect::Stock, may_write: true };
    room.join(ANA, admission, 0);
    room
}

/// Returns whether an effect sends the answer to a step 1.
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

/// Rule M5.
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

const BEN: ConnectionId = ConnectionId(2);

fn join(room: &mut Room, id: ConnectionId, name: &str, may_write: bool) {
    let actor = Actor {
        person: PersonId::new(name),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    };
    let user =
        PresenceUser { person: actor.person.clone(), name: name.into(), sector: actor.sector };
    let session = actor.session.clone();
    let admission = Admission { actor, session, user, dialect: Dialect::Stock, may_write };
    room.join(id, admission, 0);
}

/// Returns an awareness message that announces a client id.
fn announcement(client: u64, clock: u64) -> Vec<u8> {
    use crate::lib0::Write as _;
    let mut update = vec![1];
    update.put_var(client);
    update.put_var(clock);
    update.put_buf(b"{}");
    Message::Awareness(&update).encode()
}

fn names(effects: &[Effect], client: u64) -> bool {
    use crate::lib0::Write as _;
    let mut id = Vec::new();
    id.put_var(client);
    let holds = |frame: &[u8]| frame.windows(id.len()).any(|window| window == id);
    effects.iter().any(|effect| matches!(effect, Effect::Send(_, frame) if holds(frame)))
}

#[test]
fn p2_nobody_learns_of_a_client_id_before_it_is_saved_whose_it_is() {
    const CLIENT: u64 = 0x1234_5678;
    let mut room = room();
    join(&mut room, BEN, "ben", true);
    let query = Message::QueryAwareness.encode();
    let step1 = Message::Step1(&StateVector::default().encode_v1()).encode();
    let mut effects = room.frame(ANA, &announcement(CLIENT, 1), 1);
    assert!(
        matches!(&effects[..], [Effect::SaveClientIdClaim(claim)] if claim.client == CLIENT),
        "{effects:?}"
    );
    // Ben does not learn of the id when Ana announces it again, when he asks who is here, when he syncs, when time
    // passes, or when he announces the id himself.
    effects.extend(room.frame(ANA, &announcement(CLIENT, 2), 2));
    effects.extend(room.frame(BEN, &query, 3));
    effects.extend(room.frame(BEN, &step1, 4));
    effects.extend(room.tick(20_000));
    effects.extend(room.frame(BEN, &announcement(CLIENT, 3), 5));
    assert!(!names(&effects, CLIENT), "{effects:?}");
    let effects = room.client_id_claims_saved(&[CLIENT]);
    assert!(names(&effects, CLIENT), "{effects:?}");
    assert_eq!(room.people().count(), 1);
    // From now on the id is shown immediately, also when Ana leaves and comes back.
    assert!(names(&room.leave(ANA, 6), CLIENT));
    join(&mut room, ANA, "ana", true);
    let back = room.frame(ANA, &announcement(CLIENT, 1), 7);
    assert!(
        names(&back, CLIENT)
            && !back.iter().any(|effect| matches!(effect, Effect::SaveClientIdClaim(_)))
    );
}

#[test]
fn p2_a_page_that_is_gone_before_its_id_is_saved_is_never_mentioned() {
    const CLIENT: u64 = 0x1234_5678;
    let mut room = room();
    join(&mut room, BEN, "ben", true);
    let mut effects = room.frame(ANA, &announcement(CLIENT, 1), 1);
    effects.extend(room.leave(ANA, 2));
    effects.extend(room.client_id_claims_saved(&[CLIENT]));
    assert!(!names(&effects, CLIENT), "{effects:?}");
}

#[test]
fn u2_the_id_of_a_reader_is_theirs_from_the_moment_they_may_write() {
    const CLIENT: u64 = 0x1234_5678;
    let mut room = room();
    join(&mut room, BEN, "ben", false);
    let effects = room.frame(BEN, &announcement(CLIENT, 1), 1);
    assert!(names(&effects, CLIENT), "a reader is shown at once");
    let ana = PersonId::new("ana");
    assert!(room.state().may_use(CLIENT, &ana));
    let standing = crate::people::Standing::new(Seat::Author, Sector::Government, false).unwrap();
    let effects = room.revise(|_| Ok(Grant { standing, may_write: true }), 2);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::SaveClientIdClaim(_))),
        "{effects:?}"
    );
    assert!(!room.state().may_use(CLIENT, &ana));
}
