//! The path to a release: a text is proposed, both sides sign it, and it is frozen.
//!
//! Each step is an entry, and what may be done next follows from the steps before it alone. The signature
//! that completes a proposal freezes the document in the same entry: every node agrees which edits came
//! before. Until somebody reopens it, nothing can be written.
//!
//! Whether somebody is a signatory is decided by their plan before the append, as their seat is; the entry
//! records seat and side. That the digest of a proposal is that of the text is checked before the append,
//! too: at a replay, a redaction may since have taken out something that a withdrawn proposal said.

use super::entry::Entry;
use crate::ids::{Digest, PersonId, Seq};
use crate::people::{Action, Actor, Sector, permits};
use crate::template::Need;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest message of a step, in characters.
pub const MESSAGE: usize = 2_000;

/// The most signatories a side may need.
pub const SIGNATORIES: u32 = 20;

/// How many of each side must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quorum {
    pub government: u32,
    pub civil_society: u32,
}

impl Quorum {
    /// One of each: what every release needs.
    pub const LEAST: Self = Self { government: 1, civil_society: 1 };

    /// Whether it asks for at least one of each side, and for no more than can be found.
    #[must_use]
    pub fn is_possible(self) -> bool {
        let fits = |count: u32| (1..=SIGNATORIES).contains(&count);
        fits(self.government) && fits(self.civil_society)
    }
}

/// A step on the path to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The text as it is after the entry `moment` is proposed for a release.
    Propose {
        moment: Seq,
        /// Of the release that it would become.
        digest: Digest,
        quorum: Quorum,
        /// What the text lacks. Only a facilitator may propose it so.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gaps: Vec<Need>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A signatory signs for their side. The digest is that of what they have read.
    Approve {
        proposal: Seq,
        digest: Digest,
    },
    /// A signatory does not sign, and says why: the proposal is over.
    Decline {
        proposal: Seq,
        reason: String,
    },
    Withdraw {
        proposal: Seq,
    },
    /// The next draft begins.
    Reopen {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
}

impl Step {
    /// What the actor's seat must permit.
    #[must_use]
    pub fn needs(&self) -> Action {
        match self {
            Self::Propose { .. } | Self::Withdraw { .. } => Action::Propose,
            Self::Approve { .. } | Self::Decline { .. } => Action::Sign,
            Self::Reopen { .. } => Action::SteerReleases,
        }
    }
}

/// Why a step is not taken. Each is a sentence for whoever tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StepError {
    #[error("Your seat in this plan does not include that. Ask its facilitator.")]
    Seat,
    #[error("Only a signatory of government or civil society can sign, each for their own side.")]
    Side,
    #[error("There is no such proposal.")]
    NoProposal,
    #[error("This proposal is over: it was signed, declined or withdrawn.")]
    Over,
    #[error("The text has changed since it was proposed. It needs a new proposal.")]
    Stale,
    #[error("What you read is not what was proposed. Open the proposal again and read it.")]
    OtherText,
    #[error("You have signed this already.")]
    Signed,
    #[error("Another proposal is open. It must be signed, declined or withdrawn first.")]
    Proposed,
    #[error(
        "Something is still missing from the text. Only a facilitator may propose it like that."
    )]
    Gaps,
    #[error("Only whoever proposed it, or a facilitator, can withdraw a proposal.")]
    NotYours,
    #[error("Say why, in at most {MESSAGE} characters.")]
    Reason,
    #[error("A message has at most {MESSAGE} characters.")]
    Message,
    #[error("Each side needs at least one signatory, and at most {SIGNATORIES}.")]
    Quorum,
    #[error("This text is frozen. To change it, a facilitator must begin the next draft.")]
    Frozen,
    #[error("This text is not frozen: there is nothing to reopen.")]
    Drafting,
    #[error("This moment has not come yet.")]
    Future,
    /// The rooms' own: no ledger is judged by what a version of Unicode knows.
    #[error(
        "This text contains something that its readers can’t see, and nobody may sign what they can’t see. Ask whoever proposed it to withdraw the proposal, clean the text and propose it again."
    )]
    Strange,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It can be signed, unless the text has changed since.
    Open,
    /// Both sides signed it.
    Frozen {
        number: u32,
    },
    Declined {
        by: Mark,
        reason: String,
    },
    Withdrawn {
        by: Mark,
    },
    /// The text had changed, and another proposal took its place.
    Superseded,
}

