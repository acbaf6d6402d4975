//! The child processes that make files end when nobody waits for the file, when they are killed, and when the server
//! ends.

use super::{Colleague, MAX_KEYSTROKE, draft, large_text, pdf, slow_text, until};
use accord_tests::{Server, ServerInTime, Visitor, Watch, accord_binary, children};
use anyhow::{Context, Result, ensure};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

/// Requests a path and hangs up after the given time.
fn ask_and_hang_up(by: &Visitor, path: &str, after: Duration) -> Result<()> {
    let request = by.begin("GET", path, None)?;
    thread::sleep(after);
    drop(request);
    Ok(())
}

#[test]
fn files_that_nobody_waits_for_are_not_made() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Server::start(data.path())?;
    let (ana, ada, obi) = (server.visit("ana")?, server.visit("ada")?, server.visit("obi")?);
    let large = draft(&ana, &large_text())?;
    let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
    // The test gives up the first request only after its child has started, so at least one child must end early. On a
    // slow machine, the later requests can hang up before they have a child.
    let first = ana.begin("GET", &pdf(&large), None)?;
    until("no child is started", || !children(server.id()).is_empty())?;
    drop(first);
    for n in 0..40 {
        let by = if n % 2 == 0 { &ana } else { &ada };
        ask_and_hang_up(by, &pdf(&large), Duration::from_millis(60))?;
    }
    // There is no lower bound, because on a busy machine the watch can miss a child that ends soon.
    let most = watch.most_children();
    ensure!(most <= 2, "{most} at once");
    until("children go on for nobody", || children(server.id()).is_empty())?;
    ensure!(colleague.longest_wait()? < MAX_KEYSTROKE && server.is_alive());
    let (quick, _) = obi.download(&pdf("demo"))?;
    ensure!(quick.starts_with(b"%PDF"));
    Ok(())
}

#[test]
fn a_child_that_is_killed_fails_its_file_alone_and_children_end_with_the_server() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let large = draft(&ana, &large_text())?;
    let (asking, path) = (ana.clone(), pdf(&large));
    let asked = thread::spawn(move || asking.get(&path));
    until("no child is started", || !children(server.id()).is_empty())?;
    for child in children(server.id()) {
        is_confined(child)?;
        let child = rustix::process::Pid::from_raw(i32::try_from(child)?).context("an id")?;
        rustix::process::kill_process(child, rustix::process::Signal::KILL)?;
    }
    let (status, answer) = asked.join().map_err(|_| anyhow::anyhow!("no answer"))??;
    ensure!(status == 503 && answer["error"] == "failed", "{status} {answer}");
    ensure!(server.is_alive() && ana.download(&pdf("demo"))?.0.starts_with(b"%PDF"));

    let (asking, path) = (ana.clone(), pdf(&large));
    let asked = thread::spawn(move || asking.get(&path));
    until("no child is started", || !children(server.id()).is_empty())?;
    let orphans = children(server.id());
    server.kill();
    until("a child outlives the server", || {
        orphans.iter().all(|id| !std::path::Path::new(&format!("/proc/{id}")).exists())
    })?;
    ensure!(asked.join().is_ok_and(|answer| answer.is_err()));
    Ok(())
}

#[test]
fn a_file_that_takes_too_long_is_refused_as_that() -> Result<()> {
    let data = tempfile::tempdir()?;
    // A child limits its own processor time to 15 s, or to a second less than a limit that it inherits. This script
    // makes it inherit a limit of 3 s, so that the test is short.
    let worker = data.path().join("worker");
    let program = std::path::absolute(accord_binary())?;
    let script = format!("#!/bin/sh\nulimit -t 3\nexec {} \"$@\"\n", program.display());
    std::fs::write(&worker, script)?;
    std::fs::set_permissions(&worker, Permissions::from_mode(0o755))?;
    let store = data.path().join("data");
    let server = ServerInTime::start_with(&store, |config| config.worker = worker)?;
    let ana = Visitor::sign_in(&server.address, "ana")?;
    let (status, answer) = ana.get(&pdf(&draft(&ana, &slow_text())?))?;
    let message = answer["message"].as_str().context("a message")?;
    ensure!(status == 422 && message.contains("it takes more time than allowed"), "{answer}");
    ensure!(ana.download(&pdf("demo"))?.0.starts_with(b"%PDF"));
    Ok(())
}

/// Checks that a working child can't open or write files, or take unlimited memory or processor time.
fn is_confined(child: u32) -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{child}/{name}"));
    let limit = |name: &str| -> Result<u64> {
        let limits = read("limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).context("a limit")?;
        Ok(line.split_whitespace().next().context("a number")?.parse()?)
    };
    let is_ready = || limit("Max open files").is_ok_and(|files| files == 3);
    until("it can open files while it works", is_ready)?;
    ensure!(limit("Max data size")? <= 160 << 20 && limit("Max cpu time")? <= 15);
    ensure!(limit("Max core file size")? == 0 && limit("Max file size")? == 0);
    let environment = read("environ")?;
    let names =
        environment.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    ensure!(names.eq(["RAYON_NUM_THREADS", "_RJEM_MALLOC_CONF"]), "{environment}");
    ensure!(std::fs::read_link(format!("/proc/{child}/cwd"))?.as_os_str() == "/");
    // The child has no socket and no file of the store. It can have other open files, which the server itself inherited
    // when it started.
    for open in std::fs::read_dir(format!("/proc/{child}/fd"))? {
        let target = std::fs::read_link(open?.path())?;
        let target = target.to_string_lossy();
        ensure!(!target.starts_with("socket:") && !target.contains("store"), "{target} is open");
    }
    Ok(())
}
