//! Measures what 50 people who sign in at the same time cost those who write: the latency of typing without and with
//! the sign-ins, in alternate turns of one run.

use accord_tests::{PASSWORD, Server, SyncClient, Visitor};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PEOPLE: usize = 50;
const TURNS: usize = 4;
/// Length of one turn of typing.
const TURN: Duration = Duration::from_secs(6);
/// Time between two keystrokes.
const EVERY: Duration = Duration::from_millis(50);

pub(crate) async fn all() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    let mut emails = Vec::new();
    for n in 0..PEOPLE {
        let email = format!("person{n}@x.org");
        Visitor::join(&server.address, &fay.invite("author", "civil_society")?, &email)?;
        emails.push(email);
    }
    let document = fay.create("Typing")?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let mut writer = SyncClient::connect(&server, &ana, &document, 1).await?;
    let mut reader = SyncClient::connect(&server, &ben, &document, 2).await?;
    let (mut calm, mut busy) = (Vec::new(), Vec::new());
    let mut slowest = Duration::ZERO;
    for _ in 0..TURNS {
        calm.extend(type_for(&mut writer, &mut reader).await?);
        let mut sign_ins = JoinSet::new();
        for email in &emails {
            let (address, email) = (server.address.clone(), email.clone());
            sign_ins.spawn_blocking(move || {
                let began = Instant::now();
                Visitor::sign_in_as(&address, &email, PASSWORD).map(|_| began.elapsed())
            });
        }
        busy.extend(type_for(&mut writer, &mut reader).await?);
        while let Some(signed_in) = sign_ins.join_next().await {
            slowest = slowest.max(signed_in??);
        }
    }
    let (calm, busy) = (Latencies::of(calm), Latencies::of(busy));
    println!(
        "sign-in: {PEOPLE} at once, the last in after {:.0} ms; typing p50 {:.1} ms, p99 {:.1} ms without, p50 {:.1} ms, p99 {:.1} ms with them",
        slowest.as_secs_f64() * 1e3,
        calm.at(0.5),
        calm.at(0.99),
        busy.at(0.5),
        busy.at(0.99)
    );
    Ok(())
}

/// Types at a fixed pace, and measures how long each character takes to reach another client.
async fn type_for(writer: &mut SyncClient, reader: &mut SyncClient) -> Result<Vec<Duration>> {
    let origin = Instant::now();
    let mut taken = Vec::new();
    for n in 0.. {
        let due = EVERY * n;
        if due >= TURN {
            break;
        }
        tokio::time::sleep_until((origin + due).into()).await;
        let update = writer.edit("problem", 0, 0, "x").await?;
        reader.inbox.clear();
        loop {
            reader.fetch().await.context("the character does not come")?;
            if reader.inbox.contains(&update) {
                break;
            }
        }
        // The time is measured from the moment at which the character was due, not from its sending, so that a delay
        // before the sending counts as well.
        taken.push((origin + due).elapsed());
        // The server also sends the update back to its writer, who doesn't need it.
        writer.fetch().await?;
        writer.inbox.clear();
    }
    ensure!(!taken.is_empty());
    Ok(taken)
}

struct Latencies(Vec<Duration>);

impl Latencies {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// Returns the latency that the given share of keystrokes does not exceed, in milliseconds.
    fn at(&self, share: f64) -> f64 {
        let index = ((self.0.len() - 1) as f64 * share) as usize;
        self.0[index].as_secs_f64() * 1e3
    }
}
