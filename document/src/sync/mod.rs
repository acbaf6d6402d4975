//! The protocol, without input or output: [`wire`] names the messages, [`Room`] is the server's
//! side of one document, [`Client`] the browser's side, [`Presence`] who is there.
//!
//! The numbered rules are in `docs/protocol.md`; tests cite them.

mod admission;
mod client;
mod close;
mod presence;
mod room;
pub mod wire;

pub use admission::{Admission, ConnectionId, Denied, Dialect};
pub use client::{Client, Link, REDACTED, RELEASE};
pub use close::Close;
pub use presence::{Face, Presence};
pub use room::{Effect, ProposeError, Room, Wanted};
