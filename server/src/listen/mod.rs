//! Connections: how they are accepted, counted, held to deadlines, and ended.
//!
//! The module `http` decides what the server answers. This module decides how much time a peer has to send a request
//! and to read the answer, how many connections can be open, and how the server stops. It must not know any routes.

mod accept;
mod body;
mod connection;
mod deadlines;
mod forwarded;
mod incoming;
mod large_messages;
mod open;
mod open_files;
mod watched;

pub(crate) use accept::{Front, Listening, listen};
pub(crate) use connection::ConnectionState;
pub use deadlines::Deadlines;
pub(crate) use large_messages::{LargeMessages, PersonalPermits};
pub(crate) use open::OpenConnections;
pub(crate) use open_files::raise_open_files;
