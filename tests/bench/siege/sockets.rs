//! Attacks over WebSockets.

use super::Target;
use super::updates::{Scattered, Update, format, long, text};
use accord_document::limits;
use accord_document::sync::Dialect;
use accord_document::sync::wire::Message;
use accord_tests::{SyncClient, dial};
use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message as WsMessage;

/// Connections of the author in attacks that use many.
const CONNECTIONS: usize = 200;
/// Client ids of the attackers begin here.
const CLIENT: u64 = 1_000_000;
/// Items that the texts of others have room for beside an attacker's.
const ROOM_LEFT: usize = 2_000;

/// An update as a frame.
fn frame(update: &[u8]) -> WsMessage {
    WsMessage::Binary(Message::Update(update).encode().into())
}

/// Sends updates one after the other, and again when the server closes, on a connection that reads what comes.
async fn send_on(target: &Target, document: &str, updates: &[Vec<u8>]) -> Result<()> {
    loop {
        let socket = dial(target, &target.author, document, Dialect::Stock).await?;
        let (mut sink, mut stream) = socket.split();
        let reading =
            tokio::spawn(async move { while stream.next().await.is_some_and(|m| m.is_ok()) {} });
        for update in updates {
            if sink.send(frame(update)).await.is_err() {
                break;
            }
        }
        let _ = reading.await;
    }
}

/// What an author may have written before: sent by the facilitator's hand, so that no budget of theirs is used up.
pub(super) async fn write(target: &Target, document: &str, updates: &[Vec<u8>]) -> Result<()> {
    for update in updates {
        // The answer to a step 1 comes when all before it is on disk.
        let mut client =
            SyncClient::connect(target, &target.facilitator, document, CLIENT - 1).await?;
        client.send(Message::Update(update)).await?;
        let ask = Message::Step1(&[0]).encode();
        client.send_raw(ask).await?;
        client.receive().await?;
    }
    Ok(())
}

/// A text of as many items as a document may have, less those that others need, in updates of the most items.
pub(super) fn most(client: u64, piece: &'static str) -> (Scattered, Vec<Vec<u8>>) {
    let mut scattered = Scattered::new(client, piece);
    let mut left = limits::MAX_ITEMS_PER_DOCUMENT - ROOM_LEFT;
    let mut updates = Vec::new();
    while left > 0 {
        let count = left.min(limits::MAX_ITEMS_PER_UPDATE);
        updates.push(scattered.grow(count).encode());
        left -= count;
    }
    (scattered, updates)
}

/// Until the document is full, one update of the most items after the other.
pub(super) async fn most_items(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Eight updates that delete every second letter of a client's, `each` letters in each update.
fn every_second(each: u32) -> Vec<Vec<u8>> {
    let update = |n| {
        let ranges = (0..each).map(|at| (2 * (n * each + at), 1)).collect();
        Update::default().deletes(CLIENT, ranges).encode()
    };
    (0..8).map(update).collect()
}

/// Deletes single letters of a long text: each copies what is behind it.
pub(super) async fn splits_of_text(target: Arc<Target>) -> Result<()> {
    let len: u32 = 400_000;
    let words = "a".repeat(len as usize);
    write(&target, &target.shared, &[long(CLIENT, &words)]).await?;
    // Each deleted letter is two splits, and copying eight letters counts as one.
    let each = (limits::MAX_MOVED_UNITS / u64::from(len) * 4) as u32 * 9 / 10;
    target.start().await;
    send_on(&target, &target.shared, &every_second(each)).await
}

/// Deletes halves of items in front of all others: each moves those behind it.
pub(super) async fn splits_of_items(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "ab");
    write(&target, &target.shared, &updates[..1]).await?;
    let items = limits::MAX_ITEMS_PER_UPDATE as u64;
    // What moving an item counts.
    let each = (limits::MAX_MOVED_UNITS / items / 2) as u32 * 9 / 10;
    target.start().await;
    send_on(&target, &target.shared, &every_second(each)).await
}

