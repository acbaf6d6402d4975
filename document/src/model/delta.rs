//! Flat text as Quill's Delta: a run of characters with attributes. Characters carry marks, and a newline ends a block
//! and carries the attributes of the block.
//!
//! Lengths are in UTF-16 code units; an embedded value has length 1.
//! Source: <https://quilljs.com/docs/delta>.

use crate::model::attributes::{Attributes, AttributesReader, any_to_json, to_any};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yrs::types::Delta as YrsDelta;
use yrs::types::text::YChange;
use yrs::{In, Out, ReadTxn, Text, TextRef};

/// One step of a Delta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "AnyOp")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Op {
    /// Inserts characters or an embedded value.
    Insert {
        /// A string of characters, or an embedded value.
        insert: Value,
        /// The attributes of the inserted characters or value.
        #[serde(default, skip_serializing_if = "Attributes::is_empty")]
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>, required = false))]
        attributes: Attributes,
    },
    /// Keeps text, and sets the attributes of this step on it.
    Retain {
        /// Number of UTF-16 code units to keep.
        retain: u32,
        /// The attributes to set; `null` clears an attribute.
        #[serde(default, skip_serializing_if = "Attributes::is_empty")]
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>, required = false))]
        attributes: Attributes,
    },
    /// Deletes text.
    Delete {
        /// Number of UTF-16 code units to delete.
        delete: u32,
    },
}

/// A step as JSON, before it is known which variant of [`Op`] it is. Each keystroke reads several steps, and trying one
/// variant after another would take 1.5 times as long.
#[derive(Deserialize)]
struct AnyOp {
    insert: Option<Value>,
    retain: Option<u32>,
    delete: Option<u32>,
    #[serde(default)]
    attributes: Attributes,
}

impl TryFrom<AnyOp> for Op {
    type Error = &'static str;

    fn try_from(op: AnyOp) -> Result<Self, Self::Error> {
        match (op.insert, op.retain, op.delete) {
            (Some(insert), None, None) => Ok(Self::Insert { insert, attributes: op.attributes }),
            (None, Some(retain), None) => Ok(Self::Retain { retain, attributes: op.attributes }),
            (None, None, Some(delete)) => Ok(Self::Delete { delete }),
            _ => Err("a step of a Delta is one of insert, retain and delete"),
        }
    }
}

/// Names of the attributes that format a block. They belong to the newline of the block.
pub const BLOCK_ATTRIBUTES: [&str; 4] = ["header", "list", "blockquote", "indent"];
/// Names of the attributes that format characters.
pub const MARKS: [&str; 3] = ["bold", "italic", "link"];

impl Op {
    /// Returns a step that inserts text without attributes.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::insert(text, Attributes::new())
    }

    /// Returns a step that inserts text with attributes.
    #[must_use]
    pub fn insert(text: &str, attributes: Attributes) -> Self {
        Self::Insert { insert: text.into(), attributes }
    }

    /// Returns a step that keeps `retain` UTF-16 code units and sets attributes on them.
    #[must_use]
    pub fn retain(retain: u32, attributes: Attributes) -> Self {
        Self::Retain { retain, attributes }
    }

    /// Returns a step that deletes `delete` UTF-16 code units.
    #[must_use]
    pub fn delete(delete: u32) -> Self {
        Self::Delete { delete }
    }

    /// Returns the length that the step covers in the text *after* the change, in UTF-16 code units.
    #[must_use]
    pub fn len(&self) -> u32 {
        match self {
            Self::Insert { insert: Value::String(text), .. } => utf16_len(text),
            Self::Insert { .. } => 1,
            Self::Retain { retain, .. } => *retain,
            Self::Delete { .. } => 0,
        }
    }

    /// Returns the length that the step covers in the text *before* the change, in UTF-16 code units.
    #[must_use]
    pub fn reach(&self) -> u32 {
        match self {
            Self::Insert { .. } => 0,
            Self::Retain { retain, .. } => *retain,
            Self::Delete { delete } => *delete,
        }
    }

    /// Whether the step covers no text and so does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && !matches!(self, Self::Delete { delete: 1.. })
    }

    /// Converts the step to a step of yrs, or returns `None` if the step does nothing.
    #[must_use]
    pub fn to_yrs(&self) -> Option<YrsDelta<In>> {
        if self.is_empty() {
            return None;
        }
        Some(match self {
            Self::Insert { insert, attributes } => {
                YrsDelta::Inserted(In::Any(to_any(insert)), attributes.to_yrs())
            }
            Self::Retain { retain, attributes } => YrsDelta::Retain(*retain, attributes.to_yrs()),
            Self::Delete { delete } => YrsDelta::Deleted(*delete),
        })
    }
}

