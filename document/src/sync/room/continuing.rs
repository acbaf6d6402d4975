//! How a large frame is worked on in several turns (rule C8).

use super::unfinished::{EditPart, Unfinished};
use super::{Effect, Room};
use crate::sync::connection::ConnectionId;
use crate::sync::wire::Message;
use crate::update::UpdatePart;

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

    /// Puts messages behind the parts that are left.
    pub(super) fn put_messages(&mut self, id: ConnectionId, messages: &[Message<'_>]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let bytes = messages.iter().flat_map(Message::encode).collect();
        session.unfinished.push_back(Unfinished::Messages(bytes));
    }
}
