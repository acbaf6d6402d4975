//! Claims of authorship: statements that new characters of an edit repeat older ones.
//!
//! Undo, restoring, moving and pasting write characters again, under new ids. A claim links the new characters to those
//! that they repeat, so that the history credits the first author of the text as well as the person who brought it
//! back. A claim is not proof: [`History`](crate::history::History) believes it only where both texts are the same.
//!
//! Rule A7.

use super::Struct;
use super::scan::{Id, ItemContent, Range, Scan, StructBody, bounded, read_client, scan};
use super::scan_error::ScanError;
use crate::ids::Seq;
use crate::lib0::{Reader, Write};

/// Maximum number of claims of one edit. If an edit repeats more pieces of text, only the first pieces are claimed.
pub const MAX_CLAIMS: usize = 4096;

/// The claim that the `len` characters from `new` on repeat those from `old` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The first of the new characters.
    pub new: Id,
    /// The first of the old characters.
    pub old: Id,
    /// The number of characters.
    pub len: u32,
}

impl Claim {
    /// Returns the part of the claim that concerns new characters with clocks in `from..to`, or `None` if none do.
    pub(super) fn within(&self, from: u32, to: u32) -> Option<Self> {
        let (start, end) = (from.max(self.new.clock), to.min(self.new.clock + self.len));
        if start >= end {
            return None;
        }
        let old = self.old.plus(start - self.new.clock);
        Some(Self { new: Id { clock: start, ..self.new }, old, len: end - start })
    }

    /// Returns the parts of the claim whose new characters are in an update.
    pub(crate) fn of_those_in(&self, update: &Scan<'_>) -> impl Iterator<Item = Self> {
        let runs = update.runs.iter().filter(|run| run.client == self.new.client);
        runs.filter_map(|run| {
            let (first, last) = (run.structs.first()?, run.structs.last()?);
            self.within(first.clock, last.end())
        })
    }
}

/// The provenance of an edit: the sources of its characters that are not new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The claims of authorship about characters of the edit.
    pub claims: Vec<Claim>,
    /// The moment that the edit restores, or `None` for any other edit. Only the server makes edits that restore a
    /// moment, so their claims need no other proof than that the texts are the same.
    pub restores: Option<Seq>,
}

impl From<Vec<Claim>> for Provenance {
    fn from(claims: Vec<Claim>) -> Self {
        Self { claims, restores: None }
    }
}

/// Writes claims in the form `count (new_client new_clock old_client old_clock len)*`.
pub fn write_claims(out: &mut Vec<u8>, claims: &[Claim]) {
    out.put_var(claims.len() as u64);
    for Claim { new, old, len } in claims {
        for id in [new, old] {
            out.put_var(id.client);
            out.put_var(u64::from(id.clock));
        }
        out.put_var(u64::from(*len));
    }
}

/// Reads the claims of a message, where no bytes mean no claims.
///
/// # Errors
/// Returns an error if [`read_claims`] does, or if extra bytes follow the claims.
pub fn claims_from(bytes: &[u8]) -> Result<Vec<Claim>, ScanError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut r = Reader::new(bytes);
    let claims = read_claims(&mut r)?;
    if r.is_empty() {
        Ok(claims)
    } else {
        Err(ScanError::Malformed("extra bytes follow the claims"))
    }
}

/// Reads claims in the form that [`write_claims`] writes.
///
/// # Errors
/// Returns an error if the bytes are not claims, or if there are more than [`MAX_CLAIMS`].
pub fn read_claims(r: &mut Reader<'_>) -> Result<Vec<Claim>, ScanError> {
    let count = r.count()?;
    if count > MAX_CLAIMS {
        return Err(ScanError::Malformed("it claims too many pieces of text"));
    }
    let mut claims = Vec::with_capacity(count);
    for _ in 0..count {
        let new = Id { client: read_client(r)?, clock: r.var_u32()? };
        let old = Id { client: read_client(r)?, clock: r.var_u32()? };
        let len = r.var_u32()?;
        bounded(new.clock, len)?;
        bounded(old.clock, len)?;
        claims.push(Claim { new, old, len });
    }
    Ok(claims)
}

