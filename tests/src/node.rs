//! Runs the Node scripts of `tests/node` against a server.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a script with arguments; what it prints is given back, and its failure is ours.
pub fn node(script: &str, args: &[&str]) -> Result<String> {
    node_with(script, args, &[])
}

/// The same with environment variables.
pub fn node_with(script: &str, args: &[&str], env: &[(&str, &OsStr)]) -> Result<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .arg(dir.join("node").join(script))
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("Node.js can't be run")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{script} failed ({}):\n{printed}", output.status);
    }
    Ok(printed)
}
