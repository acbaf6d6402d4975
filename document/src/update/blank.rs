//! Blanking: removes the content of some elements from an update.
//!
//! The elements stay in the update as deleted ones, with their ids and positions but without content. A client that
//! integrates the blanked update ends with the same document as one that integrates the whole update and then deletes
//! those elements.

use super::scan::{
    HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, ItemContent, KIND, Range, kind, read_content, read_position,
};
use super::scan_error::ScanError;
use crate::lib0::{Reader, Write};

/// Returns the update without the content of `ranges`, or `None` if no struct of the update changes.
///
/// # Errors
/// Returns an error if the bytes are not an update.
pub fn blank(update: &[u8], ranges: &[Range]) -> Result<Option<Vec<u8>>, ScanError> {
    let mut r = Reader::new(update);
    let mut out = Vec::with_capacity(update.len());
    let mut changed = false;
    let runs = r.count()?;
    out.put_var(runs as u64);
    for _ in 0..runs {
        let count = r.count()?;
        let client = r.var_u64()?;
        let mut clock = r.var_u32()?;
        let first = clock;
        let mut structs = Vec::new();
        let mut written = 0u64;
        for _ in 0..count {
            let (bytes, pieces, len) = blank_struct(update, &mut r, client, clock, ranges)?;
            changed |= bytes.is_some();
            let start = update.len() - r.remaining();
            match bytes {
                Some(bytes) => structs.extend_from_slice(&bytes),
                None => structs.extend_from_slice(&update[start - len.bytes..start]),
            }
            written += pieces;
            clock += len.elements;
        }
        out.put_var(written);
        out.put_var(client);
        out.put_var(u64::from(first));
        out.extend_from_slice(&structs);
    }
    let rest = r.remaining();
    out.extend_from_slice(&update[update.len() - rest..]);
    Ok(changed.then_some(out))
}

struct StructLength {
    elements: u32,
    bytes: usize,
}

/// Reads one struct. Returns the bytes that replace the struct, or `None` if it stays as it is; the number of structs
/// in the result; and the length of the original struct.
fn blank_struct(
    update: &[u8],
    r: &mut Reader<'_>,
    client: u64,
    clock: u32,
    ranges: &[Range],
) -> Result<(Option<Vec<u8>>, u64, StructLength), ScanError> {
    let at = |r: &Reader<'_>| update.len() - r.remaining();
    let start = at(r);
    let info = r.byte()?;
    let kind = info & KIND;
    if kind == kind::COLLECTED {
        let elements = r.var_u32()?;
        return Ok((None, 1, StructLength { elements, bytes: at(r) - start }));
    }
    let position = read_position(r, info)?;
    let position_end = at(r);
    let (elements, content) = read_content(r, kind)?;
    let len = StructLength { elements, bytes: at(r) - start };
    let asked = covered(client, clock, elements, ranges);
    let stays = matches!(content, ItemContent::Type(_))
        || matches!(kind, kind::DELETED | kind::SUBDOCUMENT);
    if asked.is_empty() || stays {
        return Ok((None, 1, len));
    }
    let head = &update[start + 1..position_end];
    let ItemContent::Text(text) = content else {
        // Content other than text is blanked as a whole, because a part of a value would mean nothing.
        let mut out = vec![(info & !KIND) | kind::DELETED];
        out.extend_from_slice(head);
        out.put_var(u64::from(elements));
        return Ok((Some(out), 1, len));
    };
    let pieces = cut(text, &asked);
    let mut out = Vec::new();
    let mut offset = 0u32;
    for (piece, is_blank) in &pieces {
        let kind = if *is_blank { kind::DELETED } else { kind::TEXT };
        if offset == 0 {
            out.push((info & !KIND) | kind);
            out.extend_from_slice(head);
        } else {
            // The piece is written as Yjs writes the right part of a split item: the origin is the element before the
            // piece.
            let right = if position.right_origin.is_some() { HAS_RIGHT_ORIGIN } else { 0 };
            out.push(HAS_ORIGIN | right | kind);
            put_id(&mut out, Id { client, clock: clock + offset - 1 });
            position.right_origin.into_iter().for_each(|id| put_id(&mut out, id));
        }
        let length = utf16(piece);
        if *is_blank {
            out.put_var(u64::from(length));
        } else {
            out.put_buf(piece.as_bytes());
        }
        offset += length;
    }
    Ok((Some(out), pieces.len() as u64, len))
}

fn put_id(out: &mut Vec<u8>, id: Id) {
    out.put_var(id.client);
    out.put_var(u64::from(id.clock));
}

