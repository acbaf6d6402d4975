//! The path to a release: a text is proposed, both sides sign it, and it is frozen.
//!
//! Each step is an entry of the ledger, and only the steps and edits before this entry decide whether the step is
//! allowed. The signature that completes a quorum freezes the document in the same entry, so every replay agrees on
//! which edits came before the freeze. After the freeze, nothing can be written until somebody reopens the document.
//!
//! Three checks happen only before the append, and not at a replay. The first is whether a person who signs is a
//! signatory: the plan decides this, just as it decides their seat, and the entry records only seat and side. The
//! second compares the digest of a proposal with the text. A replay can't do so, because a redaction might since have
//! removed text of a withdrawn proposal. The third is whether the text contains unreleasable content. A replay can't
//! check this, because later versions have stricter rules about such content.

use super::proposal::{Mark, Proposal, ProposalStatus, Release};
use super::step_error::StepError;
use crate::body::{MAX_STEP_MESSAGE_CHARS, Step};
use crate::ids::Seq;
use crate::ledger::Entry;
use crate::people::{Action, Actor, Sector, permits};
use serde::{Deserialize, Serialize};

/// The path of a document to its releases: its proposals and its releases so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    proposals: Vec<Proposal>,
    releases: Vec<Release>,
    /// Number of the last entry that changed the text.
    last_edit: Seq,
}

impl Releases {
    /// Returns all proposals, in the order in which they were made.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// Returns all releases, by number.
    #[must_use]
    pub fn all(&self) -> &[Release] {
        &self.releases
    }

    /// Returns the number of the release that the entry `seq` froze, or `None` if that entry froze nothing.
    #[must_use]
    pub fn frozen_by(&self, seq: Seq) -> Option<u32> {
        let frozen = self.releases.iter().find(|release| release.frozen.seq == seq);
        frozen.map(|release| release.number)
    }

    /// Returns the proposal that became this release.
    #[must_use]
    pub fn proposal_of(&self, release: &Release) -> &Proposal {
        &self.proposals[release.proposal]
    }

    /// Returns the number of the next release.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.releases.len() as u32 + 1
    }

    /// Whether the text is frozen, so that nothing can be written.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.releases.last().is_some_and(|release| release.reopened.is_none())
    }

    /// Returns the number of the entry that reopened the document last, or 0 if the document is in its first draft.
    #[must_use]
    pub fn draft_since(&self) -> Seq {
        let reopened = self.releases.iter().rev().find_map(|release| release.reopened.as_ref());
        reopened.map_or(Seq(0), |mark| mark.seq)
    }

    /// Returns the number of the last entry that changed the text.
    #[must_use]
    pub fn last_edit(&self) -> Seq {
        self.last_edit
    }

    /// Returns the open proposal, or `None`. A stale proposal stays open until it is replaced, declined or withdrawn.
    #[must_use]
    pub fn open(&self) -> Option<&Proposal> {
        self.proposals.last().filter(|proposal| proposal.status == ProposalStatus::Open)
    }

    /// Whether the text has changed since it was proposed.
    #[must_use]
    pub fn is_stale(&self, proposal: &Proposal) -> bool {
        self.last_edit > proposal.moment
    }

    pub(crate) fn edited(&mut self, seq: Seq) {
        self.last_edit = seq;
    }

    /// Checks whether a step is allowed directly after the entry `last`.
    ///
    /// # Errors
    /// Returns the reason if the step is not allowed.
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
            // A stale proposal can be declined as well, so that a signatory who is writing a reason does not lose it
            // because somebody edits the text.
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

    /// Returns an open proposal that the actor can sign or decline.
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

    /// Returns an open proposal, by the number of its entry.
    fn find(&self, proposal: Seq) -> Result<&Proposal, StepError> {
        let mut all = self.proposals.iter();
        let found = all.find(|known| known.by.seq == proposal).ok_or(StepError::NoProposal)?;
        if found.status == ProposalStatus::Open { Ok(found) } else { Err(StepError::Over) }
    }

    /// Applies the effect of a step that has passed the check.
    pub(crate) fn take(&mut self, entry: &Entry, step: &Step) {
        let by = Mark::of(entry);
        let number = self.next_number();
        match step {
            Step::Propose { moment, digest, quorum, gaps, message } => {
                if let Some(stale) = self.last_open() {
                    stale.status = ProposalStatus::Superseded;
                }
                self.proposals.push(Proposal {
                    by,
                    moment: *moment,
                    digest: *digest,
                    quorum: *quorum,
                    gaps: gaps.clone(),
                    message: message.clone(),
                    signatures: Vec::new(),
                    status: ProposalStatus::Open,
                });
            }
            Step::Approve { .. } => {
                let Some(open) = self.last_open() else { return };
                open.signatures.push(by.clone());
                if open.is_complete() {
                    open.status = ProposalStatus::Frozen { number };
                    let proposal = self.proposals.len() - 1;
                    self.releases.push(Release { number, proposal, frozen: by, reopened: None });
                }
            }
            Step::Decline { reason, .. } => {
                if let Some(open) = self.last_open() {
                    open.status = ProposalStatus::Declined { by, reason: reason.trim().to_owned() };
                }
            }
            Step::Withdraw { .. } => {
                if let Some(open) = self.last_open() {
                    open.status = ProposalStatus::Withdrawn { by };
                }
            }
            Step::Reopen { .. } => {
                if let Some(release) = self.releases.last_mut() {
                    release.reopened = Some(by);
                }
            }
        }
    }

    /// Returns the open proposal. Only the last proposal can be open.
    fn last_open(&mut self) -> Option<&mut Proposal> {
        self.proposals.last_mut().filter(|proposal| proposal.status == ProposalStatus::Open)
    }
}
