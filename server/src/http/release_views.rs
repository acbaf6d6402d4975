//! The views of a document's proposals and releases that several routes return.

use super::App;
use super::identity::Readable;
use super::problem::Problem;
use super::views::people;
use crate::record::{MarkView, ProposalView, ReleaseView};
use accord_document::ids::PersonId;
use accord_document::plan::Launch;
use accord_document::release::{Mark, Proposal, ProposalStatus, Release, Releases};
use std::collections::HashMap;

/// Returns the views of a document's proposals and releases, with the names of the people who acted on them.
///
/// # Errors
/// Returns an error if the store fails.
pub(super) async fn release_views(
    app: &App,
    found: &Readable,
    releases: &Releases,
) -> Result<(Vec<ProposalView>, Vec<ReleaseView>), Problem> {
    let mut named: Vec<PersonId> = Vec::new();
    for proposal in releases.proposals() {
        named.push(proposal.by.person.clone());
        named.extend(proposal.signatures.iter().map(|mark| mark.person.clone()));
        if let ProposalStatus::Declined { by, .. } | ProposalStatus::Withdrawn { by } =
            &proposal.status
        {
            named.push(by.person.clone());
        }
    }
    let reopened = releases.all().iter().filter_map(|release| release.reopened.as_ref());
    named.extend(reopened.map(|mark| mark.person.clone()));
    let people = people(app, named).await?;
    let names = Names(people.into_iter().map(|person| (person.id, person.name)).collect());
    let proposals = releases.proposals().iter().map(|one| names.proposal(releases, one));
    let all = releases.all().iter().map(|one| names.release(found, releases, one));
    Ok((proposals.collect(), all.collect()))
}

/// The names of the people who acted on proposals and releases, by id.
struct Names(HashMap<PersonId, String>);

impl Names {
    fn mark(&self, mark: &Mark) -> MarkView {
        MarkView {
            person: mark.person.to_string(),
            name: self.0.get(&mark.person).cloned().unwrap_or_default(),
            sector: mark.sector,
            time: mark.time,
        }
    }

    fn marks(&self, marks: &[Mark]) -> Vec<MarkView> {
        marks.iter().map(|mark| self.mark(mark)).collect()
    }

    fn proposal(&self, releases: &Releases, proposal: &Proposal) -> ProposalView {
        let (status, ended, reason, release) = match &proposal.status {
            ProposalStatus::Open if releases.is_stale(proposal) => ("stale", None, "", None),
            ProposalStatus::Open => ("open", None, "", None),
            ProposalStatus::Frozen { number } => ("frozen", None, "", Some(*number)),
            ProposalStatus::Declined { by, reason } => {
                ("declined", Some(by), reason.as_str(), None)
            }
            ProposalStatus::Withdrawn { by } => ("withdrawn", Some(by), "", None),
            ProposalStatus::Superseded => ("superseded", None, "", None),
        };
        ProposalView {
            seq: proposal.by.seq.0,
            by: self.mark(&proposal.by),
            moment: proposal.moment.0,
            digest: proposal.digest.to_string(),
            quorum: proposal.quorum,
            gaps: proposal.gaps.iter().map(accord_words::wire_name).collect(),
            message: proposal.message.clone(),
            signatures: self.marks(&proposal.signatures),
            status,
            ended: ended.map(|mark| self.mark(mark)),
            reason: reason.to_owned(),
            release,
        }
    }

    fn release(&self, found: &Readable, releases: &Releases, release: &Release) -> ReleaseView {
        let proposal = releases.proposal_of(release);
        let launch = found.state.launch_for(&found.id, release.number);
        ReleaseView {
            number: release.number,
            digest: proposal.digest.to_string(),
            moment: proposal.moment.0,
            frozen: release.frozen.time,
            signatures: self.marks(&proposal.signatures),
            gaps: proposal.gaps.iter().map(accord_words::wire_name).collect(),
            reopened: release.reopened.as_ref().map(|mark| self.mark(mark)),
            public_from: launch.map(Launch::public_from),
            public: launch.is_some_and(Launch::is_public),
        }
    }
}
