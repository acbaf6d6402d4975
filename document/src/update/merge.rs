//! Merges the adjacent structs of an update before it is integrated.
//!
//! When a transaction ends, yrs squashes (joins) neighbouring items from right to left, and each step copies everything
//! that was squashed before it. Memory and time therefore grow with the square of the number of items: 335 kB of
//! one-character items took 1.2 GB. Honest clients send such updates as well, because merging the updates of a long
//! offline spell produces one. So this module joins the items that yrs would squash, in passes over the bytes that read
//! one struct after the other.
//!
//! Two items stay separate if yrs can't squash them either: if the update inserts something between them, or deletes
//! only one of them. If they were joined, yrs would split them again and copy their text.
//!
//! Rule U12.

use super::scan::{Id, KIND, kind, read_client, read_content, read_position};
use super::scan_error::ScanError;
use crate::lib0::{Reader, Write};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// An update whose adjacent structs are joined.
pub(crate) struct Merged<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Number of structs in the merged update.
    pub(crate) structs: usize,
}

/// Joins those structs of an update that yrs would squash.
///
/// `known` takes a client id, and returns the client's first clock that the document does not contain yet. Structs are
/// not joined across that clock, because the document can have the known struct at another position than the update
/// names. `apart` contains the first element of each item that must stay as it was sent. These items are under a key of
/// a map, where each value replaces the one before.
///
/// # Errors
/// Returns an error if the bytes are not an update.
pub(crate) fn merge<'a>(
    update: &'a [u8],
    known: impl Fn(u64) -> u32,
    apart: &BTreeSet<Id>,
) -> Result<Merged<'a>, ScanError> {
    let mut r = Reader::new(update);
    let runs = r.count()?;
    // Most updates are one keystroke or one deletion and contain nothing to join.
    let first = if runs == 0 { 0 } else { r.clone().count()? };
    if runs == 0 || (runs == 1 && first <= 1) {
        return Ok(Merged { bytes: Cow::Borrowed(update), structs: first });
    }
    let cuts = cuts(update, &known)?;
    let mut out = Vec::new();
    out.put_var(runs as u64);
    let (mut before, mut after) = (0, 0);
    for _ in 0..runs {
        let count = r.count()?;
        let client = read_client(&mut r)?;
        let clock = r.var_u32()?;
        let mut run = RunMerger {
            client,
            clock,
            next: known(client),
            apart,
            cuts: &cuts,
            out: Vec::new(),
            open: None,
            is_apart: false,
            structs: 0,
        };
        for _ in 0..count {
            run.read(&mut r)?;
        }
        run.close();
        out.put_var(run.structs as u64);
        out.put_var(client);
        out.put_var(u64::from(clock));
        out.append(&mut run.out);
        before += count;
        after += run.structs;
    }
    if before == after {
        return Ok(Merged { bytes: Cow::Borrowed(update), structs: after });
    }
    out.extend_from_slice(r.take(r.remaining())?);
    Ok(Merged { bytes: Cow::Owned(out), structs: after })
}

/// Returns the elements that yrs can't squash with the element before them, because the update inserts something
/// between the two or deletes only one of them. The positions that the update names for known structs are ignored,
/// because nothing compares them with the positions in the document.
fn cuts(update: &[u8], known: &impl Fn(u64) -> u32) -> Result<HashSet<Id>, ScanError> {
    let mut cuts = HashSet::new();
    let mut r = Reader::new(update);
    for _ in 0..r.count()? {
        let count = r.count()?;
        let next = known(read_client(&mut r)?);
        let mut clock = r.var_u32()?;
        for _ in 0..count {
            let info = r.byte()?;
            let kind = info & KIND;
            if kind == kind::COLLECTED || kind == kind::SKIP {
                clock = clock.saturating_add(r.var_u32()?);
                continue;
            }
            let position = read_position(&mut r, info)?;
            if let (Some(left), Some(right)) = (position.origin, position.right_origin)
                && left.plus(1) == right
                && clock >= next
            {
                cuts.insert(right);
            }
            clock = clock.saturating_add(read_content(&mut r, kind)?.0);
        }
    }
    for _ in 0..r.count()? {
        let client = read_client(&mut r)?;
        for _ in 0..r.count()? {
            let clock = r.var_u32()?;
            let len = r.var_u32()?;
            cuts.insert(Id { client, clock });
            cuts.extend(clock.checked_add(len).map(|clock| Id { client, clock }));
        }
    }
    Ok(cuts)
}

