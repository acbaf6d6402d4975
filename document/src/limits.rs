//! The limits of rules version 1 (see `docs/protocol.md`, section 6).

/// Bytes of a document's encoded state, and of one WebSocket message: a step 2 may carry a
/// whole offline spell.
pub const MAX_STATE_BYTES: usize = 8 * 1024 * 1024;
/// Structs, or deleted ranges, that a room integrates in one turn: some 15 ns to 15 µs each. A larger update is taken in
/// parts, between which others have their turns.
pub const MAX_STEPS_PER_TURN: usize = 1 << 11;
/// Items between the origins of new elements in one turn, each looked at for some 500 ns: 65,536 take 30 ms.
pub const MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN: u64 = 1 << 16;
/// What splits may move in one turn, counted as for [`MAX_MOVED_UNITS`]: 30 ms.
pub const MAX_MOVED_UNITS_PER_TURN: u64 = 1 << 24;
/// Distinct client ids that may bring new content in one update.
pub const MAX_CLIENTS_PER_UPDATE: usize = 64;
/// Items between the origins (neighbours) of an update's new elements, all together: the check, and at worst
/// integration, looks at each of them, which takes some 100 ns. Two people who wrote all day at the same place without
/// each other, 1,200 items each, come to 1.4 million.
pub const MAX_ITEMS_BETWEEN_ORIGINS: u64 = 1 << 21;
/// Items that one update may bring, once adjacent ones are merged. A paper of 100,000 characters, typed key by
/// key with all its corrections and sent at once, comes to about 12,000.
pub const MAX_ITEMS_PER_UPDATE: usize = 1 << 16;
/// Ranges that one update may delete, those that are deleted already included: as many as a document of
/// [`MAX_ITEMS_PER_DOCUMENT`] items can have.
pub const MAX_DELETED_RANGES: usize = MAX_ITEMS_PER_DOCUMENT;
/// Items that a document may consist of, tombstones included: ten such papers. With what is kept of each beside yrs, an
/// item takes some 320 bytes.
pub const MAX_ITEMS_PER_DOCUMENT: usize = 1 << 17;
/// Attributes that the texts of a document may ever have, by name: Quill knows 18.
pub const MAX_ATTRIBUTES: usize = 512;
/// Bytes of an attribute's name.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 1024;
/// The attributes of a document, times the pieces into which its formats part its texts: each piece could have each
/// attribute. A paper with 24,000 changes of formatting of eight kinds comes close.
pub const MAX_ATTRIBUTES_TIMES_PIECES: usize = 3 << 16;
/// Bytes of an attribute's value, as JSON: addresses of links are the longest.
pub const MAX_ATTRIBUTE_VALUE_BYTES: usize = 8 * 1024;
/// Bytes of all attributes' names and longest values together, times the pieces and lines of a document: an upper bound
/// of what reading it gives.
pub const MAX_FORMATTING_BYTES: usize = 1 << 24;
/// Items and UTF-16 code units of text that an update may have moved, looked at or copied by splitting items, each by
/// what it costs (rule U11): half a second at most. Replacing 10,000 places in a text of 400,000 letters that was pasted
/// whole comes to half of this.
pub const MAX_MOVED_UNITS: u64 = 1 << 29;
/// The depth to which shared types, and JSON values inside them, may nest.
pub const MAX_NESTING_DEPTH: u8 = 32;
/// Bytes of one client's awareness state.
pub const MAX_AWARENESS_BYTES: usize = 4 * 1024;
/// The largest client id that Yjs can represent exactly (53 bits).
pub const MAX_CLIENT_ID: u64 = (1 << 53) - 1;
/// The bound below which clocks stay, so that no arithmetic on them can overflow 32 signed bits.
pub const MAX_CLOCK: u32 = 1 << 30;
