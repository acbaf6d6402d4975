//! The admission of a connection to a room: the person, and what they may do there.

use super::connection::Dialect;
use super::presence::PresenceUser;
use crate::ids::SessionId;
use crate::people::Actor;
use crate::plan::Grant;

/// The person of a connection and their rights. The rights are decided before the upgrade, and again whenever they can
/// have changed ([`Room::revise`](super::Room::revise)).
#[derive(Debug, Clone)]
pub struct Admission {
    /// The person with their seat and sector, and a part of their session's id.
    pub actor: Actor,
    /// The whole id of the session, of which `actor` contains a part.
    pub session: SessionId,
    /// The name, side and id of the person, as other people in the document see them.
    pub user: PresenceUser,
    /// The dialect that the connection speaks.
    pub dialect: Dialect,
    /// Whether the person may write: their seat allows it, the plan is open, and the document is not archived. The text
    /// can be frozen nevertheless.
    pub may_write: bool,
}

impl Admission {
    /// Replaces the seat, the sector and the right to write with those that are granted now.
    pub fn take(&mut self, Grant { standing, may_write }: Grant) {
        self.actor.seat = standing.seat;
        self.actor.sector = standing.sector;
        self.user.sector = standing.sector;
        self.may_write = may_write;
    }
}

/// The reason why a person may not join a room, or may not stay in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The person's session has ended.
    SignedOut,
    /// The person has no seat that lets them read the document, or the document does not exist any more.
    NotShared,
}
