//! Applies changed rights of people to their open connections.

use super::{Effect, Room, note_frame};
use crate::plan::Grant;
use crate::sync::admission::{Admission, Denied};
use crate::sync::close::Close;
use crate::sync::connection::ConnectionId;
use crate::sync::wire::ServerNote;

impl Room {
    /// Applies the current rights of people to their connections. Call this when rights can have changed. `grant`
    /// returns what the person of a connection may do now, or why they may not be in the document. A connection without
    /// the right to read is closed. A connection that gains or loses the right to write stays open, and an `accord.v1`
    /// client receives a note unless the text is frozen. Rules C6 and A5.
    pub fn revise(
        &mut self,
        grant: impl Fn(&Admission) -> Result<Grant, Denied>,
        now: u64,
    ) -> Vec<Effect> {
        self.now = now;
        let is_frozen = self.state.releases().is_frozen();
        let mut changed = Vec::new();
        let mut gone = Vec::new();
        let mut writers = Vec::new();
        for (&id, connection) in &mut self.connections {
            let admission = &mut connection.admission;
            match grant(admission) {
                Ok(grant) => {
                    let (before, sector) = (admission.may_write, admission.user.sector);
                    admission.take(grant);
                    if admission.user.sector != sector {
                        self.presence.set_identity(id, &admission.user);
                    }
                    if admission.may_write != before && !is_frozen {
                        changed.push((id, admission.may_write));
                    }
                    // The client id of a person without the right to write is not recorded as theirs. Once the person
                    // gains the right, the id must be recorded.
                    if let (true, Some(client)) =
                        (admission.may_write && !before, connection.presence)
                    {
                        writers.push((client, admission.user.person.clone()));
                    }
                }
                Err(denied) => gone.push((id, denied)),
            }
        }
        for (client, person) in writers {
            self.out.extend(self.state.announce(client, &person).map(Effect::SaveClientIdClaim));
        }
        let changed_identities = self.presence.take_changed_identities();
        self.broadcast_awareness(changed_identities);
        for (id, may_write) in changed {
            if self.is_accord(id) {
                self.send(id, note_frame(&ServerNote::Access { may_write }));
            }
        }
        for (id, denied) in gone {
            self.expel_denied(id, denied);
        }
        self.take()
    }

    fn expel_denied(&mut self, id: ConnectionId, denied: Denied) {
        match denied {
            Denied::SignedOut => {
                self.disconnect(
                    id,
                    Close::SIGNED_OUT,
                    "You are signed out. Sign in again to continue.",
                );
            }
            Denied::NotShared => {
                let reason = "This commitment is no longer shared with you.";
                self.disconnect(id, Close::FORBIDDEN, reason);
            }
        }
    }
}
