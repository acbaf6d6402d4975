//! Tests of the acts in a plan: which are allowed, and how they change the plan.

use super::*;
use crate::body::Genesis;
use crate::ids::{LineageId, SessionId};
use crate::ledger::RULES;
use crate::people::{Seat, Sector};

fn actor(person: &str, seat: Seat, sector: Sector) -> Actor {
    Actor { person: PersonId::new(person), seat, sector, session: SessionId::new("s") }
}

fn admin() -> Actor {
    actor("ida", Seat::Administrator, Sector::Other)
}

fn fay() -> Actor {
    actor("fay", Seat::Facilitator, Sector::Government)
}

fn genesis() -> Entry {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: PLAN_SCHEMA.into(),
        language: String::new(),
        rules: RULES,
    };
    genesis.entry(admin(), 5, [0; 16])
}

fn standing(seat: Seat, sector: Sector) -> Standing {
    Standing::new(seat, sector, false).unwrap()
}

fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

/// A plan with `fay` as facilitator, together with all entries of its ledger.
struct Plan {
    state: PlanState,
    entries: Vec<Entry>,
}

impl Plan {
    fn new() -> Self {
        let state = PlanState::begin(&genesis()).unwrap();
        let mut plan = Self { state, entries: vec![genesis()] };
        let facilitator = standing(Seat::Facilitator, Sector::Government);
        let seat = Act::Seat { person: PersonId::new("fay"), standing: facilitator };
        plan.act(&admin(), 10, seat).unwrap();
        plan
    }

    fn act(&mut self, actor: &Actor, now: u64, act: Act) -> Result<(), ActRefusal> {
        let entry = self.state.act(actor, now, [1; 16], act)?;
        self.entries.push(entry);
        Ok(())
    }

    fn invite(&mut self, n: u8, expires: u64) {
        let standing = standing(Seat::Author, Sector::CivilSociety);
        let invite = Act::Invite { invitation: digest(n), standing, expires };
        self.act(&fay(), 20, invite).unwrap();
    }
}

fn join(n: u8) -> Act {
    Act::Join { invitation: digest(n) }
}

fn ben() -> Actor {
    actor("ben", Seat::Author, Sector::CivilSociety)
}

#[test]
fn an_invitation_seats_one_person_once() {
    let mut plan = Plan::new();
    plan.invite(1, 100);
    plan.act(&ben(), 50, join(1)).unwrap();
    assert_eq!(plan.state.standing(&PersonId::new("ben")).unwrap().seat, Seat::Author);
    let cem = actor("cem", Seat::Author, Sector::CivilSociety);
    assert_eq!(plan.act(&cem, 51, join(1)), Err(ActRefusal::Used));
    plan.invite(2, 100);
    assert_eq!(plan.act(&ben(), 52, join(2)), Err(ActRefusal::AlreadySeated));
    assert_eq!(plan.act(&cem, 100, join(2)), Err(ActRefusal::Expired));
    plan.invite(3, 900);
    plan.act(&fay(), 101, Act::Revoke { invitation: digest(3) }).unwrap();
    assert_eq!(plan.act(&cem, 102, join(3)), Err(ActRefusal::Revoked));
    assert_eq!(plan.act(&cem, 102, join(4)), Err(ActRefusal::NoInvitation));
    plan.invite(5, 900);
    let greedy = actor("cem", Seat::Facilitator, Sector::Government);
    assert_eq!(plan.act(&greedy, 103, join(5)), Err(ActRefusal::Seat), "not what it offers");
}

