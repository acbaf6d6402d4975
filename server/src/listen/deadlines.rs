//! How long a peer may take. Every duration here is a peer's time: what the server itself needs to answer does
//! not count.

use std::time::Duration;

/// The deadlines of every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From the first byte of a request, or from the start of a new connection, to the end of its headers.
    pub headers: Duration,
    /// For the next request on a connection that has had an answer. Longer than the minute for which proxies keep
    /// connections, so that the proxy closes first and never sends a request into a connection that is closing.
    pub idle: Duration,
    /// Between two pieces of a request's body.
    pub body_idle: Duration,
    /// The time that a body may take whatever its size. Beyond it, [`body_rate`](Self::body_rate) counts.
    pub body_grace: Duration,
    /// The slowest rate of a body, in bytes a second: half of a line of 256 kbit/s, so that the largest import
    /// (16 MiB) may take 18 minutes.
    pub body_rate: u32,
    /// Without any progress in sending, because the peer does not read. A long download that goes on is never cut.
    /// Holds for WebSockets as well.
    pub write_stall: Duration,
    /// A WebSocket from which nothing has come for this long gets a ping.
    pub ping: Duration,
    /// From the ping to any sign of life. A slow line may hold half a megabyte before the ping.
    pub pong: Duration,
    /// At a stop: for requests that are being answered, and for rooms to save and say goodbye.
    pub drain: Duration,
    /// At a stop: for a request that has begun to arrive.
    pub drain_headers: Duration,
    /// At a stop: for commits that are under way after everything else has ended.
    pub drain_commits: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            body_idle: Duration::from_secs(30),
            body_grace: Duration::from_secs(60),
            body_rate: 16 * 1024,
            write_stall: Duration::from_secs(30),
            ping: Duration::from_secs(30),
            pong: Duration::from_secs(90),
            drain: Duration::from_secs(8),
            drain_headers: Duration::from_secs(2),
            drain_commits: Duration::from_secs(3),
        }
    }
}

impl Deadlines {
    /// How long a body or a large message may take in all, once `received` bytes of it have come: the one rule for
    /// everything that a peer sends.
    #[must_use]
    pub fn body_time(&self, received: u64) -> Duration {
        let earned = received as f64 / f64::from(self.body_rate.max(1));
        self.body_grace + Duration::from_secs_f64(earned)
    }

    /// The same deadlines, but each for a peer only a `divisor`th of it: tests can't wait for minutes. Those of a
    /// stop stay.
    #[must_use]
    pub fn shortened(self, divisor: u32) -> Self {
        let divisor = divisor.max(1);
        Self {
            headers: self.headers / divisor,
            idle: self.idle / divisor,
            body_idle: self.body_idle / divisor,
            body_grace: self.body_grace / divisor,
            write_stall: self.write_stall / divisor,
            ping: self.ping / divisor,
            pong: self.pong / divisor,
            ..self
        }
    }
}
