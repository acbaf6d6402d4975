//! The messages of a sync connection.
//!
//! Types 0, 1 and 3 are those of y-websocket (y-protocols 1.0): sync, awareness, query awareness.
//! Types 100 to 102 exist only on connections that negotiated the subprotocol `accord.v1`.

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

/// One message, borrowing from the frame it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// "This is what I have": a state vector.
    Step1(&'a [u8]),
    /// "This is what you lack": an update.
    Step2(&'a [u8]),
    /// "This has changed": an update.
    Update(&'a [u8]),
    /// "This is who is here": an awareness update.
    Awareness(&'a [u8]),
    /// "Who is here?"
    QueryAwareness,
    /// `accord.v1`: a JSON [`ClientNote`] or [`ServerNote`].
    Note(&'a str),
    /// `accord.v1`: an update numbered by its sender, to be answered by [`ServerNote::Saved`].
    Edit {
        /// The number of the edit, from 1 on for each connection.
        number: u64,
        /// What it repeats: [`claims_from`](crate::update::claims_from) reads them. Empty for nothing.
        claims: &'a [u8],
        /// The update v1.
        update: &'a [u8],
    },
    /// A message of a type that this version does not know. It is ignored, and so is what follows it in its frame, since
    /// its length is unknown. Messages before it count.
    Unknown,
}

impl Message<'_> {
    /// The bytes of the message.
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

/// The most messages of one frame.
pub const MAX_MESSAGES_PER_FRAME: usize = 16;

/// Reads the messages of a frame: stock clients send one, but may send more. Of a frame that holds more than
/// [`MAX_MESSAGES_PER_FRAME`], one more than that is read.
///
/// # Errors
/// When any of it is cut short.
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

/// What Accord's client tells the server beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum ClientNote {
    /// The first message: what the client remembers of this document's ledger, if anything.
    Hello {
        /// The last position that the client has seen.
        remembered: Option<LedgerPosition>,
    },
}

/// What the server tells Accord's client beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum ServerNote {
    /// The first message: which ledger this is, where it stands, and whether one may write.
    Hello {
        /// The end of the ledger.
        position: LedgerPosition,
        /// Whether edits are taken.
        may_write: bool,
    },
    /// What one may do has changed.
    Access {
        /// Whether edits are taken from now on.
        may_write: bool,
    },
    /// A passage was taken out of the document's history: what is kept of it here must go, too.
    Redacted,
    /// A step was taken on the path to a release: a page that shows the path asks for it again.
    Release,
    /// The edit with this number, and all before it, are on disk.
    Saved {
        /// The number of the edit.
        number: u64,
        /// The last entry.
        seq: Seq,
        /// Its hash.
        head: Digest,
    },
    /// The edit with this number was refused: the connection closes next.
    Refused {
        /// The number of the edit.
        number: u64,
        /// The stable name of the refusal.
        reason: String,
        /// A sentence for people.
        message: String,
    },
    /// The server can't save at the moment: the connection closes next, and may be tried again.
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
        assert!(read_frame(&frame[..frame.len() - 1]).is_err());
    }
}
