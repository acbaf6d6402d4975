//! The visible content of a document at one moment.

use crate::model::attributes::{Attributes, any_to_json};
use crate::model::delta::{self, Op};
use crate::model::milestone::{self, Milestone};
use crate::template::{FACTS, FIELDS, MILESTONES, NOTES};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use yrs::{Doc, GetString, Map, Out, ReadTxn, TextRef, Transact, Transaction};

/// The visible content of a document. Its JSON has one Delta for each text field, under the key of the field, and the
/// members `milestones` and `facts`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Content {
    /// The text fields by key, each as a Delta.
    #[serde(flatten)]
    pub texts: BTreeMap<String, Vec<Op>>,
    /// The milestones that are shown, in the order of the page.
    pub milestones: Vec<Milestone>,
    /// The dates of the commitment, by key.
    pub facts: BTreeMap<String, Value>,
}

impl Content {
    /// Reads the content of a document as it is now.
    #[must_use]
    pub fn read(doc: &Doc) -> Self {
        Self::read_by(doc, |text, txn| delta::read(text, txn))
    }

    /// Reads the content of a document as it is now, without attributes and embedded values. For a long document, this
    /// takes a fraction of the time and memory of [`read`](Self::read), and the checklist of the result is the same.
    #[must_use]
    pub fn read_plain(doc: &Doc) -> Self {
        let whole = |text: &TextRef, txn: &Transaction<'_>| Op::Insert {
            insert: Value::String(text.get_string(txn)),
            attributes: Attributes::new(),
        };
        Self::read_by(doc, |text, txn| vec![whole(text, txn)])
    }

    fn read_by(doc: &Doc, read: impl Fn(&TextRef, &Transaction<'_>) -> Vec<Op>) -> Self {
        let txn = doc.transact();
        let text = |key: &str| {
            let ops = txn.get_text(key).map(|text| read(&text, &txn));
            ops.unwrap_or_default()
        };
        let texts = FIELDS.iter().map(|field| (field.key.to_owned(), text(field.key)));
        let milestones = txn.get_map(MILESTONES);
        let facts = txn.get_map(FACTS);
        Self {
            texts: texts.filter(belongs_to_content).collect(),
            milestones: milestones
                .map_or_else(Vec::new, |map| milestone::read_all(&map, &txn, &read)),
            facts: facts.map_or_else(BTreeMap::new, |map| read_facts(&map, &txn)),
        }
    }

    /// Returns the characters of a text field, or an empty string if the content has no such field.
    #[must_use]
    pub fn plain(&self, key: &str) -> String {
        self.texts.get(key).map(|ops| delta::plain(ops)).unwrap_or_default()
    }
}

/// Whether a text belongs to the content. Every text does, except blank notes.
pub(crate) fn belongs_to_content((key, ops): &(String, Vec<Op>)) -> bool {
    let is_blank = |op: &Op| matches!(op, Op::Insert { insert: Value::String(text), .. } if text.trim().is_empty());
    key != NOTES || !ops.iter().all(is_blank)
}

pub(super) fn read_facts<T: ReadTxn>(map: &yrs::MapRef, txn: &T) -> BTreeMap<String, Value> {
    let mut facts = BTreeMap::new();
    // `collect` would sort the entries first, which adds kilobytes of code to the WebAssembly module of the browser.
    facts.extend(map.iter(txn).filter_map(|(key, value)| match value {
        Out::Any(any) => Some((key.to_owned(), any_to_json(&any))),
        _ => None,
    }));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::completeness::checklist;
    use crate::model::{Draft, MilestoneDraft, seed};
    use crate::ydoc;
    use serde_json::json;
    use yrs::types::Attrs;
    use yrs::types::text::TextPrelim;
    use yrs::updates::decoder::Decode;
    use yrs::{Any, MapPrelim, Text, Update};

    #[test]
    fn without_attributes_and_embedded_values_the_characters_and_the_checklist_are_the_same() {
        let milestone = MilestoneDraft {
            id: "m1".into(),
            who: vec![Op::text("The registry")],
            due: "2027-01-31".into(),
            ..Default::default()
        };
        let draft = Draft { milestones: vec![milestone], ..Default::default() };
        let doc = ydoc::new(0);
        doc.transact_mut().apply_update(Update::decode_v1(&seed(1, &draft)).unwrap()).unwrap();
        let (problem, lead) = (doc.get_or_insert_text("problem"), doc.get_or_insert_text("lead"));
        let mut txn = doc.transact_mut();
        problem.insert(&mut txn, 0, "Few people 👩‍👩‍👧 know");
        problem.format(&mut txn, 4, 6, Attrs::from([("bold".into(), true.into())]));
        problem.insert_embed(
            &mut txn,
            3,
            Any::from_json(&json!({ "image": "x" }).to_string()).unwrap(),
        );
        problem.remove_range(&mut txn, 1, 1);
        // An embedded value alone fills no field, but keeps a removed milestone on the page.
        lead.insert_embed(&mut txn, 0, Any::Null);
        let milestones = txn.get_map(MILESTONES).unwrap();
        let removed = milestones.insert(&mut txn, "m2", MapPrelim::from([("removed", true)]));
        let what = removed.insert(&mut txn, "what", TextPrelim::new(""));
        what.insert_embed(&mut txn, 0, Any::Null);
        drop(txn);
        let (whole, plain) = (Content::read(&doc), Content::read_plain(&doc));
        assert_eq!([whole.milestones.len(), plain.milestones.len()], [2, 2]);
        assert_eq!(checklist(&plain), checklist(&whole));
        assert!(checklist(&whole).iter().any(|check| check.met));
        for field in FIELDS {
            assert_eq!(plain.plain(field.key), whole.plain(field.key), "{}", field.key);
        }
    }
}
