//! Hostile and broken bytes are refused with a reason and close only their own connection. They do not change anybody
//! else's text, and neither stop the process nor make its memory grow.

use accord_document::lib0::Write as _;
use accord_document::sync::wire::Message;
use accord_tests::{Server, SyncClient};
use anyhow::{Context, Result};
use yrs::{ReadTxn, Transact};

/// Most memory, in bytes, by which a server is allowed to grow during all attacks together.
const MEMORY: u64 = 8 * 1024 * 1024;

/// Encodes an update: `count` structs of `client`, already encoded in `structs`, of which the first has the clock
/// `clock`, and then deleted ranges, each as its client, its first clock and its length.
pub(crate) fn update(
    client: u64,
    clock: u64,
    count: u64,
    structs: &[u8],
    deletes: &[(u64, u64, u64)],
) -> Vec<u8> {
    let mut out = Vec::new();
    if count == 0 {
        out.put_var(0);
    } else {
        out.put_var(1);
        out.put_var(count);
        out.put_var(client);
        out.put_var(clock);
        out.extend_from_slice(structs);
    }
    out.put_var(deletes.len() as u64);
    for &(client, clock, len) in deletes {
        out.put_var(client);
        out.put_var(1);
        out.put_var(clock);
        out.put_var(len);
    }
    out
}

/// Encodes a text of one character, at the start of `problem` or after the given element.
fn letter(origin: Option<(u64, u64)>) -> Vec<u8> {
    let mut out = Vec::new();
    match origin {
        None => {
            out.extend([4, 1]);
            out.put_buf(b"problem");
        }
        Some((client, clock)) => {
            out.push(0x84);
            out.put_var(client);
            out.put_var(clock);
        }
    }
    out.put_buf(b"x");
    out
}

fn nested_any(depth: usize) -> Vec<u8> {
    let mut content = vec![8, 1];
    content.put_buf(b"any");
    content.put_var(1);
    content.extend(std::iter::repeat_n([117, 1], depth).flatten());
    content.push(126);
    content
}

/// Encodes an update of `depth` shared types, each nested in the type before it.
fn nested_types(client: u64, depth: u64) -> Vec<u8> {
    let mut structs = vec![7, 1];
    structs.put_buf(b"xml");
    structs.push(3);
    structs.put_buf(b"p");
    for clock in 1..depth {
        structs.extend([7, 0]);
        structs.put_var(client);
        structs.put_var(clock - 1);
        structs.push(3);
        structs.put_buf(b"p");
    }
    update(client, 0, depth, &structs, &[])
}

/// Encodes an update with a text of 10,000 items that can't be merged, and 1,000 letters of another client who has
/// not seen that text, each placed before the letter that was written before it. Finding the place of each letter
/// means looking at all of the items.
fn tangle(client: u64) -> Vec<u8> {
    const ITEMS: u64 = 10_000;
    const LETTERS: u64 = 1_000;
    let mut text = vec![5, 1];
    text.put_buf(b"problem");
    text.put_buf(b"{}");
    for clock in 1..ITEMS {
        text.push(0x85);
        text.put_var(client);
        text.put_var(clock - 1);
        text.put_buf(b"{}");
    }
    let mut letters = letter(None);
    for clock in 1..LETTERS {
        letters.push(0x44);
        letters.put_var(client + 1);
        letters.put_var(clock - 1);
        letters.put_buf(b"x");
    }
    let mut out = Vec::new();
    out.put_var(2);
    for (client, count, structs) in [(client, ITEMS, text), (client + 1, LETTERS, letters)] {
        out.put_var(count);
        out.put_var(client);
        out.put_var(0);
        out.extend_from_slice(&structs);
    }
    out.put_var(0);
    out
}

fn resident(pid: u32) -> Result<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = statm.split(' ').nth(1).context("statm has fields")?.parse()?;
    Ok(pages * 4096)
}

/// The client id of the attacker.
const ME: u64 = 2_000;

