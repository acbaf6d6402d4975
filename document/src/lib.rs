//! The rules of a commitment document: what it contains, how it changes, and how server and browser exchange changes.
//!
//! This crate is pure: it has no async code, sockets, clock, randomness or JavaScript. Callers pass time and random bytes
//! as arguments and receive outputs as values. The server drives the crate with sockets and a store, the browser with
//! `WebSocket` and IndexedDB, and the tests with a seeded fake network, so all three run the same code.
//!
//! The modules are layers, the lowest first: a module imports only modules of rows above its own. `cargo xtask check`
//! enforces this rule, and also compares the table with the one in `docs/architecture.md`.
//!
//! | module | is for | must not touch |
//! | --- | --- | --- |
//! | `document/src/limits.rs`, `document/src/ids.rs`, `document/src/lib0.rs`, `document/src/ydoc.rs` | limits, identifiers, the lib0 encoding, the one constructor of Yjs documents | |
//! | `document/src/people.rs` | roles (seats), sides (sectors) and what a role permits | names and addresses, which are records of the server |
//! | `document/src/template.rs` | the fields of a commitment, and what it needs to be signed | |
//! | `document/src/readable/` | whether readers see what a text says, by Unicode properties; where links may lead | `document/src/ids.rs`, `document/src/template.rs`: it sees one string at a time |
//! | `document/src/update/` | deciding whether the bytes of an update may be integrated: scan, check, causality, merging | `document/src/model/`, `document/src/ledger/`; yrs' decoder before the scan has passed |
//! | `document/src/body/` | what the entries of ledgers say: plain data, and how each kind is written | `document/src/ledger/`, `document/src/model/`; it decides nothing |
//! | `document/src/ledger/` | entries, hash chain, blanking, segments | `document/src/model/`, `document/src/release/`, `document/src/plan/`, `document/src/audit.rs`, `document/src/state/` |
//! | `document/src/model/` | flat text, milestones, completeness, blocks, cleaning, the editor's `Replica` | `document/src/body/`, `document/src/ledger/`, `document/src/release/` |
//! | `document/src/release/` | the path to a release, what is signed and its digest, what can't be released | `document/src/state/`, `document/src/plan/` |
//! | `document/src/plan/`, `document/src/audit.rs` | a plan and the audit record as their ledgers make them | `document/src/update/`, `document/src/model/`, `document/src/release/`; names and addresses |
//! | `document/src/state/` | `DocumentState`: a document as its ledger makes it, with the checks of new entries and of stored ones; checkpoints | `document/src/plan/`, `document/src/audit.rs`, `document/src/history/`, `document/src/sync/` |
//! | `document/src/history/` | any moment of the past, comparisons with authors, sessions of work, the way back | `document/src/state/`, `document/src/sync/`, `document/src/plan/`; it keeps an order of its own instead of a Yjs document |
//! | `document/src/sync/` | wire format, `Room` (server), `Client` (browser), presence | `document/src/history/`, `document/src/audit.rs` |
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
#[cfg(feature = "readable")]
pub mod readable;
pub mod release;
pub mod state;
pub mod sync;
pub mod template;
pub mod update;
pub mod ydoc;

pub use yrs::StateVector;
