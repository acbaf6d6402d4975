//! The only constructor of yrs documents.
//!
//! By default, a document of yrs counts offsets in bytes, and cleans up formatting on its own: the server would then be
//! the author of edits. Both are wrong here, so no other module may call `yrs::Doc::new`.

use std::sync::Arc;
use yrs::{ClientID, Doc, OffsetKind, Options};

/// Returns an empty document that writes under `client` and counts UTF-16 code units, as Yjs and ProseMirror do.
/// `client` must have at most 53 bits.
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
