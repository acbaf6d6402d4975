//! The deadlines for peers, and for the stop of the server. A deadline for a peer counts only time during which the
//! server waits for the peer, not the time that the server needs to answer.

use std::time::Duration;

/// The deadlines of every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Time for the headers of a request. It starts at the first byte of the request or, for the first request, at the
    /// start of the connection.
    pub headers: Duration,
    /// Time from a response to the next request on the same connection. It exceeds the minute for which proxies keep
    /// connections. So the proxy closes first, and never sends a request into a connection that the server is closing.
    pub idle: Duration,
    /// Maximum time between two pieces of a request's body.
    pub body_idle: Duration,
    /// Time that a body is allowed to take, whatever its size. [`body_rate`](Self::body_rate) extends it with each
    /// byte.
    pub body_grace: Duration,
    /// Minimum rate of a body once [`body_grace`](Self::body_grace) is over, in bytes a second. The default is half the
    /// rate of a line of 256 kbit/s. With it, the largest import (16 MiB) can take 18 minutes.
    pub body_rate: u32,
    /// Maximum time for which sending makes no progress because the peer does not read. A slow download that makes
    /// progress is never cut. The limit applies to WebSockets as well.
    pub write_stall: Duration,
    /// Time after which a silent WebSocket gets a ping.
    pub ping: Duration,
    /// Maximum time from the ping to any sign of life. The default is long, because on a slow line half a megabyte can
    /// be queued before the ping.
    pub pong: Duration,
    /// When the server stops: time for requests that are being answered, and for rooms to save and close.
    pub drain: Duration,
    /// When the server stops: time for a request that has begun to arrive.
    pub drain_headers: Duration,
    /// When the server stops: time for commits that are still running after everything else has ended.
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
    /// Returns the total time that a request's body or a large message is allowed to take, once `received` of its bytes
    /// have arrived.
    #[must_use]
    pub fn body_time(&self, received: u64) -> Duration {
        let earned = received as f64 / f64::from(self.body_rate.max(1));
        self.body_grace + Duration::from_secs_f64(earned)
    }

    /// Returns these deadlines with every deadline of a peer divided by `divisor`, because tests can't wait for
    /// minutes. The deadlines for a stop of the server stay the same.
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