/// Who took a step, when, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub seq: Seq,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    pub person: PersonId,
    pub sector: Sector,
}

impl Mark {
    fn of(entry: &Entry) -> Self {
        let Actor { person, sector, .. } = entry.actor.clone();
        Self { seq: entry.seq, time: entry.time, person, sector }
    }
}

/// A text that was proposed for a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// By whom, and by which entry.
    pub by: Mark,
    pub moment: Seq,
    pub digest: Digest,
    pub quorum: Quorum,
    pub gaps: Vec<Need>,
    pub message: String,
    pub signatures: Vec<Mark>,
    pub fate: Fate,
}

impl Proposal {
    /// How many of a side have signed.
    #[must_use]
    pub fn signed(&self, sector: Sector) -> u32 {
        self.signatures.iter().filter(|mark| mark.sector == sector).count() as u32
    }

    fn is_complete(&self) -> bool {
        self.signed(Sector::Government) >= self.quorum.government
            && self.signed(Sector::CivilSociety) >= self.quorum.civil_society
    }
}

/// A frozen version: what a proposal said, signed by both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// From 1 on.
    pub number: u32,
    /// Which of the proposals it was.
    pub proposal: usize,
    /// The entry that froze it: the last signature.
    pub frozen: Mark,
    /// Who began the next draft.
    pub reopened: Option<Mark>,
}

/// The path that a document has gone: its proposals and its releases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    proposals: Vec<Proposal>,
    releases: Vec<Release>,
    /// The last entry that changed the text.
    last_edit: Seq,
}

impl Releases {
    /// All proposals, in the order in which they were made.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// All releases, by number.
    #[must_use]
    pub fn all(&self) -> &[Release] {
        &self.releases
    }

    /// The number of the release that an entry has frozen, if it has.
    #[must_use]
    pub fn frozen_by(&self, seq: Seq) -> Option<u32> {
        let frozen = self.releases.iter().find(|release| release.frozen.seq == seq);
        frozen.map(|release| release.number)
    }

    /// The proposal that a release was.
    #[must_use]
    pub fn proposal_of(&self, release: &Release) -> &Proposal {
        &self.proposals[release.proposal]
    }

