//! The messages of a sync connection.
//!
//! Message types 0, 1 and 3 are those of y-websocket (y-protocols 1.0): sync, awareness, query awareness. Types 100 to
//! 102 exist only on connections that have negotiated the subprotocol `accord.v1`. A *stock client* is one that speaks
//! only y-websocket, as the published library does.

use crate::ids::{Digest, Seq};
use crate::ledger::LedgerPosition;
use crate::lib0::{ReadError, Reader, Write};
use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol of Accord's own client.
pub const SUBPROTOCOL: &str = "accord.v1";

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const QUERY_AWARENESS: u64 = 3;
const NOTE: u64 = 100;
const EDIT: u64 = 101;
const CLAIMING_EDIT: u64 = 102;

/// One message, which borrows from the frame that contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Sync step 1, “this is what I have”: a state vector.
    Step1(&'a [u8]),
    /// Sync step 2, “this is what you lack”: an update.
    Step2(&'a [u8]),
    /// An update, “this has changed”.
    Update(&'a [u8]),
    /// An awareness update, “this is who is here”.
    Awareness(&'a [u8]),
    /// The query “who is here?”, which the server answers with everybody's awareness.
    QueryAwareness,
    /// A [`ClientNote`] or [`ServerNote`] as JSON (`accord.v1`).
    Note(&'a str),
    /// An update numbered by its sender, which [`ServerNote::Saved`] acknowledges (`accord.v1`).
    Edit {
        /// The number of the edit, from 1 on for each connection.
        number: u64,
        /// The claims of the edit, which [`claims_from`](crate::update::claims_from) reads. Empty if there are none.
        claims: &'a [u8],
        /// The update, in Yjs' encoding v1.
        update: &'a [u8],
    },
    /// A message of a type that this version does not know. The message is ignored, and so is the rest of its frame,
    /// since the message's length is unknown. Earlier messages of the frame are handled.
    Unknown,
}

impl Message<'_> {
    /// Returns the bytes of the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Step1(bytes) => tagged(&mut out, &[SYNC, 0], bytes),
            Self::Step2(bytes) => tagged(&mut out, &[SYNC, 1], bytes),
            Self::Update(bytes) => tagged(&mut out, &[SYNC, 2], bytes),
            Self::Awareness(bytes) => tagged(&mut out, &[AWARENESS], bytes),
            Self::QueryAwareness => out.put_var(QUERY_AWARENESS),
            Self::Note(json) => tagged(&mut out, &[NOTE], json.as_bytes()),
            Self::Edit { number, claims: [], update } => {
                tagged(&mut out, &[EDIT, *number], update);
            }
            Self::Edit { number, claims, update } => {
                tagged(&mut out, &[CLAIMING_EDIT, *number], claims);
                out.put_buf(update);
            }
            Self::Unknown => {}
        }
        out
    }
}

fn tagged(out: &mut Vec<u8>, tags: &[u64], bytes: &[u8]) {
    out.reserve(bytes.len() + 12);
    tags.iter().for_each(|&tag| out.put_var(tag));
    out.put_buf(bytes);
}

/// Maximum number of messages in one frame.
pub const MAX_MESSAGES_PER_FRAME: usize = 16;

/// Reads the messages of a frame. Stock clients usually send one message in each frame, but may send several. Reads at
/// most one message more than [`MAX_MESSAGES_PER_FRAME`], so that the caller can see that there are too many.
///
/// # Errors
/// Returns an error if a message is cut short or malformed.
pub fn read_frame(frame: &[u8]) -> Result<Vec<Message<'_>>, ReadError> {
    let mut r = Reader::new(frame);
    let mut messages = Vec::with_capacity(1);
    while !r.is_empty() && messages.len() <= MAX_MESSAGES_PER_FRAME {
        let message = match r.var_u64()? {
            SYNC => match r.var_u64()? {
                0 => Message::Step1(r.buf()?),
                1 => Message::Step2(r.buf()?),
                2 => Message::Update(r.buf()?),
                _ => Message::Unknown,
            },
            AWARENESS => Message::Awareness(r.buf()?),
            QUERY_AWARENESS => Message::QueryAwareness,
            NOTE => Message::Note(r.string()?),
            EDIT => Message::Edit { number: r.var_u64()?, claims: &[], update: r.buf()? },
            CLAIMING_EDIT => {
                Message::Edit { number: r.var_u64()?, claims: r.buf()?, update: r.buf()? }
            }
            _ => Message::Unknown,
        };
        let unknown = message == Message::Unknown;
        messages.push(message);
        if unknown {
            break;
        }
    }
    Ok(messages)
}

/// Returns whether a frame contains a sync step 1, to which the answer can be as large as the document.
#[must_use]
pub fn asks_for_document(frame: &[u8]) -> bool {
    let messages = read_frame(frame).unwrap_or_default();
    messages.iter().any(|message| matches!(message, Message::Step1(_)))
}

/// A note from Accord's client to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum ClientNote {
    /// The first message, which says what the client remembers of the document's ledger.
    Hello {
        /// The last ledger position that the client remembers, or `None` if the client remembers none.
        remembered: Option<LedgerPosition>,
    },
}

/// A note from the server to Accord's client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum ServerNote {
    /// The first message, which identifies the ledger and says whether the client may write.
    Hello {
        /// The position at the end of the ledger.
        position: LedgerPosition,
        /// Whether the server accepts edits.
        may_write: bool,
    },
    /// The right of the client to write has changed.
    Access {
        /// Whether the server accepts edits from now on.
        may_write: bool,
    },
    /// A passage was taken out of the document's history. The client must replace what the device stores of the
    /// document.
    Redacted,
    /// A step was taken on the path to a release, or the text is no longer what was proposed. A page that shows the
    /// path must ask for it again.
    Release,
    /// All edits of this connection up to a number are on disk.
    Saved {
        /// The number of the last edit that is on disk.
        number: u64,
        /// The number of the last entry in the ledger when the last of these edits was integrated.
        seq: Seq,
        /// The hash of that entry.
        head: Digest,
    },
    /// An edit of this connection was refused. The connection closes next.
    Refused {
        /// The number of the refused edit.
        number: u64,
        /// The stable name of the refusal ([`Refusal::reason`](crate::update::Refusal::reason)).
        reason: String,
        /// A sentence for people.
        message: String,
    },
    /// The server can't save at the moment. The connection closes next, and the client can connect again.
    Trouble {
        /// A sentence for people.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_trip_alone_and_together() {
        let messages = [
            Message::Step1(&[0]),
            Message::Step2(&[0, 0]),
            Message::Update(&[1, 2, 3]),
            Message::Awareness(&[]),
            Message::QueryAwareness,
            Message::Note("{}"),
            Message::Edit { number: 300, claims: &[], update: &[0, 0] },
            Message::Edit { number: 301, claims: &[0], update: &[0, 0] },
        ];
        let mut frame = Vec::new();
        for message in &messages {
            assert_eq!(read_frame(&message.encode()).unwrap(), std::slice::from_ref(message));
            frame.extend(message.encode());
        }
        assert_eq!(read_frame(&frame).unwrap(), messages);
        assert!(asks_for_document(&frame));
        assert!(!messages[1..].iter().any(|message| asks_for_document(&message.encode())));
        assert!(read_frame(&frame[..frame.len() - 1]).is_err());
    }
}
