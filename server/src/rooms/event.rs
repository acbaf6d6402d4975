//! All that can happen to a room, and what it answers.

use super::outbox::Outbox;
use super::pace::{InFlight, Place};
use super::{OpenError, Passage, RedactError};
use accord_document::ids::{Digest, PersonId, Seq};
use accord_document::ledger::{
    Position, Redacted, Redaction, Releases, Step, StepError, Version, VersionError,
};
use accord_document::model::completeness::Check;
use accord_document::model::content::Content;
use accord_document::model::release::Released;
use accord_document::model::strange::Strange;
use accord_document::people::Actor;
use accord_document::sync::wire::Remembered;
use accord_document::sync::{Admission, Close, ConnectionId, ProposeError, Wanted};
use accord_document::update::{Claim, Range, Refusal};
use axum::body::Bytes;
use tokio::sync::oneshot;

/// All that can happen to a room.
#[derive(Debug)]
pub enum RoomEvent {
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
    Leave {
        id: ConnectionId,
    },
    /// The hash of the entry that a client remembers was read.
    Compared {
        id: ConnectionId,
        remembered: Remembered,
        stored: Option<Digest>,
    },
    /// Answers as soon as the document is open.
    Open {
        answer: oneshot::Sender<Result<(), OpenError>>,
    },
    Content {
        answer: oneshot::Sender<Result<Content, OpenError>>,
    },
    Summary {
        answer: oneshot::Sender<Result<Summary, OpenError>>,
    },
    Redactions {
        answer: oneshot::Sender<Result<Vec<Redacted>, OpenError>>,
    },
    /// Which elements a passage is made of, once they are on disk.
    Locate {
        passage: Passage,
        answer: oneshot::Sender<Result<Option<Vec<Range>>, OpenError>>,
    },
    /// Takes a passage out, and answers with the number of the entry that says so, once it is on disk.
    Redact {
        actor: Actor,
        redaction: Box<Redaction>,
        answer: oneshot::Sender<Result<Result<Seq, RedactError>, OpenError>>,
    },
    /// Names a moment, and answers with the number of the entry that says so, once it is on disk.
    NameVersion {
        actor: Actor,
        version: Version,
        answer: oneshot::Sender<Result<Result<Seq, VersionError>, OpenError>>,
    },
    /// Goes back, and answers with where the ledger stands then, once that is on disk.
    Restore {
        actor: Actor,
        restore: Box<Restore>,
        answer: oneshot::Sender<Result<Result<Seq, Refusal>, OpenError>>,
    },
    /// Takes out what nobody sees by an edit, and answers likewise.
    Clean {
        actor: Actor,
        update: Bytes,
        answer: oneshot::Sender<Result<Result<Seq, Refusal>, OpenError>>,
    },
    /// The path to a release, and the text as it would become one.
    Path {
        answer: oneshot::Sender<Result<Path, OpenError>>,
    },
    /// Proposes the text, and answers with the number of the entry that says so, once it is on disk.
    Propose {
        actor: Actor,
        wanted: Wanted,
        answer: oneshot::Sender<Result<Result<Seq, ProposeError>, OpenError>>,
    },
    /// Takes a step on the path to a release, and answers likewise.
    Step {
        actor: Actor,
        step: Step,
        answer: oneshot::Sender<Result<Result<Seq, StepError>, OpenError>>,
    },
    Stop,
}

/// An edit that goes back to a moment.
#[derive(Debug, Clone)]
pub struct Restore {
    pub update: Vec<u8>,
    pub claims: Vec<Claim>,
    pub moment: Seq,
}

impl RoomEvent {
    /// Answers that the document can't be opened. Whoever asked may be gone.
    pub(super) fn refuse(self, error: OpenError) {
        match self {
            Self::Join { answer, .. } => drop(answer.send(Err(error))),
            Self::Open { answer } => drop(answer.send(Err(error))),
            Self::Content { answer } => drop(answer.send(Err(error))),
            Self::Redactions { answer } => drop(answer.send(Err(error))),
            Self::Locate { answer, .. } => drop(answer.send(Err(error))),
            Self::Redact { answer, .. } => drop(answer.send(Err(error))),
            Self::Summary { answer } => drop(answer.send(Err(error))),
            Self::NameVersion { answer, .. } => drop(answer.send(Err(error))),
            Self::Restore { answer, .. } | Self::Clean { answer, .. } => {
                drop(answer.send(Err(error)))
            }
            Self::Path { answer } => drop(answer.send(Err(error))),
            Self::Propose { answer, .. } => drop(answer.send(Err(error))),
            Self::Step { answer, .. } => drop(answer.send(Err(error))),
            Self::Frame { .. } | Self::Leave { .. } | Self::Compared { .. } | Self::Stop => {}
        }
    }
}

/// The path that a document has gone to its releases, and where it stands.
#[derive(Debug, Clone)]
pub struct Path {
    pub releases: Releases,
    /// The release that the text as it is would become.
    pub draft: Released,
    /// What in it nobody would see.
    pub strange: Vec<Strange>,
    pub position: Position,
}

/// What goes out on a connection.
#[derive(Debug)]
pub enum Outgoing {
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

/// What a list shows of a document.
#[derive(Debug, Clone)]
pub struct Summary {
    pub title: String,
    pub checklist: Vec<Check>,
    pub releases: Releases,
    pub here: Vec<PersonId>,
    pub position: Position,
    pub last_editor: Option<PersonId>,
}