/// New elements of clients that know nothing of all that stands between their neighbours.
pub(super) async fn between(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    write(&target, &target.shared, &updates).await?;
    let stands = (limits::MAX_ITEMS_PER_DOCUMENT - ROOM_LEFT) as u64;
    let each =
        (limits::MAX_ITEMS_BETWEEN_ORIGINS / stands).min(limits::MAX_CLIENTS_PER_UPDATE as u64) * 9
            / 10;
    let updates: Vec<_> = (0..8)
        .map(|n| {
            let news = (0..each).map(|at| CLIENT + 1 + n * each + at);
            // Behind the first letter; where it belongs depends on all that follow it.
            news.fold(Update::default(), |update, client| {
                update.structs(client, 0, vec![text(Some((CLIENT, 0)), None, "b")])
            })
            .encode()
        })
        .collect();
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Items whose neighbours stand far apart: written as if a text was there that is another one, with other items between.
pub(super) async fn far_apart(target: Arc<Target>) -> Result<()> {
    let other = Scattered::new(CLIENT, "ab").grow(limits::MAX_ITEMS_PER_UPDATE / 4).encode();
    write(&target, &target.shared, &[other]).await?;
    let (_, updates) = most(CLIENT, "a");
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Letters that all have as many and as long attributes as there may be, in one update.
pub(super) fn most_formatted(client: u64) -> Vec<u8> {
    // Few enough that most of the pieces have all of them.
    let attributes = limits::MAX_ATTRIBUTES / 4;
    let pieces = limits::MAX_ATTRIBUTES_TIMES_PIECES / attributes - 8;
    let value_bytes = (limits::MAX_FORMATTING_BYTES / (pieces + 8) / attributes).saturating_sub(8);
    let value = format!("\"{}\"", "v".repeat(value_bytes.saturating_sub(2)));
    let mut structs = vec![text(None, None, "a")];
    let last = |structs: &Vec<Vec<u8>>| Some((client, structs.len() as u32 - 1));
    for number in 0..attributes {
        structs.push(format(last(&structs), None, &format!("a{number:03}"), &value));
    }
    let mut is_bold = false;
    for _ in attributes..pieces {
        structs.push(text(last(&structs), None, "a"));
        is_bold = !is_bold;
        let value = if is_bold { "1" } else { "2" };
        structs.push(format(last(&structs), None, "a000", value));
    }
    Update::default().structs(client, 0, structs).encode()
}

pub(super) async fn formatting(target: Arc<Target>) -> Result<()> {
    let update = most_formatted(CLIENT);
    target.start().await;
    send_on(&target, &target.shared, &[update]).await
}

/// Deletes every other letter of a document of the most items, again and again.
pub(super) async fn deletions(target: Arc<Target>) -> Result<()> {
    let (scattered, updates) = most(CLIENT, "a");
    write(&target, &target.shared, &updates).await?;
    let every =
        |step: u32| (0..scattered.end() / step).map(|at| (step * at, 1)).collect::<Vec<_>>();
    let updates: Vec<_> = [every(2), every(3), every(1), every(1), every(1)]
        .into_iter()
        .map(|ranges| Update::default().deletes(CLIENT, ranges).encode())
        .collect();
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// One document after the other, each filled and kept open.
pub(super) async fn many_documents(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    let documents: Vec<String> =
        (0..16).map(|n| target.author.create(&format!("Many {n}"))).collect::<Result<_>>()?;
    target.start().await;
    let mut all = JoinSet::new();
    for document in documents {
        let (target, updates) = (target.clone(), updates.clone());
        all.spawn(async move { send_on(&target, &document, &updates).await });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// Frames just below what is a large message, and large ones, on many connections at once.
pub(super) async fn frames(target: Arc<Target>) -> Result<()> {
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(dial(&*target, &target.author, &target.shared, Dialect::Stock).await?);
    }
    let small = WsMessage::Binary(
        Message::Update(&Scattered::new(CLIENT, "a").grow(5_000).encode()).encode().into(),
    );
    let large = frame(&long(CLIENT + 1, &"a".repeat(limits::MAX_STATE_BYTES - 100)));
    target.start().await;
    let mut all = JoinSet::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        let message = if number % 4 == 0 { large.clone() } else { small.clone() };
        all.spawn(async move { while socket.send(message.clone()).await.is_ok() {} });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// A document of several megabytes, with as many items as there may be, asked for again and again.
pub(super) async fn step_1(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    write(&target, &target.shared, &updates).await?;
    target.start().await;
    let mut all = JoinSet::new();
    for _ in 0..20 {
        let target = target.clone();
        all.spawn(async move {
            loop {
                let Ok(socket) =
                    dial(&*target, &target.author, &target.shared, Dialect::Stock).await
                else {
                    return;
                };
                let (mut sink, mut stream) = socket.split();
                let reading =
                    tokio::spawn(
                        async move { while stream.next().await.is_some_and(|m| m.is_ok()) {} },
                    );
                let ask: WsMessage = WsMessage::Binary(Message::Step1(&[0]).encode().into());
                while sink.send(ask.clone()).await.is_ok() {}
                let _ = reading.await;
            }
        });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// A caret that moves without end, on many connections.
pub(super) async fn awareness(target: Arc<Target>) -> Result<()> {
    use accord_document::lib0::Write as _;
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(dial(&*target, &target.author, &target.shared, Dialect::Stock).await?);
    }
    target.start().await;
    let mut all = JoinSet::new();
    for (number, socket) in (0..).zip(sockets) {
        all.spawn(async move {
            let (mut sink, mut stream) = socket.split();
            let reading =
                tokio::spawn(
                    async move { while stream.next().await.is_some_and(|m| m.is_ok()) {} },
                );
            for clock in 1.. {
                let mut update = Vec::new();
                update.put_var(1);
                update.put_var(CLIENT + number);
                update.put_var(clock);
                update.put_buf(format!("{{\"at\":\"{}\"}}", "x".repeat(3_900)).as_bytes());
                let message = WsMessage::Binary(Message::Awareness(&update).encode().into());
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            let _ = reading.await;
        });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// Many connections that ask for a large document and take nothing.
pub(super) async fn deaf(target: Arc<Target>) -> Result<()> {
    let words = "a sentence of the plan ".repeat(150_000);
    write(&target, &target.shared, &[long(CLIENT, &words)]).await?;
    target.start().await;
    let mut held = Vec::new();
    loop {
        let Ok(mut socket) = dial(&*target, &target.author, &target.shared, Dialect::Stock).await
        else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        for _ in 0..8 {
            let ask = WsMessage::Binary(Message::Step1(&[0]).encode().into());
            socket.feed(ask).await?;
        }
        socket.flush().await?;
        held.push(socket);
        if held.len() > CONNECTIONS {
            held.remove(0);
        }
    }
}

/// Large messages that come in slowly on many connections.
pub(super) async fn trickle(target: Arc<Target>) -> Result<()> {
    target.start().await;
    let mut all = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut socket = dial(&*target, &target.author, &target.shared, Dialect::Stock).await?;
        all.spawn(async move {
            let stream = socket.get_mut();
            // A masked binary frame of 8 MiB (RFC 6455, 5.2), of which the last byte never comes.
            let mut head = vec![0x82, 0x80 | 127];
            head.extend((limits::MAX_STATE_BYTES as u64).to_be_bytes());
            head.extend([0; 4]);
            stream.write_all(&head).await?;
            let piece = vec![1; 64 * 1024];
            for _ in 0..limits::MAX_STATE_BYTES / piece.len() - 1 {
                stream.write_all(&piece).await?;
            }
            std::future::pending::<()>().await;
            anyhow::Ok(socket)
        });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// A large message in each direction, on each of many connections, which stay open and silent.
pub(super) async fn silent(target: Arc<Target>) -> Result<()> {
    let known = long(CLIENT, &"a".repeat(7 << 20));
    write(&target, &target.shared, std::slice::from_ref(&known)).await?;
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(dial(&*target, &target.author, &target.shared, Dialect::Stock).await?);
    }
    target.start().await;
    let mut held = JoinSet::new();
    for mut socket in sockets {
        let known = known.clone();
        held.spawn(async move {
            socket.send(frame(&known)).await?;
            socket.send(WsMessage::Binary(Message::Step1(&[0]).encode().into())).await?;
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
            anyhow::Ok(())
        });
    }
    while held.join_next().await.is_some() {}
    Ok(())
}
