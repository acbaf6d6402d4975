//! Carrying out the effects that the [`Room`](accord_document::sync::Room) requests.

use super::Task;
use crate::metrics::Reason;
use crate::rooms::event::Outgoing;
use crate::rooms::outbox::NotQueued;
use crate::store::Append;
use accord_document::ids::LedgerId;
use accord_document::sync::{ConnectionId, Effect};
use axum::body::Bytes;
use std::sync::Arc;

impl Task {
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        let metrics = self.rooms.shared.metrics.clone();
        // A frame for many receivers is one allocation. The effects that send this frame follow each other, so it is
        // enough to remember the last frame.
        let mut last: Option<(Arc<[u8]>, Bytes)> = None;
        for effect in effects {
            match effect {
                Effect::Send(id, frame) => {
                    let shared = last.take().filter(|(sent, _)| Arc::ptr_eq(sent, &frame));
                    let share = || self.rooms.shared.outboxes.share(frame.clone());
                    let bytes = shared.map_or_else(share, |(_, bytes)| bytes);
                    self.send(id, Outgoing::Frame(bytes.clone()));
                    last = Some((frame, bytes));
                }
                Effect::Close(id, close) => {
                    self.send(id, Outgoing::Close(close));
                    self.disconnect(id);
                }
                // `Task::finish_turn` queues the rest of the frame.
                Effect::Continue(_) => {}
                Effect::Append(entry) => {
                    if entry.body.edit().is_some() {
                        metrics.edits_accepted.inc();
                        self.last_editor = Some(entry.actor.person.clone());
                    }
                    let ledger = LedgerId::Document(self.document.clone());
                    self.waiting.push(Append { ledger, seq: entry.seq, bytes: entry.encode() });
                }
                Effect::Refused(id, person, refusal) => {
                    let reason = refusal.reason();
                    metrics.edits_refused.get_or_create(&Reason { reason }).inc();
                    tracing::warn!(
                        document = %self.document,
                        %person,
                        connection = id.0,
                        reason,
                        "an edit was refused"
                    );
                }
                Effect::ReadEntryHash(id, remembered) => {
                    self.rooms.compare(&self.document, id, remembered)
                }
                Effect::SaveClientIdClaim(claim) => self.unsaved_claims.push(claim),
                Effect::LedgerDiverged(id) => {
                    metrics.ledgers_diverged.inc();
                    tracing::error!(
                        document = %self.document,
                        connection = id.0,
                        "a client remembers more of this ledger than the server has: the ledger may have been truncated"
                    );
                }
                Effect::Rebuild => self.has_failed = true,
            }
        }
    }

    fn send(&mut self, id: ConnectionId, outgoing: Outgoing) {
        let Some(connection) = self.connections.get(&id) else { return };
        match connection.outbox.send(outgoing) {
            Ok(()) => {
                self.rooms.shared.metrics.deliveries.inc();
            }
            Err(NotQueued::Full) => {
                // A receiver must not miss a frame silently. A client whose connection is closed syncs again.
                self.rooms.shared.metrics.slow_receivers_closed.inc();
                tracing::info!(document = %self.document, connection = id.0, "a slow receiver was closed");
                self.disconnect(id);
                let effects = self.room.leave(id, self.now());
                self.carry_out(effects);
            }
            Err(NotQueued::Gone) => {}
        }
    }

    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        if self.connections.remove(&id).is_some() {
            self.rooms.shared.metrics.connections_open.dec();
        }
    }
}
