//! `cargo xtask bench`: measurements, never part of the tests.

use crate::process::Cmd;
use crate::{build, tools};
use anyhow::Result;

pub fn run(args: &[String]) -> Result<()> {
    build::release()?;
    tools::npm("tests")?;
    build::bundle_for_bench()?;
    let chromium = tools::chromium()?;
    Cmd::new("cargo").args(["build", "--release", "--package", "accord-tests"]).run()?;
    Cmd::new("target/release/accord-bench")
        .args(args)
        .env("ACCORD_BIN", "target/release/accord")
        .env("ACCORD_CHROMIUM", chromium)
        .run()
}
