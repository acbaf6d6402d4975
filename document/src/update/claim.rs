//! Claims of authorship: "these new characters are those old ones".
//!
//! Undo, a restore, moving and pasting write characters anew, under new ids. A claim ties them to the
//! characters they repeat, so that history credits whoever wrote them first beside whoever brought them
//! back. A claim is only that: [`History`](crate::history::History) believes it where both say the same.

use super::scan::{Body, Content, Id, Range, bounded, read_client, scan};
use super::{ScanError, Struct};
use crate::ids::Seq;
use crate::lib0::{Reader, Write};

/// The most claims of one edit. An edit that repeats more pieces of text claims the first.
pub const CLAIMS: usize = 4096;

/// `len` characters from `new` on are those from `old` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub new: Id,
    pub old: Id,
    pub len: u32,
}

/// Where characters of an edit come from, if they are not all new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    pub claims: Vec<Claim>,
    /// The moment that the edit goes back to. Only the server makes such edits: what they claim needs no
    /// other proof than the text itself.
    pub restores: Option<Seq>,
}

impl From<Vec<Claim>> for Provenance {
    fn from(claims: Vec<Claim>) -> Self {
        Self { claims, restores: None }
    }
}

/// Writes claims: `count (new_client new_clock old_client old_clock len)*`.
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

/// Reads claims as a message carries them: no bytes for none.
///
/// # Errors
/// As [`read_claims`], and when something follows them.
pub fn claims_from(bytes: &[u8]) -> Result<Vec<Claim>, ScanError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut r = Reader::new(bytes);
    let claims = read_claims(&mut r)?;
    if r.is_empty() { Ok(claims) } else { Err(ScanError::Malformed("bytes follow the claims")) }
}

/// Reads claims.
///
/// # Errors
/// When the bytes are none, or more than [`CLAIMS`].
pub fn read_claims(r: &mut Reader<'_>) -> Result<Vec<Claim>, ScanError> {
    let count = r.count()?;
    if count > CLAIMS {
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

/// What an undo or redo claims: yrs and Yjs write what they bring back directly before the deleted
/// original, which is its right origin.
#[must_use]
pub fn reinstated(update: &[u8]) -> Vec<Claim> {
    let Ok(scan) = scan(update) else { return Vec::new() };
    let mut claims = Vec::new();
    for run in &scan.runs {
        for Struct { clock, len, body } in &run.structs {
            if let Body::Item { right_origin: Some(old), content: Content::Text(_), .. } = body {
                let new = Id { client: run.client, clock: *clock };
                claims.push(Claim { new, old: *old, len: *len });
            }
        }
    }
    claims.truncate(CLAIMS);
    claims
}

/// What new characters repeat, both sides in their order.
#[must_use]
pub fn repeated(updates: &[Vec<u8>], sources: &[Range]) -> Vec<Claim> {
    let mut new = Vec::new();
    for run in updates.iter().filter_map(|update| scan(update).ok()).flat_map(|scan| scan.runs) {
        let texts = run
            .structs
            .iter()
            .filter(|item| matches!(item.body, Body::Item { content: Content::Text(_), .. }));
        new.extend(texts.map(|item| Range {
            client: run.client,
            clock: item.clock,
            len: item.len,
        }));
    }
    let total = |ranges: &[Range]| ranges.iter().map(|range| range.len).sum::<u32>();
    let mut claims = Vec::new();
    if total(&new) != total(sources) {
        return claims;
    }
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
