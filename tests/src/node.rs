//! Runs the Node scripts of `tests/node` against a server.

use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Time limit of a script. It is generous: on an idle machine every script takes less than a tenth of it.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs a script with arguments and returns its output. Returns an error if the script fails or takes too long.
pub fn node(script: &str, args: &[&str]) -> Result<String> {
    node_with(script, args, &[])
}

/// Runs a script with arguments and environment variables, as [`node`] does.
pub fn node_with(script: &str, args: &[&str], env: &[(&str, &OsStr)]) -> Result<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new("node")
        .arg(dir.join("node").join(script))
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("Node.js can't be run")?;
    let mut stdout = child.stdout.take().context("stdout is piped")?;
    let reader = thread::spawn(move || {
        let mut printed = String::new();
        stdout.read_to_string(&mut printed).map(|_| printed)
    });
    let end = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            bail!("{script} did not end within {} s", LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    };
    let printed = reader.join().expect("reading does not panic")?;
    ensure!(status.success(), "{script} failed ({status}):\n{printed}");
    Ok(printed)
}
