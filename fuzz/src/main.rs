//! Fuzzes one target with libFuzzer. `cargo xtask fuzz` builds and runs this program. The environment variable
//! `ACCORD_FUZZ_TARGET` names the target, and the arguments are those of libFuzzer.

#![no_main]

use accord_fuzz::Target;
use std::sync::OnceLock;

/// The target of this process.
static TARGET: OnceLock<&Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("ACCORD_FUZZ_TARGET").unwrap_or_default();
        Target::named(&name)
            .expect("ACCORD_FUZZ_TARGET names a target: `cargo xtask fuzz` lists them")
    })
}

libfuzzer_sys::fuzz_target!(init: target(), |data: &[u8]| target().run(data));
