//! A plan: who sits in it, who is invited, which documents it has. All of it follows from the
//! plan's own ledger, whose entries are [`Act`]s.
//!
//! Names and addresses are not in here: a person is an opaque id, an invitation the digest of its
//! secret.

mod act;

pub use act::{Act, Refused, TITLE};

use crate::ids::{Digest, DocumentId, PersonId};
use crate::ledger::{Body, Chain, Entry, LedgerError, Outcome, Position, Salt};
use crate::people::{Action, Actor, Seat, Standing, permits};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema name that a plan's genesis records.
pub const SCHEMA: &str = "accord-plan/1";

/// What became of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Open,
    Used(PersonId),
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub standing: Standing,
    pub made: u64,
    pub made_by: PersonId,
    pub expires: u64,
    pub fate: Fate,
}

impl Invitation {
    /// Whether somebody may join with it now (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// With the reason why not.
    pub fn check(&self, now: u64) -> Result<(), Refused> {
        match self.fate {
            Fate::Used(_) => Err(Refused::Used),
            Fate::Revoked => Err(Refused::Revoked),
            Fate::Open if now >= self.expires => Err(Refused::Expired),
            Fate::Open => Ok(()),
        }
    }
}

/// Whether a document is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Drafting,
    /// Set aside: it can be read, and taken back.
    Archived,
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// BCP 47.
    pub language: String,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    pub stage: Stage,
    /// When it came to this stage.
    pub since: u64,
}

/// A plan as its ledger made it. Call [`begin`](Self::begin) once, then [`apply`](Self::apply) for
/// each stored entry, or [`act`](Self::act) for each new one.
#[derive(Debug, Clone)]
pub struct PlanState {
    chain: Chain,
    title: String,
    seats: BTreeMap<PersonId, Standing>,
    /// The last standing of everybody who sat here once.
    former: BTreeMap<PersonId, Standing>,
    invitations: BTreeMap<Digest, Invitation>,
    documents: BTreeMap<DocumentId, Document>,
    closed: bool,
}

