//! Bodies of requests and responses. The body of a request has deadlines. When the body of a response has been sent or
//! dropped, the connection waits for the next request.

use super::connection::ConnectionState;
use super::deadlines::Deadlines;
use super::forwarded::RequestPlace;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep};

#[derive(Debug, Error)]
#[error("the body came too slowly")]
struct TooSlow;

/// The data from which the remaining time for a request's body is computed.
#[derive(Debug)]
struct Allowance {
    deadlines: Deadlines,
    received: u64,
    /// Total time spent waiting for pieces of the body so far.
    waited: Duration,
}

impl Allowance {
    /// Returns the time within which the next piece must arrive.
    fn next(&self) -> Duration {
        let in_all = self.deadlines.body_time(self.received);
        self.deadlines.body_idle.min(in_all.saturating_sub(self.waited))
    }
}

/// A request's body, which fails if its pieces arrive too slowly. The deadlines count only the time during which a
/// reader waits for a piece.
#[derive(Debug)]
pub(super) struct Received {
    body: Incoming,
    allowance: Allowance,
    /// Start of the current wait for the next piece, or `None` if nobody waits.
    since: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
    state: ConnectionState,
    too_slow: Arc<AtomicBool>,
}

impl Received {
    /// `too_slow` is set to true if the body fails because its pieces arrive too slowly.
    pub(super) fn new(body: Incoming, state: ConnectionState, too_slow: Arc<AtomicBool>) -> Self {
        let deadlines = *state.deadlines();
        let allowance = Allowance { deadlines, received: 0, waited: Duration::ZERO };
        let deadline = Box::pin(sleep(Duration::ZERO));
        Self { body, allowance, since: None, deadline, state, too_slow }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let now = Instant::now();
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(since) = self.since.take() {
                self.allowance.waited += now - since;
                self.state.go_on();
            }
            if let Some(Ok(frame)) = &frame {
                self.allowance.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if self.since.is_none() {
            self.since = Some(now);
            self.state.wait_for_peer();
            let until = now + self.allowance.next();
            self.deadline.as_mut().reset(until);
        }
        if self.deadline.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.too_slow.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. Dropping it ends the request.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    state: ConnectionState,
    _place: Option<RequestPlace>,
}

impl Answer {
    pub(super) fn new(body: Body, state: ConnectionState, place: Option<RequestPlace>) -> Self {
        Self { body, state, _place: place }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.state.end_request();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_import_passes_a_line_of_256_kbit_and_a_trickle_does_not() {
        let takes = |bytes: u64, piece: u64, bytes_a_second: u64| {
            let deadlines = Deadlines::default();
            let mut allowance = Allowance { deadlines, received: 0, waited: Duration::ZERO };
            while allowance.received < bytes {
                let time = Duration::from_millis(piece * 1_000 / bytes_a_second);
                if time > allowance.next() {
                    return Err(allowance.waited.as_secs());
                }
                allowance.waited += time;
                allowance.received += piece;
            }
            Ok(allowance.waited.as_secs())
        };
        assert_eq!(takes(16 << 20, 16 << 10, 32_000), Ok(524));
        let given_up = takes(64 << 10, 1, 1).unwrap_err();
        assert!((59..=61).contains(&given_up), "a byte a second ends after {given_up} s");
        assert_eq!(takes(1_000, 100, 3), Err(0), "silence of more than half a minute");
    }
}
