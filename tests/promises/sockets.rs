//! WebSockets are limited by address, and dead peers, floods, and receivers that read nothing cost the server little.

use accord_document::sync::Dialect;
use accord_document::sync::wire::Message;
use accord_tests::{Raw, Server, ServerOptions, Socket, SyncClient, Visitor, dial};
use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message as WsMessage};

const HERE: &str = "127.0.0.1";

fn start(data: &std::path::Path, args: &[&str]) -> Result<Server> {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Server::start_with(data, &ServerOptions { args, ..Default::default() })
}

async fn until_open(server: &Server, wanted: f64, within: Duration) -> Result<()> {
    let end = Instant::now() + within;
    loop {
        let open = server.metric("accord_connections_open")?;
        if open == wanted {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{open} connections are open");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_dead_websocket_is_closed_and_a_silent_live_one_is_not() -> Result<()> {
    let dir = tempfile::tempdir()?;
    // With these deadlines the server pings after 1.5 s of silence and waits 4.5 s for an answer.
    let server = start(dir.path(), &["--shorten-deadlines", "20"])?;
    let ana = server.visit("ana")?;
    let mut alive = dial(&server, &ana, "demo", Dialect::Stock).await?;
    let listening = tokio::spawn(async move {
        let mut closed = false;
        // This client answers pings, as every WebSocket does automatically, and sends nothing else.
        let listen = async {
            while let Some(Ok(message)) = alive.next().await {
                closed |= message.is_close();
            }
            closed = true;
        };
        let _ = timeout(Duration::from_secs(14), listen).await;
        (closed, alive)
    });
    let dead: Vec<_> = futures_util::future::try_join_all(
        (0..5).map(|_| dial(&server, &ana, "demo", Dialect::Stock)),
    )
    .await?;
    until_open(&server, 6.0, Duration::from_secs(5)).await?;
    until_open(&server, 1.0, Duration::from_secs(12)).await?;
    let (closed, alive) = listening.await?;
    ensure!(!closed, "a live connection was closed");
    until_open(&server, 1.0, Duration::from_secs(1)).await?;
    drop((dead, alive));
    Ok(())
}

/// Messages that are for no room, such as text messages, are read slowly: after each message, the server pauses for a
/// millisecond, however many connections the person has. A busy machine can only take longer.
#[tokio::test]
async fn a_flood_of_texts_is_read_slowly() -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(1);
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let ben = server.visit("ben")?;
    let began = Instant::now();
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut socket = dial(&server, &ben, "demo", Dialect::Stock).await?;
        floods.spawn(async move {
            for _ in 0..500 {
                socket.send(WsMessage::text("x".repeat(1_000))).await?;
            }
            // The step 1 is answered only after everything before it was read.
            socket.send(WsMessage::Binary(Message::Step1(&[0]).encode().into())).await?;
            while let Some(message) = socket.next().await {
                if matches!(message?, WsMessage::Binary(_)) {
                    return Ok(());
                }
            }
            anyhow::bail!("the flood was closed")
        });
    }
    while let Some(flood) = floods.join_next().await {
        flood??;
    }
    ensure!(began.elapsed() >= 2_000 * PAUSE, "2,000 texts were read in {:?}", began.elapsed());
    Ok(())
}

/// Writes a large text into three fields of the demo's document. Returns its length in bytes.
async fn large(server: &Server, by: &Visitor) -> Result<usize> {
    let mut writer = SyncClient::connect_accord(server, by, "demo", 77).await?;
    let words = "a sentence of the plan ".repeat(40_000);
    for field in ["problem", "causes", "solution"] {
        writer.edit(field, 0, 0, &words).await?;
        writer.settled().await?;
    }
    Ok(3 * words.len())
}

