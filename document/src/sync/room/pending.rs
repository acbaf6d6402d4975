//! What a room can hold back until an entry is durable: the data of each kind of waiting effect. `held.rs` decides when
//! such an effect is carried out.

use crate::ledger::LedgerPosition;
use crate::sync::connection::ConnectionId;
use std::sync::Arc;

/// An effect that waits until an entry is durable (rule M3). The room keeps these in a queue, each with the number of the
/// entry for which it waits.
#[derive(Debug)]
pub(super) enum PendingEffect {
    Send(ConnectionId, Arc<[u8]>),
    /// The answer to a step 1: the document, the server's own step 1, and the awareness of everybody.
    Document(ConnectionId, [Arc<[u8]>; 3]),
    Broadcast {
        frame: Arc<[u8]>,
        except: Option<ConnectionId>,
    },
    ReadEntryHash(ConnectionId, LedgerPosition),
}
