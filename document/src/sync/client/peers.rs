//! The awareness messages that a client sends and receives: they say who is in the document, and where their carets
//! are.

use super::peer::{AwarenessEntry, Cursor, Peer};
use super::{Client, Link};
use crate::lib0::{ReadError, Reader, Write};
use crate::model::Target;
use crate::sync::wire::Message;
use serde_json::Value;

impl Client {
    /// Announces the position of the user's own caret. `cursor` is a text, and the fixed and the moving end of the
    /// selection in UTF-16 code units. `cursor` is `None` when the document has no focus.
    pub fn point(&mut self, cursor: Option<(&Target, u32, u32)>) {
        let cursor = cursor.and_then(|(target, anchor, head)| {
            let anchor = self.replica.sticky(target, anchor)?;
            let head = self.replica.sticky(target, head)?;
            Some(serde_json::json!({ "anchor": anchor, "head": head }))
        });
        let state = serde_json::json!({ "cursor": cursor });
        if self.presence.as_ref() != Some(&state) {
            self.presence = Some(state);
            self.announce();
        }
    }

    /// Announces again that this client is present. Call every 15 seconds.
    pub fn renew(&mut self) {
        self.announce();
    }

    /// Returns everybody else in the document, or `None` if nothing has changed since the last call. A caret that only
    /// moves along with the text around it is not a change, because the editor moves such a caret itself.
    pub fn take_peers(&mut self) -> Option<Vec<Peer>> {
        std::mem::take(&mut self.peers_changed).then(|| self.peers())
    }

    /// Returns everybody else who is in the document now.
    pub fn peers(&mut self) -> Vec<Peer> {
        let own = self.replica.client_id();
        let mut unplaced = false;
        let present =
            self.heard.iter().filter(|(client, heard)| **client != own && !heard.state.is_null());
        let peers = present
            .map(|(&client, heard)| {
                let cursor = self.cursor(&heard.state);
                unplaced |= cursor.is_none() && !heard.state["cursor"].is_null();
                let user = heard.state.get("user").cloned().unwrap_or_default();
                Peer { client, user, cursor }
            })
            .collect();
        self.unplaced = unplaced;
        peers
    }

    fn cursor(&self, state: &Value) -> Option<(Target, u32, u32)> {
        let cursor: Cursor = serde_json::from_value(state.get("cursor")?.clone()).ok()?;
        let (target, anchor) = self.replica.resolve(&cursor.anchor)?;
        let (same, head) = self.replica.resolve(&cursor.head)?;
        (target == same).then_some((target, anchor, head))
    }

    pub(super) fn announce(&mut self) {
        if matches!(self.link, Link::Offline { .. } | Link::Denied { .. }) {
            return;
        }
        let Some(state) = &self.presence else { return };
        self.presence_clock += 1;
        let mut update = Vec::new();
        update.put_var(1);
        update.put_var(self.replica.client_id());
        update.put_var(self.presence_clock);
        update.put_buf(state.to_string().as_bytes());
        self.frames.push(Message::Awareness(&update).encode());
    }

    pub(super) fn receive_awareness(&mut self, update: &[u8]) -> Result<(), ReadError> {
        let mut r = Reader::new(update);
        for _ in 0..r.count()? {
            let client = r.var_u64()?;
            let clock = r.var_u64()?;
            let state = serde_json::from_str(r.string()?).unwrap_or(Value::Null);
            let stale = self.heard.get(&client).is_some_and(|heard| {
                clock < heard.clock || (clock == heard.clock && !state.is_null())
            });
            if stale {
                continue;
            }
            self.peers_changed = true;
            self.heard.insert(client, AwarenessEntry { clock, state });
        }
        Ok(())
    }
}
