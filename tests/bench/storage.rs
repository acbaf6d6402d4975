//! Measures how much disk space a long document takes when it is typed through the server at a person's pace, and how
//! long the document then takes to open.

use accord_server::Config;
use accord_server::clock::Clock;
use accord_tests::{FIELD, ServerInTime, SyncClient, Trace, Visitor};
use anyhow::{Result, ensure};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) async fn all() -> Result<()> {
    for typists in [1, 2] {
        let dir = tempfile::tempdir()?;
        let document = typed(dir.path(), typists).await?;
        let size = size(dir.path())?;
        println!("storage, automerge-paper by {typists}: {:.1} MB on the disk", size as f64 / 1e6);
        opened(dir.path(), &document).await?;
    }
    Ok(())
}

/// A server in this process whose clock moves at a typist's pace: each reading of the clock is taken as one keystroke and
/// moves the clock by a quarter of a second, and every hundredth reading moves it by a minute more.
struct Paced {
    address: String,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), accord_server::ServeError>>,
}

impl Paced {
    async fn start(data: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let strokes = Arc::new(AtomicU64::new(0));
        let clock = Clock::new(move || {
            let stroke = strokes.fetch_add(1, Ordering::Relaxed);
            1_800_000_000_000 + stroke * 250 + stroke / 100 * 60_000
        });
        let sessions = accord_server::SessionLimits {
            idle: Duration::from_secs(1 << 32),
            absolute: Duration::from_secs(1 << 32),
        };
        let config = Config { reserve: 0, demo: true, clock, sessions, ..Config::new(data.into()) };
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let ended = tokio::spawn(accord_server::run(listener, config, stopped));
        Ok(Self { address, stop, ended })
    }

    async fn stop(self) -> Result<()> {
        drop(self.stop);
        Ok(self.ended.await??)
    }
}

impl accord_tests::Listens for Paced {
    fn address(&self) -> &str {
        &self.address
    }
}

/// Has two people type a long recorded document into a server, and passes the server's data folder and the document's id to
/// `look`, which scrubs along its history in a browser.
pub(crate) async fn scrubbed(look: impl FnOnce(&Path, &str) -> Result<()>) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let document = typed(dir.path(), 2).await?;
    look(dir.path(), &document)
}

async fn typed(data: &Path, typists: usize) -> Result<String> {
    let trace = Trace::load("automerge-paper")?;
    let server = Paced::start(data).await?;
    let address = server.address.clone();
    let visitors = tokio::task::spawn_blocking(move || {
        Ok::<_, anyhow::Error>((
            Visitor::sign_in(&address, "ana")?,
            Visitor::sign_in(&address, "ben")?,
        ))
    });
    let (ana, ben) = visitors.await??;
    let maker = ana.clone();
    let document = tokio::task::spawn_blocking(move || maker.create("A paper")).await??;
    let mut clients = Vec::new();
    for (client, visitor) in [(11, &ana), (12, &ben)].into_iter().take(typists) {
        clients.push(SyncClient::connect_accord(&server, visitor, &document, client).await?);
    }
    let started = Instant::now();
    for (index, chunk) in trace.txns.chunks(500).enumerate() {
        let who = index % typists;
        let client = &mut clients[who];
        client.integrate()?;
        for transaction in chunk {
            for patch in &transaction.patches {
                let update = client.change(FIELD, patch.0, patch.1, &patch.2);
                client.feed_update(&update).await?;
            }
        }
        client.flush().await?;
        client.settled().await?;
        if typists > 1 {
            // The other person receives everything before typing on.
            clients[1 - who].settled().await?;
        }
    }
    println!("  typed in {:.0} s", started.elapsed().as_secs_f64());
    for client in &mut clients {
        client.integrate()?;
    }
    let text = clients[0].text(FIELD);
    ensure!(text.trim_end() == trace.end_content.trim_end(), "the text is another one");
    drop(clients);
    server.stop().await?;
    Ok(document)
}

async fn opened(data: &Path, document: &str) -> Result<()> {
    let (data, document) = (data.to_owned(), document.to_owned());
    // The server brings its own runtime, which can't be started inside another one.
    let times = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        let server = ServerInTime::start(&data)?;
        let ana = Visitor::sign_in(&server.address, "ana")?;
        let ready = started.elapsed();
        let started = Instant::now();
        ana.text(&document, FIELD)?;
        Ok::<_, anyhow::Error>((ready, started.elapsed()))
    });
    let (ready, opened) = times.await??;
    println!(
        "  a server over it started in {:.0} ms, the document opened in {:.1} ms",
        ready.as_secs_f64() * 1e3,
        opened.as_secs_f64() * 1e3
    );
    Ok(())
}

fn size(dir: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        total += if meta.is_dir() { size(&entry.path())? } else { meta.len() };
    }
    Ok(total)
}
