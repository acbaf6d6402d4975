//! Shared parts of the tests and benchmarks: a server in a process of its own, its HTTP API, sync clients in Rust,
//! Node scripts, a simulated network, and recorded typing.

mod authors;
mod client;
mod crafted;
mod damage;
mod faults;
mod freezing;
mod kill;
mod mailbox;
mod node;
mod open_request;
mod power;
mod raw;
mod replayed;
mod server;
mod sessions;
mod tied;
mod trace;
mod visitor;
mod watch;
mod world;

pub use authors::attribution_runs;
pub use client::{Closed, Socket, SyncClient, dial};
pub use crafted::compare_with_yjs;
pub use damage::{Damages, copy_folder, damage_rounds};
pub use faults::{Fault, FaultTally, fault_rounds};
pub use freezing::{Tally, freeze_run};
pub use kill::{Death, Toll, kill_rounds};
pub use mailbox::mailbox;
pub use node::{node, node_with};
pub use open_request::OpenRequest;
pub use raw::{Raw, raise_open_files};
pub use replayed::{FIELD, Ledgered, retype, typist};
pub use server::{Listens, Server, ServerInTime, ServerOptions, accord_binary};
pub use sessions::random_sessions;
pub use tied::{start_tied, tied};
pub use trace::{Patch, Trace, Transaction};
pub use visitor::{PASSWORD, Visitor, secret};
pub use watch::{Watch, children};
pub use world::{PEOPLE, Typed, World, actor, genesis};

use std::time::Duration;

/// Longest wait for something that normally happens at once. It is generous, because the machine that runs the tests
/// can be busy.
pub const SOON: Duration = Duration::from_secs(20);