/// Converts the steps of a Delta of yrs.
pub(crate) fn from_yrs(delta: &[YrsDelta]) -> Vec<Op> {
    let mut reader = AttributesReader::default();
    let step = |step: &YrsDelta| match step {
        YrsDelta::Inserted(value, attrs) => {
            Op::Insert { insert: out_to_json(value), attributes: reader.read(attrs.as_deref()) }
        }
        YrsDelta::Retain(len, attrs) => Op::retain(*len, reader.read(attrs.as_deref())),
        YrsDelta::Deleted(len) => Op::delete(*len),
    };
    delta.iter().map(step).collect()
}

/// Joins adjacent steps of the same kind with equal attributes. Each step becomes an item in the document, and the cost
/// of merging items grows with the square of their number.
#[must_use]
pub fn join(ops: &[Op]) -> Vec<Op> {
    let mut out: Vec<Op> = Vec::new();
    for op in ops {
        match (out.last_mut(), op) {
            (
                Some(Op::Insert { insert: Value::String(last), attributes: same }),
                Op::Insert { insert: Value::String(text), attributes },
            ) if same == attributes => last.push_str(text),
            (
                Some(Op::Retain { retain: last, attributes: same }),
                Op::Retain { retain, attributes },
            ) if same == attributes => *last += retain,
            (Some(Op::Delete { delete: last }), Op::Delete { delete }) => *last += delete,
            _ => out.push(op.clone()),
        }
    }
    out
}

/// Returns the length of a text in UTF-16 code units.
#[must_use]
pub fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// Reads a text as inserts, as `toDelta` of Yjs does.
pub fn read<T: ReadTxn>(text: &TextRef, txn: &T) -> Vec<Op> {
    let mut reader = AttributesReader::default();
    text.diff(txn, YChange::identity)
        .into_iter()
        .map(|chunk| Op::Insert {
            insert: out_to_json(&chunk.insert),
            attributes: reader.read(chunk.attributes.as_deref()),
        })
        .collect()
}

/// Returns a text as UTF-16 code units. An embedded value becomes one code unit, the object replacement character
/// (U+FFFC).
#[must_use]
pub fn units(ops: &[Op]) -> Vec<u16> {
    let said = ops.iter().map(|op| match op {
        Op::Insert { insert: Value::String(text), .. } => text.as_str(),
        _ => "\u{fffc}",
    });
    said.flat_map(str::encode_utf16).collect()
}

/// Returns the text in the form that readers see: [arranged](arrange), and with at most one of the exclusive block
/// attributes on each newline. If a newline has several of them, only the first of header, list and blockquote is kept.
#[must_use]
pub fn normalise(ops: &[Op]) -> Vec<Op> {
    let mut out: Vec<Op> = Vec::new();
    for op in arrange(ops) {
        match op {
            Op::Insert { insert: Value::String(text), attributes } => {
                push(&mut out, &text, exclusive(attributes));
            }
            other => out.push(other),
        }
    }
    out
}

/// Moves every attribute to where it has an effect: block attributes to newlines, marks to other characters. The last
/// block gets a newline if it has none. Unknown attributes stay in place, and attributes that are `null` or `false` are
/// removed. If a newline has several exclusive block attributes (header, list, blockquote), all of them are kept,
/// although readers see only the first. If the first is removed later, readers see the next.
#[must_use]
pub fn arrange(ops: &[Op]) -> Vec<Op> {
    let mut out: Vec<Op> = Vec::new();
    let mut ended = false;
    for op in ops {
        let Op::Insert { insert, attributes } = op else { continue };
        let Value::String(text) = insert else {
            out.push(op.clone());
            ended = false;
            continue;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let at = rest.find('\n').unwrap_or(rest.len());
            if at > 0 {
                push(&mut out, &rest[..at], without(attributes, &BLOCK_ATTRIBUTES));
                ended = false;
            }
            if at < rest.len() {
                push(&mut out, "\n", without(attributes, &MARKS));
                ended = true;
                rest = &rest[at + 1..];
            } else {
                rest = "";
            }
        }
    }
    if !ended {
        push(&mut out, "\n", Attributes::new());
    }
    out
}

