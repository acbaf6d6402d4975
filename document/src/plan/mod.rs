//! A plan: who sits in it, who is invited, which documents it has. All of it follows from the
//! plan's own ledger, whose entries are [`Act`]s.
//!
//! Names and addresses are not in here: a person is an opaque id, an invitation the digest of its
//! secret.

mod check;
mod launch;
mod rules;
#[cfg(test)]
mod tests;

pub use launch::{Launch, LaunchStatus, Untimely, opening};
pub use rules::ActRefusal;

use crate::body::{Act, Body, LaunchedRelease, Quorum};
use crate::ids::{Digest, DocumentId, PersonId, Seq};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Outcome, Salt};
use crate::people::{Action, Actor, Standing, permits};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema name that a plan's genesis records.
pub const PLAN_SCHEMA: &str = "accord-plan/1";

/// What became of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationStatus {
    /// Nobody has used it.
    Open,
    /// This person has joined with it.
    Used(PersonId),
    /// It was withdrawn.
    Revoked,
}

/// An invitation to a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The seat that it offers.
    pub standing: Standing,
    /// The time at which it was made, in milliseconds since the Unix epoch.
    pub made: u64,
    /// The person who made it.
    pub made_by: PersonId,
    /// The time from which it can't be used, in milliseconds since the Unix epoch.
    pub expires: u64,
    /// Whether it is open, used or withdrawn.
    pub fate: InvitationStatus,
}

impl Invitation {
    /// Whether somebody may join with it now (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// With the reason why not.
    pub fn check(&self, now: u64) -> Result<(), ActRefusal> {
        match self.fate {
            InvitationStatus::Used(_) => Err(ActRefusal::Used),
            InvitationStatus::Revoked => Err(ActRefusal::Revoked),
            InvitationStatus::Open if now >= self.expires => Err(ActRefusal::Expired),
            InvitationStatus::Open => Ok(()),
        }
    }
}

/// Whether a document is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is worked on.
    Drafting,
    /// Set aside: it can be read, and taken back.
    Archived,
    /// It is deleted, and not shown any more.
    Deleted,
}

/// A document, as far as its plan knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// BCP 47.
    pub language: String,
    /// The commitment that this is another language of.
    pub translates: Option<DocumentId>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// Its stage.
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
    quorum: Quorum,
    launches: Vec<Launch>,
}