/// Reads the structs of one client, joins those that yrs would squash, and writes the result.
struct RunMerger<'k> {
    client: u64,
    /// The clock of the struct that is read next.
    clock: u32,
    /// The client's first clock that the document does not contain yet.
    next: u32,
    apart: &'k BTreeSet<Id>,
    cuts: &'k HashSet<Id>,
    out: Vec<u8>,
    /// The last struct that was read, if the next one can still be joined to it. The struct is not written yet.
    open: Option<OpenStruct>,
    /// Whether the last struct must stay separate, and with it the structs that continue it.
    is_apart: bool,
    structs: usize,
}

/// A struct whose content can still grow.
struct OpenStruct {
    kind: u8,
    /// The encoded info byte and position of the struct.
    head: Vec<u8>,
    right_origin: Option<Id>,
    /// The length that is written before the content: a number of elements, values or bytes of text.
    len: u64,
    content: Vec<u8>,
}

impl RunMerger<'_> {
    fn read(&mut self, r: &mut Reader<'_>) -> Result<(), ScanError> {
        let start = r.clone();
        let info = r.byte()?;
        let kind = info & KIND;
        let (first, position, head) = if kind == kind::COLLECTED {
            (Id { client: self.client, clock: self.clock }, None, vec![info])
        } else if kind == kind::SKIP {
            return Err(ScanError::Pending);
        } else {
            let position = read_position(r, info)?;
            let head = start.clone().take(start.remaining() - r.remaining())?.to_vec();
            (Id { client: self.client, clock: self.clock }, Some(position), head)
        };
        let content = r.clone();
        let elements = match position {
            None => r.var_u32()?,
            Some(_) => read_content(r, kind)?.0,
        };
        let content = content.clone().take(content.remaining() - r.remaining())?;
        let end = self.clock.checked_add(elements);
        let end = end.ok_or(ScanError::Malformed("a clock is out of range"))?;
        let right_origin = position.as_ref().and_then(|position| position.right_origin);
        let continues = position.as_ref().is_none_or(|position| {
            self.clock.checked_sub(1).is_some_and(|last| {
                position.origin == Some(Id { client: self.client, clock: last })
            })
        });
        // An empty struct is malformed. It stays in the update, so that the scan refuses the update.
        let may_join = elements > 0 && is_mergeable(kind);
        if let Some(open) = &mut self.open
            && may_join
            && continues
            && open.kind == kind
            && open.right_origin == right_origin
            && self.clock != self.next
            && !self.cuts.contains(&first)
        {
            open.append(content)?;
        } else {
            self.close();
            self.structs += 1;
            self.is_apart = self.apart.contains(&first) || self.is_apart && continues;
            if may_join && !self.is_apart {
                let mut open = OpenStruct { kind, head, right_origin, len: 0, content: Vec::new() };
                open.append(content)?;
                self.open = Some(open);
            } else {
                self.out.extend_from_slice(&head);
                self.out.extend_from_slice(content);
            }
        }
        self.clock = end;
        Ok(())
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.out.extend_from_slice(&open.head);
        self.out.put_var(open.len);
        self.out.extend_from_slice(&open.content);
    }
}

impl OpenStruct {
    /// Appends the encoded content of a struct: a length and, for texts and values, the encoded characters or values
    /// that follow the length.
    fn append(&mut self, content: &[u8]) -> Result<(), ScanError> {
        let mut r = Reader::new(content);
        self.len += r.var_u64()?;
        self.content.extend_from_slice(r.take(r.remaining())?);
        Ok(())
    }
}

/// Returns whether yrs squashes content of this kind.
fn is_mergeable(kind: u8) -> bool {
    matches!(kind, kind::COLLECTED | kind::DELETED | kind::JSON | kind::TEXT | kind::ANY)
}

#[cfg(test)]
mod tests;
