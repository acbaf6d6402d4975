//! `/sync/{document}`: live editing over WebSocket. A client that is not admitted gets an HTTP status instead of the
//! upgrade.

use super::App;
use super::connections::ConnectionPlace;
use super::extract::{Path, Query};
use super::identity::{Caller, by_cookie, foreign, readable};
use super::problem::{Problem, blocking};
use crate::listen::{ConnectionState, Deadlines, PersonalPermits};
use crate::people::SignedIn;
use crate::rooms::{Joined, OpenError, Outgoing, Queued, RoomEvent, WeakOutbox};
use crate::site::Source;
use crate::websocket::{self, Socket, Upgrade};
use accord_document::ids::{DocumentId, SessionId};
use accord_document::limits;
use accord_document::sync::{Admission, Close, Denied, Dialect, PresenceUser, wire};
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep_until};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Number of bytes after which a socket is flushed even if more frames wait to be sent.
const FLUSH_AFTER_BYTES: usize = 256 * 1024;
/// Size of a received message, in bytes, above which its unused memory is freed.
const SHRINK_ABOVE_BYTES: usize = 256 * 1024;
/// Maximum size of a message, in bytes (rule C4): a message can contain the whole of a long offline edit, with 1 KiB
/// for the protocol's own bytes around the edit.
const MAX_MESSAGE_BYTES: usize = limits::MAX_STATE_BYTES + 1024;
/// Interval at which an open connection marks its session as used, so that the session does not end as idle.
const SESSION_TOUCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    ticket: Option<String>,
}

/// Admits a connection, or refuses it with an HTTP status (rule C1).
pub(super) async fn upgrade(
    State(app): State<App>,
    Path(document): Path<String>,
    Query(credentials): Query<Credentials>,
    caller: Caller,
    headers: HeaderMap,
    Extension(state): Extension<ConnectionState>,
    mut upgrade: Upgrade,
) -> Result<Response, Problem> {
    let by = identify(&app, &document, credentials.ticket, &headers).await?;
    let found = readable(&app, &by, &document)?;
    let place = app.connections.enter(caller.address, by.person.id.clone())?;
    app.rooms.check_openable(&found.id).await?;
    // Rule C3: the subprotocol decides the dialect.
    let is_accord = upgrade.choose(wire::SUBPROTOCOL);
    let dialect = if is_accord { Dialect::Accord } else { Dialect::Stock };
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
    let serving = move |socket| serve(app, found.id, admission, place, state, socket);
    Ok(upgrade.grant(MAX_MESSAGE_BYTES, serving))
}

/// Identifies the person who connects, by a ticket or by a session cookie from one of our own pages (rule C2).
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
    // A browser sends the cookie with requests from the pages of any site, but only our own pages may use it.
    if app.site.source(headers) == Source::Own { Ok(by) } else { Err(foreign()) }
}

async fn serve(
    app: App,
    document: DocumentId,
    admission: Admission,
    place: ConnectionPlace,
    state: ConnectionState,
    socket: Socket,
) {
    state.limit_messages(app.connections.large_messages.clone(), place.permits.clone());
    let (outbox, queue) = app.rooms.outbox(&admission.user.person);
    let (sink, stream) = socket.split();
    let session = admission.session.clone();
    match app.rooms.join(&document, admission, outbox.clone()).await {
        Ok(joined) => {
            // From here on, only the room keeps the outbox open. When the room drops its reference, the queue closes
            // and the writer ends.
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
            // If the room has closed, this fails, and nobody needs to know that the connection ends.
            let _ = joined.room.send(RoomEvent::Leave { id: joined.id }).await;
            if matches!(ended, Ended::Reading(_)) {
                let _ = writing.await;
            }
        }
        Err(error) => refuse(sink, &error).await,
    }
}

/// The side of a connection that ended first.
enum Ended {
    /// The reading side ended, or the peer did not answer a ping. Contains the close message for the peer, or `None` if
    /// the peer gets none.
    Reading(Option<Close>),
    /// The writing side ended.
    Writing,
}

/// Passes frames to the room until the socket or the room closes. Returns a close message if a message is too large, if
/// the client breaks the WebSocket protocol, or if too many frames of this person are waiting. Returns `None` if the
/// connection or the room has ended.
async fn read(
    mut stream: SplitStream<Socket>,
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
            Err(error) => return close_after(&error),
        };
        match message {
            Message::Binary(bytes) => {
                // A large message keeps the permit of its person until the message has a place among the frames that
                // wait for the room.
                let permit = state.take_message();
                let Ok(place) = joined.frame_places.enter(bytes.len()).await else {
                    return Some(Close::new(
                        Close::SLOW,
                        "Too many of your changes are waiting. They will sync again.",
                    ));
                };
                drop(permit);
                let bytes = shrink(bytes);
                let frame = RoomEvent::Frame { id: joined.id, bytes, place };
                joined.room.send(frame).await.ok()?;
            }
            Message::Close(_) => return None,
            // The protocol has no text messages, so the server drops them.
            Message::Text(text) => {
                drop(state.take_message());
                permits.slow_down(text.len()).await;
            }
            // The WebSocket library answers pings by itself.
            Message::Ping(bytes) | Message::Pong(bytes) => {
                permits.slow_down(bytes.len()).await;
            }
            // This variant is only for frames to be written. The library never returns it for a received message.
            Message::Frame(_) => {}
        }
    }
}

