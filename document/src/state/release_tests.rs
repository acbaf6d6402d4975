//! Tests of the steps on the path to a release: which are allowed, and how a replay treats forged ones.

use crate::body::Quorum;
use crate::body::{Body, Genesis};
use crate::body::{MAX_STEP_MESSAGE_CHARS, Step};
use crate::ids::Seq;
use crate::ids::{Digest, PersonId};
use crate::ids::{LineageId, SessionId};
use crate::ledger::{Entry, Outcome, RULES};
use crate::model::delta::Op;
use crate::model::{Replica, Target};
use crate::people::Seat;
use crate::people::{Actor, Sector};
use crate::release::{ProposalStatus, StepError};
use crate::state::DocumentState;
use crate::template::Need;
use crate::update::Refusal;

const TEXT: Digest = Digest([1; 32]);
const OTHER: Digest = Digest([2; 32]);

fn actor(person: &str, seat: Seat, sector: Sector) -> Actor {
    Actor { person: PersonId::new(person), seat, sector, session: SessionId::new("s") }
}

fn fay() -> Actor {
    actor("fay", Seat::Facilitator, Sector::Government)
}

fn ana() -> Actor {
    actor("ana", Seat::Author, Sector::Government)
}

fn ben() -> Actor {
    actor("ben", Seat::Author, Sector::CivilSociety)
}

/// A document's state with all entries of its ledger, and a replica that writes in it.
struct Ledger {
    state: DocumentState,
    entries: Vec<Entry>,
    replica: Replica,
}

impl Ledger {
    fn new() -> Self {
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: "s".into(),
            language: "en".into(),
            rules: RULES,
        };
        let genesis = genesis.entry(ana(), 5, [0; 16]);
        let state = DocumentState::begin(&genesis).unwrap();
        let mut ledger = Self { state, entries: vec![genesis], replica: Replica::new(1) };
        ledger.write().unwrap();
        ledger
    }

    fn write(&mut self) -> Result<(), Refusal> {
        self.replica.edit(&Target::field("problem"), &[Op::text("word ")]);
        let update = self.replica.encode_since(&self.state.state_vector());
        let entry = self.state.edit(&ana(), 9, [0; 16], &update)?;
        self.entries.extend(entry);
        Ok(())
    }

    fn step(&mut self, actor: &Actor, step: Step) -> Result<Seq, StepError> {
        let entry = self.state.step(actor, 10, [0; 16], step)?;
        let seq = entry.seq;
        self.entries.push(entry);
        Ok(seq)
    }

    fn propose(&mut self, actor: &Actor) -> Result<Seq, StepError> {
        let moment = self.state.position().seq;
        self.step(actor, proposal(moment))
    }

    fn approve(&mut self, actor: &Actor, proposal: Seq) -> Result<Seq, StepError> {
        self.step(actor, Step::Approve { proposal, digest: TEXT })
    }

    fn status(&self) -> &ProposalStatus {
        &self.state.releases().proposals().last().unwrap().status
    }
}

fn proposal(moment: Seq) -> Step {
    Step::Propose {
        moment,
        digest: TEXT,
        quorum: Quorum::LEAST,
        gaps: Vec::new(),
        message: String::new(),
    }
}

/// Rule R3.
#[test]
fn one_signature_of_each_side_freezes_and_nothing_less() {
    let mut ledger = Ledger::new();
    let one = ledger.propose(&ana()).unwrap();
    ledger.approve(&ana(), one).unwrap();
    assert_eq!(ledger.approve(&ana(), one), Err(StepError::Signed));
    ledger.approve(&fay(), one).unwrap();
    assert!(!ledger.state.releases().is_frozen(), "two of one side are not both");
    let frozen = ledger.approve(&ben(), one).unwrap();
    let releases = ledger.state.releases();
    assert!(releases.is_frozen());
    assert_eq!((releases.all()[0].number, releases.all()[0].frozen.seq), (1, frozen));
    assert_eq!(ledger.write(), Err(Refusal::Frozen));
    assert_eq!(ledger.propose(&fay()), Err(StepError::Frozen));
    assert_eq!(ledger.approve(&fay(), one), Err(StepError::Over));
}

/// Rules R1 and R2.
#[test]
fn an_edit_makes_a_proposal_stale_and_another_takes_its_place() {
    let mut ledger = Ledger::new();
    let one = ledger.propose(&ana()).unwrap();
    assert_eq!(ledger.propose(&ben()), Err(StepError::Proposed));
    ledger.approve(&ana(), one).unwrap();
    ledger.replica = Replica::new(2);
    ledger.replica.apply(&ledger.state.encode_since(&yrs::StateVector::default())).unwrap();
    ledger.write().unwrap();
    assert_eq!(ledger.approve(&ben(), one), Err(StepError::Stale));
    let moment = Seq(one.0 - 1);
    assert_eq!(ledger.step(&ana(), proposal(moment)), Err(StepError::Stale));
    assert_eq!(ledger.step(&ana(), proposal(Seq(99))), Err(StepError::Future));
    let two = ledger.propose(&ben()).unwrap();
    assert_eq!(ledger.state.releases().proposals()[0].status, ProposalStatus::Superseded);
    ledger.approve(&ben(), two).unwrap();
    assert!(!ledger.state.releases().is_frozen(), "signatures of the first don't count");
    ledger.approve(&ana(), two).unwrap();
    assert!(ledger.state.releases().is_frozen());
}

