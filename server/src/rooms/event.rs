//! All that can happen to a room.

use super::OpenError;
use super::in_flight::{InFlight, Place};
use super::outbox::Outbox;
use super::request::Request;
use accord_document::ids::Digest;
use accord_document::ledger::LedgerPosition;
use accord_document::sync::{Admission, Close, ConnectionId};
use axum::body::Bytes;
use tokio::sync::oneshot;

/// All that can happen to a room.
#[derive(Debug)]
pub(crate) enum RoomEvent {
    Join {
        id: ConnectionId,
        admission: Box<Admission>,
        outbox: Outbox,
        /// New places, if this person has none here.
        in_flight: InFlight,
        /// Answers with the places of this person's frames, over all of their connections.
        answer: oneshot::Sender<Result<InFlight, OpenError>>,
    },
    Frame {
        id: ConnectionId,
        bytes: Bytes,
        /// Given back once the frame is worked on.
        place: Place,
    },
    /// The room goes on with the frame whose place this is.
    Continue {
        id: ConnectionId,
        place: Place,
    },
    Leave {
        id: ConnectionId,
    },
    /// The hash of the entry that a client remembers was read.
    Compared {
        id: ConnectionId,
        remembered: LedgerPosition,
        stored: Option<Digest>,
    },
    /// Answers as soon as the document is open.
    Open {
        answer: oneshot::Sender<Result<(), OpenError>>,
    },
    /// A question or a change that somebody asks for over HTTP.
    Request(Request),
    Stop,
}

impl RoomEvent {
    /// Answers that the document can't be opened. The asker may be gone.
    pub(super) fn refuse(self, error: OpenError) {
        match self {
            Self::Join { answer, .. } => drop(answer.send(Err(error))),
            Self::Open { answer } => drop(answer.send(Err(error))),
            Self::Request(request) => request.refuse(error),
            Self::Frame { .. }
            | Self::Continue { .. }
            | Self::Leave { .. }
            | Self::Compared { .. }
            | Self::Stop => {}
        }
    }

    /// Whether nobody waits for what it would answer.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self, Self::Request(request) if request.is_abandoned())
    }
}

/// What goes out on a connection.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Bytes),
    Close(Close),
    Ping,
}

impl Outgoing {
    /// In bytes, as far as it counts.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Frame(bytes) => bytes.len(),
            Self::Close(_) | Self::Ping => 0,
        }
    }
}
