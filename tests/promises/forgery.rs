//! Nobody can write in another person's name: forgeries are refused, counted, and logged with the person and the
//! document.

use crate::bad_input::update;
use accord_document::lib0::Write as _;
use accord_document::sync::wire::Message;
use accord_tests::{Server, SyncClient};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, StateVector, Transact};

/// Encodes an update of one struct, `xyz` at the start of `problem`, and of deleted ranges.
fn run_of(client: u64, clock: u64, deletes: &[(u64, u64, u64)]) -> Vec<u8> {
    let mut letters = vec![4, 1];
    letters.put_buf(b"problem");
    letters.put_buf(b"xyz");
    update(client, clock, 1, &letters, deletes)
}

/// Encodes an update of one struct, `x` between two elements.
fn between(client: u64, left: (u64, u64), right: (u64, u64)) -> Vec<u8> {
    let mut letter = vec![0xc4];
    for (client, clock) in [left, right] {
        letter.put_var(client);
        letter.put_var(clock);
    }
    letter.put_buf(b"x");
    update(client, 0, 1, &letter, &[])
}

/// Edits under another person's client id, with gaps in the clock, or between elements that were never neighbours are
/// refused (rules U2, U3 and U8). Each refusal is counted by its reason, and logged with the person and the document.
#[tokio::test(flavor = "multi_thread")]
async fn forgeries_are_refused_counted_and_logged_with_the_person_and_the_document() -> Result<()> {
    const ANA: u64 = 1_000;
    const BEN: u64 = 2_000;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Forgeries")?;
    let mut author = SyncClient::connect(&server, &ana, &document, ANA).await?;
    author.edit("problem", 0, 0, "By Ana.").await?;
    author.settled().await?;
    let text = author.text("problem");
    drop(server.log_so_far());
    let next = u64::from(author.doc.transact().state_vector().get(&yrs::ClientID::new(ANA)));
    // Ben knows Ana's client id. He writes under it, refers to elements that do not exist, and inserts where no
    // editor would.
    let forgeries = [
        ("another's client id", run_of(ANA, next, &[]), 4403, "forged_client"),
        ("clock squatting", run_of(ANA, next + 500, &[]), 4300, "gap"),
        ("delete-ahead", run_of(BEN, 0, &[(ANA, next, 50)]), 4300, "delete_ahead"),
        // The next two insert between elements that were never neighbours. If they were accepted, people would read
        // different texts.
        ("two faces", between(BEN, (ANA, 0), (ANA, 5)), 4400, "misplaced"),
        ("backwards", between(BEN, (ANA, 5), (ANA, 2)), 4400, "misplaced"),
    ];
    for (name, forgery, code, reason) in forgeries {
        let counter = format!("accord_edits_refused_total{{reason=\"{reason}\"}}");
        let before = server.metric(&counter)?;
        let mut forger = SyncClient::connect(&server, &ben, &document, BEN).await?;
        forger.send(Message::Update(&forgery)).await?;
        let closed = forger.closed().await.with_context(|| name.to_owned())?;
        ensure!(closed.code == code, "{name}: {closed:?}");
        ensure!(server.metric(&counter)? == before + 1.0, "{name} is counted");
        let line = server.next_logged("an edit was refused").with_context(|| name.to_owned())?;
        for part in [reason, &document, &ben.id()?] {
            ensure!(line.contains(part), "{name}: {part} is in {line}");
        }
    }
    // In a closed plan, an edit is refused as read only.
    let fay = server.visit("fay")?;
    let close = |closed: bool| {
        fay.request("PATCH", "/api/v1/plans/demo", Some(json!({ "closed": closed })))
    };
    assert_eq!(close(true)?.0, 204);
    drop(server.log_so_far());
    let mut late = SyncClient::connect(&server, &ben, &document, BEN).await?;
    late.edit("problem", 0, 0, "too late").await?;
    assert_eq!(late.closed().await?.code, 4403);
    assert_eq!(server.metric("accord_edits_refused_total{reason=\"read_only\"}")?, 1.0);
    let logged = server.next_logged("an edit was refused")?;
    ensure!(logged.contains("read_only") && logged.contains(&ben.id()?), "{logged}");
    assert_eq!(close(false)?.0, 204);
    // Sending again what Ana wrote adds no entry in Ben's name or anybody else's.
    let replayed = author.doc.transact().encode_diff_v1(&StateVector::default());
    let entries = server.metric("accord_entries_committed_total")?;
    let mut forger = SyncClient::connect(&server, &ben, &document, BEN).await?;
    forger.send(Message::Update(&replayed)).await?;
    let vector = forger.doc.transact().state_vector().encode_v1();
    forger.send(Message::Step1(&vector)).await?;
    while !forger.receive().await?.starts_with(&[0, 1]) {}
    assert_eq!(server.metric("accord_entries_committed_total")?, entries);
    assert_eq!(ana.text(&document, "problem")?, text);
    // Ana's own next edit is accepted.
    author.edit("problem", 0, 0, "Still ").await?;
    author.settled().await?;
    assert_eq!(ana.text(&document, "problem")?, format!("Still {text}"));
    Ok(())
}