    /// The number that the next release will have.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.releases.len() as u32 + 1
    }

    /// Whether nothing can be written now.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.releases.last().is_some_and(|release| release.reopened.is_none())
    }

    /// The entry that began the draft that is now; 0 for the first.
    #[must_use]
    pub fn draft_since(&self) -> Seq {
        let reopened = self.releases.iter().rev().find_map(|release| release.reopened.as_ref());
        reopened.map_or(Seq(0), |mark| mark.seq)
    }

    /// The last entry that changed the text.
    #[must_use]
    pub fn last_edit(&self) -> Seq {
        self.last_edit
    }

    /// The proposal that waits for signatures, or for a new one in its place.
    #[must_use]
    pub fn open(&self) -> Option<&Proposal> {
        self.proposals.last().filter(|proposal| proposal.fate == Fate::Open)
    }

    /// Whether the text has changed since it was proposed.
    #[must_use]
    pub fn is_stale(&self, proposal: &Proposal) -> bool {
        self.last_edit > proposal.moment
    }

    pub(super) fn edited(&mut self, seq: Seq) {
        self.last_edit = seq;
    }

    /// Whether a step may be taken behind the entry `last`.
    ///
    /// # Errors
    /// With the reason why not.
    pub(super) fn check(&self, actor: &Actor, last: Seq, step: &Step) -> Result<(), StepError> {
        if !permits(actor.seat, step.needs()) {
            return Err(StepError::Seat);
        }
        let is_long = |text: &str| text.chars().count() > MESSAGE;
        match step {
            Step::Propose { moment, quorum, gaps, message, .. } => {
                if self.is_frozen() {
                    return Err(StepError::Frozen);
                }
                if self.open().is_some_and(|open| !self.is_stale(open)) {
                    return Err(StepError::Proposed);
                }
                if *moment > last {
                    return Err(StepError::Future);
                }
                if self.last_edit > *moment {
                    return Err(StepError::Stale);
                }
                if !gaps.is_empty() && !permits(actor.seat, Action::SteerReleases) {
                    return Err(StepError::Gaps);
                }
                if !quorum.is_possible() {
                    return Err(StepError::Quorum);
                }
                if is_long(message) { Err(StepError::Message) } else { Ok(()) }
            }
            Step::Approve { proposal, digest } => {
                let open = self.signing(actor, *proposal)?;
                if self.is_stale(open) {
                    return Err(StepError::Stale);
                }
                if open.digest == *digest { Ok(()) } else { Err(StepError::OtherText) }
            }
            // Also where the text has changed meanwhile: a reason is not lost to a late keystroke.
            Step::Decline { proposal, reason } => {
                self.signing(actor, *proposal)?;
                let is_empty = reason.trim().is_empty();
                if is_empty || is_long(reason) { Err(StepError::Reason) } else { Ok(()) }
            }
            Step::Withdraw { proposal } => {
                let open = self.find(*proposal)?;
                let may =
                    open.by.person == actor.person || permits(actor.seat, Action::SteerReleases);
                if may { Ok(()) } else { Err(StepError::NotYours) }
            }
            Step::Reopen { .. } if !self.is_frozen() => Err(StepError::Drafting),
            Step::Reopen { message } if is_long(message) => Err(StepError::Message),
            Step::Reopen { .. } => Ok(()),
        }
    }

    /// An open proposal that this person may sign or decline.
    fn signing(&self, actor: &Actor, proposal: Seq) -> Result<&Proposal, StepError> {
        if !matches!(actor.sector, Sector::Government | Sector::CivilSociety) {
            return Err(StepError::Side);
        }
        let open = self.find(proposal)?;
        if open.signatures.iter().any(|mark| mark.person == actor.person) {
            return Err(StepError::Signed);
        }
        Ok(open)
    }

    /// An open proposal, by the number of its entry.
    fn find(&self, proposal: Seq) -> Result<&Proposal, StepError> {
        let mut all = self.proposals.iter();
        let found = all.find(|known| known.by.seq == proposal).ok_or(StepError::NoProposal)?;
        if found.fate == Fate::Open { Ok(found) } else { Err(StepError::Over) }
    }

    /// Takes a step that was checked.
    pub(super) fn take(&mut self, entry: &Entry, step: &Step) {
        let by = Mark::of(entry);
        let number = self.next_number();
        match step {
            Step::Propose { moment, digest, quorum, gaps, message } => {
                if let Some(stale) = self.last_open() {
                    stale.fate = Fate::Superseded;
                }
                self.proposals.push(Proposal {
                    by,
                    moment: *moment,
                    digest: *digest,
                    quorum: *quorum,
                    gaps: gaps.clone(),
                    message: message.clone(),
                    signatures: Vec::new(),
                    fate: Fate::Open,
                });
            }
            Step::Approve { .. } => {
                let Some(open) = self.last_open() else { return };
                open.signatures.push(by.clone());
                if open.is_complete() {
                    open.fate = Fate::Frozen { number };
                    let proposal = self.proposals.len() - 1;
                    self.releases.push(Release { number, proposal, frozen: by, reopened: None });
                }
            }
            Step::Decline { reason, .. } => {
                if let Some(open) = self.last_open() {
                    open.fate = Fate::Declined { by, reason: reason.trim().to_owned() };
                }
            }
            Step::Withdraw { .. } => {
                if let Some(open) = self.last_open() {
                    open.fate = Fate::Withdrawn { by };
                }
            }
            Step::Reopen { .. } => {
                if let Some(release) = self.releases.last_mut() {
                    release.reopened = Some(by);
                }
            }
        }
    }

    /// Only the last proposal can be open.
    fn last_open(&mut self) -> Option<&mut Proposal> {
        self.proposals.last_mut().filter(|proposal| proposal.fate == Fate::Open)
    }
}

#[cfg(test)]
mod tests;
