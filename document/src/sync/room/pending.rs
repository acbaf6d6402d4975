//! Effects that wait until an entry is durable.

use crate::ledger::LedgerPosition;
use crate::sync::connection::ConnectionId;
use std::sync::Arc;

/// An effect that waits until an entry is durable.
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