/// Returns the characters of a text, without attributes and embedded values.
#[must_use]
pub fn plain(ops: &[Op]) -> String {
    ops.iter()
        .filter_map(|op| match op {
            Op::Insert { insert: Value::String(text), .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Appends an insertion of characters, or extends the last step if that step inserts characters with equal attributes.
pub fn push(out: &mut Vec<Op>, text: &str, attributes: Attributes) {
    if let Some(Op::Insert { insert: Value::String(last), attributes: same }) = out.last_mut()
        && *same == attributes
    {
        last.push_str(text);
    } else {
        out.push(Op::insert(text, attributes));
    }
}

fn without(attributes: &Attributes, names: &[&str]) -> Attributes {
    attributes.filtered(|name, value| !names.contains(&name) && !is_off(value))
}

/// Whether a value clears an attribute: `false` as y-quill writes it, or `null` as Quill does.
fn is_off(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
}

fn exclusive(mut attributes: Attributes) -> Attributes {
    let kinds = ["header", "list", "blockquote"];
    if let Some(first) = kinds.iter().find(|kind| attributes.contains(kind)) {
        for other in kinds.iter().filter(|kind| *kind != first) {
            attributes.remove(other);
        }
    }
    attributes
}

fn out_to_json(out: &Out) -> Value {
    match out {
        Out::Any(any) => any_to_json(any),
        // A shared type nested in a text stays in the document. Readers see it as an unknown value.
        _ => serde_json::json!({ "unknown": true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn neighbouring_steps_of_one_kind_are_joined() {
        let ops: Vec<Op> = serde_json::from_value(json!([
            {"insert": "a"}, {"insert": "b"}, {"insert": "c", "attributes": {"bold": true}},
            {"insert": "d", "attributes": {"bold": true}}, {"insert": {"image": 1}}, {"insert": {"image": 1}},
            {"retain": 1}, {"retain": 2}, {"delete": 3}, {"delete": 4}, {"insert": "e"},
        ]))
        .unwrap();
        let joined = json!([
            {"insert": "ab"}, {"insert": "cd", "attributes": {"bold": true}}, {"insert": {"image": 1}},
            {"insert": {"image": 1}}, {"retain": 3}, {"delete": 7}, {"insert": "e"},
        ]);
        assert_eq!(serde_json::to_value(join(&ops)).unwrap(), joined);
    }

    fn check(ops: Value, expect: Value) {
        let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
        assert_eq!(serde_json::to_value(normalise(&ops)).unwrap(), expect);
    }

    #[test]
    fn normalising_puts_every_attribute_where_it_counts() {
        check(json!([]), json!([{"insert": "\n"}]));
        check(json!([{"insert": "a"}]), json!([{"insert": "a\n"}]));
        check(
            json!([{"insert": "a\n", "attributes": {"list": "bullet", "bold": true}}]),
            json!([
                {"insert": "a", "attributes": {"bold": true}},
                {"insert": "\n", "attributes": {"list": "bullet"}},
            ]),
        );
        check(
            json!([{"insert": "\n", "attributes": {"blockquote": true, "header": 2, "list": "ordered", "indent": 1}}]),
            json!([{"insert": "\n", "attributes": {"header": 2, "indent": 1}}]),
        );
        check(
            json!([{"insert": "a", "attributes": {"bold": false, "comment": 7}}, {"insert": {"image": "x"}}]),
            json!([
                {"insert": "a", "attributes": {"comment": 7}},
                {"insert": {"image": "x"}},
                {"insert": "\n"},
            ]),
        );
    }
}
