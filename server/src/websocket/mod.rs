//! WebSockets (RFC 6455): the upgrade of a request to a WebSocket, and the splitting of messages into small frames.
//!
//! The library tungstenite never shrinks its buffers, and a server has thousands of connections. So a large incoming
//! frame is split (`small_frames.rs`), and an outgoing message is sent in frames of the same maximum size.

mod small_frames;

use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use small_frames::{MAX_FRAME_BYTES, SmallFrames};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Size of the read buffer, in bytes. The buffer is small because it is zeroed before every read, and because most
/// frames contain a single keystroke.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// The server's end of a WebSocket.
pub(crate) type Socket = WebSocketStream<SmallFrames<TokioIo<Upgraded>>>;

/// A valid request for a WebSocket, which the server can still refuse.
#[derive(Debug)]
pub(crate) struct Upgrade {
    response: Response<()>,
    on_upgrade: OnUpgrade,
    subprotocols: Vec<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = NotAHandshake;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotAHandshake> {
        let mut request = Request::new(());
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        let response = create_response(&request).map_err(|_| not_a_handshake())?;
        let on_upgrade = parts.extensions.remove().ok_or_else(not_a_handshake)?;
        let offered = parts.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
        let subprotocols = offered
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .filter_map(|name| HeaderValue::from_bytes(name.trim_ascii()).ok())
            .collect();
        Ok(Self { response, on_upgrade, subprotocols })
    }
}

/// The response to a request that is no WebSocket handshake, or that asks for a version other than 13 (RFC 6455, 4.4).
/// It consists of headers, and of the problem for the body.
pub(crate) type NotAHandshake = ([(HeaderName, &'static str); 2], Problem);

fn not_a_handshake() -> NotAHandshake {
    let headers = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
    let sentence = "This address is for WebSockets (RFC 6455, version 13).";
    (headers, Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", sentence))
}

impl Upgrade {
    /// Selects a subprotocol and returns `true`, or returns `false` if the client does not offer it.
    pub(crate) fn choose(&mut self, subprotocol: &'static str) -> bool {
        let is_offered = self.subprotocols.iter().any(|offered| offered == subprotocol);
        if is_offered {
            let chosen = HeaderValue::from_static(subprotocol);
            self.response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        is_offered
    }

    /// Returns the response that accepts the WebSocket, and runs `serve` with the socket in a new task. The socket
    /// refuses received messages of more than `max_message_bytes` bytes.
    pub(crate) fn grant<F, Serving>(self, max_message_bytes: usize, serve: F) -> Response<Body>
    where
        F: FnOnce(Socket) -> Serving + Send + 'static,
        Serving: Future<Output = ()> + Send + 'static,
    {
        let on_upgrade = self.on_upgrade;
        tokio::spawn(async move {
            // The upgrade fails only if the connection has gone.
            if let Ok(upgraded) = on_upgrade.await {
                // Serving has a task of its own, because a task keeps the memory of all that it ever waits for.
                tokio::spawn(serve(socket(upgraded, max_message_bytes).await));
            }
        });
        self.response.map(|()| Body::empty())
    }
}

async fn socket(upgraded: Upgraded, max_message_bytes: usize) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(MAX_FRAME_BYTES)
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    let stream = SmallFrames::new(TokioIo::new(upgraded), max_message_bytes);
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

/// Splits a binary message into small frames, each of which can be sent separately.
pub(crate) fn frames(message: Bytes) -> impl Iterator<Item = Message> {
    let count = message.len().div_ceil(MAX_FRAME_BYTES).max(1);
    (0..count).map(move |number| {
        let from = number * MAX_FRAME_BYTES;
        let payload = message.slice(from..message.len().min(from + MAX_FRAME_BYTES));
        let data = if number == 0 { Data::Binary } else { Data::Continue };
        Message::Frame(Frame::message(payload, OpCode::Data(data), number + 1 == count))
    })
}

#[cfg(test)]
mod tests;
