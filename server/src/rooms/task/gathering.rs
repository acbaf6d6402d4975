//! How long the entries of a room gather before they are appended together.
//!
//! What was appended is sent to every connection of the room, and one write to a socket costs about the same for one frame
//! as for several. So the more connections the last append was sent to, the longer the entries of the next one gather. An
//! entry that comes alone waits for nothing.

use std::time::Duration;
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

    /// Returns the moment from which the next append may begin, which can be in the past.
    pub(super) fn ends(&self) -> Instant {
        self.ends
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
