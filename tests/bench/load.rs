//! Open-loop load: clients type tokens at a fixed pace, however fast the server is. Each token carries the time at
//! which it was due. The latency is the time from then until the token arrives at another client.

use accord_tests::{Server, SyncClient};
use anyhow::{Context, Result};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

struct Load {
    name: &'static str,
    documents: usize,
    /// Number of clients of each document.
    clients: usize,
    /// Number of clients of each document that type. The other clients only receive.
    typing: usize,
    every: Duration,
}

const LOADS: [Load; 2] = [
    Load {
        name: "1 document, 200 clients, 40 typing 10/s",
        documents: 1,
        clients: 200,
        typing: 40,
        every: Duration::from_millis(100),
    },
    Load {
        name: "200 documents, 3 clients each, all typing 2/s",
        documents: 200,
        clients: 3,
        typing: 3,
        every: Duration::from_millis(500),
    },
];

const WARM_UP: Duration = Duration::from_secs(3);
const LASTS: Duration = Duration::from_secs(15);

pub(crate) async fn all() -> Result<()> {
    let cores = cores();
    for load in &LOADS {
        run(load, cores).await?;
    }
    Ok(())
}

async fn run(load: &Load, cores: usize) -> Result<()> {
    let dir = tempfile::tempdir()?;
    // The server has one core and the load has the others, so that neither takes time from the other.
    pin(std::process::id(), &[0])?;
    let server = Server::start(dir.path())?;
    pin(std::process::id(), &(1..cores).collect::<Vec<_>>())?;
    let visitors = [server.visit("ana")?, server.visit("ben")?];
    let mut clients = Vec::new();
    for document in 0..load.documents {
        let id = visitors[0].create(&format!("Load {document}"))?;
        for client in 0..load.clients {
            let visitor = &visitors[client % 2];
            let number = (document * load.clients + client + 1) as u64;
            let connected = SyncClient::connect(&server, visitor, &id, number).await?;
            clients.push((connected, client < load.typing));
        }
    }
    let origin = Instant::now();
    let count = clients.len() as u32;
    let mut tasks = JoinSet::new();
    for (index, (client, types)) in clients.into_iter().enumerate() {
        let offset = load.every * index as u32 / count;
        let every = load.every;
        tasks.spawn(async move { live(client, types, origin, offset, every).await });
    }
    tokio::time::sleep_until((origin + WARM_UP).into()).await;
    let before = cpu_seconds(server.id())?;
    tokio::time::sleep_until((origin + WARM_UP + LASTS).into()).await;
    let cpu = cpu_seconds(server.id())? - before;
    let mut latencies: Vec<u32> = Vec::new();
    while let Some(result) = tasks.join_next().await {
        latencies.extend(result??);
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    println!(
        "{}: {} deliveries in {} s, {:.2} CPU-seconds: {:.0} deliveries per CPU-second; latency p50 {:.1} ms, p99 {:.1} ms; resident {} MB; {} commits",
        load.name,
        latencies.len(),
        LASTS.as_secs(),
        cpu,
        latencies.len() as f64 / cpu,
        at(0.5),
        at(0.99),
        resident(server.id())? / 1_000_000,
        server.metric("accord_commits_total")?,
    );
    Ok(())
}

/// Types and receives. Returns the latencies, in microseconds, of the tokens that were due after the warm-up.
async fn live(
    mut client: SyncClient,
    types: bool,
    origin: Instant,
    offset: Duration,
    every: Duration,
) -> Result<Vec<u32>> {
    let end = origin + WARM_UP + LASTS;
    let mut due = origin + offset;
    let mut seen = Vec::new();
    let mut own = std::collections::HashSet::new();
    let mut typed = 0;
    loop {
        let wake = if types { due.min(end) } else { end };
        tokio::select! {
            frame = client.receive() => {
                let now = origin.elapsed();
                for token in tokens(&frame?) {
                    if token >= WARM_UP.as_micros() as u64 && !own.contains(&token) {
                        seen.push((now.as_micros() as u64).saturating_sub(token) as u32);
                    }
                }
            }
            () = tokio::time::sleep_until(wake.into()) => {
                if Instant::now() >= end {
                    return Ok(seen);
                }
                if types && Instant::now() >= due {
                    let micros = (due - origin).as_micros() as u64;
                    own.insert(micros);
                    let token = format!("@{micros:012};");
                    // Each client continues where it stopped, as people do, instead of always typing at the beginning.
                    let update = client.change("problem", typed, 0, &token);
                    typed += token.len() as u32;
                    client.feed_update(&update).await?;
                    client.flush().await?;
                    due += every;
                }
            }
        }
    }
}

/// Returns the due times of the tokens in a frame, in microseconds since the start.
fn tokens(frame: &[u8]) -> impl Iterator<Item = u64> + '_ {
    frame
        .windows(14)
        .filter(|w| w[0] == b'@' && w[13] == b';')
        .filter_map(|w| std::str::from_utf8(&w[1..13]).ok()?.parse().ok())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).max(2)
}

/// Binds all threads of a process, and the processes that it starts later, to the given cores.
fn pin(pid: u32, cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let id = task?.file_name().to_string_lossy().parse()?;
        sched_setaffinity(Pid::from_raw(id), &set).context("this machine has one core only")?;
    }
    Ok(())
}

fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit(')').next().context("stat has a name in parentheses")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}

fn resident(pid: u32) -> Result<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    Ok(statm.split(' ').nth(1).context("statm has fields")?.parse::<u64>()? * 4096)
}
