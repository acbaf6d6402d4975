//! A plan: its seats, invitations, documents and launches. All of them follow from the plan's own ledger, whose entries
//! are [`Act`]s.
//!
//! A plan contains no names or addresses of people: a person is an opaque id, and an invitation is the digest of its
//! secret.

mod check;
mod launch;
mod rules;
#[cfg(test)]
mod tests;

pub use launch::{Launch, LaunchStatus, LaunchTimeError, opening};
pub use rules::ActRefusal;

use crate::body::{Act, Body, LaunchedRelease, Quorum};
use crate::ids::{Digest, DocumentId, PersonId, Seq};
use crate::ledger::{Chain, Entry, LedgerError, LedgerPosition, Outcome, Salt};
use crate::people::{Action, Actor, Standing, permits};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema name in the genesis of a plan's ledger.
pub const PLAN_SCHEMA: &str = "accord-plan/1";

/// The state of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationStatus {
    /// Nobody has used the invitation.
    Open,
    /// This person has joined the plan with the invitation.
    Used(PersonId),
    /// The invitation was withdrawn.
    Revoked,
}

/// An invitation to take a seat in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The standing that the invitation offers: a seat, a sector, and whether its holder becomes a signatory.
    pub standing: Standing,
    /// The time at which the invitation was made, in milliseconds since the Unix epoch.
    pub made: u64,
    /// The person who made the invitation.
    pub made_by: PersonId,
    /// The time from which the invitation has expired, in milliseconds since the Unix epoch.
    pub expires: u64,
    /// Whether the invitation is open, used or withdrawn.
    pub status: InvitationStatus,
}

impl Invitation {
    /// Checks that somebody can join with the invitation at `now`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns an error if the invitation was used, was withdrawn or has expired.
    pub fn check(&self, now: u64) -> Result<(), ActRefusal> {
        match self.status {
            InvitationStatus::Used(_) => Err(ActRefusal::Used),
            InvitationStatus::Revoked => Err(ActRefusal::Revoked),
            InvitationStatus::Open if now >= self.expires => Err(ActRefusal::Expired),
            InvitationStatus::Open => Ok(()),
        }
    }
}

/// The stage of a document in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// People work on the document.
    Drafting,
    /// The document is set aside: it can be read, and restored from the archive.
    Archived,
    /// The document is deleted, and is not shown.
    Deleted,
}

/// The record that a plan keeps of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language of the document, as a BCP 47 tag.
    pub language: String,
    /// The original of which this document is a translation, or `None` if this document is itself an original.
    pub translates: Option<DocumentId>,
    /// The time of creation, in milliseconds since the Unix epoch.
    pub created: u64,
    /// The current stage of the document.
    pub stage: Stage,
    /// The time at which the document reached its current stage, in milliseconds since the Unix epoch.
    pub since: u64,
}

/// The state of a plan, made by applying its ledger. Call [`begin`](Self::begin) once, then [`apply`](Self::apply) for
/// each stored entry, or [`act`](Self::act) for each new one.
#[derive(Debug, Clone)]
pub struct PlanState {
    chain: Chain,
    title: String,
    seats: BTreeMap<PersonId, Standing>,
    /// Last standing of each person who had a seat and has none now.
    former: BTreeMap<PersonId, Standing>,
    invitations: BTreeMap<Digest, Invitation>,
    documents: BTreeMap<DocumentId, Document>,
    closed: bool,
    quorum: Quorum,
    launches: Vec<Launch>,
}

impl PlanState {
    /// Creates the state from entry 0.
    ///
    /// # Errors
    /// Returns an error if `entry` is not the genesis of a plan that this version understands.
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

    /// Applies a stored entry. An act that was not allowed at its place in the ledger is void: it changes nothing.
    ///
    /// # Errors
    /// Returns an error if the entry does not follow the last entry, or if it is not an act. The state is then
    /// unchanged.
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

