//! The identity of a connection, and the dialect of the protocol that it speaks.

/// The number of a connection. The server gives each number once while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The dialect of the protocol that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Plain y-websocket. Clients that speak only this dialect, such as the published y-websocket library, are called
    /// stock clients.
    Stock,
    /// The subprotocol `accord.v1`, which adds notes and numbered edits to y-websocket.
    Accord,
}
