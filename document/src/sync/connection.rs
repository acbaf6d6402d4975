//! Connections, and what they speak.

/// A connection, for as long as the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// y-websocket, as stock clients speak it.
    Stock,
    /// `accord.v1`.
    Accord,
}