/// Returns the claims of an undo or redo. yrs and Yjs write restored text directly before its deleted original, so
/// the original is the right origin of the new text.
#[must_use]
pub fn reinstated(update: &[u8]) -> Vec<Claim> {
    let Ok(scan) = scan(update) else { return Vec::new() };
    let mut claims = Vec::new();
    for run in &scan.runs {
        for Struct { clock, len, body } in &run.structs {
            if let StructBody::Item {
                right_origin: Some(old), content: ItemContent::Text(_), ..
            } = body
            {
                let new = Id { client: run.client, clock: *clock };
                claims.push(Claim { new, old: *old, len: *len });
            }
        }
    }
    claims.truncate(MAX_CLAIMS);
    claims
}

/// Returns the claims that the new characters of `updates` repeat `sources`, one by one in their order. Returns no
/// claims if there are more new characters than sources, or fewer.
#[must_use]
pub fn repeated(updates: &[Vec<u8>], sources: &[Range]) -> Vec<Claim> {
    let (new, _) = written(updates);
    if total(&new) == total(sources) { paired(&new, sources) } else { Vec::new() }
}

/// Returns the claims of pasted text: the new characters of `updates` repeat the passage `copied`, whose elements are
/// `sources`. An editor adds text around a pasted passage, and leaves out text that was there already. So the shorter
/// of the two texts is searched for in the other.
#[must_use]
pub fn pasted(updates: &[Vec<u8>], copied: &[u16], sources: &[Range]) -> Vec<Claim> {
    let (new, text) = written(updates);
    // Each element must be one code unit, because offsets in the text are used as offsets in the ranges.
    let is_exact = total(&new) as usize == text.len() && total(sources) as usize == copied.len();
    if !is_exact || text.is_empty() || copied.is_empty() {
        return Vec::new();
    }
    let find = |whole: &[u16], part: &[u16]| whole.windows(part.len()).position(|at| at == part);
    if let Some(at) = find(copied, &text) {
        return paired(&new, &cut(sources, at, text.len()));
    }
    let at = find(&text, copied);
    at.map_or_else(Vec::new, |at| paired(&cut(&new, at, copied.len()), sources))
}

/// Returns the characters that updates insert, in order: the ranges of their elements, and their UTF-16 code units.
fn written(updates: &[Vec<u8>]) -> (Vec<Range>, Vec<u16>) {
    let (mut new, mut said) = (Vec::new(), Vec::new());
    for run in updates.iter().filter_map(|update| scan(update).ok()).flat_map(|scan| scan.runs) {
        for Struct { clock, len, body } in &run.structs {
            if let StructBody::Item { content: ItemContent::Text(text), .. } = body {
                new.push(Range { client: run.client, clock: *clock, len: *len });
                said.extend(text.encode_utf16());
            }
        }
    }
    (new, said)
}

fn total(ranges: &[Range]) -> u32 {
    ranges.iter().map(|range| range.len).sum()
}

/// Returns the `len` elements of `ranges` from the offset `at` on.
fn cut(ranges: &[Range], at: usize, len: usize) -> Vec<Range> {
    let (mut skip, mut left) = (at, len);
    let mut out = Vec::new();
    for range in ranges {
        let start = skip.min(range.len as usize);
        let taken = (range.len as usize - start).min(left);
        (skip, left) = (skip - start, left - taken);
        if taken > 0 {
            // The casts are exact, because both numbers are at most the length of the range.
            #[allow(clippy::cast_possible_truncation)]
            let (start, len) = (start as u32, taken as u32);
            out.push(Range { client: range.client, clock: range.clock + start, len });
        }
    }
    out
}

/// Returns the claims that the elements of `new` repeat those of `sources` one by one, up to the end of the shorter
/// side.
fn paired(new: &[Range], sources: &[Range]) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut sources = sources.iter().copied();
    let mut source = sources.next();
    for range in new {
        let mut done = 0;
        while let (true, Some(old)) = (done < range.len, &mut source) {
            let len = old.len.min(range.len - done);
            let new = Id { client: range.client, clock: range.clock + done };
            claims.push(Claim { new, old: Id { client: old.client, clock: old.clock }, len });
            done += len;
            (old.clock, old.len) = (old.clock + len, old.len - len);
            if old.len == 0 {
                source = sources.next();
            }
        }
    }
    claims
}
