//! Many clients that are connected and write nothing, as in the tabs that people leave open.

use super::client::{Client, awareness};
use super::socket::Sender;
use super::{FIRST_ID, Framing, Place, receive};
use crate::process::{cpu_seconds, on_load_core, resident_memory};
use crate::servers::Running;
use accord_tests::{Visitor, raise_open_files};
use anyhow::{Result, ensure};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// Number of clients in each document.
const CLIENTS_OF_A_DOCUMENT: usize = 50;
/// Time after which a server forgets an awareness state that its client has not renewed, with some time to tell others.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(35);
/// Interval at which a stock client renews its awareness state (y-protocols 1.0: half of the 30 s after which a state is
/// outdated).
const RENEWED_EVERY: Duration = Duration::from_secs(15);
/// Length of each of the two measured times.
const LASTS: Duration = Duration::from_secs(30);
const PEOPLE: [&str; 2] = ["ana", "ben"];

/// Connects `count` clients, and prints what they cost while they are silent, and while they renew their awareness.
///
/// # Errors
/// Returns an error if a client can't connect, or if a connection ends.
pub(crate) async fn silent(count: usize) -> Result<()> {
    ensure!(count > 0, "there must be at least one client");
    raise_open_files()?;
    let dir = tempfile::tempdir()?;
    let limits = ["--connections", "40000", "--connections-per-address", "20000"];
    let arguments = [&limits[..], &["--connections-per-person", "20000"]].concat();
    let server = Running::accord(dir.path(), &arguments).await?;
    let (address, pid) = (server.address, server.id());
    on_load_core(move || measure(address, pid, count)).await
}

async fn measure(address: SocketAddr, pid: u32, count: usize) -> Result<()> {
    let host = address.to_string();
    let people = PEOPLE.map(|name| Visitor::sign_in(&host, name));
    let people = people.into_iter().collect::<Result<Vec<_>>>()?;
    let before = resident_memory(pid)?;
    let received = Rc::new(Cell::new(0));
    let (mut senders, mut reading, mut document) = (Vec::new(), JoinSet::new(), String::new());
    let began = cpu_seconds(pid)?;
    for number in 0..count {
        if number % CLIENTS_OF_A_DOCUMENT == 0 {
            document = people[0].create(&format!("Silent {number}"))?;
        }
        let ticket = people[number % PEOPLE.len()].ticket(&document)?;
        let path = format!("/sync/{document}?ticket={ticket}");
        let place = Place { path, framing: Framing::Plain };
        let client = Client::join(address, &place, FIRST_ID + number as u64).await?;
        senders.push(client.sender.clone());
        let received = received.clone();
        reading.spawn_local(receive(client.socket, client.sender, move |_, _| {
            received.set(received.get() + 1);
            Ok(())
        }));
    }
    let joined = cpu_seconds(pid)? - began;
    sleep(FORGOTTEN_AFTER).await;
    let taken = resident_memory(pid)?.saturating_sub(before);
    println!(
        "{count} clients in {} documents: {joined:.1} s of processor time to join; {:.0} MB more memory, {:.1} kB each",
        count.div_ceil(CLIENTS_OF_A_DOCUMENT),
        taken as f64 / 1e6,
        taken as f64 / 1e3 / count as f64,
    );
    let (began, at) = (cpu_seconds(pid)?, Instant::now());
    sleep(LASTS).await;
    println!("silent: {:.2} % of a core", share(cpu_seconds(pid)? - began, at));
    let (began, at, deliveries) = (cpu_seconds(pid)?, Instant::now(), received.get());
    renew(&senders).await?;
    println!(
        "renewing awareness every {} s: {:.1} % of a core, {:.0} messages received a second",
        RENEWED_EVERY.as_secs(),
        share(cpu_seconds(pid)? - began, at),
        (received.get() - deliveries) as f64 / at.elapsed().as_secs_f64(),
    );
    println!("memory now: {:.0} MB", resident_memory(pid)? as f64 / 1e6);
    if let Some(ended) = reading.try_join_next() {
        ended??;
    }
    Ok(())
}

/// Returns processor time as a percentage of the time since `at`.
fn share(seconds: f64, at: Instant) -> f64 {
    seconds / at.elapsed().as_secs_f64() * 100.0
}

/// Sends each client's awareness state at its interval, evenly spread over time.
async fn renew(senders: &[Sender]) -> Result<()> {
    let began = Instant::now();
    let step = RENEWED_EVERY / u32::try_from(senders.len())?;
    let rounds = LASTS.as_secs() / RENEWED_EVERY.as_secs();
    for round in 0..rounds {
        for (number, sender) in (0..).zip(senders) {
            let due = began + RENEWED_EVERY * u32::try_from(round)? + step * number;
            sleep_until(due.into()).await;
            sender.send(&awareness(FIRST_ID + u64::from(number), round + 2))?;
        }
    }
    Ok(())
}
