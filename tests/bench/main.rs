//! Runs the benchmarks: `cargo xtask bench [keystroke | paint | scrub | kill N | power N | damage N | faults N [KIND] |
//! crafted N [SEED] | sessions N | attribution N | freeze N | load | silent N | peers N | siege [WORD] | sign-in | replay | turns |
//! clients | history | storage | files]`. Without arguments, all of them run.

mod clients;
mod files;
mod history;
mod load;
mod peers;
mod process;
mod relay;
mod replay;
mod servers;
mod siege;
mod sign_in;
mod storage;
mod turns;
mod updates;

use accord_tests::{
    Death, Fault, Server, Tally, attribution_runs, compare_with_yjs, damage_rounds, fault_rounds,
    freeze_run, kill_rounds, random_sessions,
};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let count = |default| args.get(1).map_or(Ok(default), |n| n.parse::<usize>());
    match args.first().map(String::as_str) {
        Some("keystroke") => in_browser("script.mjs", &[]),
        Some("paint") => in_browser("paint.mjs", &[]),
        Some("scrub") => scrub().await,
        Some("kill") => kills(Death::Kill, count(200)?).await,
        Some("power") => kills(Death::PowerLoss, count(200)?).await,
        Some("damage") => damages(count(10_000)?).await,
        Some("faults") => faults(count(1_000)?, args.get(2).map(String::as_str)).await,
        Some("crafted") => {
            crafted(count(10_000)?, args.get(2).map(|seed| seed.parse()).transpose()?)
        }
        Some("sessions") => sessions(count(1_000)?),
        Some("attribution") => attribution(count(1_000)?),
        Some("freeze") => freezes(count(10_000)?),
        Some("load") => load::all().await,
        Some("silent") => load::silent(count(10_000)?).await,
        Some("peers") => peers::all(count(peers::REPEATS)?).await,
        // The benchmark `peers` starts this program again, as one of the servers that it measures.
        Some("relay") => relay::serve(count(0)?.try_into()?).await,
        Some("siege") => siege::all(args.get(1).map(String::as_str)).await,
        Some("sign-in") => sign_in::all().await,
        Some("replay") => replay::all(),
        Some("turns") => turns::all(),
        Some("clients") => clients::all(),
        Some("history") => history::all(),
        Some("storage") => storage::all().await,
        Some("files") => files::all(),
        None => {
            in_browser("script.mjs", &[])?;
            in_browser("paint.mjs", &[])?;
            scrub().await?;
            replay::all()?;
            turns::all()?;
            clients::all()?;
            history::all()?;
            storage::all().await?;
            files::all()?;
            load::all().await?;
            load::silent(10_000).await?;
            peers::all(peers::REPEATS).await?;
            siege::all(None).await?;
            sign_in::all().await?;
            crafted(10_000, None)?;
            sessions(1_000)?;
            attribution(1_000)?;
            freezes(10_000)?;
            kills(Death::Kill, 200).await?;
            kills(Death::PowerLoss, 200).await?;
            damages(10_000).await?;
            faults(1_000, None).await
        }
        Some(other) => {
            bail!(
                "there is no benchmark `{other}`: keystroke, paint, scrub, kill N, power N, damage N, faults N KIND, crafted N SEED, sessions N, attribution N, freeze N, load, silent N, peers N, siege WORD, sign-in, replay, turns, clients, history, storage, files"
            )
        }
    }
}

/// Runs a script of `bench/browser`. The script prints its own table.
fn in_browser(script: &str, args: &[&OsStr]) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/browser").join(script);
    let status =
        Command::new("node").arg(path).args(args).status().context("Node.js can't be run")?;
    ensure!(status.success(), "{script} failed ({status})");
    Ok(())
}

/// Measures a browser that scrubs along the history of a long document.
async fn scrub() -> Result<()> {
    storage::scrubbed(|data, document| {
        in_browser("scrub.mjs", &[data.as_os_str(), document.as_ref()])
    })
    .await
}

/// Compares what Yjs shows of `count` documents with what Accord shows. The documents consist of updates made by hand.
fn crafted(count: usize, first: Option<u64>) -> Result<()> {
    const BATCH: u64 = 1_000;
    let first = first.unwrap_or_else(|| rand::random::<u32>().into());
    let last = first + u64::try_from(count)?;
    let mut accepted = 0;
    for from in (first..last).step_by(BATCH as usize) {
        accepted += compare_with_yjs(from..last.min(from + BATCH))?;
    }
    println!("crafted, seeds {first} to {last}: {accepted} updates in {count} documents");
    Ok(())
}

fn sessions(count: usize) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let seed = rand::random();
    println!("sessions, seed {seed}: {}", random_sessions(&server, count, seed)?);
    Ok(())
}

fn attribution(runs: usize) -> Result<()> {
    let seed = rand::random();
    println!("attribution, seed {seed}: {}", attribution_runs(runs, seed)?);
    Ok(())
}

/// Simulates freezes during concurrent typing until at least `count` texts were frozen.
fn freezes(count: usize) -> Result<()> {
    let seed: u64 = rand::random::<u32>().into();
    let mut all = Tally::default();
    let mut run = 0;
    while all.freezes < count {
        all += freeze_run(seed + run);
        run += 1;
    }
    println!(
        "freeze, seed {seed}: {run} runs, {} freezes, each digest that of the edits before it and none after; {} \
         proposals and signatures too late, {} texts set aside, {} words all found again",
        all.freezes, all.stale, all.parked, all.words
    );
    Ok(())
}

/// Damages data folders, and checks that nothing is lost without being named.
async fn damages(count: usize) -> Result<()> {
    let seed = rand::random();
    println!("damage: {count} data folders, seed {seed}");
    let damages = damage_rounds(count, seed).await?;
    println!(
        "damage: {} refused to open, {} named a damaged ledger, {} whole; nothing was lost silently",
        damages.refused, damages.named, damages.whole
    );
    Ok(())
}

/// Lets calls to the disk fail, in all ways or only in those of a kind.
async fn faults(count: usize, kind: Option<&str>) -> Result<()> {
    let seed = rand::random();
    println!("faults: {count} rounds, seed {seed}");
    let is_wanted = |fault: &Fault| kind.is_none_or(|kind| fault.name() == kind);
    let faults: Vec<Fault> = Fault::ALL.into_iter().filter(is_wanted).collect();
    ensure!(!faults.is_empty(), "there is no such kind of fault");
    let tally = fault_rounds(&faults, count, seed).await?;
    println!(
        "faults: {} times the server went on, {} times it ended and its next start had everything; in {} rounds no call failed",
        tally.went_on, tally.ended, tally.missed
    );
    Ok(())
}

async fn kills(death: Death, rounds: usize) -> Result<()> {
    let seed = rand::random();
    println!("{death:?}: {rounds} rounds, seed {seed}");
    let toll = kill_rounds(rounds, death, seed).await?;
    println!(
        "{death:?}: {rounds} deaths, {} acknowledged edits all found again, {} unsynced writes thrown away",
        toll.acknowledged, toll.lost_writes
    );
    Ok(())
}
