//! `cargo xtask bench`: runs benchmarks, which are never part of the tests.

use crate::process::Cmd;
use crate::steps::{Step, run as run_steps};
use crate::{build, tools};
use anyhow::Result;

const STEPS: [Step; 2] = [
    Step::new("Install what the benchmarks run: npm packages and a browser", install),
    Step::new("Compile the benchmarks", || {
        build::bundle_for_bench()?;
        Cmd::new("cargo").args(["build", "--release", "--package", "accord-tests"]).run()
    }),
];

/// The step before the benchmark that compares Accord with other servers.
const PEERS: Step = Step::new("Install the servers that Accord is compared with", tools::peers);

fn install() -> Result<()> {
    tools::npm("tests")?;
    tools::chromium().map(|_| ())
}

pub fn run(args: &[String]) -> Result<()> {
    let compares = args.first().is_none_or(|name| name == "peers");
    let peers = if compares { &[PEERS][..] } else { &[] };
    run_steps(&[&build::WEB[..], &[build::RELEASE], &STEPS, peers].concat())?;
    Cmd::new("target/release/accord-bench")
        .args(args)
        .env("ACCORD_BIN", "target/release/accord")
        .env("ACCORD_CHROMIUM", tools::chromium()?)
        .run()
}
