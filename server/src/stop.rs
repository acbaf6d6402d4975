//! Stopping: within seconds, whatever anybody does, and without losing what was acknowledged.

use crate::committer::Committer;
use crate::listen::{Deadlines, Listening, OpenConnections};
use crate::rooms::Rooms;
use tokio::join;
use tokio::time::timeout;

/// What has to end, in this order.
pub(crate) struct Stop {
    pub(crate) listening: Listening,
    pub(crate) open: OpenConnections,
    pub(crate) rooms: Rooms,
    pub(crate) committer: Committer,
    pub(crate) deadlines: Deadlines,
}

impl Stop {
    /// Answers what was asked, asks everybody to come back, and closes the rooms, all as long as `drain` allows.
    /// Then closes what is still open, and waits for the commits that are under way. What was acknowledged is on
    /// disk before any of this.
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
