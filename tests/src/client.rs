//! A sync client in Rust that speaks y-websocket or `accord.v1`, or sends any bytes that a test chooses.

use crate::{Listens, SOON, Visitor};
use accord_document::sync::Dialect;
use accord_document::sync::wire::{self, Message, ServerNote, read_frame};
use accord_document::ydoc;
use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Text, Transact, Update};

/// The close code and reason with which the server ended a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

/// A sync connection with its own replica of the document.
#[derive(Debug)]
pub struct SyncClient {
    socket: Socket,
    dialect: Dialect,
    pub doc: Doc,
    /// Updates that were received and are not applied to the replica yet.
    pub inbox: VecDeque<Vec<u8>>,
    /// Number of the last edit that was sent, in `accord.v1`.
    pub sent: u64,
    /// Number of the last edit that the server has reported to be on disk, in `accord.v1`.
    pub saved: u64,
    /// The server's message that it can't save, in `accord.v1`; `None` until one arrives.
    pub trouble: Option<String>,
    /// The server's first note, `hello`, in `accord.v1`; `None` in the stock dialect.
    pub hello: Option<ServerNote>,
}

/// The WebSocket of a client.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket to a document for a visitor, with a fresh ticket.
pub async fn dial(
    server: &impl Listens,
    visitor: &Visitor,
    document: &str,
    dialect: Dialect,
) -> Result<Socket> {
    let ticket = visitor.ticket(document)?;
    let url = format!("ws://{}/sync/{document}?ticket={ticket}", server.address());
    let mut request = url.into_client_request()?;
    if dialect == Dialect::Accord {
        let protocol = wire::SUBPROTOCOL.parse()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
    }
    let (socket, _) = timeout(SOON, connect_async(request)).await??;
    Ok(socket)
}

impl SyncClient {
    /// Connects over plain y-websocket under the given client id, and syncs in both directions.
    pub async fn connect(
        server: &impl Listens,
        visitor: &Visitor,
        document: &str,
        client: u64,
    ) -> Result<Self> {
        Self::resume(server, visitor, document, Dialect::Stock, ydoc::new(client)).await
    }

    /// Connects over `accord.v1` under the given client id, and syncs in both directions.
    pub async fn connect_accord(
        server: &impl Listens,
        visitor: &Visitor,
        document: &str,
        client: u64,
    ) -> Result<Self> {
        Self::resume(server, visitor, document, Dialect::Accord, ydoc::new(client)).await
    }

    /// Opens a connection without the handshake of the sync protocol, which the test carries out itself.
    pub async fn open(
        server: &impl Listens,
        visitor: &Visitor,
        document: &str,
        dialect: Dialect,
        doc: Doc,
    ) -> Result<Self> {
        let socket = dial(server, visitor, document, dialect).await?;
        Ok(Self::over(socket, dialect, doc))
    }

    fn over(socket: Socket, dialect: Dialect, doc: Doc) -> Self {
        let inbox = VecDeque::new();
        Self { socket, dialect, doc, inbox, sent: 0, saved: 0, trouble: None, hello: None }
    }

    /// Connects with a replica that has content already, and syncs in both directions.
    pub async fn resume(
        server: &impl Listens,
        visitor: &Visitor,
        document: &str,
        dialect: Dialect,
        doc: Doc,
    ) -> Result<Self> {
        let socket = dial(server, visitor, document, dialect).await?;
        let mut client = Self::over(socket, dialect, doc);
        let vector = client.doc.transact().state_vector().encode_v1();
        client.send(Message::Step1(&vector)).await?;
        loop {
            let frame = client.receive().await?;
            for message in read_frame(&frame)? {
                match message {
                    Message::Step2(update) => client.apply(update)?,
                    Message::Update(update) => client.inbox.push_back(update.to_vec()),
                    Message::Note(json) => client.hello = serde_json::from_str(json).ok(),
                    Message::Step1(vector) => {
                        let vector = StateVector::decode_v1(vector)?;
                        let lacking = client.doc.transact().encode_diff_v1(&vector);
                        match dialect {
                            Dialect::Stock => client.send(Message::Step2(&lacking)).await?,
                            Dialect::Accord => client.feed_update(&lacking).await?,
                        }
                        client.flush().await?;
                        return Ok(client);
                    }
                    _ => {}
                }
            }
        }
    }

    pub async fn send(&mut self, message: Message<'_>) -> Result<()> {
        self.send_raw(message.encode()).await
    }

    pub async fn send_raw(&mut self, frame: Vec<u8>) -> Result<()> {
        Ok(self.socket.send(WsMessage::Binary(frame.into())).await?)
    }

