//! `/sync/{document}`: live editing over WebSocket. A client that is not admitted gets an HTTP status instead of the
//! upgrade.

use super::App;
use super::connections::Place;
use super::identity::{Caller, by_cookie, foreign, readable};
use super::problem::{Problem, blocking};
use crate::listen::{ConnectionState, Deadlines, PersonalPermits};
use crate::people::SignedIn;
use crate::rooms::{Joined, OpenError, Outgoing, Queued, RoomEvent, WeakOutbox};
use crate::site::Source;
use accord_document::ids::{DocumentId, SessionId};
use accord_document::limits;
use accord_document::sync::{Admission, Close, Denied, Dialect, PresenceUser, wire};
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep_until};

/// What is fed to a socket before it is flushed at the latest, in bytes.
const FLUSH_AFTER_BYTES: usize = 256 * 1024;
/// Bytes of a message (rule C4): a whole offline spell, and the tags around it.
const MESSAGE: usize = limits::MAX_STATE_BYTES + 1024;
/// How often an open connection keeps its session from ending for want of use.
const IN_USE: Duration = Duration::from_secs(5 * 60);
/// Zeroed before every read, and most frames are a keystroke.
const READ_BUFFER: usize = 4 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    ticket: Option<String>,
}

/// Lets a connection in, or says by an HTTP status why not (rule C1).
pub(super) async fn upgrade(
    State(app): State<App>,
    Path(document): Path<String>,
    Query(credentials): Query<Credentials>,
    caller: Caller,
    headers: HeaderMap,
    Extension(state): Extension<ConnectionState>,
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
    // Rule C3.
    let dialect =
        if upgrade.selected_protocol().is_some() { Dialect::Accord } else { Dialect::Stock };
    let standing = found.grant.standing;
    let user = PresenceUser {
        person: by.person.id.clone(),
        name: by.person.name.clone(),
        sector: standing.sector,
    };
    let admission = Admission {
        actor: by.actor(standing),
        session: by.session,
        user,
        dialect,
        may_write: found.grant.may_write,
    };
    Ok(upgrade.on_upgrade(move |socket| serve(app, found.id, admission, place, state, socket)))
}

/// Who connects: by a ticket, or by a cookie that comes from one of our own pages (rule C2).
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
    place: Place,
    state: ConnectionState,
    socket: WebSocket,
) {
    state.limit_messages(app.connections.large_messages.clone(), place.permits.clone());
    let (outbox, queue) = app.rooms.outbox(&admission.user.person);
    let (sink, stream) = socket.split();
    let session = admission.session.clone();
    match app.rooms.join(&document, admission, outbox.clone()).await {
        Ok(joined) => {
            // From here on only the room keeps it open: when the room lets go, the writer ends.
            let outbox = outbox.downgrade();
            let mut writing = tokio::spawn(write(sink, queue));
            let ended = tokio::select! {
                closed = read(stream, &joined, &state, &place.permits) => Ended::Reading(closed),
                dead = listen_for_life(&state, &outbox) => Ended::Reading(Some(dead)),
                _ = &mut writing => Ended::Writing,
                never = keep_in_use(&app, session) => match never {},
            };
            if let (Ended::Reading(Some(close)), Some(outbox)) = (&ended, outbox.upgrade()) {
                outbox.close(close.clone()).await;
            }
            // Without its room an event has nowhere to go.
            let _ = joined.room.send(RoomEvent::Leave { id: joined.id }).await;
            if matches!(ended, Ended::Reading(_)) {
                let _ = writing.await;
            }
        }
        Err(error) => refuse(sink, &error).await,
    }
}

/// Which side of a connection ended first.
enum Ended {
    /// With what to tell the peer, if anything.
    Reading(Option<Close>),
    Writing,
}

