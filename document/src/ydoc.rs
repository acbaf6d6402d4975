//! The one constructor of every yrs document.
//!
//! yrs defaults to byte offsets and, given a client id, to cleaning up formatting on its own,
//! which would let a server author edits. Both are wrong here, so no other module calls
//! `yrs::Doc::new`.

use std::sync::Arc;
use yrs::{ClientID, Doc, OffsetKind, Options};

/// A document whose replica writes under `client`, counting UTF-16 code units as Yjs and
/// ProseMirror do. `client` must be at most 53 bits.
#[must_use]
pub fn new(client: u64) -> Doc {
    debug_assert!(client <= crate::limits::MAX_CLIENT_ID);
    Doc::with_options(Options {
        client_id: ClientID::new(client),
        guid: Arc::from("accord"),
        collection_id: None,
        offset_kind: OffsetKind::Utf16,
        skip_gc: false,
        auto_load: false,
        should_load: true,
        cleanup_formatting: false,
    })
}
