//! Every test, real browser included.

use crate::process::Cmd;
use crate::steps::Step;
use crate::{build, tools};
use anyhow::Result;

/// Runs the tests. Needs the web app built. The last lines printed are those of `cargo test`.
pub const STEPS: [Step; 5] = [
    Step::new("Test the units of the web app", web_units),
    Step::new("Install what the tests run: npm packages, a browser, readers of files", install),
    Step::new("Bundle the editor for Node", build::bundle_for_node),
    // The promises run the server as a process of its own.
    build::DEBUG,
    Step::new("Run the tests", tests),
];

fn install() -> Result<()> {
    tools::npm("tests")?;
    tools::chromium()?;
    tools::readers().map(|_| ())
}

fn web_units() -> Result<()> {
    Cmd::new("npm").args(["run", "--silent", "test"]).dir("web").run()
}

fn tests() -> Result<()> {
    Cmd::new("cargo")
        // xtask would ask for other features of what the server depends on, and have all of it built again.
        .args(["test", "--workspace", "--exclude", "accord-client", "--exclude", "xtask"])
        .args(["--no-fail-fast"])
        .env("ACCORD_CHROMIUM", tools::chromium()?)
        .env("ACCORD_PYTHON", tools::readers()?)
        .env("RUST_BACKTRACE", "0")
        .run()
}
