//! Who is in a room, and as what.

use super::connection::Dialect;
use super::presence::PresenceUser;
use crate::ids::SessionId;
use crate::people::Actor;
use crate::plan::Grant;

/// Who comes in, as decided before the upgrade. What they may do is decided anew whenever it
/// changes ([`Room::revise`]).
#[derive(Debug, Clone)]
pub struct Admission {
    /// The person, in the seat that they have, and a part of their session's id.
    pub actor: Actor,
    /// The whole id of the session, of which the actor carries a part.
    pub session: SessionId,
    /// The person as others see them.
    pub user: PresenceUser,
    /// The protocol that the connection speaks.
    pub dialect: Dialect,
    /// Whether they may write, by their seat and the document's stage.
    pub may_write: bool,
}

impl Admission {
    /// Takes over what this person may do now.
    pub fn take(&mut self, Grant { standing, may_write }: Grant) {
        self.actor.seat = standing.seat;
        self.actor.sector = standing.sector;
        self.user.sector = standing.sector;
        self.may_write = may_write;
    }
}

/// Why somebody may not be in a document (any more).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Their session has ended.
    SignedOut,
    /// They have no seat that lets them see it, or it is gone.
    NotShared,
}
