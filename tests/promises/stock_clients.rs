//! Unmodified yjs clients sync, whatever happens to their connections.

use accord_document::sync::Dialect;
use accord_tests::{Server, ServerInTime, ServerOptions, Visitor, node};
use anyhow::Result;
use std::time::Duration;

/// Stock clients of both y-websocket versions sync without a subprotocol and see each other's awareness
/// (rules C3 and M1).
#[test]
fn stock_clients_of_both_versions_sync_and_see_each_other() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let document = server.visit("ana")?.create("Stock")?;
    node("both_ways.mjs", &[&server.address, &document])?;
    assert_eq!(server.metric("accord_edits_refused_total{")?, 0.0, "nobody was refused");
    Ok(())
}

/// The server is killed and started again while stock clients are connected. Text typed meanwhile arrives, and nothing
/// arrives twice.
#[test]
fn stock_clients_come_back_after_a_restart_with_what_they_typed_meanwhile() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (address, port) = (server.address.clone(), server.port());
    let document = server.visit("ana")?.create("Stock")?;
    let script = std::thread::spawn(move || node("restart.mjs", &[&address, &document]));
    // The script types before, during and after the restart, and ends by itself.
    std::thread::sleep(std::time::Duration::from_secs(3));
    server.kill();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let options = ServerOptions { port, ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    script.join().expect("the script's thread does not panic")?;
    assert_eq!(server.metric("accord_edits_refused_total{")?, 0.0, "nobody was refused");
    Ok(())
}

/// A stock client on a slow network can send an edit before the text that the edit refers to. Such an update is set
/// aside, and the client's step 2 brings both (rule U3).
#[tokio::test(flavor = "multi_thread")]
async fn typing_while_a_connection_opens_is_no_offence() -> Result<()> {
    use accord_document::sync::wire::Message;
    use accord_tests::SyncClient;
    use yrs::{ReadTxn, StateVector, Transact};
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Early")?;
    let offline = SyncClient::connect(&server, &ana, &document, 1).await?;
    // The server lacks the text `offline `, and the next edit refers to that text.
    offline.change("problem", 0, 0, "offline ");
    let later = offline.change("problem", 8, 0, "and typed at once");
    let deleted = offline.change("problem", 0, 1, "");
    let whole = offline.doc.transact().encode_diff_v1(&StateVector::default());
    let mut client =
        SyncClient::open(&server, &ana, &document, Dialect::Stock, offline.doc.clone()).await?;
    for early in [&later, &deleted] {
        client.send(Message::Update(early)).await?;
    }
    client.send(Message::Step2(&whole)).await?;
    let wanted = "ffline and typed at once\n";
    let mut witness = SyncClient::connect(&server, &ana, &document, 2).await?;
    witness.until("problem", |text| text == wanted).await?;
    assert_eq!(server.metric("accord_edits_refused_total{")?, 0.0);
    // After the step 2, an update that skips an earlier edit of its writer closes the connection.
    offline.change("problem", 0, 0, "never sent");
    let gap = offline.change("problem", 0, 0, "after a gap");
    client.send(Message::Update(&gap)).await?;
    assert_eq!(client.closed().await?.code, 4300);
    Ok(())
}

/// Sixty random sessions run without a refusal. `cargo xtask bench sessions` runs a thousand.
#[test]
fn stock_clients_that_behave_are_never_refused() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    println!("{}", accord_tests::random_sessions(&server, 60, 1)?);
    Ok(())
}

/// A ticket must first be used within a minute, and can then be used for reconnecting as long as its session lives
/// (rule C2). A ticket that was not used in time is refused before the upgrade. With a fresh ticket, the client sends
/// what was typed meanwhile.
#[test]
fn an_expired_ticket_is_refused_and_a_fresh_one_goes_on() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let ana = Visitor::sign_in(&server.address, "ana")?;
    let document = ana.create("Tickets")?;
    for version in ["3.0", "3.1"] {
        let late = ana.ticket(&document)?;
        server.pass(Duration::from_millis(60_001));
        let fresh = ana.ticket(&document)?;
        server.pass(Duration::from_secs(60));
        node("tickets.mjs", &[&server.address, &document, version, &late, &fresh])?;
        server.pass(Duration::from_secs(3_600));
        node("tickets.mjs", &[&server.address, &document, version, &fresh])?;
    }
    assert_eq!(ana.text(&document, "problem")?.matches("typed meanwhile").count(), 4);
    Ok(())
}
