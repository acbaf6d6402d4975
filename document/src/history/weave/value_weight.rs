//! The memory use of JSON values.

use serde_json::Value;

/// Returns an upper bound for the memory use of a value, in bytes.
pub(super) fn weight(value: &Value) -> usize {
    size_of::<Value>() + held(value)
}

/// Returns an upper bound for the heap memory of a value, in bytes.
fn held(value: &Value) -> usize {
    /// Maximum overhead of the allocator for each allocation, in bytes.
    const PIECE: usize = 16;
    /// Maximum memory of a tree node, in bytes. A node has room for 11 entries, and every node except a lone root has at
    /// least 5 entries.
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
