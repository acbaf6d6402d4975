//! What a document says at a moment.

use crate::model::attributes::any_to_json;
use crate::model::delta::{self, Op};
use crate::model::milestone::{self, Milestone};
use crate::template::{FACTS, FIELDS, MILESTONES, NOTES};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use yrs::{Doc, Map, Out, ReadTxn, Transact};

/// The visible content. As JSON: one Delta for each text field under its key, then `milestones`
/// and `facts`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Content {
    /// The text fields by key, each as a Delta.
    #[serde(flatten)]
    pub texts: BTreeMap<String, Vec<Op>>,
    /// In the order of the page.
    pub milestones: Vec<Milestone>,
    /// The dates by key.
    pub facts: BTreeMap<String, Value>,
}

impl Content {
    /// Reads the content of a document as it is now.
    #[must_use]
    pub fn read(doc: &Doc) -> Self {
        let txn = doc.transact();
        let text = |key: &str| {
            let ops = txn.get_text(key).map(|text| delta::read(&text, &txn));
            ops.unwrap_or_default()
        };
        let texts = FIELDS.iter().map(|field| (field.key.to_owned(), text(field.key)));
        let milestones = txn.get_map(MILESTONES);
        let facts = txn.get_map(FACTS);
        Self {
            texts: texts.filter(is_there).collect(),
            milestones: milestones.map_or_else(Vec::new, |map| milestone::read_all(&map, &txn)),
            facts: facts.map_or_else(BTreeMap::new, |map| read_facts(&map, &txn)),
        }
    }

    /// The characters of a text field.
    #[must_use]
    pub fn plain(&self, key: &str) -> String {
        self.texts.get(key).map(|ops| delta::plain(ops)).unwrap_or_default()
    }
}

/// Notes are there only while there are any.
pub(crate) fn is_there((key, ops): &(String, Vec<Op>)) -> bool {
    let is_blank = |op: &Op| matches!(op, Op::Insert { insert: Value::String(text), .. } if text.trim().is_empty());
    key != NOTES || !ops.iter().all(is_blank)
}

pub(super) fn read_facts<T: ReadTxn>(map: &yrs::MapRef, txn: &T) -> BTreeMap<String, Value> {
    let mut facts = BTreeMap::new();
    // Not collected: that sorts first, with kilobytes of code in the browser.
    facts.extend(map.iter(txn).filter_map(|(key, value)| match value {
        Out::Any(any) => Some((key.to_owned(), any_to_json(&any))),
        _ => None,
    }));
    facts
}
