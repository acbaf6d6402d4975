//! The limits of rules version 1 (see `docs/protocol.md`, section 6).

/// Bytes of a document's encoded state, and of one WebSocket message: a step 2 may carry a
/// whole offline spell.
pub const STATE_BYTES: usize = 8 * 1024 * 1024;
/// Distinct client ids that may bring new content in one update.
pub const CLIENTS_PER_UPDATE: usize = 64;
/// How many elements may stand between the neighbours of an update's new ones, all together: integration
/// looks at each of them. A day's offline writing beside somebody else's comes to some thousands.
pub const BETWEEN: u64 = 1 << 24;
/// Items that one update may bring, once adjacent ones are merged. A paper of 100,000 characters, typed key by
/// key with all its corrections and sent at once, comes to about 12,000.
pub const ITEMS_PER_UPDATE: usize = 1 << 16;
/// Ranges that one update may delete, those that are deleted already included: as many as a document of
/// [`ITEMS_PER_DOCUMENT`] items can have.
pub const DELETED_RANGES: usize = ITEMS_PER_DOCUMENT;
/// Items that a document may consist of, deleted ones included. yrs takes some 200 bytes for each.
pub const ITEMS_PER_DOCUMENT: usize = 1 << 18;
/// Attributes that the texts of a document may ever have, by name: Quill knows 18.
pub const ATTRIBUTES: usize = 512;
/// Bytes of an attribute's name.
pub const ATTRIBUTE_NAME_BYTES: usize = 1024;
/// The attributes of a document, times its items: each of its pieces could have each of them.
pub const ATTRIBUTES_OF_ITEMS: usize = 1 << 21;
/// Bytes of an attribute's value, as JSON: addresses of links are the longest.
pub const ATTRIBUTE_VALUE_BYTES: usize = 8 * 1024;
/// The longest values of all attributes together, times the items of a document: what reading it may come to.
pub const FORMATTING_BYTES: usize = 1 << 27;
/// How many items and code units of text an update may have moved or copied by splitting items, all together:
/// about half a second.
pub const MOVES: u64 = 1 << 29;
/// How deep shared types, and JSON values inside them, may nest.
pub const NESTING: u8 = 32;
/// Bytes of one client's awareness state.
pub const AWARENESS_BYTES: usize = 4 * 1024;
/// The largest client id Yjs can represent exactly (53 bits).
pub const CLIENT_ID: u64 = (1 << 53) - 1;
/// Clocks stay below this, so that no arithmetic on them can overflow 32 signed bits.
pub const CLOCK: u32 = 1 << 30;
