//! History tells who wrote, moved and deleted what.

use accord_tests::attribution_runs;
use anyhow::Result;

/// Random co-writing of three people, with offline spells, undo, moves, pastes and restores: what a
/// history says of any two moments is what the test itself noted of them.
#[test]
fn history_credits_whoever_wrote_moved_and_deleted_each_character() -> Result<()> {
    let told = attribution_runs(40, 7)?;
    println!("{told}");
    Ok(())
}
