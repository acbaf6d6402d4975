//! A turn that can take long, postponed until no entry waits for the disk.

use super::event::RoomEvent;
use super::turns::{Priority, Turn};

pub(super) struct Postponed {
    pub(super) turn: Turn<RoomEvent>,
    /// Whether turns of other parties are taken before this one.
    pub(super) others_pass: bool,
}

impl Postponed {
    /// Whether a short turn is taken before this one. A later turn of the same party is not, unless it is essential.
    pub(super) fn is_passed_by(&self, turn: &Turn<RoomEvent>) -> bool {
        turn.party != self.turn.party || turn.priority == Priority::Essential
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fair_queue::Requester;
    use accord_document::ids::PersonId;

    /// Rule C7.
    #[test]
    fn what_a_party_sent_later_stays_behind_its_postponed_turn() {
        let turn = |name: &str, priority| {
            let party = Requester::Person(PersonId::new(name));
            Turn { party, priority, item: RoomEvent::Stop }
        };
        let postponed = Postponed { turn: turn("ana", Priority::Ordinary), others_pass: true };
        assert!(!postponed.is_passed_by(&turn("ana", Priority::Ordinary)));
        assert!(postponed.is_passed_by(&turn("ana", Priority::Essential)));
        assert!(postponed.is_passed_by(&turn("ben", Priority::Ordinary)));
    }
}
