//! The path to a release: a text is proposed, both sides sign it, and it is frozen.
//!
//! Each step is an entry, and what may be done next follows from the steps before it alone. The signature
//! that completes a proposal freezes the document in the same entry: every node agrees which edits came
//! before. Until somebody reopens it, nothing can be written.
//!
//! Whether somebody is a signatory is decided by their plan before the append, as their seat is; the entry
//! records seat and side. That the digest of a proposal is that of the text is checked before the append,
//! too: at a replay, a redaction may since have taken out something that a withdrawn proposal said.

use super::proposal::{Mark, Proposal, ProposalStatus, Release};
use super::step_error::StepError;
use crate::body::{MAX_STEP_MESSAGE_CHARS, Step};
use crate::ids::Seq;
use crate::ledger::Entry;
use crate::people::{Action, Actor, Sector, permits};
use serde::{Deserialize, Serialize};

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
        self.proposals.last().filter(|proposal| proposal.fate == ProposalStatus::Open)
    }

    /// Whether the text has changed since it was proposed.
    #[must_use]
    pub fn is_stale(&self, proposal: &Proposal) -> bool {
        self.last_edit > proposal.moment
    }

    pub(crate) fn edited(&mut self, seq: Seq) {
        self.last_edit = seq;
    }

    /// Whether a step may be taken behind the entry `last`.
    ///
    /// # Errors
    /// With the reason why not.
    pub(crate) fn check(&self, actor: &Actor, last: Seq, step: &Step) -> Result<(), StepError> {
        if !permits(actor.seat, step.needs()) {
            return Err(StepError::Seat);
        }
        let is_long = |text: &str| text.chars().count() > MAX_STEP_MESSAGE_CHARS;
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
        if found.fate == ProposalStatus::Open { Ok(found) } else { Err(StepError::Over) }
    }

    /// Takes a step that was checked.
    pub(crate) fn take(&mut self, entry: &Entry, step: &Step) {
        let by = Mark::of(entry);
        let number = self.next_number();
        match step {
            Step::Propose { moment, digest, quorum, gaps, message } => {
                if let Some(stale) = self.last_open() {
                    stale.fate = ProposalStatus::Superseded;
                }
                self.proposals.push(Proposal {
                    by,
                    moment: *moment,
                    digest: *digest,
                    quorum: *quorum,
                    gaps: gaps.clone(),
                    message: message.clone(),
                    signatures: Vec::new(),
                    fate: ProposalStatus::Open,
                });
            }
            Step::Approve { .. } => {
                let Some(open) = self.last_open() else { return };
                open.signatures.push(by.clone());
                if open.is_complete() {
                    open.fate = ProposalStatus::Frozen { number };
                    let proposal = self.proposals.len() - 1;
                    self.releases.push(Release { number, proposal, frozen: by, reopened: None });
                }
            }
            Step::Decline { reason, .. } => {
                if let Some(open) = self.last_open() {
                    open.fate = ProposalStatus::Declined { by, reason: reason.trim().to_owned() };
                }
            }
            Step::Withdraw { .. } => {
                if let Some(open) = self.last_open() {
                    open.fate = ProposalStatus::Withdrawn { by };
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
        self.proposals.last_mut().filter(|proposal| proposal.fate == ProposalStatus::Open)
    }
}
