//! Compares Accord with other servers for Yjs under the same loads, and writes the figures into `docs/benchmarks.md`.
//!
//! The servers take turns in each repeat, so that whatever else happens on the machine meets all of them. Beside them, a
//! loop of `fdatasync` shows what the disk alone costs a server that acknowledges only what is on disk. Accord does so,
//! and none of the others.

mod disk;
mod quiet;
mod report;

use crate::load::{self, LOADS, RETURNING};
use crate::servers::{Kind, Running};
use accord_tests::raise_open_files;
use anyhow::{Result, bail, ensure};
use report::{Figures, Report};
use tokio::signal::unix::{SignalKind, signal};

/// Number of repeats, unless an argument says otherwise.
pub(crate) const REPEATS: usize = 5;

/// Measures everything `repeats` times.
///
/// # Errors
/// Returns an error if a server isn't installed, a delivery is lost, or the command is interrupted. The servers that run
/// are ended in each case.
pub(crate) async fn all(repeats: usize) -> Result<()> {
    ensure!(repeats > 0, "there must be at least one repeat");
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = compare(repeats) => result,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

async fn compare(repeats: usize) -> Result<()> {
    raise_open_files()?;
    let versions = Kind::ALL.into_iter().map(Kind::version).collect::<Result<Vec<_>>>()?;
    let mut report = Report::new(versions, repeats);
    for repeat in 0..repeats {
        let disk = disk::synced_writes(0..0)?;
        println!("fdatasync: p50 {:.2} ms, p99 {:.2} ms", disk.at(0.5), disk.at(0.99));
        report.disk.push([disk.at(0.5), disk.at(0.99)]);
        let disk = disk::synced_writes(quiet::PAUSE_MS)?;
        println!("fdatasync after pauses: p50 {:.2} ms, p99 {:.2} ms", disk.at(0.5), disk.at(0.99));
        report.quiet_disk.push([disk.at(0.5), disk.at(0.99)]);
        let quiet = quiet::acknowledgements().await?;
        println!("a single writer: p50 {:.2} ms, p99 {:.2} ms", quiet.at(0.5), quiet.at(0.99));
        report.quiet.push([quiet.at(0.5), quiet.at(0.99)]);
        // All servers meet the same moments of typing in one repeat, and other moments in the next one.
        let seed = rand::random();
        for (number, load) in LOADS.iter().enumerate() {
            for turn in 0..Kind::ALL.len() {
                let kind = Kind::ALL[(turn + repeat) % Kind::ALL.len()];
                let dir = tempfile::tempdir()?;
                let server = Running::start(kind, dir.path(), load).await?;
                let measured = load::run(load, &server, seed).await?;
                println!("{}/{repeats}, {}, {}: {measured}", repeat + 1, load.name, kind.name());
                report.add(number, kind, Figures::of(&measured));
            }
        }
        for turn in 0..Kind::ALL.len() {
            let kind = Kind::ALL[(turn + repeat) % Kind::ALL.len()];
            // The relay has no document to come back to.
            if kind == Kind::Relay {
                continue;
            }
            let dir = tempfile::tempdir()?;
            let server = Running::start(kind, dir.path(), &RETURNING).await?;
            let taken = load::come_back(&server).await?;
            let (median, most) = (taken.at(0.5), taken.at(0.99));
            println!("{}, {}: p50 {median:.0} ms, p99 {most:.0} ms", RETURNING.name, kind.name());
            report.returned.push((kind, [median, most]));
        }
    }
    report.write()
}
