//! Reads the bytes of an update v1 without recursion, before any other code decodes them.
//!
//! The scan bounds every count by the bytes that are left, every nesting by
//! [`limits::MAX_NESTING_DEPTH`](crate::limits::MAX_NESTING_DEPTH), and every clock by
//! [`limits::MAX_CLOCK`](crate::limits::MAX_CLOCK). It keeps only what later checks need: the position, the
//! references and the content of each struct. The format is that of Yjs 13 (`UpdateEncoderV1`).
//!
//! Rule U1.

use super::scan_error::ScanError;
use super::values::{skip_any, skip_json};
use crate::lib0::{ReadError, Reader};
use crate::limits;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The identity of one element: its client and its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The id of the client that wrote the element.
    pub client: u64,
    /// The number of the element among those of its client, from 0 on.
    pub clock: u32,
}

impl Id {
    /// Returns the id of the same client's element `offset` clocks later.
    #[must_use]
    pub fn plus(self, offset: u32) -> Self {
        Self { clock: self.clock + offset, ..self }
    }
}

/// The contents of an update.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan<'a> {
    /// One run of consecutive structs for each client.
    pub runs: Vec<ClientStructs<'a>>,
    /// The ranges that the update deletes.
    pub deletes: Vec<Range>,
}

/// Consecutive structs of one client.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientStructs<'a> {
    /// The client id.
    pub client: u64,
    /// The structs, in ascending order of their clocks.
    pub structs: Vec<Struct<'a>>,
}

/// A struct: an item, or a range of elements that were collected as garbage.
#[derive(Debug, PartialEq, Eq)]
pub struct Struct<'a> {
    /// The clock of the struct's first element.
    pub clock: u32,
    /// The number of elements in the struct, at least 1.
    pub len: u32,
    /// The kind of the struct, with its content.
    pub body: StructBody<'a>,
}

impl Struct<'_> {
    /// Returns the clock after the struct's last element.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.clock + self.len
    }

    /// Returns the two points between which the item was inserted: directly after its origin, and directly before its
    /// right origin. A point is given as the element after it: the origin's successor in clock order, or the right
    /// origin.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = Id> {
        let (origin, right_origin) = match self.body {
            StructBody::Item { origin, right_origin, .. } => (origin, right_origin),
            StructBody::Collected => (None, None),
        };
        origin.map(|id| id.plus(1)).into_iter().chain(right_origin)
    }

    /// Returns the elements that the struct refers to: its origins, and the element that created its parent.
    pub(crate) fn references(&self) -> impl Iterator<Item = Id> {
        let ids = match self.body {
            StructBody::Collected => [None; 3],
            StructBody::Item { origin, right_origin, parent, .. } => {
                let parent = match parent {
                    Some(Parent::Nested(id)) => Some(id),
                    Some(Parent::Root(_)) | None => None,
                };
                [origin, right_origin, parent]
            }
        };
        ids.into_iter().flatten()
    }
}

/// The kind of a struct, with its content.
#[derive(Debug, PartialEq, Eq)]
pub enum StructBody<'a> {
    /// Content that the sender has garbage-collected: only its length is left.
    Collected,
    /// An item: content with its position.
    Item {
        /// The left neighbour of the item when it was written, if any.
        origin: Option<Id>,
        /// The right neighbour of the item when it was written, if any.
        right_origin: Option<Id>,
        /// The shared type that contains the item. Present exactly when both origins are absent.
        parent: Option<Parent<'a>>,
        /// The key of the item if it is a value of a map. Absent if an origin or right origin implies the key.
        key: Option<&'a str>,
        /// The content of the item.
        content: ItemContent<'a>,
    },
}

/// The shared type that contains an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent<'a> {
    /// A root type, by its name.
    Root(&'a str),
    /// A nested shared type, by the element that created it.
    Nested(Id),
}

