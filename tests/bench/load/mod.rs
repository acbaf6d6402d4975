//! Open-loop load: clients type single characters at a fixed pace, however fast the server is. The latency of a
//! keystroke is the time from the moment at which it was due until it arrives at another client. Every keystroke must
//! arrive at every other client of its document.
//!
//! The server has one core, and the load another, so that neither takes time from the other.

mod client;
mod returning;
mod score;
mod silent;
mod socket;
mod typing;

use crate::process::{Latencies, cpu_seconds, on_load_core, own_cpu_seconds, peak_memory};
use crate::servers::{Kind, Running};
use accord_tests::Visitor;
use anyhow::{Context, Result, anyhow, bail, ensure};
use client::{Client, describe_close};
pub(crate) use client::{Framing, Place};
pub(crate) use returning::{RETURNING, come_back};
use score::{FIRST_ID, Score};
pub(crate) use silent::silent;
use socket::{Received, Sender, Socket};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use typing::{Schedule, Writer, type_all};

#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) documents: usize,
    /// Number of clients of each document.
    pub(crate) clients: usize,
    /// Number of clients of each document that type. The other clients only receive.
    pub(crate) typing: usize,
    /// Time between two keystrokes of a client.
    pub(crate) every: Duration,
}

pub(crate) const LOADS: [Load; 2] = [
    Load {
        name: "1 document, 200 clients, 40 typing 10/s",
        documents: 1,
        clients: 200,
        typing: 40,
        every: Duration::from_millis(100),
    },
    Load {
        name: "200 documents × 3 clients typing 2/s",
        documents: 200,
        clients: 3,
        typing: 3,
        every: Duration::from_millis(500),
    },
];

/// Time between the last connection and the first keystroke, in which the server finishes what connecting has caused.
const SETTLE: Duration = Duration::from_millis(500);
const WARM_UP: Duration = Duration::from_secs(2);
const LASTS: Duration = Duration::from_secs(5);
/// Longest wait for the last deliveries. A keystroke that has not arrived by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(20);
/// Niceness of the thread that receives.
const RECEIVER_NICE: i32 = 10;
/// Share of its core from which on the load is saturated, so that it measures itself instead of the server.
const SATURATED: f64 = 0.9;
/// A run counts as disturbed if 1 % of its keystrokes were sent more than this after they were due.
const LATE: Duration = Duration::from_millis(5);

impl Load {
    /// Returns the time in which keystrokes are due, including the warm-up.
    fn length(&self) -> Duration {
        WARM_UP + LASTS
    }
}

/// What one run of a load has measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Deliveries in the measured time.
    pub(crate) deliveries: usize,
    /// Processor time of the server and its children in the measured time, in seconds.
    pub(crate) cpu_seconds: f64,
    pub(crate) latencies: Latencies,
    /// By how much later than due the load sent its keystrokes.
    pub(crate) lateness: Latencies,
    /// The share of its core that the load used.
    pub(crate) busy: f64,
    /// The sum of the peaks of the resident memory of the server and of its children that still run (`VmHWM`), in bytes.
    pub(crate) peak_memory: u64,
}

impl Measured {
    pub(crate) fn deliveries_per_cpu_second(&self) -> f64 {
        self.deliveries as f64 / self.cpu_seconds
    }

    /// Returns whether the load itself was too slow for its latencies to be those of the server.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.busy > SATURATED || self.lateness.at(0.99) > LATE.as_secs_f64() * 1e3
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.0} deliveries per CPU-second ({} in {:.2} s); latency p50 {:.1} ms, p99 {:.1} ms; memory {:.0} MB; \
             load: {:.0} % of its core, late by p50 {:.2} ms, p99 {:.2} ms{}",
            self.deliveries_per_cpu_second(),
            self.deliveries,
            self.cpu_seconds,
            self.latencies.at(0.5),
            self.latencies.at(0.99),
            self.peak_memory as f64 / 1e6,
            self.busy * 100.0,
            self.lateness.at(0.5),
            self.lateness.at(0.99),
            if self.is_disturbed() { " — DISTURBED" } else { "" },
        )
    }
}

/// Measures both loads against Accord.
pub(crate) async fn all() -> Result<()> {
    for load in &LOADS {
        let dir = tempfile::tempdir()?;
        let server = Running::start(Kind::Accord, dir.path(), load).await?;
        let measured = run(load, &server, rand::random()).await?;
        let (_, metrics, _) = Visitor::nobody(&server.address.to_string()).page("/metrics", "")?;
        let commits = metrics.lines().find_map(|line| line.strip_prefix("accord_commits_total "));
        println!("{}: {measured}; {} commits", load.name, commits.unwrap_or("unknown"));
    }
    Ok(())
}

