//! Milestones. Each milestone is a `Map` in the root `milestones`, under the id of the milestone.
//!
//! Deleting a milestone never deletes its `Map`. Instead, it deletes the characters that the person sees and marks the
//! milestone as `removed`. A removed milestone stays visible while it contains text that somebody else typed at the
//! same time. So one person's deletion never removes another person's words, and undoing the creation of a milestone
//! can't remove a colleague's text.

use crate::model::delta::{self, Op};
use crate::template::MILESTONE_TEXTS;
use serde::{Deserialize, Serialize};
use yrs::types::text::TextPrelim;
use yrs::{Any, Map, MapPrelim, MapRef, Out, ReadTxn, Text, TextRef, TransactionMut};

/// Maximum length of a milestone's id in a signed text, in characters.
#[cfg(feature = "readable")]
pub(crate) const MAX_MILESTONE_ID_CHARS: usize = 64;

/// Whether an id is a short name of ASCII letters, digits, `-` and `_`. Ids are signed with the text but shown nowhere,
/// so they must not be able to carry a message. Accord's own ids are 16 hexadecimal digits, and those of imports are
/// `m1`, `m2` and so on. A UUID is short enough.
#[cfg(feature = "readable")]
pub(crate) fn is_milestone_id(id: &str) -> bool {
    (1..=MAX_MILESTONE_ID_CHARS).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A milestone, as read from a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Milestone {
    /// The key of the milestone in the map of milestones.
    pub id: String,
    /// The order key of the milestone (see [`order`](super::order)).
    pub order: String,
    /// The text that says what the milestone is.
    pub what: Vec<Op>,
    /// The text that names the outputs of the milestone.
    pub outputs: Vec<Op>,
    /// The text that names the responsible people or institutions.
    pub who: Vec<Op>,
    /// The due date as `YYYY-MM-DD`, or an empty string.
    pub due: String,
    /// The due date in words (“Fall 2027”), or an empty string.
    pub due_text: String,
}

/// The content of a milestone to be created.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MilestoneDraft {
    /// A key that the map of milestones does not have yet.
    pub id: String,
    /// The text that says what the milestone is.
    pub what: Vec<Op>,
    /// The text that names the outputs of the milestone.
    pub outputs: Vec<Op>,
    /// The text that names the responsible people or institutions.
    pub who: Vec<Op>,
    /// The due date as `YYYY-MM-DD`, or an empty string.
    pub due: String,
    /// The due date in words, or an empty string.
    pub due_text: String,
}

pub(super) fn create(
    txn: &mut TransactionMut<'_>,
    root: &MapRef,
    draft: &MilestoneDraft,
    order: &str,
    removed: bool,
) {
    let map = root.insert(txn, draft.id.as_str(), MapPrelim::default());
    for (key, ops) in MILESTONE_TEXTS.into_iter().zip([&draft.what, &draft.outputs, &draft.who]) {
        let text = map.insert(txn, key, TextPrelim::new("\n"));
        text.apply_delta(txn, ops.iter().filter_map(Op::to_yrs));
    }
    for (key, value) in [("order", order), ("due", &draft.due), ("due_text", &draft.due_text)] {
        map.insert(txn, key, value);
    }
    map.insert(txn, "removed", removed);
}

/// Reads the milestones that are shown, in the order of the page. `text_of` reads each of their texts.
pub(super) fn read_all<T: ReadTxn>(
    root: &MapRef,
    txn: &T,
    text_of: &impl Fn(&TextRef, &T) -> Vec<Op>,
) -> Vec<Milestone> {
    let shown = root.iter(txn).filter_map(|(id, value)| read(id, &value, txn, text_of));
    let mut all: Vec<_> = shown.collect();
    Milestone::sort(&mut all);
    all
}

fn read<T: ReadTxn>(
    id: &str,
    value: &Out,
    txn: &T,
    text_of: &impl Fn(&TextRef, &T) -> Vec<Op>,
) -> Option<Milestone> {
    let Out::YMap(map) = value else { return None };
    let string = |key: &str| match map.get(txn, key) {
        Some(Out::Any(Any::String(text))) => text.to_string(),
        _ => String::new(),
    };
    let removed = !matches!(map.get(txn, "removed"), Some(Out::Any(Any::Bool(false))));
    // A removed milestone is shown if its texts contain anything, embedded values included. `text_of` can leave
    // embedded values out, so the texts of a removed milestone are read in full.
    let ops = |t: TextRef| if removed { delta::read(&t, txn) } else { text_of(&t, txn) };
    let text = |key: &str| text(map, key, txn).map_or_else(Vec::new, ops);
    let milestone = Milestone {
        id: id.to_owned(),
        order: string("order"),
        what: text("what"),
        outputs: text("outputs"),
        who: text("who"),
        due: string("due"),
        due_text: string("due_text"),
    };
    (!removed || milestone.has_text()).then_some(milestone)
}

pub(super) fn text<T: ReadTxn>(map: &MapRef, key: &str, txn: &T) -> Option<TextRef> {
    match map.get(txn, key) {
        Some(Out::YText(text)) => Some(text),
        _ => None,
    }
}

/// Deletes the text that the person sees in a milestone, and marks the milestone as removed.
pub(super) fn remove(txn: &mut TransactionMut<'_>, map: &MapRef) {
    for key in MILESTONE_TEXTS {
        if let Some(text) = text(map, key, txn) {
            let len = text.len(txn);
            // The newline of the last block is not deleted, because every text ends with a newline.
            text.remove_range(txn, 0, len.saturating_sub(1));
        }
    }
    map.insert(txn, "removed", true);
}

impl Milestone {
    /// Sorts milestones into the order of the page.
    pub(crate) fn sort(all: &mut [Self]) {
        all.sort_by(|a, b| (&a.order, &a.id).cmp(&(&b.order, &b.id)));
    }

    pub(crate) fn has_text(&self) -> bool {
        [&self.what, &self.outputs, &self.who].into_iter().any(|ops| {
            ops.iter().any(|op| match op {
                Op::Insert { insert: serde_json::Value::String(text), .. } => {
                    !text.trim_matches('\n').is_empty()
                }
                _ => true,
            })
        })
    }
}
