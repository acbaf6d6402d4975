//! What changes for open connections when the rights of people change.

use super::{Effect, Room, note_frame};
use crate::plan::Grant;
use crate::sync::admission::{Admission, Denied};
use crate::sync::close::Close;
use crate::sync::wire::ServerNote;

impl Room {
    /// What people may do here has changed, or may have: `grant` says what each may do now. Whoever
    /// may not be here any more is closed; who may only read from now on stays and is told. Rules C6 and A5.
    pub fn revise(
        &mut self,
        grant: impl Fn(&Admission) -> Result<Grant, Denied>,
        now: u64,
    ) -> Vec<Effect> {
        self.now = now;
        let is_frozen = self.state.releases().is_frozen();
        let mut told = Vec::new();
        let mut gone = Vec::new();
        let mut writers = Vec::new();
        for (&id, session) in &mut self.sessions {
            let admission = &mut session.admission;
            match grant(admission) {
                Ok(grant) => {
                    let (before, sector) = (admission.may_write, admission.user.sector);
                    admission.take(grant);
                    if admission.user.sector != sector {
                        self.presence.set_identity(id, &admission.user);
                    }
                    if admission.may_write != before && !is_frozen {
                        told.push((id, admission.may_write));
                    }
                    // Everybody knows the id of a reader who may write from now on.
                    if let (true, Some(client)) = (admission.may_write && !before, session.presence)
                    {
                        writers.push((client, admission.user.person.clone()));
                    }
                }
                Err(denied) => gone.push((id, denied)),
            }
        }
        for (client, person) in writers {
            self.out.extend(self.state.announce(client, &person).map(Effect::SaveClientClaim));
        }
        if let Some(update) = self.presence.take_changed_identities() {
            self.broadcast_presence(&update);
        }
        for (id, may_write) in told {
            if self.is_accord(id) {
                self.send(id, note_frame(&ServerNote::Access { may_write }));
            }
        }
        for (id, denied) in gone {
            match denied {
                Denied::SignedOut => {
                    self.expel(
                        id,
                        Close::SIGNED_OUT,
                        "You are signed out. Sign in again to go on.",
                    );
                }
                Denied::NotShared => {
                    let reason = "This document is not shared with you any more.";
                    self.expel(id, Close::FORBIDDEN, reason);
                }
            }
        }
        self.take()
    }
}
