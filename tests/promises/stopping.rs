//! A server that is asked to stop ends in time, whatever its peers do.

use accord_document::sync::Dialect;
use accord_tests::{Raw, Server, SyncClient, dial};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const HERE: &str = "127.0.0.1";

async fn import(server: &Server, cookie: &str) -> Result<Raw> {
    let mut raw = Raw::connect(HERE, &server.address).await?;
    raw.say(&format!(
        "POST /api/v1/plans/demo/imports HTTP/1.1\r\nhost: here\r\ncookie: {cookie}\r\ncontent-type: text/markdown\r\ncontent-length: 900000\r\n\r\n# Problem"
    ))
    .await?;
    Ok(raw)
}

#[tokio::test]
async fn it_ends_within_fifteen_seconds_whatever_is_open() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let mut held = Vec::new();
    for request in
        ["", "GET / HTTP/1.1\r\nhost: here\r\n", "GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n"]
    {
        let mut raw = Raw::connect(HERE, &server.address).await?;
        raw.say(request).await?;
        held.push(raw);
    }
    let mut unread = Raw::connect(HERE, &server.address).await?;
    unread.say(&"GET /api/v1/openapi.json HTTP/1.1\r\nhost: here\r\n\r\n".repeat(200)).await?;
    held.push(unread);
    let mut trickling = import(&server, &server.visit("fay")?.cookie).await?;
    let trickle = tokio::spawn(async move {
        while trickling.say(" ").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let _silent = dial(&server, &ana, "demo", Dialect::Accord).await?;
    let mut writer = SyncClient::connect_accord(&server, &ana, "demo", 77).await?;
    writer.edit("problem", 0, 0, "Saved before the stop. ").await?;
    writer.settled().await?;
    // These edits are under way when the signal comes.
    for _ in 0..50 {
        writer.edit("problem", 0, 0, "x").await?;
    }
    let began = Instant::now();
    server.terminate()?;
    let closed = timeout(Duration::from_secs(15), writer.closed()).await??;
    ensure!(closed.code == 1012, "{closed:?}");
    let status = tokio::task::spawn_blocking(move || server.ended()).await??;
    let took = began.elapsed();
    ensure!(status.success(), "{status}");
    ensure!(took < Duration::from_secs(15), "it took {took:?}");
    trickle.await?;
    drop(held);
    let server = Server::start(dir.path())?;
    ensure!(server.visit("ana")?.text("demo", "problem")?.contains("Saved before the stop."));
    Ok(())
}

#[tokio::test]
async fn with_half_sent_and_idle_connections_alone_it_ends_soon() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let mut held = Vec::new();
    for n in 0..100 {
        let mut raw = Raw::connect(HERE, &server.address).await?;
        raw.say(if n % 2 == 0 { "" } else { "GET / HTTP/1.1\r\n" }).await?;
        held.push(raw);
    }
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.stop()).await??;
    ensure!(status.success() && began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path())?;
    let _import = import(&server, &server.visit("fay")?.cookie).await?;
    sleep(Duration::from_millis(300)).await;
    server.terminate()?;
    sleep(Duration::from_millis(500)).await;
    ensure!(server.is_alive(), "it waits for the request that is under way");
    let began = Instant::now();
    server.terminate()?;
    let status = tokio::task::spawn_blocking(move || server.ended()).await??;
    ensure!(!status.success() && began.elapsed() < Duration::from_secs(3), "{status}");
    Ok(())
}
