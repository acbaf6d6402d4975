//! The memory use of JSON values.

use serde_json::Value;

/// Returns an upper bound for the memory use of a value, in bytes.
pub(super) fn memory_of(value: &Value) -> usize {
    size_of::<Value>() + heap_bytes(value)
}

/// Returns an upper bound for the heap memory of a value, in bytes.
fn heap_bytes(value: &Value) -> usize {
    /// Maximum overhead of the allocator for each allocation, in bytes.
    const ALLOCATION_BYTES: usize = 16;
    /// Maximum memory of a tree node, in bytes. A node has room for 11 entries, and every node except a lone root has at
    /// least 5 entries.
    const NODE_BYTES: usize =
        11 * (size_of::<String>() + size_of::<Value>()) + 8 * ALLOCATION_BYTES;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => ALLOCATION_BYTES + text.len(),
        Value::Array(values) => {
            let room = values.len().next_power_of_two().max(4);
            ALLOCATION_BYTES
                + room * size_of::<Value>()
                + values.iter().map(heap_bytes).sum::<usize>()
        }
        Value::Object(values) => {
            let each = values
                .iter()
                .map(|(name, value)| ALLOCATION_BYTES + name.len() + heap_bytes(value));
            values.len().div_ceil(5) * NODE_BYTES + each.sum::<usize>()
        }
    }
}