impl PlanState {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not the genesis of a plan that this version understands.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        if chain.genesis().schema != SCHEMA {
            return Err(LedgerError::NoGenesis);
        }
        Ok(Self {
            chain,
            title: String::new(),
            seats: BTreeMap::new(),
            former: BTreeMap::new(),
            invitations: BTreeMap::new(),
            documents: BTreeMap::new(),
            closed: false,
        })
    }

    /// Applies a stored entry. An act that was not allowed at its place changes nothing.
    ///
    /// # Errors
    /// When the entry is not the next one of this ledger; the state is then as before.
    pub fn apply(&mut self, entry: &Entry) -> Result<Outcome<Refused>, LedgerError> {
        self.chain.follows(entry)?;
        let Body::Act(act) = &entry.body else { return Err(LedgerError::Foreign(entry.seq)) };
        let outcome = match self.check(&entry.actor, entry.time, act) {
            Ok(()) => {
                self.carry_out(&entry.actor, entry.time, act);
                Outcome::Applied
            }
            Err(refused) => Outcome::Void(refused),
        };
        self.chain.advance(entry);
        Ok(outcome)
    }

    /// Checks and carries out a new act, and gives the entry to be appended for it. The state is
    /// then ahead of the store until the entry is durable.
    ///
    /// # Errors
    /// With the reason, when it is not allowed; the state is then as before.
    pub fn act(&mut self, actor: &Actor, now: u64, salt: Salt, act: Act) -> Result<Entry, Refused> {
        let time = self.chain.time(now);
        self.check(actor, time, &act)?;
        self.carry_out(actor, time, &act);
        let entry = self.chain.next(actor.clone(), now, salt, Body::Act(act));
        self.chain.advance(&entry);
        Ok(entry)
    }

    fn check(&self, actor: &Actor, time: u64, act: &Act) -> Result<(), Refused> {
        if let Some(action) = act.needs() {
            // An administrator's power comes from the installation; everybody else's from here.
            let real = actor.seat == Seat::Administrator
                || self.seats.get(&actor.person).is_some_and(|s| s.seat == actor.seat);
            if !real || !permits(actor.seat, action) {
                return Err(Refused::Seat);
            }
        }
        if self.closed && !act.is_fine_when_closed() {
            return Err(Refused::Closed);
        }
        match act {
            Act::Title { title } => {
                let fits = !title.trim().is_empty() && title.chars().count() <= TITLE;
                if fits { Ok(()) } else { Err(Refused::Title) }
            }
            Act::Invite { invitation, standing, .. } => {
                standing.check()?;
                // Digests of random secrets do not meet; one that does is somebody's mistake.
                if self.invitations.contains_key(invitation) {
                    return Err(Refused::Used);
                }
                Ok(())
            }
            Act::Revoke { invitation } => match self.invitations.get(invitation) {
                None => Err(Refused::NoInvitation),
                Some(Invitation { fate: Fate::Open, .. }) => Ok(()),
                Some(Invitation { fate: Fate::Used(_), .. }) => Err(Refused::Used),
                Some(Invitation { fate: Fate::Revoked, .. }) => Err(Refused::Revoked),
            },
            Act::Join { invitation } => {
                let invitation = self.invitations.get(invitation).ok_or(Refused::NoInvitation)?;
                invitation.check(time)?;
                if self.seats.contains_key(&actor.person) {
                    return Err(Refused::AlreadySeated);
                }
                let offered = (invitation.standing.seat, invitation.standing.sector);
                if offered == (actor.seat, actor.sector) { Ok(()) } else { Err(Refused::Seat) }
            }
            Act::Seat { person, standing } => {
                standing.check()?;
                // People come by invitation; only an administrator may seat somebody outright.
                if !self.seats.contains_key(person) && actor.seat != Seat::Administrator {
                    return Err(Refused::NotSeated);
                }
                if standing.seat != Seat::Facilitator && self.is_last_facilitator(person) {
                    return Err(Refused::LastFacilitator);
                }
                Ok(())
            }
            Act::Unseat { person } => {
                if !self.seats.contains_key(person) {
                    return Err(Refused::NotSeated);
                }
                if self.is_last_facilitator(person) {
                    return Err(Refused::LastFacilitator);
                }
                Ok(())
            }
            Act::AddDocument { document, .. } => {
                let is_new = !self.documents.contains_key(document);
                if is_new { Ok(()) } else { Err(Refused::Unchanged) }
            }
            Act::Archive { document } => self.stage_is(document, Stage::Drafting),
            Act::Unarchive { document } => self.stage_is(document, Stage::Archived),
            Act::Delete { document } => match self.documents.get(document) {
                Some(found) if found.stage != Stage::Deleted => Ok(()),
                _ => Err(Refused::NoDocument),
            },
            Act::Close if self.closed => Err(Refused::Unchanged),
            Act::Reopen if !self.closed => Err(Refused::Unchanged),
            Act::Close | Act::Reopen => Ok(()),
        }
    }

    fn stage_is(&self, document: &DocumentId, stage: Stage) -> Result<(), Refused> {
        match self.documents.get(document) {
            None | Some(Document { stage: Stage::Deleted, .. }) => Err(Refused::NoDocument),
            Some(found) if found.stage == stage => Ok(()),
            Some(_) => Err(Refused::Unchanged),
        }
    }

    fn is_last_facilitator(&self, person: &PersonId) -> bool {
        let mut facilitators =
            self.seats.iter().filter(|(_, s)| s.seat == Seat::Facilitator).map(|(id, _)| id);
        facilitators.next() == Some(person) && facilitators.next().is_none()
    }

    fn carry_out(&mut self, actor: &Actor, time: u64, act: &Act) {
        match act {
            Act::Title { title } => self.title = title.trim().to_owned(),
            Act::Invite { invitation, standing, expires } => {
                let made_by = actor.person.clone();
                let (standing, expires, fate) = (*standing, *expires, Fate::Open);
                let invited = Invitation { standing, made: time, made_by, expires, fate };
                self.invitations.insert(*invitation, invited);
            }
            Act::Revoke { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.fate = Fate::Revoked;
                }
            }
            Act::Join { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.fate = Fate::Used(actor.person.clone());
                    self.seats.insert(actor.person.clone(), invitation.standing);
                    self.former.remove(&actor.person);
                }
            }
            Act::Seat { person, standing } => {
                self.seats.insert(person.clone(), *standing);
                self.former.remove(person);
            }
            Act::Unseat { person } => {
                if let Some(standing) = self.seats.remove(person) {
                    self.former.insert(person.clone(), standing);
                }
            }
            Act::AddDocument { document, language } => {
                let (language, stage) = (language.clone(), Stage::Drafting);
                let added = Document { language, created: time, stage, since: time };
                self.documents.insert(document.clone(), added);
            }
            Act::Archive { document } => self.set_stage(document, Stage::Archived, time),
            Act::Unarchive { document } => self.set_stage(document, Stage::Drafting, time),
            Act::Delete { document } => self.set_stage(document, Stage::Deleted, time),
            Act::Close => self.closed = true,
            Act::Reopen => self.closed = false,
        }
    }

    fn set_stage(&mut self, document: &DocumentId, stage: Stage, since: u64) {
        if let Some(document) = self.documents.get_mut(document) {
            (document.stage, document.since) = (stage, since);
        }
    }

    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.chain.position()
    }

    /// Who sits here now.
    pub fn seats(&self) -> impl Iterator<Item = (&PersonId, Standing)> {
        self.seats.iter().map(|(person, standing)| (person, *standing))
    }

    #[must_use]
    pub fn standing(&self, person: &PersonId) -> Option<Standing> {
        self.seats.get(person).copied()
    }

    /// The standing somebody has, or had last.
    #[must_use]
    pub fn last_standing(&self, person: &PersonId) -> Option<Standing> {
        self.standing(person).or_else(|| self.former.get(person).copied())
    }

    #[must_use]
    pub fn invitation(&self, digest: &Digest) -> Option<&Invitation> {
        self.invitations.get(digest)
    }

    pub fn invitations(&self) -> impl Iterator<Item = (&Digest, &Invitation)> {
        self.invitations.iter()
    }

    /// A document that was not deleted.
    #[must_use]
    pub fn document(&self, id: &DocumentId) -> Option<&Document> {
        self.documents.get(id).filter(|document| document.stage != Stage::Deleted)
    }

    /// The documents that were not deleted, oldest first.
    #[must_use]
    pub fn documents(&self) -> Vec<(&DocumentId, &Document)> {
        let mut all: Vec<_> =
            self.documents.iter().filter(|(_, d)| d.stage != Stage::Deleted).collect();
        all.sort_by_key(|(id, document)| (document.created, *id));
        all
    }

    /// The documents that were deleted, and when (milliseconds since the Unix epoch).
    pub fn deleted(&self) -> impl Iterator<Item = (&DocumentId, u64)> {
        let deleted = self.documents.iter().filter(|(_, d)| d.stage == Stage::Deleted);
        deleted.map(|(id, document)| (id, document.since))
    }

    /// What a person may do with one of the plan's documents, if they may see it at all.
    #[must_use]
    pub fn grant(&self, person: &PersonId, document: &DocumentId) -> Option<Grant> {
        let standing = self.standing(person)?;
        let document = self.document(document)?;
        let writable = !self.closed && document.stage == Stage::Drafting;
        permits(standing.seat, Action::Read).then(|| Grant {
            standing,
            may_write: writable && permits(standing.seat, Action::Write),
        })
    }
}

