//! Merging the adjacent structs of an update before anything integrates them.
//!
//! When a transaction ends, yrs squashes neighbouring items from right to left, and each step copies all that
//! was squashed before it: memory and time grow with the square of their number. 335 kB of one-character items
//! took 1.2 GB. Such updates are honest, too: they are what merging the updates of a long offline spell gives.
//! So what yrs would squash is joined here, in passes over the bytes that hold one struct at a time.
//!
//! Items stay apart where yrs can't squash them either: where the same update puts something between them, or
//! deletes only one of them. Joining them would make yrs split them again, at the cost of copying their text.
//!
//! Rule U12.

use super::scan::{Id, KIND, kind, read_client, read_content, read_place};
use super::scan_error::ScanError;
use crate::lib0::{Reader, Write};
use std::borrow::Cow;
use std::collections::HashSet;

/// An update whose adjacent structs are joined.
pub(crate) struct Merged<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// How many structs it has now.
    pub(crate) structs: usize,
}

/// Joins the structs of an update that yrs would squash.
///
/// `known` gives the first clock of a client that is not known yet: nothing is joined across it, since what is
/// known may have changed its place. `apart` names the first element of each item that must stay as it was
/// sent, because it stands under a key of a map, where each value replaces the one before.
///
/// # Errors
/// When the bytes are not an update.
pub(crate) fn merge<'a>(
    update: &'a [u8],
    known: impl Fn(u64) -> u32,
    apart: &HashSet<Id>,
) -> Result<Merged<'a>, ScanError> {
    let mut r = Reader::new(update);
    let runs = r.count()?;
    // Most updates are a keystroke or a deletion: nothing in them to be joined.
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

/// The elements before which yrs can't squash: between each and the one before it the update puts something, or
/// it deletes only one of the two. What the update says of structs that are known already counts for nothing: nobody
/// compares it with where those stand.
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
            let place = read_place(&mut r, info)?;
            if let (Some(left), Some(right)) = (place.origin, place.right_origin)
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

/// The structs of one client, as they are read and written again.
struct RunMerger<'k> {
    client: u64,
    /// Of the struct that is read next.
    clock: u32,
    /// The first clock that is not known yet.
    next: u32,
    apart: &'k HashSet<Id>,
    cuts: &'k HashSet<Id>,
    out: Vec<u8>,
    /// The struct written last, as long as others may be joined to it.
    open: Option<OpenStruct>,
    /// Whether the struct written last stays apart, and with it those that continue it.
    is_apart: bool,
    structs: usize,
}

/// A struct whose content may still grow.
struct OpenStruct {
    kind: u8,
    /// Its info byte and what says where it stands.
    head: Vec<u8>,
    right_origin: Option<Id>,
    /// How many elements, values or bytes of text the content has: what stands before it when written.
    len: u64,
    content: Vec<u8>,
}

impl RunMerger<'_> {
    fn read(&mut self, r: &mut Reader<'_>) -> Result<(), ScanError> {
        let start = r.clone();
        let info = r.byte()?;
        let kind = info & KIND;
        let (first, place, head) = if kind == kind::COLLECTED {
            (Id { client: self.client, clock: self.clock }, None, vec![info])
        } else if kind == kind::SKIP {
            return Err(ScanError::Pending);
        } else {
            let place = read_place(r, info)?;
            let head = start.clone().take(start.remaining() - r.remaining())?.to_vec();
            (Id { client: self.client, clock: self.clock }, Some(place), head)
        };
        let content = r.clone();
        let elements = match place {
            None => r.var_u32()?,
            Some(_) => read_content(r, kind)?.0,
        };
        let content = content.clone().take(content.remaining() - r.remaining())?;
        let end = self.clock.checked_add(elements);
        let end = end.ok_or(ScanError::Malformed("a clock is out of range"))?;
        let right_origin = place.as_ref().and_then(|place| place.right_origin);
        let continues = place.as_ref().is_none_or(|place| {
            self.clock
                .checked_sub(1)
                .is_some_and(|last| place.origin == Some(Id { client: self.client, clock: last }))
        });
        // What is empty is malformed, and must stay so.
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
    /// Adds the content of a struct, as it is written: a number, and for texts and values what that counts.
    fn append(&mut self, content: &[u8]) -> Result<(), ScanError> {
        let mut r = Reader::new(content);
        self.len += r.var_u64()?;
        self.content.extend_from_slice(r.take(r.remaining())?);
        Ok(())
    }
}

/// Whether yrs squashes content of this kind.
fn is_mergeable(kind: u8) -> bool {
    matches!(kind, kind::COLLECTED | kind::DELETED | kind::JSON | kind::TEXT | kind::ANY)
}

#[cfg(test)]
mod tests;