fn utf16(text: &str) -> u32 {
    // The length fits into 32 bits, because an update has at most 8 MiB.
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// Returns the parts of a struct that `ranges` cover, each as its start and end offset in the struct.
fn covered(client: u64, clock: u32, len: u32, ranges: &[Range]) -> Vec<(u32, u32)> {
    let end = clock + len;
    ranges
        .iter()
        .filter(|range| range.client == client)
        .map(|range| (range.clock.max(clock), (range.clock + range.len).min(end)))
        .filter(|(from, to)| from < to)
        .map(|(from, to)| (from - clock, to - clock))
        .collect()
}

/// Cuts a text at the ends of the covered ranges, and returns each piece with whether it is covered. The ranges are in
/// UTF-16 code units. A character of two code units is covered if either unit is.
fn cut<'t>(text: &'t str, covered: &[(u32, u32)]) -> Vec<(&'t str, bool)> {
    let mut pieces: Vec<(&str, bool)> = Vec::new();
    let (mut offset, mut start) = (0u32, 0usize);
    let mut last = None;
    for (at, character) in text.char_indices() {
        let width = character.len_utf16() as u32;
        let blank = covered.iter().any(|&(from, to)| from < offset + width && offset < to);
        if last.is_some_and(|last| last != blank) {
            pieces.push((&text[start..at], !blank));
            start = at;
        }
        last = Some(blank);
        offset += width;
    }
    pieces.extend(last.map(|blank| (&text[start..], blank)));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::scan::scan;
    use yrs::updates::decoder::Decode;
    use yrs::{GetString, ReadTxn, StateVector, Text, Transact, Update};

    fn apply(updates: &[Vec<u8>]) -> yrs::Doc {
        let doc = crate::ydoc::new(99);
        doc.get_or_insert_text("t");
        for update in updates {
            doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        doc
    }

    fn text(doc: &yrs::Doc) -> String {
        doc.get_or_insert_text("t").get_string(&doc.transact())
    }

    #[test]
    fn what_is_blanked_is_gone_and_everything_else_stands_where_it_stood() {
        let doc = crate::ydoc::new(1);
        let root = doc.get_or_insert_text("t");
        let mut updates = Vec::new();
        for (at, insert) in
            [(0, "my \u{1f600} password is hunter2 ok"), (3, "X"), (21, "Y"), (0, "Z")]
        {
            let mut txn = doc.transact_mut();
            root.insert(&mut txn, at, insert);
            updates.push(txn.encode_update_v1());
        }
        // The expected text is that of a document in which yrs deletes the same passage: `hunter2`, with the Y
        // inside.
        let whole = text(&doc);
        let at = whole.encode_utf16().position(|unit| unit == u16::from(b'h')).unwrap() as u32;
        let (deletion, ranges) = {
            let mut txn = doc.transact_mut();
            root.remove_range(&mut txn, at, 8);
            let set = txn.delete_set().clone();
            let mut ranges = Vec::new();
            for (client, all) in set.iter() {
                for range in all.iter() {
                    let (clock, len) = (range.start, range.end - range.start);
                    ranges.push(Range { client: client.get(), clock, len });
                }
            }
            (txn.encode_update_v1(), ranges)
        };
        let mut blanked: Vec<Vec<u8>> = Vec::new();
        let mut changed = 0;
        for update in &updates {
            let without = blank(update, &ranges).unwrap();
            changed += usize::from(without.is_some());
            blanked.push(without.unwrap_or_else(|| update.clone()));
        }
        assert_eq!(changed, 2, "two updates held parts of it");
        for update in &blanked {
            scan(update).expect("still an update");
            let shown = String::from_utf8_lossy(update);
            assert!(!shown.contains("hunter") && !shown.contains("unter"), "{shown}");
        }
        let (honest, redacted) = (apply(&[updates, vec![deletion]].concat()), apply(&blanked));
        assert_eq!(text(&redacted), text(&honest));
        assert!(text(&redacted).contains('\u{1f600}'));
        assert_eq!(redacted.transact().state_vector(), honest.transact().state_vector());
        // Blanking a second time changes nothing.
        for update in &blanked {
            let again = blank(update, &ranges).unwrap();
            assert!(again.is_none_or(|again| again == *update));
        }
        // A later edit gives the same text in the document with blanked updates as in the one where yrs deleted the
        // passage.
        let mut txn = honest.transact_mut();
        honest_insert(&mut txn);
        let next = txn.encode_update_v1();
        drop(txn);
        redacted.transact_mut().apply_update(Update::decode_v1(&next).unwrap()).unwrap();
        assert_eq!(text(&redacted), text(&honest));
        assert!(!redacted.transact().encode_diff_v1(&StateVector::default()).is_empty());
    }

    fn honest_insert(txn: &mut yrs::TransactionMut<'_>) {
        let root = txn.get_text("t").unwrap();
        root.insert(txn, 5, "later");
    }

    #[test]
    fn half_of_a_character_takes_it_whole() {
        assert_eq!(
            cut("a\u{1f600}b", &[(2, 3)]),
            [("a", false), ("\u{1f600}", true), ("b", false)]
        );
        assert_eq!(cut("abc", &[(0, 1), (2, 3)]), [("a", true), ("b", false), ("c", true)]);
        assert_eq!(cut("abc", &[(0, 3)]), [("abc", true)]);
    }
}
