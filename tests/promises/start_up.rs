//! A server that can't start says why in a sentence.

use accord_tests::{Server, accord_binary};
use anyhow::{Context, Result};
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a server that must refuse to start, and returns its output.
fn refusal(data: &Path, listen: &str) -> Result<String> {
    refusal_of(&mut Command::new(accord_binary()), data, listen)
}

fn refusal_of(command: &mut Command, data: &Path, listen: &str) -> Result<String> {
    let output =
        command.args(["serve", "--demo", "--listen", listen, "--data"]).arg(data).output()?;
    assert!(!output.status.success());
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_second_server_on_the_same_data_is_told_so() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let _first = Server::start(dir.path())?;
    let printed = refusal(dir.path(), "127.0.0.1:0")?;
    assert!(printed.contains("another server is already using the data folder"), "{printed}");
    Ok(())
}

#[test]
fn a_taken_port_is_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let first = Server::start(dir.path())?;
    let printed = refusal(&dir.path().join("other"), &first.address)?;
    assert!(
        printed.contains("can't listen on") && printed.contains("another program"),
        "{printed}"
    );
    Ok(())
}

#[test]
fn a_data_folder_that_is_a_file_is_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("data");
    std::fs::write(&file, b"")?;
    let printed = refusal(&file, "127.0.0.1:0")?;
    assert!(printed.contains("can't be used"), "{printed}");
    Ok(())
}

/// A server that is stopped directly after it says that it listens ends without an error.
#[test]
fn a_server_that_is_stopped_while_it_starts_ends_well() -> Result<()> {
    for _ in 0..5 {
        let dir = tempfile::tempdir()?;
        let mut child = Command::new(accord_binary())
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = BufReader::new(child.stderr.take().context("stderr is piped")?);
        let mut lines = log.lines();
        lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("listening on")));
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id())?).context("an id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        // The log is read to its end, so that the server never waits for its reader.
        lines.for_each(drop);
        let status = child.wait()?;
        assert!(status.success(), "{status}");
    }
    Ok(())
}

/// A server started by the wrong user exits with an error that names the data folder, and leaves the folder
/// unchanged.
#[test]
fn a_data_folder_that_may_not_be_read_is_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    assert!(Server::start(&data)?.stop()?.success());
    let mut command = Command::new(accord_binary());
    if rustix::process::geteuid().is_root() {
        // Root can read everything. So the server runs as another user (65534), with a copy of the binary in a folder
        // that this user can enter. Only the data folder is closed to the user.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
        let binary = dir.path().join("accord");
        std::fs::copy(accord_binary(), &binary)?;
        command = Command::new(binary);
        command.uid(65_534).gid(65_534);
    } else {
        std::fs::set_permissions(&data, Permissions::from_mode(0o000))?;
    }
    let printed = refusal_of(command.current_dir("/"), &data, "127.0.0.1:0")?;
    std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
    assert!(printed.contains("data folder") && printed.contains("not allowed"), "{printed}");
    let _again = Server::start(&data)?;
    Ok(())
}

#[test]
fn the_demo_refuses_to_listen_beyond_this_machine() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let printed = refusal(dir.path(), "0.0.0.0:0")?;
    assert!(printed.contains("on this machine only"), "{printed}");
    Ok(())
}

#[test]
fn a_server_asked_to_stop_ends_cleanly() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    assert!(server.stop()?.success());
    Ok(())
}
