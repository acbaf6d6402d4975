//! Updates that one author sends cost little memory and do not delay other people.

use accord_document::lib0::Write as _;
use accord_document::sync::wire::Message;
use accord_tests::{SOON, Server, SyncClient};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Encodes an update of letters at the beginning of `problem`, each an item of its own. Each letter is typed behind
/// the letter before it, or in front of it if `backwards` is set.
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

/// An update takes memory in proportion to its size. In an earlier version, 687 kB of adjacent items took several
/// gigabytes, and the server ended.
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

/// Reads what has arrived for a client. Reading answers the server's pings.
async fn answer_pings(client: &mut SyncClient) -> Result<()> {
    while let Ok(frame) = timeout(Duration::from_millis(10), client.fetch()).await {
        frame?;
    }
    Ok(())
}

/// One author who fills one document after the other is refused after a few documents. Other people can still open
/// theirs.
#[tokio::test(flavor = "multi_thread")]
async fn one_author_holds_a_few_large_documents_open_and_others_open_theirs() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let mut open = Vec::new();
    let refused = loop {
        ensure!(open.len() < 20, "{} documents of 7 MiB are open", open.len());
        // Each large edit makes the author wait. On a slow machine, the wait is so long that the server would close the
        // connections of clients that answer no pings.
        for author in &mut open {
            answer_pings(author).await?;
        }
        let document = ben.create(&format!("Large {}", open.len()))?;
        let filled = async {
            let mut author = SyncClient::connect_accord(&server, &ben, &document, 1).await?;
            author.edit("problem", 0, 0, &"a".repeat(7 << 20)).await?;
            author.settled().await?;
            anyhow::Ok(author)
        };
        match filled.await {
            Ok(author) => open.push(author),
            Err(error) => break error.to_string(),
        }
    };
    ensure!(open.len() >= 5, "only {} documents could be open: {refused}", open.len());
    ensure!(refused.contains("too many large commitments"), "{refused}");
    let document = ana.create("Another's")?;
    let mut other = SyncClient::connect_accord(&server, &ana, &document, 1).await?;
    other.edit("problem", 0, 0, &"a".repeat(1 << 20)).await?;
    other.settled().await?;
    // The author can still write in the open documents, and can open another document once some of them are closed.
    let mut first = open.pop().context("a document")?;
    first.edit("causes", 0, 0, "x").await?;
    first.settled().await?;
    drop(open);
    let end = Instant::now() + SOON;
    while SyncClient::connect_accord(&server, &ben, &document, 2).await.is_err() {
        ensure!(Instant::now() < end, "none can be opened although the others are closed");
    }
    Ok(())
}

/// One author sends slow updates over 30 connections, and a colleague in the same document is still served in turn
/// (rule C7).
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
            // The connection stays open and reads what the others receive.
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
    // The 20 edits took half a minute and more when each connection had a budget of its own.
    ensure!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    flood.abort_all();
    Ok(())
}
