//! A commitment with its changes since a moment, for a file that shows changes. In a manuscript without changes, all
//! text is marked as kept.

use accord_document::history::{Change, EditSpan, History, MilestoneDiff, PieceStatus, What};
use accord_document::ids::Seq;
use accord_document::model::Target;
use accord_document::model::attributes::Attributes;
use accord_document::model::delta::Op;
use accord_document::release::canonical::Released;
use accord_document::template::NOTES;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An insertion or a deletion: its author and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trace {
    /// Whether the change is an insertion. Otherwise it is a deletion.
    pub(crate) is_new: bool,
    /// The author, as an index into the history's authors.
    pub(crate) author: u32,
    /// The time of the change, in milliseconds since the Unix epoch.
    pub(crate) time: u64,
}

/// Characters with equal attributes that were all kept, or that one change inserted or deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    pub(crate) text: String,
    pub(crate) attributes: Attributes,
    /// The change that inserted or deleted the characters, or `None` if they were kept.
    pub(crate) trace: Option<Trace>,
}

pub(crate) type Stretches = Vec<Stretch>;

/// A milestone, with its changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The change that added or removed the whole milestone, if one did.
    pub(crate) trace: Option<Trace>,
    pub(crate) what: Stretches,
    pub(crate) outputs: Stretches,
    pub(crate) who: Stretches,
    pub(crate) due: Stretches,
    pub(crate) due_text: Stretches,
}

/// A commitment's texts, dates and milestones, each as stretches that were kept, inserted or deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manuscript {
    /// The text fields, by key.
    pub(crate) texts: BTreeMap<String, Stretches>,
    /// The dates (`YYYY-MM-DD`), by key.
    pub(crate) dates: BTreeMap<String, Stretches>,
    pub(crate) milestones: Vec<Row>,
}

impl Manuscript {
    /// Returns the manuscript of a text in which nothing changed.
    #[must_use]
    pub fn of(released: &Released) -> Self {
        let date = |(key, value): (&String, &Value)| {
            (key.clone(), kept(value.as_str().unwrap_or_default()))
        };
        let row = |one: &accord_document::release::canonical::ReleasedMilestone| Row {
            trace: None,
            what: whole(&one.what),
            outputs: whole(&one.outputs),
            who: whole(&one.who),
            due: kept(&one.due),
            due_text: kept(&one.due_text),
        };
        Self {
            texts: released.texts.iter().map(|(key, ops)| (key.clone(), whole(ops))).collect(),
            dates: released.facts.iter().map(date).collect(),
            milestones: released.milestones.iter().map(row).collect(),
        }
    }

    /// Returns the commitment at the moment `to`, with its changes since the moment `from`.
    #[must_use]
    pub fn between(history: &History, from: Seq, to: Seq) -> Self {
        let diff = history.diff(from, to);
        let changes = history.changes(&diff);
        let mut texts: BTreeMap<String, Stretches> = BTreeMap::new();
        for text in diff.texts.iter().filter(|text| text.target.0 != NOTES) {
            let stretch = |piece: &accord_document::history::Piece| Stretch {
                text: piece.text().to_owned(),
                attributes: piece.attributes.clone(),
                trace: match piece.status {
                    PieceStatus::Kept => None,
                    status => Some(trace(
                        status == PieceStatus::Inserted,
                        piece.by.unwrap_or(piece.written),
                    )),
                },
            };
            texts.insert(text.target.0.clone(), text.pieces.iter().map(stretch).collect());
        }
        let (before, after) = (history.facts(from), history.facts(to));
        let date = |key: &str| {
            let value = |facts: &BTreeMap<String, Value>| {
                facts.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let by = changed(&changes, key, None);
            (key.to_owned(), replaced(&value(&before), &value(&after), by))
        };
        let rows = history.milestones(from, to);
        let milestones = rows.iter().map(|one| row(one, &mut texts, &changes)).collect();
        let dates = ["period_from", "period_to"].into_iter().map(date).collect();
        Self { texts, dates, milestones }
    }
}

fn row(one: &MilestoneDiff, texts: &mut BTreeMap<String, Stretches>, changes: &[Change]) -> Row {
    let mut text = |key| texts.remove(&Target::milestone(&one.id, key).0).unwrap_or_default();
    let came_or_went = changes.iter().find_map(|change| match &change.what {
        What::MilestoneAdded { id } if *id == one.id => Some(trace(true, change.by)),
        What::MilestoneRemoved { id } if *id == one.id => Some(trace(false, change.by)),
        _ => None,
    });
    let date = |key, before: &str, after: &str| match came_or_went {
        Some(whole) => {
            let value = if whole.is_new { after } else { before };
            let marked = |mut stretch: Stretch| {
                stretch.trace = Some(whole);
                stretch
            };
            kept(value).into_iter().map(marked).collect()
        }
        None => replaced(before, after, changed(changes, key, Some(&one.id))),
    };
    Row {
        trace: came_or_went,
        what: text("what"),
        outputs: text("outputs"),
        who: text("who"),
        due: date("due", &one.due_before, &one.due_after),
        due_text: date("due_text", &one.due_text_before, &one.due_text_after),
    }
}

/// Returns the author and the time of the change to the value `key` of a milestone, or of the commitment if `milestone`
/// is `None`. Returns `None` if the value did not change.
fn changed(changes: &[Change], key: &str, milestone: Option<&str>) -> Option<EditSpan> {
    changes.iter().find_map(|change| match &change.what {
        What::Value { key: of, id, .. } if of == key && id.as_deref() == milestone => {
            Some(change.by)
        }
        _ => None,
    })
}

fn replaced(before: &str, after: &str, by: Option<EditSpan>) -> Stretches {
    let Some(by) = by.filter(|_| before != after) else { return kept(after) };
    let stretch = |text: &str, is_new| Stretch { trace: Some(trace(is_new, by)), ..plain(text) };
    let both = [stretch(before, false), stretch(after, true)];
    both.into_iter().filter(|stretch| !stretch.text.is_empty()).collect()
}

fn trace(is_new: bool, by: EditSpan) -> Trace {
    Trace { is_new, author: by.author, time: by.ended }
}

fn whole(ops: &[Op]) -> Stretches {
    let stretch = |op: &Op| match op {
        Op::Insert { insert: Value::String(text), attributes } => {
            Some(Stretch { text: text.clone(), attributes: attributes.clone(), trace: None })
        }
        _ => None,
    };
    ops.iter().filter_map(stretch).collect()
}

fn plain(text: &str) -> Stretch {
    Stretch { text: text.to_owned(), attributes: Attributes::new(), trace: None }
}

fn kept(text: &str) -> Stretches {
    if text.is_empty() { Vec::new() } else { vec![plain(text)] }
}

/// Whether the stretches, deleted ones included, contain anything other than blanks.
pub(super) fn has_words(stretches: &[Stretch]) -> bool {
    stretches.iter().any(|stretch| !stretch.text.trim().is_empty())
}
