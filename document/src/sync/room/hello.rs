//! Compares the ledger with the position that a client remembers. The two do not match if the ledger was truncated or
//! replaced.
//!
//! Rules A2 and U10.

use super::pending::PendingEffect;
use super::{Effect, Room};
use crate::ids::Digest;
use crate::ledger::LedgerPosition;
use crate::sync::close::Close;
use crate::sync::connection::ConnectionId;
use crate::sync::wire::ClientNote;

/// Maximum length of a client's note, in bytes. The longest note names a position of a ledger.
const MAX_NOTE_BYTES: usize = 4 * 1024;

impl Room {
    /// Returns the position of the last entry in the ledger. The server's hello names this position, and the client
    /// remembers it.
    pub(super) fn position(&self) -> LedgerPosition {
        self.state.position().clone()
    }

    pub(super) fn note(&mut self, id: ConnectionId, json: &str) {
        if json.len() > MAX_NOTE_BYTES {
            return self.disconnect(id, Close::MALFORMED, "A note is too long.");
        }
        match serde_json::from_str(json) {
            Ok(ClientNote::Hello { remembered: Some(remembered) }) => {
                self.recognise(id, &remembered);
            }
            Ok(ClientNote::Hello { remembered: None }) => {}
            Err(_) => self.disconnect(id, Close::MALFORMED, "A note is malformed."),
        }
    }

    fn recognise(&mut self, id: ConnectionId, remembered: &LedgerPosition) {
        let here = self.state.position();
        let draft_start = self.state.draft_start();
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_current |= remembered.seq >= draft_start;
        }
        if remembered.lineage != *self.state.lineage() {
            self.send_away(id);
        } else if remembered.seq < here.seq {
            // The room knows the hash of the last entry only. The hash of an earlier entry must be read from the store.
            self.hold(PendingEffect::ReadEntryHash(id, remembered.clone()));
        } else if remembered.seq > here.seq || remembered.head != here.head {
            self.report_divergence(id);
        }
    }

    /// Compares the position that a client remembers with the ledger. Call this after [`Effect::ReadEntryHash`]: `stored`
    /// is the hash of the entry at that position, or `None` if there is no such entry.
    pub fn entry_hash_read(
        &mut self,
        id: ConnectionId,
        remembered: &LedgerPosition,
        stored: Option<Digest>,
        now: u64,
    ) -> Vec<Effect> {
        self.now = now;
        if stored != Some(remembered.head) {
            self.report_divergence(id);
        }
        self.take()
    }

    fn report_divergence(&mut self, id: ConnectionId) {
        if self.connections.contains_key(&id) {
            self.out.push(Effect::LedgerDiverged(id));
            self.send_away(id);
        }
    }

    fn send_away(&mut self, id: ConnectionId) {
        let reason = "The server has a different history of this commitment than this device.";
        self.disconnect(id, Close::OTHER_LEDGER, reason);
    }
}
