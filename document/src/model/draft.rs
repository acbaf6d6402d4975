//! The first content of a new document, and the update that writes it.

use crate::model::delta::{Op, join};
use crate::model::milestone::{self, MilestoneDraft};
use crate::model::order;
use crate::template::{FACTS, FIELDS, MILESTONES, NOTES};
use crate::ydoc;
use yrs::{ReadTxn, Text, Transact};

/// The first content of a new document.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The texts of fields, by key. Fields that are not listed start empty.
    pub texts: Vec<(&'static str, Vec<Op>)>,
    /// The milestones, in the order of the page.
    pub milestones: Vec<MilestoneDraft>,
    /// The dates of the commitment, by key.
    pub facts: Vec<(String, String)>,
}

/// Returns the update that writes the first content of a document under the client id `client`. The server makes this update
/// once for each document.
///
/// Every text starts with the newline that ends its last block, as in Quill. The notes are written only if the draft
/// has notes.
#[must_use]
pub fn seed(client: u64, draft: &Draft) -> Vec<u8> {
    let doc = ydoc::new(client);
    for field in FIELDS {
        doc.get_or_insert_text(field.key);
    }
    let milestones = doc.get_or_insert_map(MILESTONES);
    let facts = doc.get_or_insert_map(FACTS);
    {
        let mut txn = doc.transact_mut();
        for field in FIELDS {
            let said = draft.texts.iter().find(|(key, _)| *key == field.key);
            let Some(root) = txn.get_text(field.key) else { continue };
            if field.key == NOTES && said.is_none() {
                continue;
            }
            root.insert(&mut txn, 0, "\n");
            if let Some((_, ops)) = said {
                root.apply_delta(&mut txn, join(ops).iter().filter_map(Op::to_yrs));
            }
        }
        let mut last: Option<String> = None;
        for milestone in &draft.milestones {
            let order = order::between(last.as_deref(), None);
            let joined = MilestoneDraft {
                what: join(&milestone.what),
                outputs: join(&milestone.outputs),
                who: join(&milestone.who),
                ..milestone.clone()
            };
            milestone::create(&mut txn, &milestones, &joined, &order, false);
            last = Some(order);
        }
        for (key, value) in &draft.facts {
            yrs::Map::insert(&facts, &mut txn, key.as_str(), value.as_str());
        }
    }
    let txn = doc.transact();
    txn.encode_diff_v1(&yrs::StateVector::default())
}