impl PlanState {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not the genesis of a plan that this version understands.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        if chain.genesis().schema != PLAN_SCHEMA {
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
            quorum: Quorum::LEAST,
            launches: Vec::new(),
        })
    }

    /// Applies a stored entry. An act that was not allowed at its place changes nothing.
    ///
    /// # Errors
    /// When the entry is not the next one of this ledger; the state is then as before.
    pub fn apply(&mut self, entry: &Entry) -> Result<Outcome<ActRefusal>, LedgerError> {
        self.chain.follows(entry)?;
        let Body::Act(act) = &entry.body else { return Err(LedgerError::Foreign(entry.seq)) };
        let outcome = match self.check(&entry.actor, entry.time, act) {
            Ok(()) => {
                self.carry_out(&entry.actor, entry.seq, entry.time, act);
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
    pub fn act(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        act: Act,
    ) -> Result<Entry, ActRefusal> {
        let time = self.chain.next_time(now);
        self.check(actor, time, &act)?;
        self.carry_out(actor, Seq(self.position().seq.0 + 1), time, &act);
        let entry = self.chain.next(actor.clone(), now, salt, Body::Act(act));
        self.chain.advance(&entry);
        Ok(entry)
    }

    fn carry_out(&mut self, actor: &Actor, seq: Seq, time: u64, act: &Act) {
        match act {
            Act::Title { title } => self.title = title.trim().to_owned(),
            Act::Invite { invitation, standing, expires } => {
                let made_by = actor.person.clone();
                let (standing, expires, fate) = (*standing, *expires, InvitationStatus::Open);
                let invited = Invitation { standing, made: time, made_by, expires, fate };
                self.invitations.insert(*invitation, invited);
            }
            Act::Revoke { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.fate = InvitationStatus::Revoked;
                }
            }
            Act::Join { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.fate = InvitationStatus::Used(actor.person.clone());
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
            Act::AddDocument { document, language, translates } => {
                let (language, translates) = (language.clone(), translates.clone());
                let stage = Stage::Drafting;
                let added = Document { language, translates, created: time, stage, since: time };
                self.documents.insert(document.clone(), added);
            }
            Act::Archive { document } => self.set_stage(document, Stage::Archived, time),
            Act::Unarchive { document } => self.set_stage(document, Stage::Drafting, time),
            Act::Delete { document } => self.set_stage(document, Stage::Deleted, time),
            Act::Close => self.closed = true,
            Act::Reopen => self.closed = false,
            Act::Quorum { quorum } => self.quorum = *quorum,
            Act::Launch { releases, opens, zone } => self.launches.push(Launch {
                seq,
                by: actor.person.clone(),
                time,
                releases: releases.clone(),
                opens: *opens,
                zone: zone.clone(),
                fate: LaunchStatus::Waiting,
            }),
            Act::CallOff { launch } => self.end_launch(*launch, LaunchStatus::CalledOff(time)),
            Act::Publish { launch } => self.end_launch(*launch, LaunchStatus::Published(time)),
        }
    }

    fn end_launch(&mut self, seq: Seq, fate: LaunchStatus) {
        if let Some(launch) = self.launches.iter_mut().find(|launch| launch.seq == seq) {
            launch.fate = fate;
        }
    }

    fn set_stage(&mut self, document: &DocumentId, stage: Stage, since: u64) {
        if let Some(document) = self.documents.get_mut(document) {
            (document.stage, document.since) = (stage, since);
        }
    }

    /// The title of the plan.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether the plan is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many of each side must sign a release.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// All launches, in the order in which they were decided.
    #[must_use]
    pub fn launches(&self) -> &[Launch] {
        &self.launches
    }

    /// The releases of a document that are public or wait to be, the oldest first.
    pub fn launch_of<'p>(
        &'p self,
        document: &'p DocumentId,
    ) -> impl Iterator<Item = &'p LaunchedRelease> + 'p {
        let holding = self.launches.iter().filter(|launch| launch.holds());
        let all = holding.flat_map(|launch| &launch.releases);
        all.filter(move |release| release.document == *document)
    }

    /// The launch by which a release is public, or will be.
    #[must_use]
    pub fn launch_for(&self, document: &DocumentId, number: u32) -> Option<&Launch> {
        let is_it = |one: &LaunchedRelease| one.document == *document && one.number == number;
        let mut holding = self.launches.iter().filter(|launch| launch.holds());
        holding.find(|launch| launch.releases.iter().any(is_it))
    }

    /// The releases of a document that are public, with their launch, the oldest first.
    pub fn published<'p>(
        &'p self,
        document: &'p DocumentId,
    ) -> impl Iterator<Item = (&'p LaunchedRelease, &'p Launch)> + 'p {
        let public = self.launches.iter().filter(|launch| launch.is_public());
        let all = public.flat_map(|launch| launch.releases.iter().map(move |one| (one, launch)));
        all.filter(move |(release, _)| release.document == *document)
    }

    /// A commitment in all its languages, itself first.
    pub fn languages_of<'p>(
        &'p self,
        document: &'p DocumentId,
    ) -> impl Iterator<Item = (&'p DocumentId, &'p Document)> + 'p {
        let first = self.documents.get(document).and_then(|known| known.translates.as_ref());
        let first = first.unwrap_or(document);
        let alive = self.documents.iter().filter(|(_, known)| known.stage != Stage::Deleted);
        let is_it = move |id: &DocumentId, known: &Document| {
            id == first || known.translates.as_ref() == Some(first)
        };
        alive.filter(move |(id, known)| is_it(id, known))
    }

    /// The end of the plan's ledger, as far as it was applied.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }

    /// Who sits here now.
    pub fn seats(&self) -> impl Iterator<Item = (&PersonId, Standing)> {
        self.seats.iter().map(|(person, standing)| (person, *standing))
    }

    /// The seat that a person has now.
    #[must_use]
    pub fn standing(&self, person: &PersonId) -> Option<Standing> {
        self.seats.get(person).copied()
    }

    /// The standing somebody has, or had last.
    #[must_use]
    pub fn last_standing(&self, person: &PersonId) -> Option<Standing> {
        self.standing(person).or_else(|| self.former.get(person).copied())
    }

    /// The invitation whose secret has this digest.
    #[must_use]
    pub fn invitation(&self, digest: &Digest) -> Option<&Invitation> {
        self.invitations.get(digest)
    }

    /// All invitations, by the digests of their secrets.
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
    /// The person's seat.
    pub standing: Standing,
    /// Whether they may write in the document now.
    pub may_write: bool,
}
