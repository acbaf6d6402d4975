//! Writes the deleted ranges at the end of an update.

use super::scan::Range;
use crate::lib0::Write;
use std::collections::BTreeMap;

/// Writes deleted ranges, grouped by client, in the form `count (client count (clock len)*)*`.
pub fn put_deletions(out: &mut Vec<u8>, ranges: &[Range]) {
    let mut by_client: BTreeMap<u64, Vec<&Range>> = BTreeMap::new();
    for range in ranges {
        by_client.entry(range.client).or_default().push(range);
    }
    out.put_var(by_client.len() as u64);
    for (client, ranges) in by_client {
        out.put_var(client);
        out.put_var(ranges.len() as u64);
        for range in ranges {
            out.put_var(u64::from(range.clock));
            out.put_var(u64::from(range.len));
        }
    }
}
