//! The events that a room handles, and the messages that it sends to connections.

use super::OpenError;
use super::frame_places::{FramePlace, FramePlaces};
use super::outbox::Outbox;
use super::request::Request;
use accord_document::ids::Digest;
use accord_document::ledger::LedgerPosition;
use accord_document::state::CheckedEdit;
use accord_document::sync::{Admission, Close, ConnectionId};
use axum::body::Bytes;
use std::time::Duration;
use tokio::sync::oneshot;

/// An event that a room handles, whatever its source: a connection, an HTTP request, the store, or the stop of the
/// server.
#[derive(Debug)]
pub(crate) enum RoomEvent {
    Join {
        id: ConnectionId,
        admission: Box<Admission>,
        outbox: Outbox,
        /// New places for this person's frames. They are used only if the person has no places in this room yet.
        frame_places: FramePlaces,
        /// Receives the places of this person's frames, or the reason why the connection can't join. All connections of
        /// the person share these places.
        answer: oneshot::Sender<Result<FramePlaces, OpenError>>,
    },
    Frame {
        id: ConnectionId,
        bytes: Bytes,
        /// The frame's place among the person's frames that wait for this room. Dropping this value, once the frame is
        /// handled, frees the place.
        place: FramePlace,
    },
    /// The next turn of a frame that its earlier turns have not finished. `place` is the place of that frame.
    Continue {
        id: ConnectionId,
        place: FramePlace,
    },
    /// The turn of a frame whose large edit was checked outside the room.
    Checked {
        id: ConnectionId,
        place: FramePlace,
        /// The result of the check, or `None` if the check failed because of a fault of this program.
        checked: Option<CheckedEdit>,
        /// The processor time that the check took.
        spent: Duration,
    },
    Leave {
        id: ConnectionId,
    },
    /// The answer of the store to a query for the entry whose number a client remembers. `stored` is the hash of that
    /// entry, or `None` if there is no such entry.
    EntryHashRead {
        id: ConnectionId,
        remembered: LedgerPosition,
        stored: Option<Digest>,
    },
    /// A question whether the document can be opened. The room answers it as soon as the document is open.
    Open {
        answer: oneshot::Sender<Result<(), OpenError>>,
    },
    /// A query or a change that was requested over HTTP.
    Request(Request),
    Stop,
}

impl RoomEvent {
    /// Answers that the document can't be opened, if a caller waits for the answer to this event.
    pub(super) fn refuse(self, error: OpenError) {
        match self {
            Self::Join { answer, .. } => drop(answer.send(Err(error))),
            Self::Open { answer } => drop(answer.send(Err(error))),
            Self::Request(request) => request.refuse(error),
            Self::Frame { .. }
            | Self::Continue { .. }
            | Self::Checked { .. }
            | Self::Leave { .. }
            | Self::EntryHashRead { .. }
            | Self::Stop => {}
        }
    }

    /// Whether this event is an HTTP request whose caller no longer waits for the answer.
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
    /// Returns the number of bytes of a frame, or 0 for any other message. Only frames count towards the limits of
    /// outboxes in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Frame(bytes) => bytes.len(),
            Self::Close(_) | Self::Ping => 0,
        }
    }
}