    /// Queues an update as a frame, without flushing the socket.
    pub async fn feed_update(&mut self, update: &[u8]) -> Result<()> {
        let frame = match self.dialect {
            Dialect::Stock => Message::Update(update).encode(),
            Dialect::Accord => {
                self.sent += 1;
                Message::Edit { number: self.sent, claims: &[], update }.encode()
            }
        };
        Ok(self.socket.feed(WsMessage::Binary(frame.into())).await?)
    }

    pub async fn flush(&mut self) -> Result<()> {
        Ok(self.socket.flush().await?)
    }

    /// Returns the next binary frame, or an error if none comes within [`SOON`] or the connection ends.
    pub async fn receive(&mut self) -> Result<Vec<u8>> {
        loop {
            match timeout(SOON, self.socket.next()).await.context("no frame came in time")? {
                Some(Ok(WsMessage::Binary(bytes))) => return Ok(bytes.to_vec()),
                Some(Ok(WsMessage::Close(frame))) => bail!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!("broken: {error}"),
                None => bail!("ended"),
            }
        }
    }

    /// Waits until the server closes the connection, and returns the code and the reason.
    pub async fn closed(mut self) -> Result<Closed> {
        // The limit covers the whole wait, so that frames such as awareness do not extend it.
        timeout(SOON, self.until_closed()).await.context("the server does not close")?
    }

    async fn until_closed(&mut self) -> Result<Closed> {
        loop {
            match self.socket.next().await {
                Some(Ok(WsMessage::Close(frame))) => {
                    let frame = frame.context("a close frame says why")?;
                    return Ok(Closed {
                        code: frame.code.into(),
                        reason: frame.reason.to_string(),
                    });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!("broken: {error}"),
                None => bail!("ended without a close frame"),
            }
        }
    }

    pub fn apply(&mut self, update: &[u8]) -> Result<()> {
        self.doc.transact_mut().apply_update(Update::decode_v1(update)?)?;
        Ok(())
    }

    /// Receives the next frame. Updates go to `inbox`, acknowledgements to `saved`, and a report that the server
    /// can't save to `trouble`.
    pub async fn fetch(&mut self) -> Result<()> {
        let frame = self.receive().await?;
        for message in read_frame(&frame)? {
            match message {
                Message::Update(update) => self.inbox.push_back(update.to_vec()),
                Message::Note(json) => match serde_json::from_str(json) {
                    Ok(ServerNote::Saved { number, .. }) => self.saved = self.saved.max(number),
                    Ok(ServerNote::Trouble { message }) => self.trouble = Some(message),
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until everything sent so far is on disk. The server answers a step 1 in order, after all edits before it
    /// are on disk.
    pub async fn settled(&mut self) -> Result<()> {
        let vector = self.doc.transact().state_vector().encode_v1();
        self.send(Message::Step1(&vector)).await?;
        loop {
            let frame = self.receive().await?;
            for message in read_frame(&frame)? {
                match message {
                    Message::Update(update) => self.inbox.push_back(update.to_vec()),
                    Message::Step2(_) => return Ok(()),
                    _ => {}
                }
            }
        }
    }

    /// Changes a text of the replica and sends the update. Returns the update.
    pub async fn edit(
        &mut self,
        field: &str,
        at: u32,
        delete: u32,
        insert: &str,
    ) -> Result<Vec<u8>> {
        let update = self.change(field, at, delete, insert);
        self.feed_update(&update).await?;
        self.flush().await?;
        Ok(update)
    }

    /// Changes a text of the replica without sending anything. Returns the update.
    pub fn change(&self, field: &str, at: u32, delete: u32, insert: &str) -> Vec<u8> {
        let text = self.doc.get_or_insert_text(field);
        let mut txn = self.doc.transact_mut();
        text.remove_range(&mut txn, at, delete);
        text.insert(&mut txn, at, insert);
        txn.encode_update_v1()
    }

    #[must_use]
    pub fn text(&self, field: &str) -> String {
        let text = self.doc.get_or_insert_text(field);
        text.get_string(&self.doc.transact())
    }

    /// Returns the length of a text in UTF-16 code units.
    #[must_use]
    pub fn len(&self, field: &str) -> u32 {
        let text = self.doc.get_or_insert_text(field);
        text.len(&self.doc.transact())
    }

    /// Applies the received updates to the replica.
    pub fn integrate(&mut self) -> Result<()> {
        while let Some(update) = self.inbox.pop_front() {
            self.apply(&update)?;
        }
        Ok(())
    }

    /// Receives and applies updates until `wanted` accepts the text of the field.
    pub async fn until(&mut self, field: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let end = Instant::now() + SOON;
        loop {
            self.integrate()?;
            let text = self.text(field);
            if wanted(&text) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "the text is still {text:?}");
            self.fetch().await.with_context(|| format!("the text is {text:?}"))?;
        }
    }
}
