//! A peer that sends too slowly, reads nothing, or opens thousands of connections keeps nobody else out, because the
//! server ends such connections.

use accord_tests::{Raw, Server, ServerOptions, raise_open_files};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::time::sleep;

const HERE: &str = "127.0.0.1";
const ELSEWHERE: &str = "127.0.0.2";
/// Longest wait of a test. It is far longer than every shortened deadline.
const SOON: Duration = Duration::from_secs(15);

fn start(data: &std::path::Path, args: &[&str]) -> Result<Server> {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Server::start_with(data, &ServerOptions { args, ..Default::default() })
}

/// Starts a server whose deadlines are a twentieth of the usual ones: 1 s for headers, 3.75 s between requests, 1.5 s
/// between the pieces of a body, 3 s for a small body, and 1.5 s for a client that reads nothing of its answer.
fn start_hurried(data: &std::path::Path) -> Result<Server> {
    start(data, &["--shorten-deadlines", "20"])
}

async fn half_sent(from: &str, server: &Server, count: usize) -> Result<Vec<Raw>> {
    let mut held = Vec::new();
    for _ in 0..count {
        // The system can refuse a connection at the limit of open files, and then the test goes on without it.
        let Ok(mut raw) = Raw::connect(from, &server.address).await else { continue };
        let _ = raw.say("GET / HTTP/1.1\r\nhost: here\r\n").await;
        held.push(raw);
    }
    Ok(held)
}

async fn all_get_in(from: &str, server: &Server) -> Result<Duration> {
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        let status = Raw::status(from, &server.address, "/healthz").await?;
        ensure!(status == 200, "answered with {status}");
        longest = longest.max(began.elapsed());
    }
    Ok(longest)
}

#[tokio::test]
async fn thousands_of_half_sent_requests_keep_nobody_out() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let enough = raise_open_files()? > 4_000;
    let (connections, flood) = if enough { ("1000", 3_000) } else { ("200", 600) };
    let server = start(dir.path(), &["--connections", connections])?;
    let before = server.resident_memory()?;
    let held = half_sent(HERE, &server, flood).await?;
    let longest = all_get_in(ELSEWHERE, &server).await?;
    ensure!(longest < Duration::from_secs(2), "somebody from elsewhere waited {longest:?}");
    // From the flood's own address, newcomers take the places of connections that have sent no whole request.
    all_get_in(HERE, &server).await?;
    let grown = server.peak_memory()?.saturating_sub(before);
    ensure!(grown < 150 << 20, "{} MiB for {} half-sent requests", grown >> 20, held.len());
    Ok(())
}

#[tokio::test]
async fn many_addresses_that_hold_all_places_give_them_up() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &["--connections", "60"])?;
    let mut held = Vec::new();
    for n in 10..110 {
        held.extend(half_sent(&format!("127.0.0.{n}"), &server, 1).await?);
    }
    all_get_in(ELSEWHERE, &server).await?;
    Ok(())
}

#[tokio::test]
async fn at_the_limit_of_open_files_the_server_stays_up_and_recovers() -> Result<()> {
    raise_open_files()?;
    let dir = tempfile::tempdir()?;
    let options = ServerOptions { open_files: Some(150), ..Default::default() };
    let mut server = Server::start_with(dir.path(), &options)?;
    let held = half_sent(HERE, &server, 500).await?;
    all_get_in(ELSEWHERE, &server).await?;
    let fay = server.visit("fay")?;
    // The store needs to open files as well, so creating a document shows that some are left for it.
    let document = fay.create("Written under siege")?;
    drop(held);
    all_get_in(HERE, &server).await?;
    ensure!(fay.text(&document, "title")? == "Written under siege\n" && server.is_alive());
    ensure!(server.stop()?.success());
    Ok(())
}

