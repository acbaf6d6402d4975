//! Every check and every test, real browser included.

use crate::process::Cmd;
use crate::{build, check, tools};
use anyhow::Result;

pub fn all() -> Result<()> {
    build::web()?;
    check::all()?;
    tools::npm("tests")?;
    build::bundle_for_node()?;
    let chromium = tools::chromium()?;
    let python = tools::readers()?;
    // The promises run the server as a process of its own.
    Cmd::new("cargo").args(["build", "--package", "accord-server"]).run()?;
    Cmd::new("cargo")
        // xtask would ask for other features of what the server depends on, and have all of it built again.
        .args(["test", "--workspace", "--exclude", "accord-client", "--exclude", "xtask"])
        .args(["--no-fail-fast"])
        .env("ACCORD_CHROMIUM", chromium)
        .env("ACCORD_PYTHON", python)
        .env("RUST_BACKTRACE", "0")
        .run()
}
