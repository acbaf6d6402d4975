//! People who go on with their work during an attack. Each of their steps is measured from the moment at which it was
//! due.

use accord_tests::{Listens, Raw, SyncClient, Visitor};
use anyhow::Result;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep_until, timeout};

/// Time between two steps of the same person: two letters of a colleague, or two requests of a reader or newcomer.
const EVERY: Duration = Duration::from_millis(100);
/// Longest time that a step is allowed to take. A slower step is given up and counts as this long.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of requests of one person that are under way at the same time.
const UNDER_WAY: usize = 40;

/// The phase of a run: quiet before the attack, the attack itself, or the end, after which no step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Quiet,
    Attack,
    Over,
}

/// The steps that were due during an attack: how long each took, and how many failed.
#[derive(Debug, Default)]
pub(super) struct Waits {
    took: Vec<Duration>,
    failed: usize,
}

impl Waits {
    pub(super) fn add(&mut self, due: Instant) {
        self.took.push(due.elapsed());
    }

    /// Returns the median, the 99th percentile and the longest wait, in milliseconds.
    pub(super) fn summary(&mut self) -> String {
        self.took.sort_unstable();
        let Some(last) = self.took.len().checked_sub(1) else { return "none".into() };
        let at = |share: f64| self.took[(last as f64 * share).round() as usize].as_millis();
        let failed =
            if self.failed > 0 { format!(" ({} failed)", self.failed) } else { String::new() };
        format!("{} {} {}{failed}", at(0.5), at(0.99), at(1.0))
    }
}

#[derive(Debug, Clone)]
struct Address(String);

impl Listens for Address {
    fn address(&self) -> &str {
        &self.0
    }
}

/// The tasks of the people who go on with their work.
pub(super) struct Others {
    phase: watch::Sender<Phase>,
    same_room: JoinHandle<Result<Waits>>,
    other_room: JoinHandle<Result<Waits>>,
    reader: JoinHandle<Result<Waits>>,
    newcomer: JoinHandle<Result<Waits>>,
}

/// The waits of others: in the attacked room, in another room, for a signed-in request, and for a public page.
pub(super) struct Waited {
    pub(super) same_room: Waits,
    pub(super) other_room: Waits,
    pub(super) request: Waits,
    pub(super) page: Waits,
}

impl Others {
    /// Starts a colleague who types in the attacked room, a colleague who types in another room, a reader who is signed
    /// in, and a newcomer.
    pub(super) fn begin(address: &str, colleague: &Visitor, [attacked, other]: [&str; 2]) -> Self {
        let (phase, _) = watch::channel(Phase::Quiet);
        let here = Address(address.to_owned());
        let typing = |room: &str, client| {
            let (here, by, room, phase) =
                (here.clone(), colleague.clone(), room.to_owned(), phase.subscribe());
            tokio::spawn(async move { type_on(&here, &by, &room, client, phase).await })
        };
        let same_room = typing(attacked, 71);
        let other_room = typing(other, 72);
        let path = format!("/api/v1/documents/{other}");
        let reader = tokio::spawn(ask_on(
            address.to_owned(),
            path,
            colleague.cookie.clone(),
            phase.subscribe(),
        ));
        let newcomer =
            tokio::spawn(ask_on(address.to_owned(), "/".into(), String::new(), phase.subscribe()));
        Self { phase, same_room, other_room, reader, newcomer }
    }

    pub(super) fn attack(&self) {
        self.phase.send_replace(Phase::Attack);
    }

    pub(super) async fn end(self) -> Result<Waited> {
        self.phase.send_replace(Phase::Over);
        Ok(Waited {
            same_room: self.same_room.await??,
            other_room: self.other_room.await??,
            request: self.reader.await??,
            page: self.newcomer.await??,
        })
    }
}

