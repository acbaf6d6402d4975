//! The browser's side of one document: the replica, the link to the server, and the other people in the document.
//!
//! The driver owns the socket and the timers. It calls [`Client::opened`], [`Client::frame`] and [`Client::closed`]
//! when these events happen, and after every call it sends the frames that [`Client::take_frames`] returns. An edit
//! counts as saved only when the server has said that the edit is on disk.

mod peer;
mod peers;

pub use peer::Peer;

use super::close::Close;
use super::wire::{ClientNote, Message, ServerNote, read_frame};
use crate::ids::LineageId;
use crate::ledger::LedgerPosition;
use crate::lib0::ReadError;
use crate::model::{ApplyError, Replica};
use crate::update::{Claim, MAX_CLAIMS, ScanError, claims_from, write_claims};
use peer::AwarenessEntry;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;
use yrs::StateVector;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

/// The state of the connection to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "link", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Link {
    /// There is no connection. Edits are kept on this device.
    Offline {
        /// The reason as a sentence, or `None` if there was no connection or it ended without a sentence.
        reason: Option<String>,
    },
    /// The connection is open, and client and server compare their content.
    Syncing,
    /// The connection is open, and the content was compared. Edits are sent immediately.
    Live,
    /// The connection was closed with a final code. Unless only the session has ended, the unsaved content of this
    /// device must be set aside.
    Denied {
        /// The close code, from 4400 to 4499.
        code: u16,
        /// The reason, as the sentence that the server sent.
        reason: String,
    },
}

/// A bit of [`Client::take_news`]: a passage was redacted, so this device must replace what it stores of the document.
pub const REDACTED: u8 = 1;
/// A bit of [`Client::take_news`]: the path to a release has changed, so a page that shows this path must ask for it
/// again.
pub const RELEASE: u8 = 2;

/// The reason why a frame of the server can't be handled.
#[derive(Debug, Error)]
pub enum FrameError {
    /// A message is cut short or malformed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An update can't be applied.
    #[error(transparent)]
    Update(#[from] ApplyError),
    /// The server's state vector is malformed.
    #[error("a state vector is malformed")]
    StateVector,
}

/// The status of a client, which a page shows beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClientStatus {
    /// The state of the connection to the server.
    pub link: Link,
    /// Whether there are edits that the server has not acknowledged as saved on disk.
    pub unsaved: bool,
    /// Whether this page may write.
    pub may_write: bool,
    /// Whether there is an edit to undo.
    pub can_undo: bool,
    /// Whether there is an undone edit to redo.
    pub can_redo: bool,
}

/// One document in one browser tab.
#[allow(missing_debug_implementations)]
pub struct Client {
    replica: Replica,
    link: Link,
    may_write: bool,
    /// The ledger position that this client will name at its next connection, so that the server can check that its
    /// ledger still contains this entry. `None` if the server has not named a position yet. All entries up to this
    /// position are on the server's disk.
    remembered: Option<LedgerPosition>,
    /// The number of the last edit sent on this connection.
    sent: u64,
    /// The number of the last edit on this connection that the server has acknowledged as saved on disk.
    saved: u64,
    /// Whether the replica has edits that this client has not sent on the present connection.
    unsent: bool,
    /// The claims of edits that are not known to be saved. The number before each claim is that of the edit with which
    /// the claim was sent, or 0 if the claim was not sent yet on the present connection.
    claims: Vec<(u64, Claim)>,
    frames: Vec<Vec<u8>>,
    presence: Option<Value>,
    presence_clock: u64,
    heard: BTreeMap<u64, AwarenessEntry>,
    peers_changed: bool,
    /// Whether somebody's caret is in text that has not arrived yet.
    unplaced: bool,
    refused: Option<String>,
    /// The bits of [`Client::take_news`] that the driver has not taken yet.
    news: u8,
}

