//! Tests of the memory use that a history reports.

use super::*;
use serde_json::Value;

#[test]
fn long_values_weigh_what_they_take_also_when_others_replaced_them() {
    let (mut ledger, mut replica) = (Ledgered::new(), Replica::new(10));
    replica.apply(&ledger.state.encode_since(&replica.state_vector())).unwrap();
    let mut memory_with = |op: Op| {
        replica.edit(&Target::field("problem"), &[op]);
        for update in replica.take_made() {
            ledger.take("ana", 1_000, &update);
        }
        ledger.history.memory_bytes()
    };
    let plain = memory_with(Op::text("text"));
    let mut memory = plain;
    let mut link = |value| memory_with(Op::retain(4, Attributes::from_iter([("link", value)])));
    for number in 0..20 {
        memory = link(format!("{number:02}{}", "x".repeat(7_998)).into());
    }
    assert!(memory > plain + 20 * 8_000, "{memory} after {plain}");
    // Each of the 1,000 objects takes a tree node, which has room for 11 entries.
    let nested = link(Value::Array(vec![json!({ "": 0 }); 1_000]));
    let node = 11 * (size_of::<String>() + size_of::<Value>());
    assert!(nested > memory + 1_000 * node, "{nested} after {memory}");
}
