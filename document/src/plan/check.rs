//! The checks of an act: first the checks that apply to all acts, then those for this kind of act.

use super::launch;
use super::rules::ActRefusal;
use super::{Document, Invitation, InvitationStatus, Launch, LaunchStatus, PlanState, Stage};
use crate::body::{Act, LaunchedRelease, MAX_PLAN_TITLE_CHARS};
use crate::ids::{DocumentId, PersonId, Seq};
use crate::people::{Actor, Seat, Standing, permits};

impl PlanState {
    /// Checks whether an actor may carry out an act at `time`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns the reason if the act is not allowed.
    pub(super) fn check(&self, actor: &Actor, time: u64, act: &Act) -> Result<(), ActRefusal> {
        self.check_seat(actor, act)?;
        if self.closed && !act.is_allowed_when_closed() {
            return Err(ActRefusal::Closed);
        }
        match act {
            Act::Title { .. } | Act::Quorum { .. } | Act::Close | Act::Reopen => {
                self.check_settings(act)
            }
            Act::Invite { .. } | Act::Revoke { .. } | Act::Join { .. } => {
                self.check_invitation(actor, time, act)
            }
            Act::Seat { person, standing } => self.check_seating(actor, person, *standing),
            Act::Unseat { person } => self.check_unseating(person),
            Act::AddDocument { .. }
            | Act::Archive { .. }
            | Act::Unarchive { .. }
            | Act::Delete { .. } => self.check_document(act),
            Act::Launch { .. } | Act::CallOff { .. } | Act::Publish { .. } => {
                self.check_launch(time, act)
            }
        }
    }

    /// Checks that the actor has the seat under which they act, and that this seat permits the act.
    fn check_seat(&self, actor: &Actor, act: &Act) -> Result<(), ActRefusal> {
        let Some(action) = act.needs() else { return Ok(()) };
        // An administrator's authority comes from the installation. Everybody else's comes from their seat in this
        // plan.
        let real = actor.seat == Seat::Administrator
            || self.seats.get(&actor.person).is_some_and(|s| s.seat == actor.seat);
        if real && permits(actor.seat, action) { Ok(()) } else { Err(ActRefusal::Seat) }
    }

    fn check_settings(&self, act: &Act) -> Result<(), ActRefusal> {
        match act {
            Act::Title { title } => {
                let fits =
                    !title.trim().is_empty() && title.chars().count() <= MAX_PLAN_TITLE_CHARS;
                if fits { Ok(()) } else { Err(ActRefusal::Title) }
            }
            Act::Quorum { quorum } if !quorum.is_possible() => Err(ActRefusal::Quorum),
            Act::Quorum { quorum } if *quorum == self.quorum => Err(ActRefusal::Unchanged),
            Act::Close if self.closed => Err(ActRefusal::Unchanged),
            Act::Reopen if !self.closed => Err(ActRefusal::Unchanged),
            _ => Ok(()),
        }
    }

    fn check_invitation(&self, actor: &Actor, time: u64, act: &Act) -> Result<(), ActRefusal> {
        match act {
            Act::Invite { invitation, standing, .. } => {
                standing.check()?;
                // Digests of random secrets do not collide, so a known digest means that the caller made a mistake.
                if self.invitations.contains_key(invitation) {
                    return Err(ActRefusal::Used);
                }
                Ok(())
            }
            Act::Revoke { invitation } => match self.invitations.get(invitation) {
                None => Err(ActRefusal::NoInvitation),
                Some(Invitation { status: InvitationStatus::Open, .. }) => Ok(()),
                Some(Invitation { status: InvitationStatus::Used(_), .. }) => Err(ActRefusal::Used),
                Some(Invitation { status: InvitationStatus::Revoked, .. }) => {
                    Err(ActRefusal::Revoked)
                }
            },
            Act::Join { invitation } => {
                let invitation =
                    self.invitations.get(invitation).ok_or(ActRefusal::NoInvitation)?;
                invitation.check(time)?;
                if self.seats.contains_key(&actor.person) {
                    return Err(ActRefusal::AlreadySeated);
                }
                let offered = (invitation.standing.seat, invitation.standing.sector);
                if offered == (actor.seat, actor.sector) { Ok(()) } else { Err(ActRefusal::Seat) }
            }
            _ => Ok(()),
        }
    }