impl Client {
    /// Returns a client for a stored replica. `remembered` is the ledger position that was stored with the replica, or
    /// `None` if none was stored.
    #[must_use]
    pub fn new(replica: Replica, remembered: Option<LedgerPosition>) -> Self {
        Self {
            replica,
            link: Link::Offline { reason: None },
            may_write: true,
            remembered,
            sent: 0,
            saved: 0,
            unsent: false,
            claims: Vec::new(),
            frames: Vec::new(),
            presence: None,
            presence_clock: 0,
            heard: BTreeMap::new(),
            peers_changed: false,
            unplaced: false,
            refused: None,
            news: 0,
        }
    }

    /// Returns the editor's copy of the document.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Returns whether the server accepts edits now.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.may_write
    }

    /// Returns the ledger position that the client remembers, or `None` if the server has not named one yet.
    #[must_use]
    pub fn remembered(&self) -> Option<&LedgerPosition> {
        self.remembered.as_ref()
    }

    /// Returns the lineage of the ledger, or `None` if it is not known yet.
    #[must_use]
    pub fn lineage(&self) -> Option<&LineageId> {
        self.remembered.as_ref().map(|remembered| &remembered.lineage)
    }

    /// Returns whether there are edits that the server has not acknowledged as saved on disk.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.unsent || self.saved < self.sent
    }

    /// Records that the device stores edits that the server perhaps does not have, because they were perhaps never
    /// sent.
    pub fn assume_unsaved(&mut self) {
        self.unsent = true;
    }

    /// Returns the claims of edits that are not known to be saved, encoded for [`Client::load_claims`], so that the
    /// device can store them beside the updates. Returns no bytes if there are none.
    #[must_use]
    pub fn claims(&self) -> Vec<u8> {
        let claims: Vec<Claim> = self.claims.iter().map(|(_, claim)| *claim).collect();
        encoded(&claims)
    }

    /// Loads the claims that the device has stored for its edits.
    ///
    /// # Errors
    /// Returns an error if the bytes are not in the form that [`Client::claims`] returns.
    pub fn load_claims(&mut self, bytes: &[u8]) -> Result<(), ScanError> {
        for claim in claims_from(bytes)? {
            if self.claims.iter().all(|(_, known)| *known != claim) {
                self.claims.push((0, claim));
            }
        }
        Ok(())
    }

    /// Makes local changes and queues them for the server.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Replica) -> R) -> R {
        let result = change(&mut self.replica);
        let claims = self.replica.take_claims();
        self.claims.extend(claims.into_iter().map(|claim| (0, claim)));
        for update in self.replica.take_made() {
            // The edit is sent even without the right to write. The server then refuses the edit, and the device sets
            // it aside, where the author can read it.
            if self.link == Link::Live {
                self.send_edit(&update);
            } else {
                self.unsent = true;
            }
        }
        result
    }

    /// Returns the [`Replica`], for loading updates and for taking the changes of the replica. To make edits, use
    /// [`Client::change`] instead.
    pub fn replica_mut(&mut self) -> &mut Replica {
        &mut self.replica
    }

    /// Starts to sync. Call this when the socket is open.
    pub fn opened(&mut self) {
        self.link = Link::Syncing;
        self.sent = 0;
        self.saved = 0;
        self.frames.clear();
        let hello = ClientNote::Hello { remembered: self.remembered.clone() };
        let json = serde_json::to_string(&hello).expect("a note is plain strings and numbers");
        self.frames.push(Message::Note(&json).encode());
        self.frames.push(Message::Step1(&self.replica.state_vector().encode_v1()).encode());
        self.announce();
    }

    /// Handles a binary frame of the server.
    ///
    /// # Errors
    /// Returns an error if the server's bytes are malformed. The driver must then close the socket and connect again.
    pub fn frame(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        for message in read_frame(frame)? {
            match message {
                Message::Step2(update) | Message::Update(update) => {
                    self.replica.apply(update)?;
                    self.peers_changed |= self.unplaced;
                }
                Message::Step1(vector) => {
                    let vector =
                        StateVector::decode_v1(vector).map_err(|_| FrameError::StateVector)?;
                    self.link = Link::Live;
                    // The update is sent even without the right to write. The server accepts it if it adds nothing. If
                    // it contains text that was written before the right ended, the server refuses it, and the device
                    // sets the text aside.
                    let lacking = self.replica.encode_since(&vector);
                    self.unsent = false;
                    self.send_edit(&lacking);
                }
                Message::Awareness(update) => self.receive_awareness(update)?,
                Message::Note(json) => {
                    if let Ok(note) = serde_json::from_str(json) {
                        self.note(note);
                    }
                }
                Message::QueryAwareness => self.announce(),
                Message::Edit { .. } | Message::Unknown => {}
            }
        }
        Ok(())
    }

    /// Records that the socket is closed, or could not be opened.
    pub fn closed(&mut self, code: u16, reason: &str) {
        if matches!(self.link, Link::Denied { .. }) {
            return;
        }
        self.unsent = self.is_unsaved();
        (self.sent, self.saved) = (0, 0);
        self.claims.iter_mut().for_each(|(number, _)| *number = 0);
        self.frames.clear();
        self.peers_changed |= !self.heard.is_empty();
        self.heard.clear();
        let reason = self.refused.take().unwrap_or_else(|| reason.to_owned());
        self.link = if Close::is_final(code) {
            Link::Denied { code, reason }
        } else {
            Link::Offline { reason: Some(reason).filter(|reason| !reason.is_empty()) }
        };
    }

    /// Takes the queued frames, which the driver must send to the server now, in this order.
    pub fn take_frames(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.frames)
    }

    /// Takes the news since the last call: the bits [`REDACTED`] and [`RELEASE`], or 0.
    pub fn take_news(&mut self) -> u8 {
        std::mem::take(&mut self.news)
    }

    fn send_edit(&mut self, update: &[u8]) {
        self.sent += 1;
        let mut new_claims = Vec::new();
        for (number, claim) in self.claims.iter_mut().filter(|(number, _)| *number == 0) {
            *number = self.sent;
            new_claims.push(*claim);
        }
        // The server ignores claims about text that this edit does not contain.
        let claims = encoded(&new_claims);
        let edit = Message::Edit { number: self.sent, claims: &claims, update };
        self.frames.push(edit.encode());
    }

    fn note(&mut self, note: ServerNote) {
        match note {
            ServerNote::Hello { position, may_write } => {
                self.may_write = may_write;
                // Unsent edits were written on top of the remembered position. The client therefore remembers this
                // position until the edits are saved.
                let is_news = self.remembered.is_none() || !self.unsent;
                if is_news && self.lineage().is_none_or(|lineage| *lineage == position.lineage) {
                    self.remembered = Some(position);
                }
            }
            ServerNote::Access { may_write } => self.may_write = may_write,
            ServerNote::Redacted => self.news |= REDACTED,
            ServerNote::Release => self.news |= RELEASE,
            ServerNote::Saved { number, seq, head } => {
                self.saved = self.saved.max(number);
                self.claims.retain(|(said_in, _)| *said_in == 0 || *said_in > number);
                if let Some(remembered) = &mut self.remembered {
                    (remembered.seq, remembered.head) = (seq, head);
                }
            }
            ServerNote::Refused { message, .. } | ServerNote::Trouble { message } => {
                self.refused = Some(message);
            }
        }
    }
}

/// Encodes the first [`MAX_CLAIMS`] of some claims for a message. Returns no bytes if there are no claims.
fn encoded(claims: &[Claim]) -> Vec<u8> {
    let mut out = Vec::new();
    if !claims.is_empty() {
        write_claims(&mut out, &claims[..claims.len().min(MAX_CLAIMS)]);
    }
    out
}
