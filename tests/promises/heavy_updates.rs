//! What one author sends costs little memory, and nobody else's time.

use accord_document::lib0::Write as _;
use accord_document::sync::wire::Message;
use accord_tests::{Server, SyncClient};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// Letters at the beginning of `problem`, each an item of its own: typed one behind the other, or each in front of
/// the one before.
fn letters(client: u64, count: u32, backwards: bool) -> Vec<u8> {
    let mut out = vec![1];
    out.put_var(count.into());
    out.put_var(client);
    out.put_var(0);
    for clock in 0..count {
        match clock.checked_sub(1) {
            None => {
                out.extend([4, 1]);
                out.put_buf(b"problem");
            }
            Some(last) => {
                out.push(4 | if backwards { 0x40 } else { 0x80 });
                out.put_var(client);
                out.put_var(last.into());
            }
        }
        out.put_buf(b"a");
    }
    out.push(0);
    out
}

/// 687 kB of adjacent items took several gigabytes, and ended the server.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_adjacent_items_takes_memory_in_proportion() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Adjacent")?;
    let update = letters(1_000, 450_000, false);
    ensure!(update.len() > 3_000_000, "{} bytes", update.len());
    let rest = server.resident_memory()?;
    let mut author = SyncClient::connect(&server, &ana, &document, 1_000).await?;
    author.send(Message::Update(&update)).await?;
    author.settled().await?;
    let text = ana.text(&document, "problem")?;
    ensure!(text.len() >= 450_000, "{} characters", text.len());
    let above = server.peak_memory()? - rest;
    ensure!(above < 100 * 1024 * 1024, "{} MiB above rest", above / 1024 / 1024);
    Ok(())
}

/// One author with many connections, each of which sends what takes long: the others there are served in turn.
#[tokio::test(flavor = "multi_thread")]
async fn one_author_holds_nobody_up_whatever_they_send_over_however_many_connections() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Turns")?;
    let mut author = SyncClient::connect_accord(&server, &ana, &document, 1).await?;
    let mut clients = Vec::new();
    for connection in 0..30 {
        clients.push(SyncClient::connect(&server, &ben, &document, 100 + connection).await?);
    }
    let mut flood = tokio::task::JoinSet::new();
    for (connection, mut client) in (0..).zip(clients) {
        flood.spawn(async move {
            for update in 0..5 {
                let update = letters(1_000 + connection * 10 + update, 4_000, update % 2 == 0);
                client.feed_update(&update).await?;
                client.flush().await?;
            }
            // It stays, and reads what the others get.
            while client.receive().await.is_ok() {}
            Ok::<_, anyhow::Error>(())
        });
    }
    let began = Instant::now();
    for number in 1..=20 {
        author.edit("problem", 0, 0, "x").await?;
        while author.saved < number {
            author.fetch().await?;
        }
    }
    // It took half a minute and more when each connection had a budget of its own.
    ensure!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    flood.abort_all();
    Ok(())
}