/// Attacks on a document in which client 1,000 has written 20 characters. Each has a name, an update, and the code
/// with which the server closes the connection.
fn attacks() -> Vec<(&'static str, Vec<u8>, u16)> {
    let huge = {
        let mut bytes = Vec::new();
        bytes.put_var(u64::from(u32::MAX));
        bytes
    };
    let huge_run = [&[1u8][..], &huge, &[1, 0]].concat();
    let huge_deletes = [&[0u8, 1, 1][..], &huge].concat();
    let skip = [&[1u8, 1][..], &[0xd0, 0x0f], &[0, 10, 3, 0]].concat();
    let resync = 4300;
    vec![
        ("nested values", update(ME, 0, 1, &nested_any(10_000), &[]), 4400),
        (
            "nested JSON",
            update(
                ME,
                0,
                1,
                &{
                    let mut json = vec![5, 1];
                    json.put_buf(b"any");
                    json.put_buf("[".repeat(200_000).as_bytes());
                    json
                },
                &[],
            ),
            4400,
        ),
        ("a huge count of clients", huge.clone(), 4400),
        ("a huge count of structs", huge_run, 4400),
        ("a huge count of deletions", huge_deletes, 4400),
        ("deep XML", nested_types(ME, 5_000), 4400),
        ("clock squatting", update(1_000, 20, 1, &letter(None), &[]), 4403),
        (
            "somebody else's id, from the start",
            update(1_000, 0, 30, &[&[4u8, 1, 7][..], b"problem", &[30], &[b'y'; 30]].concat(), &[]),
            4400,
        ),
        ("letters before each other, beside many items", tangle(ME), 4413),
        ("a gap", update(ME, 7, 1, &letter(None), &[]), resync),
        ("deleting ahead", update(0, 0, 0, &[], &[(1_000, 20, 50)]), resync),
        ("hidden text", update(ME, 0, 1, &letter(Some((31_337, 0))), &[]), resync),
        (
            "inside what holds nothing",
            update(ME, 0, 1, &[&[4u8, 0][..], &[0xe8, 0x07, 0], &[1, b'z']].concat(), &[]),
            4400,
        ),
        ("a clock at the edge", update(ME, u64::from(u32::MAX) - 1, 1, &letter(None), &[]), 4400),
        ("a Skip", skip, resync),
        ("a client id beyond 53 bits", update(1 << 60, 0, 1, &letter(None), &[]), 4400),
        ("bytes after the end", [update(ME, 0, 1, &letter(None), &[]), vec![0]].concat(), 4400),
        (
            "broken UTF-8",
            update(ME, 0, 1, &[&[4u8, 1, 7][..], b"problem", &[1, 0xff]].concat(), &[]),
            4400,
        ),
    ]
}

/// Every known attack closes its own connection with a reason, costs little memory, and leaves the text of another
/// person as it was (rules U1, U3, U4 and U9).
#[tokio::test(flavor = "multi_thread")]
async fn every_known_attack_is_refused_and_harms_nobody() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Attacks")?;
    let mut witness = SyncClient::connect(&server, &ana, &document, 1_000).await?;
    witness.edit("problem", 0, 0, "Nobody touches this.").await?;
    witness.settled().await?;

    // A first connection warms up the allocator and the threads, so that their memory does not count as growth.
    let warm = SyncClient::connect(&server, &ben, &document, 3_000).await?;
    drop(warm);
    let before = resident(server.id())?;
    for (name, attack, code) in attacks() {
        let mut attacker = SyncClient::connect(&server, &ben, &document, ME).await?;
        attacker.send(Message::Update(&attack)).await?;
        let closed = attacker.closed().await.with_context(|| name.to_owned())?;
        assert_eq!(closed.code, code, "{name}: {}", closed.reason);
        assert!(!closed.reason.is_empty(), "{name} has a reason");
        assert!(server.is_alive(), "{name}");
    }
    let grown = resident(server.id())?.saturating_sub(before);
    assert!(grown <= MEMORY, "memory grew by {grown} bytes");

    witness.edit("problem", 0, 0, "Really: ").await?;
    witness.settled().await?;
    assert_eq!(ben.text(&document, "problem")?, "Really: Nobody touches this.\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_updates_never_stop_the_server_or_change_what_others_wrote() -> Result<()> {
    use rand::{RngExt, SeedableRng};
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Mutations")?;
    let mut witness = SyncClient::connect(&server, &ana, &document, 1_000).await?;
    witness.edit("problem", 0, 0, "Mine.").await?;
    witness.settled().await?;
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    for round in 0..300u64 {
        let mut attacker = SyncClient::connect(&server, &ben, &document, 10_000 + round).await?;
        let mut bytes = attacker.change("causes", 0, 0, "some text to be mangled");
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        // An update that deletes the witness's words would be an allowed edit. The mutated updates only insert text
        // into another field, so a mutation that becomes such a deletion is extremely unlikely.
        attacker.send(Message::Update(&bytes)).await?;
        // The server answers this frame or closes the connection. It does neither before it has handled the update.
        let vector = attacker.doc.transact().state_vector();
        use yrs::updates::encoder::Encode;
        let _ = attacker.send(Message::Step1(&vector.encode_v1())).await;
        let _ = attacker.receive().await;
    }
    assert!(server.is_alive());
    assert!(ana.text(&document, "problem")?.contains("Mine."));
    // After a restart, the ledger replays without an error.
    drop(server);
    let server = Server::start(dir.path())?;
    assert!(server.visit("ana")?.text(&document, "problem")?.contains("Mine."));
    Ok(())
}

