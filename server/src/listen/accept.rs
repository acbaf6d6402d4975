//! The accept loop, and the life of one connection from its first byte to its end.

use super::body::{Answer, Received};
use super::connection::ConnectionState;
use super::deadlines::Deadlines;
use super::forwarded::{ForwardedRequests, RequestPlace};
use super::open::{Full, OpenConnections};
use super::watched::Watched;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::site::{AddressGroup, Site};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tower::Service;

/// Maximum size of a request line and all headers together, in bytes. A larger request is answered with status 431.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Maximum number of headers of a request. A request with more is answered with status 431.
const MAX_HEADERS: usize = 100;
/// Size of the buffers that a connection has for a request's body and for its response, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Size of the operating system's buffer for sent bytes that the peer has not acknowledged, in bytes. Linux doubles
/// this size. Without this limit, the buffer of each of thousands of connections would grow to megabytes, and a ping
/// would have to wait until everything in the buffer is sent.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Pause of the accept loop after the operating system could not open another file for a connection.
const OUT_OF_FILES: Duration = Duration::from_millis(50);

/// The parts of the server that every connection shares.
pub(crate) struct Front {
    router: Router,
    site: Arc<Site>,
    deadlines: Deadlines,
    open: OpenConnections,
    forwarded: Option<ForwardedRequests>,
    metrics: Metrics,
}

impl Front {
    /// `per_address` is the maximum number of requests of one address group that are answered at the same time. This
    /// limit applies only behind a proxy. Without a proxy, [`OpenConnections`] limits the connections of each group.
    pub(crate) fn new(
        router: Router,
        site: Arc<Site>,
        deadlines: Deadlines,
        open: OpenConnections,
        per_address: usize,
        metrics: Metrics,
    ) -> Self {
        let forwarded = site.is_behind_proxy().then(|| ForwardedRequests::new(per_address));
        Self { router, site, deadlines, open, forwarded, metrics }
    }
}

/// The stages of the server's stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// No more connections are accepted. Requests that have arrived are still answered.
    Draining,
    /// Connections that are still open are closed.
    Over,
}

/// A server that accepts connections until [`drain`](Self::drain) is called.
#[derive(Debug)]
pub(crate) struct Listening {
    stage: watch::Sender<Stage>,
}

impl Listening {
    /// Accepts no more connections, and ends each open connection after its current request.
    pub(crate) fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Closes every connection that is not a WebSocket.
    pub(crate) fn end(&self) {
        self.stage.send_replace(Stage::Over);
    }
}

/// Accepts connections in a separate task.
pub(crate) fn listen(listener: TcpListener, front: Front) -> Listening {
    // Accepted connections inherit the buffer size from the listener.
    let sized = rustix::net::sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER_BYTES);
    if let Err(error) = sized {
        tracing::warn!(%error, "the size of send buffers can't be set");
    }
    let (stage, watched) = watch::channel(Stage::Serving);
    tokio::spawn(accept_all(listener, Arc::new(front), watched));
    Listening { stage }
}

async fn accept_all(listener: TcpListener, front: Arc<Front>, stage: watch::Receiver<Stage>) {
    let mut stopped = stage.clone();
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stage| *stage != Stage::Serving) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(&front, stream, peer, stage.clone()),
            Err(error) if is_of_one_connection(&error) => {}
            // The operating system has no files or memory left, so a waiting connection is closed to free some.
            Err(error) => {
                tracing::warn!(%error, open = front.open.count(), "a connection can't be accepted");
                front.open.evict_one();
                sleep(OUT_OF_FILES).await;
            }
        }
    }
}

/// Whether the error is about this one connection, such as a peer that left before its connection was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn admit(front: &Arc<Front>, stream: TcpStream, peer: SocketAddr, stage: watch::Receiver<Stage>) {
    match front.open.enter(AddressGroup::of(peer.ip())) {
        Ok((id, evict)) => {
            // Without `TCP_NODELAY`, a small frame would wait until earlier frames are acknowledged. The call fails
            // only if the peer has gone, which the first read shows.
            let _ = stream.set_nodelay(true);
            let state = ConnectionState::new(front.deadlines, front.open.clone(), id);
            tokio::spawn(converse(front.clone(), stream, peer, state, evict, stage));
        }
        Err(full) => {
            front.metrics.connections_refused.inc();
            tracing::debug!(?full, "a connection was refused");
            refuse(stream, full);
        }
    }
}

/// Sends a status that says why the connection is refused, if that is possible without waiting. Then closes the
/// connection.
fn refuse(stream: TcpStream, full: Full) {
    let status = match full {
        Full::Group => "429 Too Many Requests",
        Full::All => "503 Service Unavailable",
    };
    let said = format!(
        "HTTP/1.1 {status}\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(said.as_bytes());
    }
}

async fn converse(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    state: ConnectionState,
    evict: Arc<Notify>,
    mut stage: watch::Receiver<Stage>,
) {
    let socket = TokioIo::new(Watched::new(stream, state.clone()));
    let service = service_fn(|request| answer(&front, request, peer, &state));
    let connection = http1::Builder::new()
        // hyper's timeout can't tell the first request on a connection from later ones. `ConnectionState` has separate
        // deadlines for them.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(socket, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut deadline = pin!(sleep_until(Instant::now()));
    loop {
        let ended = poll_fn(|cx| {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let Some(until) = state.deadline() else { return Poll::Pending };
            if deadline.deadline() != until {
                deadline.as_mut().reset(until);
            }
            deadline.as_mut().poll(cx)
        });
        tokio::select! {
            () = ended => return,
            () = evict.notified() => return,
            changed = stage.changed() => {
                if changed.is_err() || *stage.borrow() == Stage::Over {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                state.hurry();
            }
        }
    }
}

async fn answer(
    front: &Front,
    request: Request<Incoming>,
    peer: SocketAddr,
    state: &ConnectionState,
) -> Result<Response<Answer>, Infallible> {
    state.begin_request();
    let from = AddressGroup::of(front.site.address(peer.ip(), request.headers()));
    let place = match &front.forwarded {
        None => None,
        Some(forwarded) => match forwarded.begin(from) {
            Some(place) => Some(place),
            None => return Ok(last(Problem::too_many_connections(), state)),
        },
    };
    let too_slow = Arc::new(AtomicBool::new(false));
    let received = |body| Body::new(Received::new(body, state.clone(), too_slow.clone()));
    let mut request = request.map(received);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(state.clone());
    let Ok(response) = front.router.clone().call(request).await;
    if too_slow.load(Ordering::Relaxed) && !response.status().is_success() {
        return Ok(last(Problem::too_slow(), state));
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        state.upgrade();
    }
    Ok(given(response, state, place))
}

fn given(
    response: Response<Body>,
    state: &ConnectionState,
    place: Option<RequestPlace>,
) -> Response<Answer> {
    response.map(|body| Answer::new(body, state.clone(), place))
}

/// Returns a response that contains `problem`, and after which the connection is closed.
fn last(problem: Problem, state: &ConnectionState) -> Response<Answer> {
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    given(response, state, None)
}
