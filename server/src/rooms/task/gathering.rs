//! When a room hands entries to the committer, and sends changed awareness.
//!
//! Entries gather before they are appended together. What was appended is sent to every connection of the room, and one
//! write to a socket costs about the same for one frame as for several. So the more connections the last append was sent
//! to, the longer the entries of the next one gather. An entry that comes alone waits for nothing. Changed awareness
//! gathers in the [`Room`](accord_document::sync::Room) itself.

use super::{Committed, Task};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Time that entries gather for each connection of the room. It is a few times what a write to a socket costs, so that
/// writing does not fill a core.
const TIME_PER_CONNECTION: Duration = Duration::from_micros(50);
/// Longest time that entries gather. People don't notice it while they write.
const MAX_TIME: Duration = Duration::from_millis(20);
/// Shortest time that entries gather, because the resolution of timers is a millisecond.
const MIN_TIME: Duration = Duration::from_millis(1);

/// When the next append of a room may begin.
#[derive(Debug)]
pub(super) struct Gathering {
    /// The moment from which the next append may begin, which can be in the past.
    ends: Instant,
}

impl Gathering {
    pub(super) fn new() -> Self {
        Self { ends: Instant::now() }
    }

    /// Begins to gather, because an append is sent to the connections of the room.
    pub(super) fn begin(&mut self, connections: usize) {
        self.ends = Instant::now() + time_for(connections);
    }
}

impl Task {
    /// Returns the time until entries or changed awareness have gathered, or `None` if nothing gathers.
    pub(super) fn until_gathered(&self) -> Option<Duration> {
        let entries = self.gathering.ends.saturating_duration_since(Instant::now());
        let entries = self.may_append().then_some(entries);
        let awareness = self.room.awareness_due().map(|due| due.saturating_sub(self.now()));
        [entries, awareness.map(Duration::from_millis)].into_iter().flatten().min()
    }

    /// Sends changed awareness, if it has gathered.
    pub(super) fn send_awareness(&mut self) {
        let effects = self.room.send_awareness(self.now());
        self.carry_out(effects);
    }

    /// Whether there are entries that the committer can be given.
    fn may_append(&self) -> bool {
        !self.in_flight && !self.has_failed && !self.waiting.is_empty()
    }

    /// Hands the waiting entries to the committer, unless an append is in flight or more entries gather.
    pub(super) async fn commit(&mut self, answer: &mpsc::Sender<Committed>) {
        if !self.may_append() || self.gathering.ends > Instant::now() {
            return;
        }
        let Some(last) = self.waiting.last() else { return };
        let (upto, answer) = (last.seq, answer.clone());
        let entries = std::mem::take(&mut self.waiting);
        self.in_flight = true;
        let committer = self.rooms.shared.committer.clone();
        committer
            .append(entries, move |result| {
                // Sending fails only if the room has closed, and then nobody waits for the result.
                let _ = answer.try_send(Committed { upto, result });
            })
            .await;
    }
}

fn time_for(connections: usize) -> Duration {
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    let time = TIME_PER_CONNECTION.saturating_mul(connections);
    if time < MIN_TIME { Duration::ZERO } else { time.min(MAX_TIME) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_gather_longer_the_more_connections_there_are_up_to_a_limit() {
        let times = [1, 19, 20, 200, 400, 1_000, usize::MAX].map(|n| time_for(n).as_millis());
        assert_eq!(times, [0, 0, 1, 10, 20, 20, 20]);
    }
}