/// Runs a load against a server. The seed decides when each writer begins.
///
/// # Errors
/// Returns an error if a keystroke is lost, or a connection ends.
pub(crate) async fn run(load: &'static Load, server: &Running, seed: u64) -> Result<Measured> {
    let (address, pid, places) = (server.address, server.id(), server.places.clone());
    let measured = on_load_core(move || measure(load, address, pid, places, seed));
    measured.await.with_context(|| format!("{}, {}", server.kind.name(), load.name))
}

async fn measure(
    load: &Load,
    address: SocketAddr,
    pid: u32,
    places: Vec<Place>,
    seed: u64,
) -> Result<Measured> {
    ensure!(places.len() == load.documents * load.clients, "each client has a place");
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        let id = FIRST_ID + number as u64;
        let client = Client::join(address, place, id).await;
        let Client { socket, sender, prefix, .. } = client.context("a client can't join")?;
        if number % load.clients < load.typing {
            writers.push(Writer::new(sender.clone(), prefix.clone(), id));
        }
        readers.push((socket, sender, prefix.len()));
    }
    let schedule = Rc::new(Schedule::new(load, seed));
    let origin = Instant::now() + SETTLE;
    let score = Rc::new(RefCell::new(Score::new(load, schedule, origin)));
    let mut reading = JoinSet::new();
    for (number, (socket, sender, prefix)) in readers.into_iter().enumerate() {
        let score = score.clone();
        reading.spawn_local(receive(socket, sender, move |message, now| {
            score.borrow_mut().receive(number, &message[prefix..], now)
        }));
    }
    let (typed, typing) = oneshot::channel();
    let schedule = Schedule::new(load, seed);
    std::thread::spawn(move || typed.send(type_all(&writers, &schedule, origin)));
    // Typing must be on time, and receiving can wait for the moment that a keystroke takes. On Linux, this lowers the
    // priority of the calling thread alone.
    rustix::process::nice(RECEIVER_NICE)?;
    let measured = tokio::select! {
        measured = observe(pid, origin, &score, typing) => measured,
        Some(ended) = reading.join_next() => match ended? {
            Ok(()) => Err(anyhow!("a client stopped receiving")),
            Err(error) => Err(error),
        },
    };
    measured
}

/// What is counted at the beginning and at the end of the measured time.
struct Counts {
    at: Instant,
    deliveries: usize,
    server: f64,
    load: f64,
}

impl Counts {
    fn now(pid: u32, score: &RefCell<Score>) -> Result<Self> {
        let (server, load) = (cpu_seconds(pid)?, own_cpu_seconds());
        Ok(Self { at: Instant::now(), deliveries: score.borrow().deliveries, server, load })
    }
}

/// Measures from the end of the warm-up to the end of the run. Then waits until all keystrokes have been typed and have
/// arrived.
async fn observe(
    pid: u32,
    origin: Instant,
    score: &RefCell<Score>,
    typing: oneshot::Receiver<Result<Vec<Duration>>>,
) -> Result<Measured> {
    tokio::time::sleep_until((origin + WARM_UP).into()).await;
    let before = Counts::now(pid, score)?;
    tokio::time::sleep_until((origin + WARM_UP + LASTS).into()).await;
    let after = Counts::now(pid, score)?;
    let lateness = typing.await.context("the thread that types has panicked")??;
    let last = Instant::now();
    while score.borrow().missing > 0 {
        if last.elapsed() > LOST_AFTER {
            bail!("{} deliveries are lost", score.borrow().missing);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let latencies = std::mem::take(&mut score.borrow_mut().latencies);
    Ok(Measured {
        deliveries: after.deliveries - before.deliveries,
        cpu_seconds: after.server - before.server,
        latencies: Latencies::of(latencies),
        lateness: Latencies::of(lateness.iter().map(|late| late.as_micros() as u32).collect()),
        busy: (after.load - before.load) / (after.at - before.at).as_secs_f64(),
        peak_memory: peak_memory(pid)?,
    })
}

/// Receives for one client until an error. `take` gets each message, with the time at which it was read.
async fn receive(
    mut socket: Socket,
    sender: Sender,
    mut take: impl FnMut(&[u8], Instant) -> Result<()>,
) -> Result<()> {
    loop {
        socket.read().await?;
        let now = Instant::now();
        while let Some(received) = socket.next()? {
            match received {
                Received::Message(message) => take(message, now)?,
                Received::Ping(payload) => sender.pong(payload)?,
                Received::Closed(reason) => bail!("{}", describe_close(reason)),
            }
        }
    }
}
