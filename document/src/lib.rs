//! The rules of a commitment document: what it contains, how it changes, and how server and browser exchange changes.
//!
//! This crate is pure: it has no async code, sockets, clock, randomness or JavaScript. Callers pass time and random bytes
//! as arguments and receive outputs as values. The server drives the crate with sockets and a store, the browser with
//! `WebSocket` and IndexedDB, and the tests with a seeded fake network, so all three run the same code.
//!
//! The modules are layers: a module imports only modules of its own layer and of lower layers. `docs/architecture.md`
//! lists them, the lowest first, with what each must not touch, and `cargo xtask check` enforces the list.
//!
//! To follow an edit through the crate, begin at [`sync::Room::frame`], then read [`state::DocumentState::edit_in_turn`].
//! To follow the replay of a ledger, begin at [`ledger::Entry::decode`], then read [`state::DocumentState::apply`].

#![warn(missing_docs)]

pub mod audit;
pub mod body;
pub mod history;
pub mod ids;
pub mod ledger;
pub mod lib0;
pub mod limits;
pub mod model;
pub mod people;
pub mod plan;
#[cfg(test)]
mod random;
#[cfg(feature = "readable")]
pub mod readable;
pub mod release;
pub mod state;
pub mod sync;
pub mod template;
pub mod update;
pub mod ydoc;

pub use yrs::StateVector;