    fn check_seating(
        &self,
        actor: &Actor,
        person: &PersonId,
        standing: Standing,
    ) -> Result<(), ActRefusal> {
        standing.check()?;
        // People join by invitation. Only an administrator can give a seat to somebody who has none.
        if !self.seats.contains_key(person) && actor.seat != Seat::Administrator {
            return Err(ActRefusal::NotSeated);
        }
        if standing.seat != Seat::Facilitator && self.is_last_facilitator(person) {
            return Err(ActRefusal::LastFacilitator);
        }
        Ok(())
    }

    fn check_unseating(&self, person: &PersonId) -> Result<(), ActRefusal> {
        if !self.seats.contains_key(person) {
            return Err(ActRefusal::NotSeated);
        }
        if self.is_last_facilitator(person) { Err(ActRefusal::LastFacilitator) } else { Ok(()) }
    }

    fn check_document(&self, act: &Act) -> Result<(), ActRefusal> {
        match act {
            Act::AddDocument { document, language, translates } => {
                if self.documents.contains_key(document) {
                    return Err(ActRefusal::Unchanged);
                }
                let fits = translates.as_ref().is_none_or(|of| self.lacks_language(of, language));
                if fits { Ok(()) } else { Err(ActRefusal::Language) }
            }
            Act::Archive { document } => self.stage_is(document, Stage::Drafting),
            Act::Unarchive { document } => self.stage_is(document, Stage::Archived),
            Act::Delete { document } => match self.documents.get(document) {
                Some(found) if found.stage != Stage::Deleted => {
                    // A plan's ledger knows only releases that were launched. Before the append, the server also asks
                    // the document's own ledger for releases that were not (`server/src/http/documents.rs`).
                    let is_launched = self.launched_releases(document).next().is_some();
                    if is_launched { Err(ActRefusal::Released) } else { Ok(()) }
                }
                _ => Err(ActRefusal::NoDocument),
            },
            _ => Ok(()),
        }
    }

    fn check_launch(&self, time: u64, act: &Act) -> Result<(), ActRefusal> {
        match act {
            Act::Launch { releases, zone, .. } => {
                if !launch::is_possible(releases, zone) {
                    return Err(ActRefusal::Launch);
                }
                releases.iter().try_for_each(|release| self.may_launch(release))
            }
            Act::CallOff { launch } => self.waiting(*launch).map(drop),
            Act::Publish { launch } => {
                let due = self.waiting(*launch)?.is_due(time);
                if due { Ok(()) } else { Err(ActRefusal::Early) }
            }
            _ => Ok(()),
        }
    }

    /// Whether the commitment is an original of this plan, not a translation, and the plan has no document of it in `language`
    /// yet.
    fn lacks_language(&self, commitment: &DocumentId, language: &str) -> bool {
        let is_first = self.document(commitment).is_some_and(|known| known.translates.is_none());
        is_first && self.languages_of(commitment).all(|(_, known)| known.language != language)
    }

    fn may_launch(&self, release: &LaunchedRelease) -> Result<(), ActRefusal> {
        self.document(&release.document).ok_or(ActRefusal::NoDocument)?;
        // If an older release became public after a newer one, readers would take the older one for the current one.
        let is_new =
            self.launched_releases(&release.document).all(|known| known.number < release.number);
        if is_new { Ok(()) } else { Err(ActRefusal::Launched) }
    }

    fn waiting(&self, launch: Seq) -> Result<&Launch, ActRefusal> {
        let mut all = self.launches.iter().filter(|known| known.status == LaunchStatus::Waiting);
        all.find(|known| known.seq == launch).ok_or(ActRefusal::NoLaunch)
    }

    fn stage_is(&self, document: &DocumentId, stage: Stage) -> Result<(), ActRefusal> {
        match self.documents.get(document) {
            None | Some(Document { stage: Stage::Deleted, .. }) => Err(ActRefusal::NoDocument),
            Some(found) if found.stage == stage => Ok(()),
            Some(_) => Err(ActRefusal::Unchanged),
        }
    }

    fn is_last_facilitator(&self, person: &PersonId) -> bool {
        let mut facilitators =
            self.seats.iter().filter(|(_, s)| s.seat == Seat::Facilitator).map(|(id, _)| id);
        facilitators.next() == Some(person) && facilitators.next().is_none()
    }
}
