//! What is left of a frame after its turn: the parts of a large edit, and the messages behind it (rule C8).

use super::{Effect, Room};
use crate::sync::connection::ConnectionId;
use crate::sync::wire::Message;
use crate::update::UpdatePart;

/// What a connection has sent and the room has not worked on yet.
#[derive(Debug)]
pub(super) enum Unfinished {
    Part(EditPart),
    /// Whole messages, one behind the other.
    Messages(Vec<u8>),
}

/// A part of an edit that is taken in several turns.
#[derive(Debug)]
pub(super) struct EditPart {
    pub(super) number: Option<u64>,
    pub(super) is_last: bool,
    pub(super) part: UpdatePart,
}

impl Room {
    /// Goes on with what is left of a connection's frame: call after [`Effect::Continue`], when others have had their
    /// turns.
    pub fn go_on(&mut self, id: ConnectionId, now: u64) -> Vec<Effect> {
        self.now = now;
        let next = self.sessions.get_mut(&id).and_then(|session| session.unfinished.pop_front());
        match next {
            Some(Unfinished::Part(part)) => self.take_part(id, part),
            Some(Unfinished::Messages(bytes)) => self.messages(id, &bytes),
            None => {}
        }
        self.take_of(id)
    }

    /// The effects of what a connection sent, and whether more of it is left.
    pub(super) fn take_of(&mut self, id: ConnectionId) -> Vec<Effect> {
        if self.is_unfinished(id) {
            self.out.push(Effect::Continue(id));
        }
        self.take()
    }

    pub(super) fn is_unfinished(&self, id: ConnectionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| !session.unfinished.is_empty())
    }

    /// Puts the parts of an edit before all else that is left.
    pub(super) fn put_parts(
        &mut self,
        id: ConnectionId,
        number: Option<u64>,
        is_last: bool,
        parts: Vec<UpdatePart>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        for (from_last, part) in parts.into_iter().rev().enumerate() {
            let is_last = is_last && from_last == 0;
            session.unfinished.push_front(Unfinished::Part(EditPart { number, is_last, part }));
        }
    }

    /// Puts messages behind all else that is left.
    pub(super) fn put_messages(&mut self, id: ConnectionId, messages: &[Message<'_>]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let bytes = messages.iter().flat_map(Message::encode).collect();
        session.unfinished.push_back(Unfinished::Messages(bytes));
    }
}
