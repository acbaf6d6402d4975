//! The list of targets.

use crate::panics;
use crate::targets::{acts, frames, imports, ledger, log, notes, scan, witness};

/// A function that takes any bytes, and the inputs from which a fuzzer begins.
#[derive(Debug)]
pub struct Target {
    /// The name of the target, as in `cargo xtask fuzz NAME` and in the folders of stored inputs.
    pub name: &'static str,
    run: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 8] = [
    Target { name: "scan", run: scan::run, seeds: scan::seeds },
    Target { name: "frames", run: frames::run, seeds: frames::seeds },
    Target { name: "ledger", run: ledger::run, seeds: ledger::seeds },
    Target { name: "log", run: log::run, seeds: log::seeds },
    Target { name: "witness", run: witness::run, seeds: witness::seeds },
    Target { name: "imports", run: imports::run, seeds: imports::seeds },
    Target { name: "acts", run: acts::run, seeds: acts::seeds },
    Target { name: "notes", run: notes::run, seeds: notes::seeds },
];

impl Target {
    /// Returns the target that has this name, or `None` if no target has it.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Gives the target an input.
    ///
    /// # Panics
    /// Panics if a property does not hold, or if the code under test panicked and caught it.
    pub fn run(&self, data: &[u8]) {
        let before = panics::count();
        (self.run)(data);
        assert_eq!(panics::count(), before, "a panic was caught");
    }

    /// Returns the inputs from which a fuzzer begins: valid ones, so that mutations of them reach deep.
    #[must_use]
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }
}