/// Rules R1 and R4.
#[test]
fn who_may_take_which_step() {
    let mut ledger = Ledger::new();
    let adviser = actor("ada", Seat::Adviser, Sector::Adviser);
    let other = actor("kim", Seat::Author, Sector::Other);
    assert_eq!(ledger.propose(&adviser), Err(StepError::Seat));
    let moment = ledger.state.position().seq;
    let with = |gaps: Vec<Need>, quorum, message: &str| Step::Propose {
        moment,
        digest: TEXT,
        quorum,
        gaps,
        message: message.into(),
    };
    let gaps = vec![Need::Lead];
    assert_eq!(ledger.step(&ana(), with(gaps.clone(), Quorum::LEAST, "")), Err(StepError::Gaps));
    for (government, civil_society) in [(0, 1), (1, 0), (1, 21)] {
        let quorum = Quorum { government, civil_society };
        assert_eq!(ledger.step(&fay(), with(gaps.clone(), quorum, "")), Err(StepError::Quorum));
    }
    let long = "x".repeat(MAX_STEP_MESSAGE_CHARS + 1);
    assert_eq!(
        ledger.step(&fay(), with(gaps.clone(), Quorum::LEAST, &long)),
        Err(StepError::Message)
    );
    let one =
        ledger.step(&fay(), with(gaps, Quorum { government: 1, civil_society: 2 }, "")).unwrap();
    assert_eq!(ledger.approve(&adviser, one), Err(StepError::Seat));
    assert_eq!(ledger.approve(&other, one), Err(StepError::Side));
    assert_eq!(ledger.approve(&ana(), Seq(1)), Err(StepError::NoProposal));
    let unread = Step::Approve { proposal: one, digest: OTHER };
    assert_eq!(ledger.step(&ana(), unread), Err(StepError::OtherText));
    let decline = |reason: &str| Step::Decline { proposal: one, reason: reason.into() };
    assert_eq!(ledger.step(&ben(), decline("  ")), Err(StepError::Reason));
    assert_eq!(ledger.step(&ben(), decline(&long)), Err(StepError::Reason));
    assert_eq!(ledger.step(&ben(), Step::Withdraw { proposal: one }), Err(StepError::NotYours));
    let reopen = || Step::Reopen { message: String::new() };
    assert_eq!(ledger.step(&fay(), reopen()), Err(StepError::Drafting));
    ledger.approve(&ana(), one).unwrap();
    ledger.approve(&ben(), one).unwrap();
    assert!(!ledger.state.releases().is_frozen(), "two of civil society are asked for");
    let cem = actor("cem", Seat::Author, Sector::CivilSociety);
    ledger.step(&cem, decline("Milestone 2 has no date.")).unwrap();
    assert!(
        matches!(ledger.status(), ProposalStatus::Declined { by, reason } if by.person == cem.person && reason == "Milestone 2 has no date.")
    );
    let two = ledger.propose(&ben()).unwrap();
    ledger.step(&ben(), Step::Withdraw { proposal: two }).unwrap();
    assert!(matches!(ledger.status(), ProposalStatus::Withdrawn { .. }));
    let three = ledger.propose(&ben()).unwrap();
    ledger.approve(&ana(), three).unwrap();
    ledger.approve(&ben(), three).unwrap();
    assert_eq!(ledger.step(&ben(), reopen()), Err(StepError::Seat));
    ledger.step(&fay(), reopen()).unwrap();
    assert_eq!(
        (ledger.state.releases().is_frozen(), ledger.state.releases().next_number()),
        (false, 2)
    );
}

#[test]
fn a_replayed_path_and_one_resumed_from_a_checkpoint_are_the_same_and_forged_entries_in_it_are_void()
 {
    let mut ledger = Ledger::new();
    let one = ledger.propose(&ana()).unwrap();
    ledger.approve(&ana(), one).unwrap();
    let frozen = ledger.approve(&ben(), one).unwrap();
    let resumed = DocumentState::resume(&ledger.state.checkpoint()).unwrap();
    assert_eq!(resumed.releases(), ledger.state.releases());
    // Two forged entries follow the freeze: a reopening by an author, who may not reopen, and an edit of the frozen
    // text.
    let mut forged = ledger.state.chain.next(
        ben(),
        11,
        [0; 16],
        Body::Step(Step::Reopen { message: String::new() }),
    );
    ledger.entries.push(forged.clone());
    ledger.replica.edit(&Target::field("problem"), &[Op::text("more")]);
    let update = ledger.replica.encode_since(&ledger.state.state_vector());
    ledger.state.chain.advance(&forged);
    forged = ledger.state.chain.next(
        ana(),
        12,
        [0; 16],
        Body::Edit { update, provenance: Default::default() },
    );
    ledger.entries.push(forged);
    let mut replayed = DocumentState::begin(&ledger.entries[0]).unwrap();
    for entry in &ledger.entries[1..] {
        let outcome = replayed.apply(&Entry::decode(&entry.encode()).unwrap()).unwrap();
        let expect = if entry.seq > frozen {
            outcome != Outcome::Applied
        } else {
            outcome == Outcome::Applied
        };
        assert!(expect, "entry {}: {outcome:?}", entry.seq);
    }
    assert_eq!(replayed.releases(), ledger.state.releases());
    assert!(replayed.releases().is_frozen());
}
