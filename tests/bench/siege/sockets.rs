//! Attacks over WebSockets.

use super::Target;
use crate::updates::{Scattered, Update, every_second, format, long, text};
use accord_document::limits;
use accord_document::sync::Dialect;
use accord_document::sync::wire::Message;
use accord_tests::{SyncClient, Visitor, dial};
use anyhow::{Result, ensure};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message as WsMessage;

/// Number of connections that the author opens in an attack over many connections. All attacks together must stay below
/// the number of connections that one person can have, or some would be refused.
const CONNECTIONS: usize = 150;
/// Lowest client id of what the facilitator writes before an attack.
const PREPARED: u64 = 900_000;
/// Lowest client id of the author who attacks. The facilitator writes under other ids, because an id belongs to one person
/// (rule U2).
const CLIENT: u64 = 1_000_000;
/// Client id of the author's items whose neighbours are far apart.
const FAR_APART: u64 = 950_000;
/// Number of items by which an attacker stays below the document's limit, so that others can still write.
const ROOM_LEFT: usize = 2_000;

/// Returns the frame that sends an update.
fn frame(update: &[u8]) -> WsMessage {
    WsMessage::Binary(Message::Update(update).encode().into())
}

/// Sends updates one after the other, while another task reads what comes. When the server closes the connection,
/// everything begins again on a new connection.
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

/// Writes what an author could have written before the attack. The facilitator sends it, so that the author's own
/// budget stays unused.
pub(super) async fn write(target: &Target, document: &str, updates: &[Vec<u8>]) -> Result<()> {
    write_by(target, &target.facilitator, document, updates).await
}

/// Writes updates, and waits until they are on disk.
async fn write_by(
    target: &Target,
    by: &Visitor,
    document: &str,
    updates: &[Vec<u8>],
) -> Result<()> {
    for (number, update) in updates.iter().enumerate() {
        // The answer to a step 1 comes once everything before it is on disk.
        let mut client = SyncClient::connect(target, by, document, PREPARED - 1).await?;
        client.send(Message::Update(update)).await?;
        let ask = Message::Step1(&[0]).encode();
        client.send_raw(ask).await?;
        if let Err(error) = client.receive().await {
            // The first update must fit. If all attacks run together, the document can be full before the later ones.
            ensure!(number > 0, "nothing could be prepared: {error:#}");
            println!("  a document takes no more of what an attack prepares: {error:#}");
            break;
        }
    }
    Ok(())
}

/// Returns a text of as many items as a document is allowed, less [`ROOM_LEFT`], and the updates that write it. Each update
/// has at most as many items as an update is allowed.
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