/// What a person may do in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub standing: Standing,
    pub may_write: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LineageId, SessionId};
    use crate::ledger::{Genesis, RULES};
    use crate::people::Sector;

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
            schema: SCHEMA.into(),
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

    /// A plan with `fay` as facilitator, and all its entries.
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

        fn act(&mut self, actor: &Actor, now: u64, act: Act) -> Result<(), Refused> {
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
        assert_eq!(plan.act(&cem, 51, join(1)), Err(Refused::Used));
        plan.invite(2, 100);
        assert_eq!(plan.act(&ben(), 52, join(2)), Err(Refused::AlreadySeated));
        assert_eq!(plan.act(&cem, 100, join(2)), Err(Refused::Expired));
        plan.invite(3, 900);
        plan.act(&fay(), 101, Act::Revoke { invitation: digest(3) }).unwrap();
        assert_eq!(plan.act(&cem, 102, join(3)), Err(Refused::Revoked));
        assert_eq!(plan.act(&cem, 102, join(4)), Err(Refused::NoInvitation));
        plan.invite(5, 900);
        let greedy = actor("cem", Seat::Facilitator, Sector::Government);
        assert_eq!(plan.act(&greedy, 103, join(5)), Err(Refused::Seat), "not what it offers");
    }

    #[test]
    fn the_last_facilitator_stays_until_there_is_another() {
        let mut plan = Plan::new();
        let person = PersonId::new("fay");
        let author = standing(Seat::Author, Sector::Government);
        let demote = Act::Seat { person: person.clone(), standing: author };
        let unseat = Act::Unseat { person };
        for by in [fay(), admin()] {
            assert_eq!(plan.act(&by, 20, demote.clone()), Err(Refused::LastFacilitator));
            assert_eq!(plan.act(&by, 20, unseat.clone()), Err(Refused::LastFacilitator));
        }
        let facilitator = standing(Seat::Facilitator, Sector::Government);
        let second = Act::Seat { person: PersonId::new("gus"), standing: facilitator };
        assert_eq!(plan.act(&fay(), 21, second.clone()), Err(Refused::NotSeated));
        plan.act(&admin(), 21, second).unwrap();
        plan.act(&fay(), 22, unseat).unwrap();
        assert_eq!(plan.act(&fay(), 23, Act::Close), Err(Refused::Seat), "her seat has ended");
    }

    #[test]
    fn a_closed_plan_lets_nobody_write() {
        let mut plan = Plan::new();
        let document = DocumentId::new("d");
        let add = Act::AddDocument { document: document.clone(), language: "en".into() };
        plan.act(&fay(), 20, add).unwrap();
        let fays = PersonId::new("fay");
        assert!(plan.state.grant(&fays, &document).unwrap().may_write);
        plan.act(&fay(), 21, Act::Close).unwrap();
        assert!(!plan.state.grant(&fays, &document).unwrap().may_write);
        let add = Act::AddDocument { document: DocumentId::new("e"), language: "en".into() };
        assert_eq!(plan.act(&fay(), 22, add), Err(Refused::Closed));
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
        assert_eq!(outcomes.pop(), Some(Outcome::Void(Refused::Seat)));
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
        assert!(!replayed.is_closed());
        assert_eq!(replayed.seats, plan.state.seats);
        assert_eq!(replayed.invitations, plan.state.invitations);
    }
}