/// Awareness can't be forged: the server sets the person's name, and ignores entries that are not the sender's own
/// (rules P3 and P4).
#[tokio::test(flavor = "multi_thread")]
async fn forged_awareness_reaches_nobody() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Awareness")?;
    let state = |client: u64, clock: u64, state: &str| {
        let mut update = Vec::new();
        update.put_var(1);
        update.put_var(client);
        update.put_var(clock);
        update.put_buf(state.as_bytes());
        update
    };
    let mut author = SyncClient::connect(&server, &ana, &document, 1_000).await?;
    author.send(Message::Awareness(&state(1_000, 1, r#"{"cursor":null}"#))).await?;
    author.settled().await?;
    let mut forger = SyncClient::connect(&server, &ben, &document, 2_000).await?;
    forger
        .send(Message::Awareness(&state(2_000, 1, r#"{"user":{"name":"Ana Ferreira"}}"#)))
        .await?;
    for forged in [r#"{"cursor":"forged"}"#, "null"] {
        forger.send(Message::Awareness(&state(1_000, 99, forged))).await?;
    }
    forger.send(Message::QueryAwareness).await?;
    let everybody = loop {
        let frame = forger.receive().await?;
        let text = String::from_utf8_lossy(&frame).into_owned();
        if text.contains("Ben Okafor") && text.contains("Ana Ferreira") {
            break text;
        }
    };
    assert_eq!(everybody.matches("Ana Ferreira").count(), 1, "{everybody}");
    assert!(!everybody.contains("forged"), "{everybody}");
    Ok(())
}

/// Everybody in a document learns the client id that a page announces, but only its owner is allowed to write under
/// it (rules U2 and P2). That holds even if the owner has written nothing yet, has left, or the document was closed
/// in between.
#[tokio::test(flavor = "multi_thread")]
async fn an_announced_id_belongs_to_its_person_before_anything_is_written() -> Result<()> {
    const ANA: u64 = 1_000;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Announced")?;
    let mut announcement = Vec::new();
    announcement.put_var(1);
    announcement.put_var(ANA);
    announcement.put_var(1);
    announcement.put_buf(br#"{"cursor":null}"#);
    let mut author = SyncClient::connect(&server, &ana, &document, ANA).await?;
    author.send(Message::Awareness(&announcement)).await?;
    // The server reads different connections in no fixed order. Once it has answered Ana, it has read her
    // announcement.
    author.settled().await?;
    let steal = async || -> Result<()> {
        let mut thief = SyncClient::connect(&server, &ben, &document, 2_000).await?;
        // Announcing Ana's id himself does not help the thief.
        thief.send(Message::Awareness(&announcement)).await?;
        thief.send(Message::Update(&run_of(ANA, 0, &[]))).await?;
        let closed = thief.closed().await?;
        ensure!(closed.code == 4403, "{closed:?}");
        Ok(())
    };
    steal().await?;
    // Ana types offline and comes back later.
    let doc = author.doc.clone();
    let offline = author.change("problem", 0, 0, "offline ");
    drop(author);
    steal().await?;
    let dialect = accord_document::sync::Dialect::Stock;
    let mut author = SyncClient::resume(&server, &ana, &document, dialect, doc).await?;
    author.send(Message::Update(&offline)).await?;
    author.settled().await?;
    assert_eq!(ben.text(&document, "problem")?, "offline \n");
    Ok(())
}

/// An announced id still belongs to its person after a restart (rule U2). That holds even after a `kill -9` at the
/// moment at which somebody else learns of the id, because others learn of it only once its owner is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn an_announced_id_belongs_to_its_person_also_after_a_restart() -> Result<()> {
    const ANA: u64 = 1_000;
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path())?;
    let document = server.visit("ana")?.create("Announced")?;
    let announcement = |client: u64| {
        let mut update = Vec::new();
        update.put_var(1);
        update.put_var(client);
        update.put_var(1);
        update.put_buf(br#"{"cursor":null}"#);
        update
    };
    for (client, is_killed) in [(ANA, true), (ANA + 1, false), (ANA + 2, true)] {
        let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
        let mut thief = SyncClient::connect(&server, &ben, &document, 2_000).await?;
        let mut author = SyncClient::connect(&server, &ana, &document, client).await?;
        author.send(Message::Awareness(&announcement(client))).await?;
        while !String::from_utf8_lossy(&thief.receive().await?).contains("Ana Ferreira") {}
        if is_killed {
            server.kill();
        } else {
            ensure!(server.stop()?.success());
        }
        server = Server::start(dir.path())?;
        let ben = server.visit("ben")?;
        // Ben connects before Ana does, announces her id, and writes under it.
        let mut thief = SyncClient::connect(&server, &ben, &document, 3_000).await?;
        thief.send(Message::Awareness(&announcement(client))).await?;
        thief.send(Message::Update(&run_of(client, 0, &[]))).await?;
        let closed = thief.closed().await?;
        ensure!(closed.code == 4403, "{client}: {closed:?}");
    }
    // All three ids are still Ana's.
    let ana = server.visit("ana")?;
    for client in ANA..=ANA + 2 {
        let mut author = SyncClient::connect(&server, &ana, &document, client).await?;
        author.edit("problem", 0, 0, "x").await?;
        author.settled().await?;
    }
    assert_eq!(ana.text(&document, "problem")?, "xxx\n");
    Ok(())
}

/// Edits made offline are accepted later under their writer's own earlier client id (rule U2). That holds even if the
/// writer could only read for a while in between. The entries replay unchanged after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn offline_edits_under_ones_own_old_ids_are_taken_later() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let document = ana.create("Offline")?;
    let mut client = SyncClient::connect(&server, &ana, &document, 1_000).await?;
    client.edit("problem", 0, 0, "online ").await?;
    client.settled().await?;
    let doc = client.doc.clone();
    // Ana types offline, and meanwhile becomes an observer.
    let offline = client.change("problem", 0, 0, "offline ");
    drop(client);
    assert_eq!(fay.seat(&ana.id()?, "observer", "government")?, 204);
    let mut reader = SyncClient::connect(&server, &ana, &document, 1_001).await?;
    reader.send(Message::Update(&offline)).await?;
    assert_eq!(reader.closed().await?.code, 4403);
    assert_eq!(ana.text(&document, "problem")?, "online \n");
    // Ana is an author again and signs in anew. The same client id is still hers.
    assert_eq!(fay.seat(&ana.id()?, "author", "government")?, 204);
    let again = server.visit("ana")?;
    let dialect = accord_document::sync::Dialect::Stock;
    let mut client = SyncClient::resume(&server, &again, &document, dialect, doc).await?;
    client.edit("problem", 0, 0, "back ").await?;
    client.settled().await?;
    // Ana's role in the plan ends. Her text replays as it was accepted.
    let unseat = format!("/api/v1/plans/demo/people/{}", ana.id()?);
    assert_eq!(fay.request("DELETE", &unseat, None)?.0, 204);
    let wanted = fay.text(&document, "problem")?;
    assert!(wanted.contains("offline online"), "{wanted}");
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    assert_eq!(fay.text(&document, "problem")?, wanted);
    // Nobody else can use Ana's client id now.
    let ben = server.visit("ben")?;
    let mut thief = SyncClient::connect(&server, &ben, &document, 2_000).await?;
    thief.send(Message::Update(&run_of(1_000, 0, &[]))).await?;
    thief.send(Message::Update(&run_of(1_000, 4_000, &[]))).await?;
    assert_ne!(thief.closed().await?.code, 1000);
    assert_eq!(fay.text(&document, "problem")?, wanted);
    let (status, _) = fay.post("/api/v1/plans/demo/documents", json!({ "title": "x" }))?;
    assert_eq!(status, 201);
    Ok(())
}