/// The content of an item, as the update encodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemContent<'a> {
    /// Deleted content: only its length is left.
    Deleted,
    /// Characters.
    Text(&'a str),
    /// An embedded value in a text, as JSON.
    Embed(&'a str),
    /// A format mark, as the name of an attribute and its value as JSON. From the mark on, the text has the attribute.
    Format(&'a str, &'a str),
    /// A shared type, by the number of its kind.
    Type(u8),
    /// Values of an array or map, in lib0's encoding of `any`.
    Any(&'a [u8]),
    /// Content of Yjs that commitments never contain: binary data, subdocuments, values in the old JSON encoding.
    Other,
}

/// The numbers of the kinds of shared types in a commitment.
pub mod shared_type {
    /// A map.
    pub const MAP: u8 = 1;
    /// A text.
    pub const TEXT: u8 = 2;
}

/// A range of consecutive elements of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The client id.
    pub client: u64,
    /// The clock of the range's first element.
    pub clock: u32,
    /// The number of elements in the range.
    pub len: u32,
}

pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
pub(super) const KIND: u8 = 0x1f;

/// The kinds of struct. The low five bits of a struct's first byte encode its kind (Yjs 13: `contentRefs` and
/// `structs`).
pub(super) mod kind {
    pub(crate) const COLLECTED: u8 = 0;
    pub(crate) const DELETED: u8 = 1;
    pub(crate) const JSON: u8 = 2;
    pub(crate) const BINARY: u8 = 3;
    pub(crate) const TEXT: u8 = 4;
    pub(crate) const EMBED: u8 = 5;
    pub(crate) const FORMAT: u8 = 6;
    pub(crate) const TYPE: u8 = 7;
    pub(crate) const ANY: u8 = 8;
    pub(crate) const SUBDOCUMENT: u8 = 9;
    pub(crate) const SKIP: u8 = 10;
}

/// Scans a whole update.
///
/// # Errors
/// Returns an error if the bytes are not exactly one update, or exceed a limit.
pub fn scan(bytes: &[u8]) -> Result<Scan<'_>, ScanError> {
    let mut r = Reader::new(bytes);
    let mut scan = Scan::default();
    let mut clients = HashSet::new();
    for _ in 0..r.count()? {
        let run = read_run(&mut r)?;
        if !clients.insert(run.client) {
            return Err(ScanError::Malformed("a client appears twice"));
        }
        scan.runs.push(run);
    }
    for _ in 0..r.count()? {
        let client = read_client(&mut r)?;
        for _ in 0..r.count()? {
            let clock = r.var_u32()?;
            let len = r.var_u32()?;
            bounded(clock, len)?;
            scan.deletes.push(Range { client, clock, len });
        }
    }
    if !r.is_empty() {
        return Err(ScanError::Malformed("extra bytes follow the update"));
    }
    Ok(scan)
}

fn read_run<'a>(r: &mut Reader<'a>) -> Result<ClientStructs<'a>, ScanError> {
    let count = r.count()?;
    let client = read_client(r)?;
    let mut clock = r.var_u32()?;
    let mut structs = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        let (len, body) = read_struct(r)?;
        bounded(clock, len)?;
        structs.push(Struct { clock, len, body });
        clock += len;
    }
    Ok(ClientStructs { client, structs })
}

pub(super) fn read_client(r: &mut Reader<'_>) -> Result<u64, ScanError> {
    let client = r.var_u64()?;
    if client > limits::MAX_CLIENT_ID {
        return Err(ScanError::Malformed("a client id has more than 53 bits"));
    }
    Ok(client)
}

fn read_id(r: &mut Reader<'_>) -> Result<Id, ScanError> {
    let client = read_client(r)?;
    let clock = r.var_u32()?;
    bounded(clock, 1)?;
    Ok(Id { client, clock })
}

pub(super) fn bounded(clock: u32, len: u32) -> Result<(), ScanError> {
    match clock.checked_add(len) {
        Some(end) if end <= limits::MAX_CLOCK && len > 0 => Ok(()),
        Some(_) if len == 0 => Err(ScanError::Malformed("a struct or range is empty")),
        _ => Err(ScanError::Malformed("a clock is out of range")),
    }
}

pub(super) fn read_struct<'a>(r: &mut Reader<'a>) -> Result<(u32, StructBody<'a>), ScanError> {
    let info = r.byte()?;
    match info & KIND {
        kind::COLLECTED => return Ok((r.var_u32()?, StructBody::Collected)),
        kind::SKIP => return Err(ScanError::Pending),
        _ => {}
    }
    let EncodedPosition { origin, right_origin, parent, key } = read_position(r, info)?;
    let (len, content) = read_content(r, info & KIND)?;
    Ok((len, StructBody::Item { origin, right_origin, parent, key, content }))
}

/// The position of an item, as its struct encodes it.
pub(super) struct EncodedPosition<'a> {
    pub(super) origin: Option<Id>,
    pub(super) right_origin: Option<Id>,
    pub(super) parent: Option<Parent<'a>>,
    pub(super) key: Option<&'a str>,
}

