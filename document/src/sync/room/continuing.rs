//! Frames that take several turns (rule C8).

use super::unfinished::{EditRest, Unfinished, UnfinishedEdit};
use super::{Effect, Room};
use crate::state::LargeEdit;
use crate::sync::connection::ConnectionId;
use crate::sync::wire::Message;
use crate::update::UpdatePart;

impl Room {
    /// Handles the next part of a connection's frame. Call this after [`Effect::Continue`], once others have had
    /// their turns.
    pub fn continue_frame(&mut self, id: ConnectionId, now: u64) -> Vec<Effect> {
        self.now = now;
        let next =
            self.connections.get_mut(&id).and_then(|connection| connection.unfinished.pop_front());
        match next {
            Some(Unfinished::Edit(edit)) => self.continue_edit(id, edit),
            Some(Unfinished::Messages(bytes)) => self.messages(id, &bytes),
            None => {}
        }
        self.effects_of(id)
    }

    /// Returns the effects of a connection's turn, ending with [`Effect::Continue`] if its frame takes another turn.
    pub(super) fn effects_of(&mut self, id: ConnectionId) -> Vec<Effect> {
        if self.is_unfinished(id) {
            self.out.push(Effect::Continue(id));
        }
        self.take()
    }

    pub(super) fn is_unfinished(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(|connection| !connection.unfinished.is_empty())
    }

    /// Queues the parts of an edit in front of everything else that is left of the connection's frame.
    pub(super) fn queue_parts(
        &mut self,
        id: ConnectionId,
        number: Option<u64>,
        is_last: bool,
        parts: Vec<UpdatePart>,
    ) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        for (from_last, part) in parts.into_iter().rev().enumerate() {
            let is_last = is_last && from_last == 0;
            let rest = EditRest::Part(part);
            let edit = UnfinishedEdit { number, is_last, rest };
            connection.unfinished.push_front(Unfinished::Edit(edit));
        }
    }

    /// Queues the next turn of a large edit in front of everything else that is left of the connection's frame.
    pub(super) fn queue_large(
        &mut self,
        id: ConnectionId,
        number: Option<u64>,
        is_last: bool,
        large: LargeEdit,
    ) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let edit = UnfinishedEdit { number, is_last, rest: EditRest::Large(large) };
        connection.unfinished.push_front(Unfinished::Edit(edit));
    }

    /// Queues messages after everything else that is left of the connection's frame.
    pub(super) fn queue_messages(&mut self, id: ConnectionId, messages: &[Message<'_>]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let bytes = messages.iter().flat_map(Message::encode).collect();
        connection.unfinished.push_back(Unfinished::Messages(bytes));
    }
}