/// Sends updates of as many items as an update is allowed, one after the other, until the document has almost as many items
/// as a document is allowed.
pub(super) async fn most_items(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Returns eight updates that delete every second letter of a client's text, `each` letters in each update.
fn eight_deletions(client: u64, each: u32) -> Vec<Vec<u8>> {
    (0..8).map(|n| every_second(client, 2 * n * each, each)).collect()
}

/// Deletes single letters of a long text. Each deletion copies the text behind the letter.
pub(super) async fn splits_of_text(target: Arc<Target>) -> Result<()> {
    let len: u32 = 400_000;
    let words = "a".repeat(len as usize);
    write(&target, &target.shared, &[long(PREPARED + 2, &words)]).await?;
    // Each deleted letter makes two splits, and eight copied letters count as a cost of 1.
    let each = (limits::MAX_SPLIT_COST / u64::from(len) * 4) as u32 * 9 / 10;
    target.start().await;
    send_on(&target, &target.shared, &eight_deletions(PREPARED + 2, each)).await
}

/// Deletes one letter of each two-letter item, beginning with the client's first items. Each deletion splits an item,
/// and each split moves all items that follow in the client's list.
pub(super) async fn splits_of_items(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(PREPARED + 3, "ab");
    write(&target, &target.shared, &updates[..1]).await?;
    let items = limits::MAX_ITEMS_PER_UPDATE as u64;
    // The limit is divided by the cost of the items that one deletion moves.
    let each = (limits::MAX_SPLIT_COST / items / 2) as u32 * 9 / 10;
    target.start().await;
    send_on(&target, &target.shared, &eight_deletions(PREPARED + 3, each)).await
}

/// Inserts elements of new clients behind the first letter of a text. These clients have not seen the many other items
/// of the text.
pub(super) async fn between(target: Arc<Target>) -> Result<()> {
    // The number is below the limit of a turn, because an element that is compared with more items is refused.
    let items = limits::MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN * 9 / 10;
    let prepared = Scattered::new(PREPARED, "a").grow(items as usize).encode();
    write(&target, &target.shared, &[prepared]).await?;
    let each =
        (limits::MAX_ITEMS_BETWEEN_ORIGINS / items).min(limits::MAX_CLIENTS_PER_UPDATE as u64);
    let updates: Vec<_> = (0..8)
        .map(|n| {
            let news = (0..each).map(|at| CLIENT + 1 + n * each + at);
            // Each element goes behind the first letter. Its place depends on all the items that follow that letter.
            news.fold(Update::default(), |update, client| {
                update.structs(client, 0, vec![text(Some((PREPARED, 0)), None, "b")])
            })
            .encode()
        })
        .collect();
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Sends items whose two neighbours are far apart. The updates assume another text than the author's document has, with
/// other items between those neighbours.
pub(super) async fn far_apart(target: Arc<Target>) -> Result<()> {
    let other = Scattered::new(FAR_APART, "ab").grow(limits::MAX_ITEMS_PER_UPDATE / 4).encode();
    write_by(&target, &target.author, &target.shared, &[other]).await?;
    let (_, updates) = most(FAR_APART, "a");
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Returns one update whose formatting is just within the limits of a document: attributes times pieces, and bytes of
/// formatting.
pub(super) fn most_formatted(client: u64) -> Vec<u8> {
    // Only a quarter of the allowed number of attributes is used. Most of the pieces then have all of the attributes.
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
    let update = most_formatted(CLIENT + 100_000);
    target.start().await;
    send_on(&target, &target.shared, &[update]).await
}

/// Deletes letters of a document that has almost as many items as it is allowed: every second letter, every third
/// letter, and then all letters three times.
pub(super) async fn deletions(target: Arc<Target>) -> Result<()> {
    let (scattered, updates) = most(PREPARED, "a");
    write(&target, &target.shared, &updates).await?;
    let every =
        |step: u32| (0..scattered.end() / step).map(|at| (step * at, 1)).collect::<Vec<_>>();
    let updates: Vec<_> = [every(2), every(3), every(1), every(1), every(1)]
        .into_iter()
        .map(|ranges| Update::default().deletes(PREPARED, ranges).encode())
        .collect();
    target.start().await;
    send_on(&target, &target.shared, &updates).await
}

/// Fills 16 documents at the same time with almost as many items as they are allowed, and keeps the documents open.
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

/// Sends messages that are just too small to count as large, and large messages, on many connections at the same time.
pub(super) async fn frames(target: Arc<Target>) -> Result<()> {
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(dial(&*target, &target.author, &target.shared, Dialect::Stock).await?);
    }
    let small = WsMessage::Binary(
        Message::Update(&Scattered::new(CLIENT + 200_000, "a").grow(5_000).encode())
            .encode()
            .into(),
    );
    let large = frame(&long(CLIENT + 200_001, &"a".repeat(limits::MAX_STATE_BYTES - 100)));
    target.start().await;
    let mut all = JoinSet::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        let message = if number % 4 == 0 { large.clone() } else { small.clone() };
        all.spawn(async move { while socket.send(message.clone()).await.is_ok() {} });
    }
    while all.join_next().await.is_some() {}
    Ok(())
}

/// Requests a document of several megabytes, with almost as many items as it is allowed, again and again.
pub(super) async fn step_1(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(PREPARED, "a");
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

/// Moves a caret without end, on many connections.
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

/// Requests a large document on many connections and reads nothing.
pub(super) async fn unread_documents(target: Arc<Target>) -> Result<()> {
    let words = "a sentence of the plan ".repeat(150_000);
    write(&target, &target.shared, &[long(PREPARED + 4, &words)]).await?;
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

/// Sends large messages slowly on many connections, and never completes them.
pub(super) async fn trickle(target: Arc<Target>) -> Result<()> {
    target.start().await;
    let mut all = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut socket = dial(&*target, &target.author, &target.shared, Dialect::Stock).await?;
        all.spawn(async move {
            let stream = socket.get_mut();
            // The head announces a masked binary frame of 8 MiB (RFC 6455, section 5.2). Its last 64 KiB never come.
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

/// Sends and receives one large message on each of many connections, which then stay open and silent.
pub(super) async fn silent(target: Arc<Target>) -> Result<()> {
    let known = long(PREPARED + 1, &"a".repeat(7 << 20));
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
