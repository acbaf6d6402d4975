//! When changed awareness is sent to everybody.
//!
//! Each change goes to every connection. If everybody moves their caret, or many people connect at once, the number of
//! messages would grow with the square of the number of connections. So in a room with many connections, changes gather
//! for a moment, and each connection receives them in one message (rule P8).

use std::collections::BTreeSet;

/// Time for which changes gather for each connection of the room, in microseconds.
const TIME_PER_CONNECTION_US: u64 = 100;
/// Longest time for which changes gather, in milliseconds.
const MAX_TIME_MS: u64 = 200;

/// The client ids whose awareness has changed since it was last sent to everybody.
#[derive(Debug, Default)]
pub(super) struct ChangedAwareness {
    clients: BTreeSet<u64>,
    /// The earliest time at which they may be sent, in milliseconds since the Unix epoch.
    earliest: u64,
}

impl ChangedAwareness {
    pub(super) fn add(&mut self, clients: impl IntoIterator<Item = u64>) {
        self.clients.extend(clients);
    }

    /// Returns when the changes are due, in milliseconds since the Unix epoch, or `None` if there are none.
    pub(super) fn due(&self) -> Option<u64> {
        (!self.clients.is_empty()).then_some(self.earliest)
    }

    /// Takes the client ids if they are due, to be sent to a number of connections.
    pub(super) fn take_due(&mut self, now: u64, connections: usize) -> Option<Vec<u64>> {
        let due = self.due()?;
        // A time that is too far away was computed before the clock was set back.
        if now < due && due - now <= MAX_TIME_MS {
            return None;
        }
        let gathering = connections as u64 * TIME_PER_CONNECTION_US / 1_000;
        self.earliest = now + gathering.min(MAX_TIME_MS);
        Some(std::mem::take(&mut self.clients).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule P8.
    #[test]
    fn changes_gather_longer_the_more_connections_there_are_up_to_a_limit() {
        for (connections, wait) in [(1, 0), (9, 0), (10, 1), (500, 50), (10_000, 200)] {
            let mut changed = ChangedAwareness::default();
            changed.add([7]);
            assert_eq!(
                changed.take_due(1_000, connections),
                Some(vec![7]),
                "the first waits for nothing"
            );
            changed.add([9, 8]);
            assert_eq!(changed.due(), Some(1_000 + wait));
            if wait > 0 {
                assert_eq!(changed.take_due(1_000 + wait - 1, connections), None);
            }
            assert_eq!(changed.take_due(1_000 + wait, connections), Some(vec![8, 9]));
            assert_eq!(changed.take_due(2_000, connections), None, "nothing has changed");
            changed.add([7]);
            assert_eq!(changed.take_due(10, connections), Some(vec![7]), "the clock was set back");
        }
    }
}
