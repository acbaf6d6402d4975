//! Finds the elements that a passage of a text consists of.

use crate::model::Target;
use crate::model::delta;
use crate::model::replica::find;
use crate::template::{FIELDS, MILESTONES};
use crate::update::Range;
use crate::ydoc;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, Update};

/// Returns the elements of the passage that starts at `from` (in UTF-16 code units) in a text. Returns `None` if the
/// text does not exist, if the characters at `from` are not `passage`, or if `passage` is empty.
#[must_use]
pub fn locate(doc: &Doc, target: &Target, from: u32, passage: &str) -> Option<Vec<Range>> {
    // The passage is deleted from a copy of the document, because yrs then names the elements that it deletes.
    let copy = ydoc::new(0);
    let state = doc.transact().encode_diff_v1(&StateVector::default());
    copy.transact_mut().apply_update(Update::decode_v1(&state).ok()?).ok()?;
    for field in FIELDS {
        copy.get_or_insert_text(field.key);
    }
    copy.get_or_insert_map(MILESTONES);
    let mut txn = copy.transact_mut();
    let text = find(&txn, target)?;
    let units = delta::units(&delta::read(&text, &txn));
    let wanted: Vec<u16> = passage.encode_utf16().collect();
    let start = usize::try_from(from).ok()?;
    if wanted.is_empty() || units.get(start..start + wanted.len())? != wanted {
        return None;
    }
    text.remove_range(&mut txn, from, u32::try_from(wanted.len()).ok()?);
    let mut ranges = Vec::new();
    for (client, deleted) in txn.delete_set().iter() {
        ranges.extend(deleted.iter().map(|range| Range {
            client: client.get(),
            clock: range.start,
            len: range.end - range.start,
        }));
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_behind_an_embedded_value_is_found_where_it_stands() {
        let doc = ydoc::new(7);
        let text = doc.get_or_insert_text("problem");
        {
            let mut txn = doc.transact_mut();
            text.insert(&mut txn, 0, "ab secret");
            text.insert_embed(&mut txn, 1, true);
        }
        let target = Target::field("problem");
        let found = locate(&doc, &target, 4, "secret");
        assert_eq!(found, Some(vec![Range { client: 7, clock: 3, len: 6 }]));
        assert_eq!(locate(&doc, &target, 3, "secret"), None);
    }
}
