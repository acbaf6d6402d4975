//! The events that a room handles, and the messages that it sends to connections.

use super::OpenError;
use super::frame_places::{FramePlace, FramePlaces};
use super::outbox::Outbox;
use super::request::Request;
use accord_document::ids::Digest;
use accord_document::ledger::LedgerPosition;
use accord_document::sync::{Admission, Close, ConnectionId};
use axum::body::Bytes;
use tokio::sync::oneshot;

/// An event that a room handles. There is one enum, so that every event is handled in one place.
#[derive(Debug)]
pub(crate) enum RoomEvent {
    Join {
        id: ConnectionId,
        admission: Box<Admission>,
        outbox: Outbox,
        /// Places for this person's frames, which are used only if the person has none in this room yet.
        frame_places: FramePlaces,
        /// Receives the places of this person's frames, which all of their connections share.
        answer: oneshot::Sender<Result<FramePlaces, OpenError>>,
    },
    Frame {
        id: ConnectionId,
        bytes: Bytes,
        /// The frame's place among those that wait. It is given back once the frame is handled.
        place: FramePlace,
    },
    /// The room continues with the frame to which the place belongs.
    Continue {
        id: ConnectionId,
        place: FramePlace,
    },
    Leave {
        id: ConnectionId,
    },
    /// The store has answered with the hash of the entry that a client remembers, or with `None` if the entry does not
    /// exist.
    Compared {
        id: ConnectionId,
        remembered: LedgerPosition,
        stored: Option<Digest>,
    },
    /// A request that is answered as soon as the document is open.
    Open {
        answer: oneshot::Sender<Result<(), OpenError>>,
    },
    /// A query or a change that was requested over HTTP.
    Request(Request),
    Stop,
}

impl RoomEvent {
    /// Sends the answer that the document can't be opened, if the event has a caller who waits for one.
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

    /// Whether this is a request whose caller no longer waits for the answer.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self, Self::Request(request) if request.is_abandoned())
    }
}

/// A message for a connection.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Bytes),
    Close(Close),
    Ping,
}

impl Outgoing {
    /// Returns the size in bytes, as far as it counts towards the limits of outboxes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Frame(bytes) => bytes.len(),
            Self::Close(_) | Self::Ping => 0,
        }
    }
}