pub(super) fn read_position<'a>(
    r: &mut Reader<'a>,
    info: u8,
) -> Result<EncodedPosition<'a>, ScanError> {
    let origin = if info & HAS_ORIGIN != 0 { Some(read_id(r)?) } else { None };
    let right_origin = if info & HAS_RIGHT_ORIGIN != 0 { Some(read_id(r)?) } else { None };
    let (parent, key) = if origin.is_none() && right_origin.is_none() {
        let parent = match r.var_u64()? {
            1 => Parent::Root(r.string()?),
            0 => Parent::Nested(read_id(r)?),
            _ => return Err(ScanError::Malformed("a parent is neither a name nor an id")),
        };
        let key = if info & HAS_PARENT_SUB != 0 { Some(r.string()?) } else { None };
        (Some(parent), key)
    } else {
        (None, None)
    };
    Ok(EncodedPosition { origin, right_origin, parent, key })
}

/// Reads an item's content. Returns its length in elements, and the content.
pub(super) fn read_content<'a>(
    r: &mut Reader<'a>,
    kind: u8,
) -> Result<(u32, ItemContent<'a>), ScanError> {
    match kind {
        kind::DELETED => Ok((r.var_u32()?, ItemContent::Deleted)),
        kind::JSON => {
            let count = r.count()?;
            for _ in 0..count {
                skip_json(r.string()?, true)?;
            }
            Ok((length(count)?, ItemContent::Other))
        }
        kind::BINARY => r.buf().map(|_| (1, ItemContent::Other)).map_err(Into::into),
        kind::TEXT => {
            let text = r.string()?;
            Ok((length(text.encode_utf16().count())?, ItemContent::Text(text)))
        }
        kind::EMBED => {
            let value = r.string()?;
            skip_json(value, false)?;
            Ok((1, ItemContent::Embed(value)))
        }
        kind::FORMAT => {
            let (name, value) = (r.string()?, r.string()?);
            skip_json(value, false)?;
            Ok((1, ItemContent::Format(name, value)))
        }
        kind::TYPE => {
            let number = r.var_u64()?;
            match number {
                0..=2 | 4 | 6 => {}
                // XmlElement and XmlHook carry their node name.
                3 | 5 => {
                    r.string()?;
                }
                _ => return Err(ScanError::Malformed("an unknown kind of shared type")),
            }
            Ok((1, ItemContent::Type(number as u8)))
        }
        kind::ANY => {
            let count = r.count()?;
            let values = r.clone();
            skip_any(r, count)?;
            let bytes = values.clone().take(values.remaining() - r.remaining())?;
            Ok((length(count)?, ItemContent::Any(bytes)))
        }
        kind::SUBDOCUMENT => {
            r.string()?;
            skip_any(r, 1)?;
            Ok((1, ItemContent::Other))
        }
        _ => Err(ScanError::Malformed("an unknown kind of content")),
    }
}

fn length(count: usize) -> Result<u32, ScanError> {
    u32::try_from(count).map_err(|_| ScanError::Read(ReadError::Overflow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib0::Write;

    #[test]
    fn a_real_update_is_read_struct_by_struct() {
        use yrs::{Text, Transact};
        let doc = crate::ydoc::new(7);
        let text = doc.get_or_insert_text("title");
        let update = {
            let mut txn = doc.transact_mut();
            text.insert(&mut txn, 0, "한a😀");
            text.remove_range(&mut txn, 1, 1);
            txn.encode_update_v1()
        };
        let scan = scan(&update).unwrap();
        assert_eq!(scan.runs[0].client, 7);
        assert_eq!(scan.runs[0].structs.iter().map(|s| s.len).sum::<u32>(), 4);
        assert_eq!(scan.deletes, vec![Range { client: 7, clock: 1, len: 1 }]);
    }

    #[test]
    fn counts_beyond_the_bytes_are_refused() {
        for bytes in [&[0xff, 0xff, 0xff, 0x7f][..], &[0, 0xff, 0xff, 0xff, 0x7f], &[1, 0xff, 1, 1]]
        {
            assert!(matches!(scan(bytes), Err(ScanError::Read(_))), "{bytes:?}");
        }
    }

    #[test]
    fn nesting_is_bounded_without_recursion() {
        let mut bytes = vec![1, 1, 7, 0, 8, 1, 1, b't', 1];
        bytes.extend(std::iter::repeat_n([117, 1], 10_000).flatten());
        bytes.push(126);
        bytes.push(0);
        assert_eq!(scan(&bytes), Err(ScanError::TooDeep));
        let mut json = vec![1, 1, 7, 0, 5, 1, 1, b't'];
        json.put_buf("[".repeat(20_000).as_bytes());
        json.push(0);
        assert_eq!(scan(&json), Err(ScanError::TooDeep));
    }

    #[test]
    fn skip_structs_ask_for_a_resync() {
        assert_eq!(scan(&[1, 1, 7, 0, 10, 3, 0]), Err(ScanError::Pending));
    }
}
