//! The memory that values of JSON take.

use serde_json::Value;

/// How much memory a value takes at most, in bytes.
pub(super) fn weight(value: &Value) -> usize {
    size_of::<Value>() + held(value)
}

/// How much memory is allocated for a value beside itself.
fn held(value: &Value) -> usize {
    /// What an allocator adds to each piece, at most.
    const PIECE: usize = 16;
    /// A node of a tree has room for 11 entries. All but the only one have 5 at least.
    const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 8 * PIECE;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => PIECE + text.len(),
        Value::Array(values) => {
            let room = values.len().next_power_of_two().max(4);
            PIECE + room * size_of::<Value>() + values.iter().map(held).sum::<usize>()
        }
        Value::Object(values) => {
            let each = values.iter().map(|(name, value)| PIECE + name.len() + held(value));
            values.len().div_ceil(5) * NODE + each.sum::<usize>()
        }
    }
}