/// A message of 9 MiB closes only the connection on which it was sent, with the code 1009 (rule C4).
#[tokio::test(flavor = "multi_thread")]
async fn an_oversize_frame_closes_only_its_own_connection() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Large")?;
    let mut witness = SyncClient::connect(&server, &ana, &document, 1).await?;
    let mut attacker = SyncClient::connect(&server, &server.visit("ben")?, &document, 2).await?;
    let _ = attacker.send_raw(vec![0; 9 * 1024 * 1024]).await;
    assert_eq!(attacker.closed().await?.code, 1009, "too large (RFC 6455)");
    witness.edit("problem", 0, 0, "Still here. ").await?;
    witness.settled().await?;
    assert!(ana.text(&document, "problem")?.starts_with("Still here."));
    Ok(())
}

/// A reader's connection is accepted with a step 2 that adds nothing, receives edits, and is closed with 4403 when it
/// writes (rules U6 and M4).
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_read_is_closed_when_writing_and_may_sync_otherwise() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Reading")?;
    for reader in ["obi", "ada"] {
        let mut client = SyncClient::connect(&server, &server.visit(reader)?, &document, 5).await?;
        // The reader's step 2 added nothing and was accepted, so the reader still receives what others write.
        let mut author = SyncClient::connect(&server, &ana, &document, 6).await?;
        author.edit("brief", 0, 0, reader).await?;
        client.until("brief", |text| text.contains(reader)).await?;
        client.edit("brief", 0, 0, "me too").await?;
        assert_eq!(client.closed().await?.code, 4403);
    }
    Ok(())
}

/// A caller who is not allowed to open a sync connection gets 401, 403 or 404 instead of an upgrade (rule C1).
#[test]
fn whoever_may_not_come_in_learns_it_from_an_http_status() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let ask = |path: &str, headers: &[(&str, &str)]| -> Result<u16> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent
            .get(server.url(path))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.call()?.status().as_u16())
    };
    let cookie = ("cookie", ana.cookie.as_str());
    let origin = server.url("");
    let own = ("origin", origin.as_str());
    assert_eq!(ask("/sync/demo", &[])?, 401, "nobody");
    assert_eq!(ask("/sync/demo?ticket=wrong", &[])?, 401, "a made-up ticket");
    let ticket = ana.ticket("demo")?;
    assert_eq!(
        ask(&format!("/sync/demo-budget?ticket={ticket}"), &[])?,
        401,
        "a ticket for another document"
    );
    assert_eq!(ask("/sync/none", &[cookie, own])?, 404, "no such document");
    assert_eq!(ask("/sync/demo", &[cookie])?, 403, "a cookie without an origin");
    assert_eq!(
        ask("/sync/demo", &[cookie, ("origin", "http://evil.example")])?,
        403,
        "another origin"
    );
    assert_eq!(ask("/sync/demo", &[cookie, own])?, 101, "our own page");
    assert_eq!(ask(&format!("/sync/demo?ticket={ticket}"), &[])?, 101, "a ticket");
    Ok(())
}
