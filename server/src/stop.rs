//! Stopping the server: within seconds, whatever clients do, and without losing acknowledged changes.

use crate::committer::Committer;
use crate::listen::{Deadlines, Listening, OpenConnections};
use crate::rooms::Rooms;
use tokio::join;
use tokio::time::timeout;

/// The parts of the server that have to end when it stops, with the deadlines for their end.
pub(crate) struct Stop {
    pub(crate) listening: Listening,
    pub(crate) open: OpenConnections,
    pub(crate) rooms: Rooms,
    pub(crate) committer: Committer,
    pub(crate) deadlines: Deadlines,
}

impl Stop {
    /// Stops accepting connections, finishes open requests, asks clients to reconnect later, and closes the rooms. This
    /// takes at most the time [`Deadlines::drain`]. Then closes the remaining connections, except WebSockets, and waits
    /// for running commits for at most the time [`Deadlines::drain_commits`]. No acknowledged change can be lost,
    /// because a change is on disk before it is acknowledged.
    pub(crate) async fn drain(self) {
        let Self { listening, open, rooms, committer, deadlines } = self;
        listening.drain();
        let ended = async { join!(rooms.shut_down(), open.emptied()) };
        if timeout(deadlines.drain, ended).await.is_err() {
            let rooms = rooms.still_open();
            tracing::warn!(
                connections = open.count(),
                rooms,
                "some connections and rooms did not end in time and were cut off"
            );
        }
        listening.end();
        if timeout(deadlines.drain_commits, committer.finish()).await.is_err() {
            tracing::warn!("a commit did not end in time: its edits were not acknowledged");
        }
    }
}
