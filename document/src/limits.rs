//! The limits of rules version 1 (see `docs/protocol.md`, section 6).

/// Maximum size of a document's encoded state, in bytes. The limit of a WebSocket message (`MAX_MESSAGE_BYTES` in
/// `server/src/http/sync.rs`) is this size plus the protocol's own bytes, so that one message can contain everything
/// that somebody wrote offline.
pub const MAX_STATE_BYTES: usize = 8 * 1024 * 1024;
/// Maximum size of an update that a room checks in the turn in which the update arrives, in bytes. A larger update is
/// checked outside the room, on a copy. An update of this size has at most about 5,000 items or deleted ranges.
pub const MAX_BYTES_CHECKED_IN_TURN: usize = 16 * 1024;
/// Maximum number of structs, and of deleted ranges, that a room integrates in one turn. Each takes up to 15 µs. A
/// larger update is cut into parts, and other people have turns between the parts.
pub const MAX_STEPS_PER_TURN: usize = 1 << 10;
/// Maximum number of items between the origins of new elements in one turn. The check and yrs both visit each of these
/// items. Together the two visits take about 0.75 µs for each item, so 32,768 items take 25 ms
/// (`cargo xtask bench turns`). With 65,536 items, the visits would take 1.2 µs for each.
pub const MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN: u64 = 1 << 15;
/// Maximum cost of splits in one turn, in the unit of [`MAX_SPLIT_COST`]. Splits of this cost take 2 to 7 ms.
pub const MAX_SPLIT_COST_PER_TURN: u64 = 1 << 23;
/// Maximum number of items that one turn moves in yrs' vectors while it joins deleted items. yrs joins them one by one, and
/// each time moves all later items of their client. So many moves take about 40 ms.
pub const MAX_JOINING_MOVES_PER_TURN: u64 = 1 << 26;
/// Maximum number of client ids under which one update adds new content.
pub const MAX_CLIENTS_PER_UPDATE: usize = 64;
/// Maximum number of items between the origins (neighbours) of new elements, added up over all new elements of an
/// update. If a client sends an update with so many, the update is taken in parts, whose turns take some seconds in
/// total. Two people who write at the same place all day without a connection, 1,200 items each, reach 1.4 million.
pub const MAX_ITEMS_BETWEEN_ORIGINS: u64 = 1 << 21;
/// Maximum number of items in one update, after adjacent ones are merged. An academic paper of 100,000 characters that
/// is typed key by key, with all its corrections, and sent as one update has about 12,000 items.
pub const MAX_ITEMS_PER_UPDATE: usize = 1 << 16;
/// Maximum number of ranges that one update deletes, including ranges that are deleted already: as many as there can be
/// in a document of [`MAX_ITEMS_PER_DOCUMENT`] items.
pub const MAX_DELETED_RANGES: usize = MAX_ITEMS_PER_DOCUMENT;
/// Maximum number of items in a document, tombstones included: more than ten academic papers of 100,000 characters
/// each, typed key by key. An item takes about 320 bytes of memory, including the data about it outside yrs.
pub const MAX_ITEMS_PER_DOCUMENT: usize = 1 << 17;
/// Maximum number of attributes with different names in the texts of a document. Deleted attributes count until the
/// document is measured again. Quill defines 18 attributes.
pub const MAX_ATTRIBUTES: usize = 512;
/// Maximum length of an attribute's name, in bytes.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 1024;
/// Maximum product of the number of a document's attributes and the number of pieces into which formats divide its
/// texts. Each piece can have each attribute. An academic paper with 24,000 changes of formatting of eight kinds comes
/// close to the maximum.
pub const MAX_ATTRIBUTES_TIMES_PIECES: usize = 3 << 16;
/// Maximum length of an attribute's value as JSON, in bytes. The longest values are the addresses of links.
pub const MAX_ATTRIBUTE_VALUE_BYTES: usize = 8 * 1024;
/// Maximum product of two totals: the length of the names and of the longest values of all attributes, in bytes, and
/// the number of pieces and lines in a document. The product is an upper bound of the bytes that reading the document
/// yields.
pub const MAX_FORMATTING_BYTES: usize = 1 << 24;
/// Maximum cost of the splits of an update that is integrated in one piece: an import, a restore or a cleaning
/// (rule U11). The cost counts the items and UTF-16 code units that are moved, looked at or copied, each weighted by
/// the time that this takes. Splits of this cost take about 0.13 s. Replacing 10,000 places in a text of 400,000
/// letters that was pasted as a whole costs half of this.
pub const MAX_SPLIT_COST: u64 = 1 << 29;
/// Maximum depth of nested shared types, and of nested JSON values inside them.
pub const MAX_NESTING_DEPTH: u8 = 32;
/// Maximum size of one client's awareness state, in bytes.
pub const MAX_AWARENESS_BYTES: usize = 4 * 1024;
/// The largest client id that Yjs represents exactly: 53 bits.
pub const MAX_CLIENT_ID: u64 = (1 << 53) - 1;
/// Exclusive upper bound of clocks, so that no arithmetic on clocks overflows a signed 32-bit integer.
pub const MAX_CLOCK: u32 = 1 << 30;
