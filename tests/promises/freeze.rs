//! A frozen text does not change, however typing, proposals, signatures and reopenings meet. [`freeze_run`] simulates
//! this race without a server or sockets; the API of releases has its tests in `release.rs`.

use accord_tests::{Tally, freeze_run};

const RUNS: u64 = 300;

/// In every simulated run, a release's digest covers exactly the edits before its freeze, and each typed word is
/// saved or set aside on its author's device (rules U10 and R3).
#[test]
fn a_freeze_covers_exactly_the_edits_before_it_and_nobody_is_left_believing_otherwise() {
    let mut all = Tally::default();
    for run in 0..RUNS {
        all += freeze_run(run);
    }
    println!("{all:?}");
    // Runs without freezes, stale proposals and parked texts would show nothing, so there must be enough of each.
    assert!(all.freezes >= 200 && all.stale >= 200 && all.parked >= 50, "{all:?}");
}