    /// Checks and carries out a new act, and returns its entry, which the caller must append. Until that entry is on
    /// disk, the state is ahead of the store.
    ///
    /// # Errors
    /// Returns the reason if the act is not allowed. The state is then unchanged.
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
                let (standing, expires, status) = (*standing, *expires, InvitationStatus::Open);
                let invited = Invitation { standing, made: time, made_by, expires, status };
                self.invitations.insert(*invitation, invited);
            }
            Act::Revoke { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.status = InvitationStatus::Revoked;
                }
            }
            Act::Join { invitation } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.status = InvitationStatus::Used(actor.person.clone());
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
            Act::Launch { releases, opens_at, zone } => self.launches.push(Launch {
                seq,
                by: actor.person.clone(),
                time,
                releases: releases.clone(),
                opens_at: *opens_at,
                zone: zone.clone(),
                status: LaunchStatus::Waiting,
            }),
            Act::CallOff { launch } => self.end_launch(*launch, LaunchStatus::CalledOff(time)),
            Act::Publish { launch } => self.end_launch(*launch, LaunchStatus::Published(time)),
        }
    }

    fn end_launch(&mut self, seq: Seq, status: LaunchStatus) {
        if let Some(launch) = self.launches.iter_mut().find(|launch| launch.seq == seq) {
            launch.status = status;
        }
    }

    fn set_stage(&mut self, document: &DocumentId, stage: Stage, since: u64) {
        if let Some(document) = self.documents.get_mut(document) {
            (document.stage, document.since) = (stage, since);
        }
    }

    /// Returns the title of the plan.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether the plan is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns the number of signatures that a release needs from each side.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Returns all launches, in the order in which they were decided.
    #[must_use]
    pub fn launches(&self) -> &[Launch] {
        &self.launches
    }

    /// Returns the releases of a document that are public or waiting for their launch, the oldest first.
    pub fn launched_releases<'p>(
        &'p self,
        document: &'p DocumentId,
    ) -> impl Iterator<Item = &'p LaunchedRelease> + 'p {
        let holding = self.launches.iter().filter(|launch| launch.holds());
        let all = holding.flat_map(|launch| &launch.releases);
        all.filter(move |release| release.document == *document)
    }

    /// Returns the launch that names a release and was not called off, or `None` if no launch does.
    #[must_use]
    pub fn launch_for(&self, document: &DocumentId, number: u32) -> Option<&Launch> {
        let is_it = |one: &LaunchedRelease| one.document == *document && one.number == number;
        let mut holding = self.launches.iter().filter(|launch| launch.holds());
        holding.find(|launch| launch.releases.iter().any(is_it))
    }

    /// Returns the public releases of a document with their launches, the oldest first.
    pub fn published<'p>(
        &'p self,
        document: &'p DocumentId,
    ) -> impl Iterator<Item = (&'p LaunchedRelease, &'p Launch)> + 'p {
        let public = self.launches.iter().filter(|launch| launch.is_public());
        let all = public.flat_map(|launch| launch.releases.iter().map(move |one| (one, launch)));
        all.filter(move |(release, _)| release.document == *document)
    }

    /// Returns the documents of the commitment to which `document` belongs, one for each language: the original and its
    /// translations, without deleted ones.
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

    /// Returns the position of the last entry that was applied.
    #[must_use]
    pub fn position(&self) -> &LedgerPosition {
        self.chain.position()
    }

    /// Returns the people who have a seat, with their standings.
    pub fn seats(&self) -> impl Iterator<Item = (&PersonId, Standing)> {
        self.seats.iter().map(|(person, standing)| (person, *standing))
    }

    /// Returns the standing of a person, or `None` if they have no seat.
    #[must_use]
    pub fn standing(&self, person: &PersonId) -> Option<Standing> {
        self.seats.get(person).copied()
    }

    /// Returns the standing of a person, or their last standing if they have no seat any more. Returns `None` if they
    /// never had a seat.
    #[must_use]
    pub fn last_standing(&self, person: &PersonId) -> Option<Standing> {
        self.standing(person).or_else(|| self.former.get(person).copied())
    }

    /// Returns the invitation whose secret has this digest, or `None` if no invitation has it.
    #[must_use]
    pub fn invitation(&self, digest: &Digest) -> Option<&Invitation> {
        self.invitations.get(digest)
    }

    /// Returns all invitations, by the digests of their secrets.
    pub fn invitations(&self) -> impl Iterator<Item = (&Digest, &Invitation)> {
        self.invitations.iter()
    }

    /// Returns a document, or `None` if the plan does not have it or it was deleted.
    #[must_use]
    pub fn document(&self, id: &DocumentId) -> Option<&Document> {
        self.documents.get(id).filter(|document| document.stage != Stage::Deleted)
    }

    /// Returns the documents that were not deleted, the oldest first.
    #[must_use]
    pub fn documents(&self) -> Vec<(&DocumentId, &Document)> {
        let mut all: Vec<_> =
            self.documents.iter().filter(|(_, d)| d.stage != Stage::Deleted).collect();
        all.sort_by_key(|(id, document)| (document.created, *id));
        all
    }

    /// Returns the deleted documents, with the time of their deletion in milliseconds since the Unix epoch.
    pub fn deleted(&self) -> impl Iterator<Item = (&DocumentId, u64)> {
        let deleted = self.documents.iter().filter(|(_, d)| d.stage == Stage::Deleted);
        deleted.map(|(id, document)| (id, document.since))
    }

    /// Returns the rights of a person in one of the plan's documents, or `None` if they may not read it.
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

/// The rights of a person in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The standing of the person: their seat and sector, and whether they are a signatory.
    pub standing: Standing,
    /// Whether the person may write in the document now.
    pub may_write: bool,
}