#[tokio::test]
async fn a_request_that_does_not_come_ends() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start_hurried(dir.path())?;
    for request in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: here\r\n"] {
        let mut raw = Raw::connect(HERE, &server.address).await?;
        raw.say(request).await?;
        raw.to_the_end(SOON).await.with_context(|| format!("after {request:?}"))?;
    }
    // Two more connections end: one that has had an answer and sends no other request, and one whose headers trickle
    // in.
    let mut idle = Raw::connect(HERE, &server.address).await?;
    idle.say("GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await?;
    let answer = idle.to_the_end(SOON).await?;
    ensure!(answer.starts_with(b"HTTP/1.1 200"));
    let mut slow = Raw::connect(HERE, &server.address).await?;
    slow.say("GET /healthz HTTP/1.1\r\n").await?;
    let began = Instant::now();
    while slow.say("x: y\r\n").await.is_ok() {
        ensure!(began.elapsed() < SOON, "headers may trickle for ever");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_stalls_or_trickles_is_answered_with_408_and_closed() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start_hurried(dir.path())?;
    let cookie = server.visit("fay")?.cookie;
    for (path, kind) in [
        ("/api/v1/session", "application/json"),
        ("/api/v1/plans/demo/imports", "application/octet-stream"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: here\r\ncookie: {cookie}\r\ncontent-type: {kind}\r\ncontent-length: 60000\r\n\r\n{{"
        );
        for trickles in [false, true] {
            let mut raw = Raw::connect(HERE, &server.address).await?;
            raw.say(&head).await?;
            let began = Instant::now();
            let mut answer = vec![0; 12];
            if trickles {
                let end = Instant::now() + SOON;
                while tokio::time::timeout(Duration::from_millis(200), raw.0.readable())
                    .await
                    .is_err()
                {
                    ensure!(Instant::now() < end, "a body may trickle for ever");
                    raw.say(" ").await?;
                }
            }
            raw.0.read_exact(&mut answer).await?;
            ensure!(answer == b"HTTP/1.1 408", "{path}: {}", String::from_utf8_lossy(&answer));
            raw.to_the_end(SOON).await?;
            ensure!(began.elapsed() < SOON);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_takes_nothing_ends_and_one_that_is_slow_gets_everything() -> Result<()> {
    const ANSWERS: usize = 100;
    let dir = tempfile::tempdir()?;
    let server = start_hurried(dir.path())?;
    let ask = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: here\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let asked = format!("{}{last}", ask.repeat(ANSWERS));
    let mut silent = Raw::connect(HERE, &server.address).await?;
    let mut slow = Raw::connect(ELSEWHERE, &server.address).await?;
    silent.say(&asked).await?;
    slow.say(&asked).await?;
    let mut got = Vec::new();
    let mut piece = vec![0; 128 * 1024];
    // The slow reader takes 7.5 s, which is longer than every deadline.
    for _ in 0..50 {
        sleep(Duration::from_millis(150)).await;
        let count = slow.0.read(&mut piece).await?;
        got.extend_from_slice(&piece[..count]);
    }
    got.extend(slow.to_the_end(SOON).await?);
    let answers = |bytes: &[u8]| bytes.windows(12).filter(|w| w == b"HTTP/1.1 200").count();
    ensure!(answers(&got) == ANSWERS + 1, "the slow one got {} answers", answers(&got));
    let got = silent.to_the_end(SOON).await?;
    ensure!(answers(&got) < ANSWERS, "the one that took nothing got everything");
    Ok(())
}

#[tokio::test]
async fn headers_are_bounded() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start_hurried(dir.path())?;
    let long = format!("x: {}\r\n", "y".repeat(40_000));
    let many = "x: y\r\n".repeat(101);
    for headers in [long, many] {
        let mut raw = Raw::connect(HERE, &server.address).await?;
        raw.say(&format!("GET / HTTP/1.1\r\nhost: here\r\n{headers}\r\n")).await?;
        let answer = raw.to_the_end(SOON).await?;
        ensure!(answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