#[test]
fn the_last_facilitator_stays_until_there_is_another() {
    let mut plan = Plan::new();
    let person = PersonId::new("fay");
    let author = standing(Seat::Author, Sector::Government);
    let demote = Act::Seat { person: person.clone(), standing: author };
    let unseat = Act::Unseat { person };
    for by in [fay(), admin()] {
        assert_eq!(plan.act(&by, 20, demote.clone()), Err(ActRefusal::LastFacilitator));
        assert_eq!(plan.act(&by, 20, unseat.clone()), Err(ActRefusal::LastFacilitator));
    }
    let facilitator = standing(Seat::Facilitator, Sector::Government);
    let second = Act::Seat { person: PersonId::new("gus"), standing: facilitator };
    assert_eq!(plan.act(&fay(), 21, second.clone()), Err(ActRefusal::NotSeated));
    plan.act(&admin(), 21, second).unwrap();
    plan.act(&fay(), 22, unseat).unwrap();
    assert_eq!(plan.act(&fay(), 23, Act::Close), Err(ActRefusal::Seat), "her seat has ended");
}

#[test]
fn a_closed_plan_lets_nobody_write() {
    let mut plan = Plan::new();
    let document = DocumentId::new("d");
    let add =
        Act::AddDocument { document: document.clone(), language: "en".into(), translates: None };
    plan.act(&fay(), 20, add).unwrap();
    let fays = PersonId::new("fay");
    assert!(plan.state.grant(&fays, &document).unwrap().may_write);
    plan.act(&fay(), 21, Act::Close).unwrap();
    assert!(!plan.state.grant(&fays, &document).unwrap().may_write);
    let add = Act::AddDocument {
        document: DocumentId::new("e"),
        language: "en".into(),
        translates: None,
    };
    assert_eq!(plan.act(&fay(), 22, add), Err(ActRefusal::Closed));
    plan.act(&fay(), 23, Act::Reopen).unwrap();
    plan.act(&fay(), 24, Act::Archive { document: document.clone() }).unwrap();
    assert!(!plan.state.grant(&fays, &document).unwrap().may_write);
    plan.act(&fay(), 25, Act::Delete { document: document.clone() }).unwrap();
    assert_eq!(plan.state.grant(&fays, &document), None);
    assert!(plan.state.documents().is_empty());
}

#[test]
fn a_replayed_plan_is_the_same_and_a_forged_act_in_it_is_void() {
    let mut plan = Plan::new();
    plan.invite(1, 100);
    plan.act(&ben(), 50, join(1)).unwrap();
    let forged = plan.state.chain.next(ben(), 60, [2; 16], Body::Act(Act::Close));
    plan.entries.push(forged);
    let mut replayed = PlanState::begin(&plan.entries[0]).unwrap();
    let mut outcomes = Vec::new();
    for entry in &plan.entries[1..] {
        let entry = Entry::decode(&entry.encode()).unwrap();
        outcomes.push(replayed.apply(&entry).unwrap());
    }
    assert_eq!(outcomes.pop(), Some(Outcome::Void(ActRefusal::Seat)));
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    assert!(!replayed.is_closed());
    assert_eq!(replayed.seats, plan.state.seats);
    assert_eq!(replayed.invitations, plan.state.invitations);
}