/// Frees the unused memory of a large message, which was assembled in a buffer that grew by doubling.
fn shrink(message: Bytes) -> Bytes {
    if message.len() <= SHRINK_ABOVE_BYTES {
        return message;
    }
    let mut message = Vec::from(message);
    message.shrink_to_fit();
    message.into()
}

/// Pings the peer whenever it is silent, and returns once it has not answered in time. The returned close message asks
/// the peer to sync again, because its device could have been asleep. Browsers answer pings by themselves.
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
            return Close::new(Close::SLOW, "This connection did not answer. It will sync again.");
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

/// Marks the session as used as long as the connection is open, because an open page is in use even if nobody types.
async fn keep_in_use(app: &App, session: SessionId) -> Infallible {
    let mut tick = interval(SESSION_TOUCH_INTERVAL);
    loop {
        tick.tick().await;
        let (people, session) = (app.people.clone(), session.clone());
        // An error of the store is ignored here, because the next attempt to save something reports it.
        let _ = blocking(move || people.sessions().touch(&session)).await;
    }
}

/// Returns the close message after an error of a socket, or `None` if the connection is gone, so that nothing can reach
/// the peer.
fn close_after(error: &Error) -> Option<Close> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            let most = MAX_MESSAGE_BYTES / (1024 * 1024);
            Some(Close::new(Close::TOO_LONG, format!("A message is larger than {most} MiB.")))
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Utf8(_) => Some(Close::new(Close::INVALID_TEXT, "A text message is not UTF-8.")),
        Error::Protocol(_) => {
            Some(Close::new(Close::PROTOCOL_ERROR, format!("This breaks RFC 6455: {error}")))
        }
        _ => None,
    }
}

/// Sends the messages in the queue, and flushes the socket whenever the queue is empty. Ends when the room drops the
/// connection. If the receiver reads nothing, a write fails at the deadline of the socket.
async fn write(mut sink: SplitSink<Socket, Message>, mut queue: mpsc::Receiver<Queued>) {
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        // Each message counts towards this receiver's limit of queued bytes until the operating system has taken its
        // bytes.
        let (mut unsent, mut unsent_bytes) = (Vec::new(), 0);
        while let Some(Queued { outgoing, charges }) = next {
            let closes = matches!(outgoing, Outgoing::Close(_));
            for frame in frames_of(outgoing) {
                unsent_bytes += frame.len();
                if sink.feed(frame).await.is_err() {
                    return;
                }
                // Without these flushes, all bytes of a steady stream would count as unsent, as if the receiver read
                // nothing.
                if unsent_bytes > FLUSH_AFTER_BYTES {
                    if sink.flush().await.is_err() {
                        return;
                    }
                    unsent.clear();
                    unsent_bytes = 0;
                }
            }
            unsent.push(charges);
            next = if closes { None } else { queue.try_recv().ok() };
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    // If the room dropped the connection without a close message, the receiver was too slow, or the room is being
    // rebuilt. If the room has sent a close message, the socket does not send this second one.
    let close = Close::new(Close::SLOW, "This connection fell behind. It will sync again.");
    let _ = sink.send(close_message(close)).await;
}

/// Returns the WebSocket frames for one message from the room.
fn frames_of(outgoing: Outgoing) -> impl Iterator<Item = Message> {
    let (message, other) = match outgoing {
        Outgoing::Frame(bytes) => (Some(bytes), None),
        Outgoing::Close(close) => (None, Some(close_message(close))),
        Outgoing::Ping => (None, Some(Message::Ping(Bytes::new()))),
    };
    message.into_iter().flat_map(websocket::frames).chain(other)
}

async fn refuse(mut sink: SplitSink<Socket, Message>, error: &OpenError) {
    let code = match error {
        OpenError::Denied(Denied::SignedOut) => Close::SIGNED_OUT,
        OpenError::Denied(Denied::NotShared) => Close::FORBIDDEN,
        _ => Close::TRY_AGAIN,
    };
    let close = Close::new(code, error.to_string());
    let _ = sink.send(close_message(close)).await;
}

fn close_message(close: Close) -> Message {
    let reason = Utf8Bytes::from(close.reason.into_owned());
    Message::Close(Some(CloseFrame { code: close.code.into(), reason }))
}