/// Hands frames to the room until the socket or the room closes. Gives what to tell a client that
/// broke the WebSocket protocol or its limits.
async fn read(
    mut stream: SplitStream<WebSocket>,
    joined: &Joined,
    state: &ConnectionState,
    permits: &PersonalPermits,
) -> Option<Close> {
    loop {
        state.resume();
        let message = tokio::select! {
            message = stream.next() => message?,
            () = joined.room.closed() => return None,
        };
        state.pause();
        let message = match message {
            Ok(message) => message,
            Err(error) => return too_large(&error),
        };
        match message {
            Message::Binary(bytes) => {
                // A large one keeps its person's permit until it has a place among those that wait for the room.
                let permit = state.take_message();
                let Ok(place) = joined.in_flight.enter(bytes.len()).await else {
                    return Some(Close::new(
                        Close::SLOW,
                        "Too much of what you sent waits; it will sync again.",
                    ));
                };
                drop(permit);
                let frame = RoomEvent::Frame { id: joined.id, bytes, place };
                joined.room.send(frame).await.ok()?;
            }
            Message::Close(_) => return None,
            // Text is no part of the protocol; pings are answered below us.
            Message::Text(text) => {
                drop(state.take_message());
                permits.slow_down(text.len()).await;
            }
            Message::Ping(bytes) | Message::Pong(bytes) => {
                permits.slow_down(bytes.len()).await;
            }
        }
    }
}

/// Asks a peer that is silent whether it is there. Ends when it does not answer, with what to tell it: it may only
/// have slept. Browsers answer pings by themselves.
async fn listen_for_life(state: &ConnectionState, outbox: &WeakOutbox) -> Close {
    let Deadlines { ping, pong, .. } = *state.deadlines();
    let mut next = state.last_alive() + ping;
    loop {
        sleep_until(next).await;
        if state.is_paused() {
            state.note_alive();
        }
        let silent = state.last_alive().elapsed();
        if silent >= ping + pong {
            return Close::new(Close::SLOW, "This connection did not answer; it will sync again.");
        }
        if silent < ping {
            next = state.last_alive() + ping;
        } else {
            if let Some(outbox) = outbox.upgrade() {
                outbox.ping();
            }
            next = Instant::now() + ping;
        }
    }
}

/// A page that is open is in use, whether its reader types or not.
async fn keep_in_use(app: &App, session: SessionId) -> Infallible {
    let mut tick = interval(IN_USE);
    loop {
        tick.tick().await;
        let (people, session) = (app.people.clone(), session.clone());
        // A store that fails is noticed when something is saved.
        let _ = blocking(move || people.sessions().touch(&session)).await;
    }
}

/// Other errors mean that the connection is gone, so that no close code reaches its peer.
fn too_large(error: &axum::Error) -> Option<Close> {
    let limit = error.to_string().contains("too long");
    limit.then(|| Close::new(Close::TOO_LONG, "A message is larger than 8 MiB."))
}

/// Feeds all that waits, then flushes once. Ends when the room lets go of the connection. A receiver that takes
/// nothing fails by the deadline of its socket.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<Queued>) {
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        // Counted for this receiver until the system has it.
        let (mut unsent, mut unsent_bytes) = (Vec::new(), 0);
        while let Some(Queued { outgoing, charges }) = next {
            unsent.push(charges);
            let closes = matches!(outgoing, Outgoing::Close(_));
            let message = message(outgoing);
            unsent_bytes += message_len(&message);
            if sink.feed(message).await.is_err() {
                return;
            }
            // A steady stream must not count as one that nobody reads.
            if unsent_bytes > FLUSH_AFTER_BYTES {
                if sink.flush().await.is_err() {
                    return;
                }
                unsent.clear();
                unsent_bytes = 0;
            }
            next = if closes { None } else { queue.try_recv().ok() };
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    // The room let go without a word: the receiver was too slow, or the room is being rebuilt.
    let close = Close::new(Close::SLOW, "This connection fell behind; it will sync again.");
    let _ = sink.send(close_message(close)).await;
}

fn message_len(message: &Message) -> usize {
    if let Message::Binary(bytes) = message { bytes.len() } else { 0 }
}

fn message(outgoing: Outgoing) -> Message {
    match outgoing {
        Outgoing::Frame(bytes) => Message::Binary(bytes),
        Outgoing::Close(close) => close_message(close),
        Outgoing::Ping => Message::Ping(Bytes::new()),
    }
}

async fn refuse(mut sink: SplitSink<WebSocket, Message>, error: &OpenError) {
    let code = match error {
        OpenError::Denied(Denied::SignedOut) => Close::SIGNED_OUT,
        OpenError::Denied(Denied::NotShared) => Close::FORBIDDEN,
        _ => Close::TRY_AGAIN,
    };
    let close = Close::new(code, error.to_string());
    let _ = sink.send(close_message(close)).await;
}

fn close_message(close: Close) -> Message {
    Message::Close(Some(CloseFrame { code: close.code, reason: close.reason.into_owned().into() }))
}