/// Types a letter ten times a second, and measures the time from the moment at which each letter was due until the
/// letter is known to be saved.
async fn type_on(
    here: &Address,
    by: &Visitor,
    room: &str,
    client: u64,
    phase: watch::Receiver<Phase>,
) -> Result<Waits> {
    let mut waits = Waits::default();
    let mut life = 0;
    loop {
        let client = client + 1_000 * life;
        let done = match SyncClient::connect_accord(here, by, room, client).await {
            Ok(client) => type_in(client, &phase, &mut waits).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => return Ok(waits),
            Err(_) if *phase.borrow() == Phase::Over => return Ok(waits),
            // The client connects again after an error, as a page does.
            Err(_) => waits.failed += usize::from(*phase.borrow() == Phase::Attack),
        }
        life += 1;
        tokio::time::sleep(EVERY).await;
    }
}

async fn type_in(
    mut client: SyncClient,
    phase: &watch::Receiver<Phase>,
    waits: &mut Waits,
) -> Result<()> {
    let mut due = Instant::now();
    let mut typed = 0;
    // For each edit that is not saved yet: its number, the moment at which it was due, and whether that moment was
    // during the attack.
    let mut unsaved: VecDeque<(u64, Instant, bool)> = VecDeque::new();
    loop {
        tokio::select! {
            fetched = client.fetch() => {
                if let Err(error) = fetched {
                    unsaved.iter().filter(|(.., counts)| *counts).for_each(|(_, due, _)| waits.add(*due));
                    return Err(error);
                }
                // A page would show what others write, but this benchmark measures only the server.
                client.inbox.clear();
                while let Some(&(number, due, counts)) = unsaved.front()
                    && number <= client.saved
                {
                    if counts {
                        waits.add(due);
                    }
                    unsaved.pop_front();
                }
            }
            () = sleep_until(due.into()) => {
                let now = *phase.borrow();
                let is_late = unsaved.front().is_some_and(|(_, due, _)| due.elapsed() > STEP_TIMEOUT);
                if now == Phase::Over && (unsaved.is_empty() || is_late) {
                    unsaved.iter().filter(|(.., counts)| *counts).for_each(|(_, due, _)| waits.add(*due));
                    return Ok(());
                }
                if now != Phase::Over {
                    let update = client.change("causes", typed, 0, "x");
                    typed += 1;
                    client.feed_update(&update).await?;
                    client.flush().await?;
                    unsaved.push_back((client.sent, due, now == Phase::Attack));
                }
                due += EVERY;
            }
        }
    }
}

/// Requests a page ten times a second, each time on a connection of its own.
async fn ask_on(
    address: String,
    path: String,
    cookie: String,
    phase: watch::Receiver<Phase>,
) -> Result<Waits> {
    let mut waits = Waits::default();
    let mut due = Instant::now();
    let mut requests = JoinSet::new();
    loop {
        sleep_until(due.into()).await;
        let now = *phase.borrow();
        if now == Phase::Over {
            break;
        }
        if requests.len() < UNDER_WAY {
            let (address, path, cookie) = (address.clone(), path.clone(), cookie.clone());
            let counts = now == Phase::Attack;
            requests.spawn(async move {
                let answer = timeout(STEP_TIMEOUT, ask(&address, &path, &cookie)).await;
                (due, counts, matches!(answer, Ok(Ok(200))), due.elapsed())
            });
        }
        due += EVERY;
        while let Some(done) = requests.try_join_next() {
            note(&mut waits, done?);
        }
    }
    while let Some(done) = requests.join_next().await {
        note(&mut waits, done?);
    }
    Ok(waits)
}

fn note(waits: &mut Waits, (_, counts, is_fine, took): (Instant, bool, bool, Duration)) {
    if counts {
        waits.took.push(took);
        waits.failed += usize::from(!is_fine);
    }
}

async fn ask(address: &str, path: &str, cookie: &str) -> Result<u16> {
    let mut raw = Raw::connect("127.0.0.2", address).await?;
    raw.say(&format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    ))
    .await?;
    let answer = raw.to_the_end(STEP_TIMEOUT).await?;
    let head = String::from_utf8_lossy(&answer[..answer.len().min(64)]).into_owned();
    Ok(head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0))
}
