//! The sync protocol, without input or output. [`wire`] defines the messages, [`Room`] is the server's side of one
//! document, [`Client`] is the browser's side, and [`Presence`] is the awareness of everybody in the document.
//!
//! The rules are numbered in `docs/protocol.md`, and tests cite the numbers.
//!
//! In this example two people are in one room, with function calls in place of sockets and a disk:
//!
//! ```
//! use accord_document::body::Genesis;
//! use accord_document::ids::{LineageId, PersonId, SessionId};
//! use accord_document::ledger::RULES;
//! use accord_document::model::delta::Op;
//! use accord_document::model::{Replica, Target};
//! use accord_document::people::{Actor, Seat, Sector};
//! use accord_document::state::DocumentState;
//! use accord_document::sync::{Admission, Client, ConnectionId, Dialect, Effect, PresenceUser, Room};
//! use std::collections::VecDeque;
//!
//! fn author(name: &str, sector: Sector) -> Actor {
//!     Actor { person: PersonId::new(name), seat: Seat::Author, sector, session: SessionId::new(name) }
//! }
//!
//! /// Carries out the effects of the room, and the effects that follow from these, until none is left.
//! fn carry_out(room: &mut Room, clients: &mut [Client; 2], effects: Vec<Effect>) {
//!     let mut effects = VecDeque::from(effects);
//!     while let Some(effect) = effects.pop_front() {
//!         match effect {
//!             // A real driver first writes the entry to disk. Only then does it call `committed`.
//!             Effect::Append(entry) => effects.extend(room.committed(entry.seq)),
//!             Effect::Send(ConnectionId(id), frame) => {
//!                 let client = &mut clients[id as usize];
//!                 client.frame(&frame).expect("a room sends whole messages");
//!                 for frame in client.take_frames() {
//!                     effects.extend(room.frame(ConnectionId(id), &frame, 0));
//!                 }
//!             }
//!             other => panic!("nothing else happens here: {other:?}"),
//!         }
//!     }
//! }
//!
//! let (ana, ben) = (author("ana", Sector::Government), author("ben", Sector::CivilSociety));
//! let genesis = Genesis {
//!     lineage: LineageId::new("example"),
//!     schema: "ogp-commitment/1".into(),
//!     language: "en".into(),
//!     rules: RULES,
//! };
//! let first = genesis.entry(ana.clone(), 0, [0; 16]);
//! let mut room = Room::new(DocumentState::begin(&first)?, [7; 32]);
//! let mut clients = [1, 2].map(|id| Client::new(Replica::new(id), None));
//!
//! // Each client joins, and sends its hello and its state vector.
//! for (id, actor) in (0..).zip([ana, ben]) {
//!     let user = PresenceUser {
//!         person: actor.person.clone(),
//!         name: actor.person.to_string(),
//!         sector: actor.sector,
//!     };
//!     let session = actor.session.clone();
//!     let admission = Admission { actor, session, user, dialect: Dialect::Accord, may_write: true };
//!     let greeting = room.join(ConnectionId(id), admission, 0);
//!     carry_out(&mut room, &mut clients, greeting);
//!     clients[id as usize].opened();
//!     for frame in clients[id as usize].take_frames() {
//!         let effects = room.frame(ConnectionId(id), &frame, 0);
//!         carry_out(&mut room, &mut clients, effects);
//!     }
//! }
//!
//! // Ana types, and her text arrives at Ben's client.
//! let problem = Target::field("problem");
//! clients[0].change(|replica| replica.edit(&problem, &[Op::text("Contracts are secret.")]));
//! assert!(clients[0].is_unsaved());
//! for frame in clients[0].take_frames() {
//!     let effects = room.frame(ConnectionId(0), &frame, 0);
//!     carry_out(&mut room, &mut clients, effects);
//! }
//! assert!(!clients[0].is_unsaved(), "the room has said that it is on disk");
//! assert_eq!(clients[1].replica().read(&problem), [Op::text("Contracts are secret.")]);
//! # Ok::<(), accord_document::ledger::LedgerError>(())
//! ```

mod admission;
mod client;
mod close;
mod connection;
mod presence;
mod room;
pub mod wire;

pub use admission::{Admission, Denied};
pub use client::{Client, ClientStatus, FrameError, Link, Peer, REDACTED, RELEASE};
pub use close::Close;
pub use connection::{ConnectionId, Dialect};
pub use presence::{AwarenessError, Presence, PresenceUser};
pub use room::{Effect, ProposalRequest, ProposeError, Room};
