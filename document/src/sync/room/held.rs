//! Holding effects back and releasing them: nothing that shows an edit leaves the room before the edit's entry is durable
//! (rule M3). The kinds of effects that can wait are in `pending.rs`.

use super::pending::PendingEffect;
use super::{Effect, Room, note_frame};
use crate::ids::Seq;
use crate::sync::connection::ConnectionId;
use crate::sync::wire::ServerNote;

impl Room {
    /// Records that all entries up to `seq` are durable (on disk), and returns the effects that waited for these
    /// entries.
    pub fn committed(&mut self, seq: Seq) -> Vec<Effect> {
        self.durable = self.durable.max(seq);
        while self.held.front().is_some_and(|(after, _)| *after <= self.durable) {
            if let Some((_, held)) = self.held.pop_front() {
                self.release(held);
            }
        }
        self.take()
    }

    pub(super) fn note_when_durable(&mut self, id: ConnectionId, note: &ServerNote) {
        self.hold(PendingEffect::Send(id, note_frame(note)));
    }

    /// Carries out an effect once all entries up to the last one in the ledger are durable (rule M3).
    pub(super) fn hold(&mut self, held: PendingEffect) {
        let after = self.state.position().seq;
        if self.held.is_empty() && after <= self.durable {
            self.release(held);
        } else {
            self.held.push_back((after, held));
        }
    }

    fn release(&mut self, held: PendingEffect) {
        match held {
            PendingEffect::Send(id, frame) => self.send(id, frame),
            PendingEffect::ReadEntryHash(id, remembered) => {
                self.out.push(Effect::ReadEntryHash(id, remembered))
            }
            PendingEffect::Document(id, frames) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.follows = true;
                }
                frames.into_iter().for_each(|frame| self.send(id, frame));
            }
            PendingEffect::Broadcast { frame, except } => {
                let ids: Vec<_> = self
                    .connections
                    .iter()
                    .filter(|(id, connection)| connection.follows && Some(**id) != except)
                    .map(|(&id, _)| id)
                    .collect();
                for id in ids {
                    self.send(id, frame.clone());
                }
            }
        }
    }
}
