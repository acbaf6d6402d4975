//! What must hold for any bytes that a stranger sends or a disk returns. Each [`Target`] is a function that takes bytes,
//! gives them to one part of Accord, and panics if a property does not hold.
//!
//! `cargo xtask fuzz` looks for bytes that break a property, guided by the code that they reach. `cargo test` gives the
//! stored inputs (`fuzz/corpus/` and `fuzz/regressions/`) to the same functions. A target must be deterministic: it has
//! no clock, no randomness and no threads, so that an input shows the same fault every time.

mod actors;
mod panics;
mod parts;
mod same;
mod target;
mod targets;

pub use target::{TARGETS, Target};
