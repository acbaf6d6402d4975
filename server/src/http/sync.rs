//! `/sync/{document}`: live editing over WebSocket. Whoever may not come in learns it from an
//! HTTP status, before the upgrade.

use super::App;
use super::connections::Place;
use super::identity::{Caller, by_cookie, foreign, readable};
use super::problem::{Problem, blocking};
use crate::people::SignedIn;
use crate::rooms::{Joined, OpenError, Outgoing, RoomEvent};
use crate::site::Source;
use accord_document::ids::{DocumentId, SessionId};
use accord_document::limits;
use accord_document::sync::{Admission, Close, Denied, Dialect, Face, wire};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

/// Frames that may wait for a receiver before it counts as too slow.
const QUEUE: usize = 1024;
/// How long a receiver may take for one flush.
const STALLED: Duration = Duration::from_secs(30);
/// A message: a whole offline spell, and the tags around it.
const MESSAGE: usize = limits::STATE_BYTES + 1024;
/// How often an open connection keeps its session from ending for want of use.
const IN_USE: Duration = Duration::from_secs(5 * 60);
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
    caller: Caller,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let by = identify(&app, &document, credentials.ticket, &headers).await?;
    let found = readable(&app, &by, &document)?;
    let place = app.connections.enter(caller.address, by.person.id.clone())?;
    app.rooms.probe(&found.id).await?;
    let upgrade = upgrade
        .protocols([wire::SUBPROTOCOL])
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(READ_BUFFER);
    let dialect =
        if upgrade.selected_protocol().is_some() { Dialect::Accord } else { Dialect::Stock };
    let standing = found.grant.standing;
    let face = Face {
        person: by.person.id.clone(),
        name: by.person.name.clone(),
        sector: standing.sector,
    };
    let admission = Admission {
        actor: by.actor(standing),
        session: by.session,
        face,
        dialect,
        may_write: found.grant.may_write,
    };
    Ok(upgrade.on_upgrade(move |socket| serve(app, found.id, admission, place, socket)))
}

async fn identify(
    app: &App,
    document: &str,
    ticket: Option<String>,
    headers: &HeaderMap,
) -> Result<SignedIn, Problem> {
    if let Some(ticket) = ticket {
        let (people, document) = (app.people.clone(), DocumentId::new(document));
        let admitted = blocking(move || people.admit(&ticket, &document)).await?;
        return admitted.ok_or_else(Problem::bad_ticket);
    }
    let by = by_cookie(headers, app).await?.ok_or_else(Problem::signed_out)?;
    // A browser sends the cookie along for any page: only our own may use it.
    if app.site.source(headers) == Source::Own { Ok(by) } else { Err(foreign()) }
}

async fn serve(
    app: App,
    document: DocumentId,
    admission: Admission,
    _place: Place,
    socket: WebSocket,
) {
    let (outgoing, queue) = mpsc::channel(QUEUE);
    let (sink, stream) = socket.split();
    let session = admission.session.clone();
    match app.rooms.join(&document, admission, outgoing.clone()).await {
        Ok(joined) => {
            let writing = tokio::spawn(write(sink, queue));
            let reading = read(stream, &joined);
            let closed = tokio::select! {
                closed = reading => closed,
                never = keep_in_use(&app, session) => match never {},
            };
            if let Some(close) = closed {
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
                let place = joined.in_flight.enter(bytes.len()).await?;
                let frame = RoomEvent::Frame { id: joined.id, bytes, place };
                joined.room.send(frame).await.ok()?;
            }
            Message::Close(_) => return None,
            // Text is no part of the protocol; pings are answered below us.
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

/// A page that is open is in use, whether its reader types or not.
async fn keep_in_use(app: &App, session: SessionId) -> Infallible {
    let mut tick = interval(IN_USE);
    loop {
        tick.tick().await;
        let (people, session) = (app.people.clone(), session.clone());
        // A failing store is noticed by whoever saves.
        let _ = blocking(move || people.sessions().touch(&session)).await;
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
    let code = match error {
        OpenError::Denied(Denied::SignedOut) => Close::SIGNED_OUT,
        OpenError::Denied(Denied::NotShared) => Close::FORBIDDEN,
        _ => Close::TRY_AGAIN,
    };
    let close = Close::new(code, error.to_string());
    let _ = timeout(STALLED, sink.send(close_message(close))).await;
}

fn close_message(close: Close) -> Message {
    Message::Close(Some(CloseFrame { code: close.code, reason: close.reason.into_owned().into() }))
}
