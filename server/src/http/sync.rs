//! `/sync/{document}`: live editing over WebSocket. Whoever may not come in learns it from an
//! HTTP status, before the upgrade.

use super::App;
use super::identity::{by_cookie, foreign, is_same_origin, readable};
use super::problem::{Problem, blocking};
use crate::people::{SignedIn, actor};
use crate::rooms::{Joined, OpenError, Outgoing, RoomEvent};
use accord_document::ids::DocumentId;
use accord_document::limits;
use accord_document::sync::{Admission, Close, Dialect, wire};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Frames that may wait for a receiver before it counts as too slow.
const QUEUE: usize = 1024;
/// How long a receiver may take for one flush.
const STALLED: Duration = Duration::from_secs(30);
/// A message: a whole offline spell, and the tags around it.
const MESSAGE: usize = limits::STATE_BYTES + 1024;
/// Zeroed before every read, and most frames are a keystroke.
const READ_BUFFER: usize = 4 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    ticket: Option<String>,
}

pub(super) async fn upgrade(
    State(app): State<App>,
    Path(document): Path<String>,
    Query(credentials): Query<Credentials>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let document = DocumentId::new(document);
    let by = identify(&app, &document, credentials.ticket, &headers).await?;
    let (record, seat) = readable(&app, &by, &document).await?;
    app.rooms.probe(&record.id).await?;
    let upgrade = upgrade
        .protocols([wire::SUBPROTOCOL])
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(READ_BUFFER);
    let dialect =
        if upgrade.selected_protocol().is_some() { Dialect::Accord } else { Dialect::Stock };
    let admission = Admission { actor: actor(&by, seat), face: by.person.face(), dialect };
    Ok(upgrade.on_upgrade(move |socket| serve(app, document, admission, socket)))
}

async fn identify(
    app: &App,
    document: &DocumentId,
    ticket: Option<String>,
    headers: &HeaderMap,
) -> Result<SignedIn, Problem> {
    if let Some(ticket) = ticket {
        let (people, document) = (app.people.clone(), document.clone());
        let admitted = blocking(move || people.admit(&ticket, &document)).await?;
        return admitted.ok_or_else(Problem::bad_ticket);
    }
    let by = by_cookie(headers, app).await?.ok_or_else(Problem::signed_out)?;
    // A browser sends the cookie along for any page: only our own may use it.
    if is_same_origin(headers, false) { Ok(by) } else { Err(foreign()) }
}

async fn serve(app: App, document: DocumentId, admission: Admission, socket: WebSocket) {
    let (outgoing, queue) = mpsc::channel(QUEUE);
    let (sink, stream) = socket.split();
    match app.rooms.join(&document, admission, outgoing.clone()).await {
        Ok(joined) => {
            let writing = tokio::spawn(write(sink, queue));
            if let Some(close) = read(stream, &joined).await {
                // The writer may be gone already.
                let _ = outgoing.send(Outgoing::Close(close)).await;
            }
            drop(outgoing);
            // Without its room an event has nowhere to go.
            let _ = joined.room.send(RoomEvent::Leave { id: joined.id }).await;
            let _ = writing.await;
        }
        Err(error) => refuse(sink, &error).await,
    }
}

/// Hands frames to the room until the socket or the room closes. Gives what to tell a client that
/// broke the WebSocket protocol or its limits.
async fn read(mut stream: SplitStream<WebSocket>, joined: &Joined) -> Option<Close> {
    loop {
        let message = tokio::select! {
            message = stream.next() => message?,
            () = joined.room.closed() => return None,
        };
        let message = match message {
            Ok(message) => message,
            Err(error) => return too_large(&error),
        };
        match message {
            Message::Binary(bytes) => {
                let frame = RoomEvent::Frame { id: joined.id, bytes };
                joined.room.send(frame).await.ok()?;
            }
            Message::Close(_) => return None,
            // Text is no part of the protocol; pings are answered below us.
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

/// Other errors mean that the connection is gone, and nobody is there to be told.
fn too_large(error: &axum::Error) -> Option<Close> {
    let limit = error.to_string().contains("too long");
    limit.then(|| Close::new(Close::TOO_LONG, "A message is larger than 8 MiB."))
}

/// Feeds all that waits, then flushes once. Ends when the room lets go of the connection.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            let closes = matches!(outgoing, Outgoing::Close(_));
            let message = match outgoing {
                Outgoing::Frame(bytes) => Message::Binary(bytes),
                Outgoing::Close(close) => close_message(close),
            };
            if !matches!(timeout(STALLED, sink.feed(message)).await, Ok(Ok(()))) {
                return;
            }
            next = if closes { None } else { queue.try_recv().ok() };
        }
        if !matches!(timeout(STALLED, sink.flush()).await, Ok(Ok(()))) {
            return;
        }
    }
    // The room let go without a word: the receiver was too slow, or the room is being rebuilt.
    let close = Close::new(Close::SLOW, "This connection fell behind; it will sync again.");
    let _ = timeout(STALLED, sink.send(close_message(close))).await;
}

async fn refuse(mut sink: SplitSink<WebSocket, Message>, error: &OpenError) {
    let close = Close::new(Close::TRY_AGAIN, error.to_string());
    let _ = timeout(STALLED, sink.send(close_message(close))).await;
}

fn close_message(close: Close) -> Message {
    Message::Close(Some(CloseFrame { code: close.code, reason: close.reason.into_owned().into() }))
}