#[tokio::test]
async fn receivers_that_read_nothing_hold_little_memory_and_sync_again() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let size = large(&server, &ana).await?;
    let before = server.resident_memory()?;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut socket = dial(&server, &ben, "demo", Dialect::Stock).await?;
        // Each connection requests the whole document 32 times, which is 88 MB, and 1.7 GB for all connections
        // together.
        for _ in 0..32 {
            let ask = Message::Step1(&[0]).encode();
            socket.feed(WsMessage::Binary(ask.into())).await?;
        }
        socket.flush().await?;
        silent.push(socket);
    }
    let end = Instant::now() + Duration::from_secs(60);
    while server.metric("accord_slow_receivers_closed_total")? < 20.0 {
        ensure!(Instant::now() < end, "slow receivers are not closed");
        sleep(Duration::from_millis(200)).await;
    }
    let grown = server.peak_memory()?.saturating_sub(before);
    ensure!(grown < 250 << 20, "{} MiB more for {} MB in all", grown >> 20, (20 * 32 * size) >> 20);
    // A closed receiver gets the frames that were already queued, and then the close code that makes it sync again.
    let mut socket = silent.pop().context("a socket")?;
    let closed = async {
        while let Some(message) = socket.next().await {
            if let WsMessage::Close(frame) = message? {
                return anyhow::Ok(frame.map(|frame| u16::from(frame.code)));
            }
        }
        Ok(None)
    };
    ensure!(timeout(Duration::from_secs(20), closed).await?? == Some(4301));
    // Another person opens the document as usual.
    let reader = SyncClient::connect(&server, &ana, "demo", 78).await?;
    ensure!(reader.text("problem").len() > size / 4);
    Ok(())
}

/// Connections keep little memory after large messages, although the WebSocket library keeps buffers as large as the
/// largest frame in either direction: the server passes messages to it as small frames.
#[tokio::test]
async fn connections_that_once_sent_and_got_large_messages_hold_little_memory() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let size = large(&server, &ana).await?;
    let before = server.resident_memory()?;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut socket = dial(&server, &ben, "demo", Dialect::Stock).await?;
        ask_for_all(&mut socket, size).await?;
        // A text message is for no room and gets no answer. The pong shows that the server has read it: the server
        // answers the ping only after that.
        socket.send(WsMessage::text("x".repeat(size))).await?;
        socket.send(WsMessage::Ping(Bytes::from_static(b"read?"))).await?;
        while !socket.next().await.context("the connection ended")??.is_pong() {}
        silent.push(socket);
    }
    let grown = server.resident_memory()?.saturating_sub(before);
    ensure!(grown < 30 << 20, "{} MiB for {} connections", grown >> 20, silent.len());
    Ok(())
}

/// A client that breaks the WebSocket protocol gets the close code for that, and not the code for a slow receiver.
#[tokio::test]
async fn a_client_that_breaks_the_websocket_protocol_is_told_so() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let ana = server.visit("ana")?;
    // Frames with the expected close code: an unmasked frame, a frame with an opcode that is not assigned, and a text
    // that is not UTF-8 (RFC 6455, section 5.2).
    let broken: [(&[u8], u16); 3] =
        [(b"\x82\x01x", 1002), (b"\x83\x81\0\0\0\0x", 1002), (b"\x81\x81\0\0\0\0\xff", 1007)];
    for (frame, code) in broken {
        let mut socket = dial(&server, &ana, "demo", Dialect::Stock).await?;
        socket.get_mut().write_all(frame).await?;
        let closed = loop {
            let next =
                socket.next().await.context("the connection ended without a close message")??;
            if let WsMessage::Close(close) = next {
                break close.context("a close message without a code")?;
            }
        };
        ensure!(u16::from(closed.code) == code, "{frame:?}: {closed:?}");
    }
    Ok(())
}

/// Requests a document of at least `size` bytes, and waits for the message that contains all of it.
async fn ask_for_all(socket: &mut Socket, size: usize) -> Result<()> {
    socket.send(WsMessage::Binary(Message::Step1(&[0]).encode().into())).await?;
    while socket.next().await.context("the connection ended")??.len() < size {}
    Ok(())
}