#[test]
fn what_is_published_stays_so_whatever_the_clock_says() {
    let mut plan = Plan::new();
    let documents = [DocumentId::new("d"), DocumentId::new("e")];
    for document in &documents {
        let add = Act::AddDocument {
            document: document.clone(),
            language: "en".into(),
            translates: None,
        };
        plan.act(&fay(), 20, add).unwrap();
    }
    let launched = |which: usize, number| LaunchedRelease {
        document: documents[which].clone(),
        number,
        digest: digest(9),
    };
    let launch = |releases: Vec<LaunchedRelease>, opens_at| Act::Launch {
        releases,
        opens_at,
        zone: "Asia/Tbilisi".into(),
    };
    let both = launch(vec![launched(0, 1), launched(1, 1)], 1_000);
    assert_eq!(plan.act(&ben(), 30, both.clone()), Err(ActRefusal::Seat));
    assert_eq!(plan.act(&fay(), 30, launch(vec![], 1_000)), Err(ActRefusal::Launch));
    assert_eq!(
        plan.act(&fay(), 30, launch(vec![launched(0, 1), launched(0, 2)], 1_000)),
        Err(ActRefusal::Launch)
    );
    let zone = Act::Launch { releases: vec![launched(0, 1)], opens_at: 9, zone: "<b>".into() };
    assert_eq!(plan.act(&fay(), 30, zone), Err(ActRefusal::Launch));
    plan.act(&fay(), 30, both.clone()).unwrap();
    let seq = plan.state.launches()[0].seq;
    assert_eq!(plan.act(&fay(), 31, launch(vec![launched(0, 1)], 5)), Err(ActRefusal::Launched));
    assert_eq!(
        plan.act(&fay(), 31, Act::Delete { document: documents[0].clone() }),
        Err(ActRefusal::Released)
    );
    assert_eq!(plan.act(&admin(), 999, Act::Publish { launch: seq }), Err(ActRefusal::Early));
    plan.act(&fay(), 999, Act::CallOff { launch: seq }).unwrap();
    assert_eq!(plan.act(&admin(), 1_000, Act::Publish { launch: seq }), Err(ActRefusal::NoLaunch));
    assert_eq!(plan.state.launched_releases(&documents[0]).count(), 0);
    plan.act(&fay(), 1_000, both).unwrap();
    let seq = plan.state.launches()[1].seq;
    plan.act(&fay(), 1_000, Act::Close).unwrap();
    plan.act(&admin(), 1_000, Act::Publish { launch: seq }).unwrap();
    assert_eq!(plan.act(&fay(), 1_001, Act::CallOff { launch: seq }), Err(ActRefusal::NoLaunch));
    plan.act(&fay(), 1_002, Act::Reopen).unwrap();
    // From here on, the server's clock is set back to 3. The time of the ledger does not go back with it, so the public
    // release is still public.
    assert_eq!(plan.state.published(&documents[1]).count(), 1);
    assert_eq!(plan.act(&fay(), 3, launch(vec![launched(0, 1)], 5)), Err(ActRefusal::Launched));
    plan.act(&fay(), 3, launch(vec![launched(0, 2)], 5)).unwrap();
    let due: Vec<_> = plan.state.launches().iter().filter(|launch| launch.is_due(1_002)).collect();
    assert_eq!(due.len(), 1);
}

#[test]
fn a_commitment_has_each_language_once_and_a_plan_may_ask_for_more_signatories() {
    let mut plan = Plan::new();
    let add = |id: &str, language: &str, of: Option<&str>| Act::AddDocument {
        document: DocumentId::new(id),
        language: language.into(),
        translates: of.map(DocumentId::new),
    };
    plan.act(&fay(), 20, add("d", "en", None)).unwrap();
    plan.act(&fay(), 20, add("ka", "ka", Some("d"))).unwrap();
    assert_eq!(plan.act(&fay(), 20, add("x", "ka", Some("d"))), Err(ActRefusal::Language));
    assert_eq!(plan.act(&fay(), 20, add("x", "en", Some("d"))), Err(ActRefusal::Language));
    assert_eq!(plan.act(&fay(), 20, add("x", "fr", Some("ka"))), Err(ActRefusal::Language));
    assert_eq!(plan.act(&fay(), 20, add("x", "fr", Some("none"))), Err(ActRefusal::Language));
    for id in ["d", "ka"] {
        let all: Vec<_> =
            plan.state.languages_of(&DocumentId::new(id)).map(|(id, _)| id.to_string()).collect();
        assert_eq!(all, ["d", "ka"]);
    }
    let quorum =
        |government, civil_society| Act::Quorum { quorum: Quorum { government, civil_society } };
    assert_eq!(plan.act(&fay(), 21, quorum(1, 0)), Err(ActRefusal::Quorum));
    assert_eq!(plan.act(&fay(), 21, quorum(1, 1)), Err(ActRefusal::Unchanged));
    plan.act(&fay(), 21, quorum(1, 2)).unwrap();
    assert_eq!(plan.state.quorum().civil_society, 2);
}
