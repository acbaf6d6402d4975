//! Frames that take several turns (rule C8).

use super::unfinished::{EditRest, EditStep, Unfinished, UnfinishedEdit};
use super::{Effect, Room};
use crate::state::{CheckedEdit, LargeCheck, LargeEdit};
use crate::sync::connection::ConnectionId;
use crate::sync::wire::Message;
use crate::update::UpdatePart;

impl Room {
    /// Handles the next part of a connection's frame. Call this after [`Effect::Continue`], once others have had
    /// their turns. If the next part is a large edit, this checks it, which can take 0.7 s. To check it elsewhere
    /// meanwhile, call [`begin_check`](Self::begin_check) first.
    pub fn continue_frame(&mut self, id: ConnectionId, now: u64) -> Vec<Effect> {
        if let Some(check) = self.begin_check(id) {
            return self.end_check(id, check.run(), now);
        }
        self.now = now;
        if self.is_being_checked(id) {
            return Vec::new();
        }
        let next =
            self.connections.get_mut(&id).and_then(|connection| connection.unfinished.pop_front());
        match next {
            Some(Unfinished::Edit(UnfinishedEdit {
                number,
                is_last,
                rest: EditRest::Part(part),
            })) => {
                self.take_edit(id, number, is_last, EditStep::Part(part));
            }
            Some(Unfinished::Messages(bytes)) => self.messages(id, &bytes),
            // Every other edit is checked first.
            Some(Unfinished::Edit(_)) | None => {}
        }
        self.effects_of(id)
    }

    fn is_being_checked(&self, id: ConnectionId) -> bool {
        let next = self.connections.get(&id).and_then(|connection| connection.unfinished.front());
        matches!(next, Some(Unfinished::Edit(UnfinishedEdit { rest: EditRest::BeingChecked, .. })))
    }

    /// Begins the check of a large edit, if one is the next part of a connection's frame. Run the check anywhere, and pass
    /// its result to [`end_check`](Self::end_check). Until then, the frame does not go on.
    pub fn begin_check(&mut self, id: ConnectionId) -> Option<LargeCheck> {
        let connection = self.connections.get_mut(&id)?;
        let is_accepted = connection.refusal_if_new().is_none();
        let Some(Unfinished::Edit(next)) = connection.unfinished.front_mut() else { return None };
        if !matches!(next.rest, EditRest::Large(_)) {
            return None;
        }
        let rest = std::mem::replace(&mut next.rest, EditRest::BeingChecked);
        let EditRest::Large(large) = rest else { return None };
        Some(self.state.begin_check(&connection.admission.actor, large, is_accepted))
    }

    /// Takes the turn of a connection whose large edit was checked.
    pub fn end_check(&mut self, id: ConnectionId, checked: CheckedEdit, now: u64) -> Vec<Effect> {
        self.now = now;
        if !self.is_being_checked(id) {
            return Vec::new();
        }
        let next =
            self.connections.get_mut(&id).and_then(|connection| connection.unfinished.pop_front());
        if let Some(Unfinished::Edit(UnfinishedEdit { number, is_last, .. })) = next {
            self.take_edit(id, number, is_last, EditStep::Checked(checked));
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

    /// Queues the check of a large edit in front of everything else that is left of the connection's frame.
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
