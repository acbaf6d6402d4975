//! A client of the y-websocket protocol that keeps no document: it carries out the handshake, and then only receives.

use super::socket::{Received, Sender, Socket, connect};
use accord_document::lib0::Write;
use accord_document::sync::wire::{Message, read_frame};
use accord_tests::SOON;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use tokio::time::timeout;

/// The way in which a server wants the messages of y-websocket.
#[derive(Debug, Clone)]
pub(crate) enum Framing {
    /// One message in each frame.
    Plain,
    /// The given name of the document before each message, and a message of authentication first: the protocol of
    /// Hocuspocus.
    Named(String),
    /// One message in each frame. Nobody answers the handshake, because the server has no document.
    Unanswered,
}

/// The place at which one client connects.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The path and query of the WebSocket's address.
    pub(crate) path: String,
    pub(crate) framing: Framing,
}

/// Hocuspocus' type of the message with which a client authenticates.
const AUTHENTICATION: u64 = 2;
/// Hocuspocus' type of a sync message that must not be answered with a step 1.
const SYNC_REPLY: u8 = 4;

const NOTHING: &[u8] = &[0];
const NO_CHANGE: &[u8] = &[0, 0];

pub(super) struct Client {
    pub(super) socket: Socket,
    pub(super) sender: Sender,
    /// The bytes before each message.
    pub(super) prefix: Vec<u8>,
    /// Size of the document that the server sent, in bytes.
    pub(super) received: usize,
}

impl Client {
    /// Connects under a client id, announces the client by its awareness, and syncs in both directions. The client has
    /// no content of its own.
    pub(super) async fn join(address: SocketAddr, place: &Place, id: u64) -> Result<Self> {
        let (socket, sender) = timeout(SOON, connect(address, &place.path)).await??;
        let mut prefix = Vec::new();
        if let Framing::Named(name) = &place.framing {
            prefix.put_buf(name.as_bytes());
        }
        let mut client = Self { socket, sender, prefix, received: 0 };
        if matches!(place.framing, Framing::Named(_)) {
            client.send(&authentication())?;
        }
        if matches!(place.framing, Framing::Unanswered) {
            client.send(&awareness(id, 1))?;
            return Ok(client);
        }
        client.send(&Message::Step1(NOTHING).encode())?;
        client.send(&awareness(id, 1))?;
        timeout(SOON, client.sync()).await.context("the handshake was not completed in time")??;
        Ok(client)
    }

    /// Waits for the server's step 2, and answers its step 1.
    async fn sync(&mut self) -> Result<()> {
        let (mut is_answered, mut is_asked) = (false, false);
        while !(is_answered && is_asked) {
            self.socket.read().await?;
            while let Some(received) = self.socket.next()? {
                let bytes = match received {
                    Received::Message(bytes) => &bytes[self.prefix.len()..],
                    Received::Ping(payload) => {
                        self.sender.pong(payload)?;
                        continue;
                    }
                    Received::Closed(reason) => bail!("{}", describe_close(reason)),
                };
                let reply = [&[0], bytes.get(1..).unwrap_or_default()].concat();
                let is_reply = bytes.first() == Some(&SYNC_REPLY);
                for message in read_frame(if is_reply { &reply } else { bytes })? {
                    match message {
                        Message::Step2(update) => {
                            is_answered = true;
                            self.received = update.len();
                        }
                        Message::Step1(_) => {
                            is_asked = true;
                            let answer = Message::Step2(NO_CHANGE).encode();
                            self.sender.send(&[&self.prefix, &answer[..]].concat())?;
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn send(&self, message: &[u8]) -> Result<()> {
        self.sender.send(&[&self.prefix, message].concat())
    }
}

/// Returns a sentence with the code and the reason of a close.
pub(super) fn describe_close(payload: &[u8]) -> String {
    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
    format!("the server closed the connection: {code} {reason}")
}

fn authentication() -> Vec<u8> {
    let mut message = Vec::new();
    message.put_var(AUTHENTICATION);
    message.put_var(0);
    message.put_buf(b"token");
    message
}

/// Returns a message with the awareness state of an editor. The clock is 1 in an editor that has just been opened.
pub(super) fn awareness(id: u64, clock: u64) -> Vec<u8> {
    let mut states = Vec::new();
    states.put_var(1);
    states.put_var(id);
    states.put_var(clock);
    states.put_buf(br##"{"user":{"name":"Ana","color":"#30bced"}}"##);
    Message::Awareness(&states).encode()
}