/// Eight people each begin more large messages than one person is allowed, and end none of them. A ninth person's large
/// paste still arrives. In an earlier version, the eight held all permits for large messages.
#[tokio::test(flavor = "multi_thread")]
async fn eight_people_whose_large_messages_never_end_leave_room_for_a_ninth_persons_paste()
-> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let mut held = Vec::new();
    for number in 0..8 {
        let link = fay.invite("author", "government")?;
        let email = format!("person{number}@example.org");
        let person = Visitor::join(&server.address, &link, &email)?;
        for _ in 0..4 {
            let mut socket = dial(&server, &person, "demo", Dialect::Stock).await?;
            let stream = socket.get_mut();
            // The client sends the head of a masked binary frame of 7 MiB (RFC 6455, section 5.2), and 256 KiB of its
            // content.
            let mut begun = vec![0x82, 0x80 | 127];
            begun.extend((7_u64 << 20).to_be_bytes());
            begun.resize(begun.len() + 4 + (256 << 10), 0);
            // On a connection that the server does not read, the write blocks and the timeout ends it.
            let _ = timeout(Duration::from_millis(300), stream.write_all(&begun)).await;
            held.push(socket);
        }
    }
    let pasted = timeout(Duration::from_secs(20), large(&server, &ana)).await;
    ensure!(pasted.is_ok(), "a paste waited for messages that never end");
    pasted??;
    drop(held);
    Ok(())
}

#[tokio::test]
async fn large_messages_of_one_person_that_never_end_hold_little_memory_and_nobody_else_up()
-> Result<()> {
    const UNFINISHED: usize = 7 << 20;
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &[])?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let before = server.resident_memory()?;
    let mut held = Vec::new();
    for _ in 0..60 {
        let mut socket = dial(&server, &ben, "demo", Dialect::Stock).await?;
        let stream = socket.get_mut();
        // The client announces a masked binary frame of 7 MiB and one byte (RFC 6455, section 5.2), whose last byte
        // never comes.
        let mut head = vec![0x82, 0x80 | 127];
        head.extend((UNFINISHED as u64 + 1).to_be_bytes());
        head.extend([0; 4]);
        stream.write_all(&head).await?;
        let send = async {
            let piece = vec![1; 64 * 1024];
            for _ in 0..UNFINISHED / piece.len() {
                stream.write_all(&piece).await?;
            }
            anyhow::Ok(())
        };
        // On a connection that the server does not read, the write blocks and the timeout ends it.
        let _ = timeout(Duration::from_millis(300), send).await;
        held.push(socket);
    }
    let grown = server.peak_memory()?.saturating_sub(before);
    ensure!(grown < 120 << 20, "{} MiB for 420 MiB of unfinished messages", grown >> 20);
    let began = Instant::now();
    large(&server, &ana).await?;
    ensure!(began.elapsed() < Duration::from_secs(15), "ana waited {:?}", began.elapsed());
    // After the connections are closed, the server reads what the system still holds of them and keeps none of it.
    drop(held);
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let left = server.resident_memory()?.saturating_sub(before);
        if left < 90 << 20 {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{} MiB stay", left >> 20);
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn behind_a_proxy_the_forwarded_network_is_limited_and_not_the_proxy() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = start(dir.path(), &["--behind-proxy", "--connections-per-address", "2"])?;
    let ana = server.visit("ana")?;
    let mut held = Vec::new();
    for (address, expected) in [
        ("2001:db8::1", 101),
        ("2001:db8::2", 101),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::3", 101),
        ("203.0.113.7", 101),
        ("::ffff:203.0.113.7", 101),
        ("203.0.113.7", 429),
    ] {
        let mut raw = Raw::connect(HERE, &server.address).await?;
        let ticket = ana.ticket("demo")?;
        raw.say(&format!(
            "GET /sync/demo?ticket={ticket} HTTP/1.1\r\nhost: here\r\nx-forwarded-for: {address}\r\n\
             connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ))
        .await?;
        let mut answer = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut raw.0, &mut answer).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        ensure!(answer.ends_with(&expected.to_string()), "{address}: {answer}");
        held.push(raw);
    }
    Ok(())
}
