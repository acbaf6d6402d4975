//! When a role or a session ends, open connections, tickets and requests in progress can do only what is still
//! allowed.

use super::world::World;
use accord_document::sync::Dialect;
use accord_document::sync::wire::{Message, ServerNote, read_frame};
use accord_tests::{SOON, Server, ServerInTime, SyncClient, Visitor, dial, secret};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// An `accord.v1` client receives a note when it loses the right to write, goes on reading, and receives another when
/// it can write again (rule A5).
#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_is_told_when_it_may_not_write_any_more_and_when_it_may_again() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let (visitor, person) = world.newcomer("author", "civil_society")?;
    let document = world.fay.create("Told")?;
    let mut client = SyncClient::connect_accord(&world.server, &visitor, &document, 9).await?;
    for (seat, wanted) in [("observer", false), ("author", true)] {
        assert_eq!(world.fay.seat(&person, seat, "civil_society")?, 204);
        let note = async {
            loop {
                let frame = client.receive().await?;
                let note = read_frame(&frame)?.into_iter().find_map(|message| match message {
                    Message::Note(json) => serde_json::from_str(json).ok(),
                    _ => None,
                });
                if let Some(ServerNote::Access { may_write }) = note {
                    break anyhow::Ok(may_write);
                }
            }
        };
        assert_eq!(timeout(SOON, note).await.context("it is not told")??, wanted);
    }
    client.edit("problem", 0, 0, "and writes again").await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    Ok(())
}

/// A ticket can be used again for reconnecting, but the person's role is looked up at each connection, and the ticket
/// ends with its session (rule C2).
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_ends_with_its_session_and_lets_nobody_in_without_a_seat() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let (visitor, person) = world.newcomer("author", "civil_society")?;
    let document = world.fay.create("Tickets")?;
    let used = visitor.ticket(&document)?;
    let ask = |ticket: &str| -> Result<u16> {
        let path = format!("/sync/{document}?ticket={ticket}");
        let request = ureq::get(world.server.url(&path))
            .config()
            .http_status_as_error(false)
            .build()
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        Ok(request.call()?.status().as_u16())
    };
    assert_eq!(ask(&used)?, 101);
    assert_eq!(ask(&used)?, 101, "it serves for reconnecting");
    world.unseat(&person)?;
    assert_eq!(ask(&used)?, 404, "without a seat there is no such document");
    let again = world.fay.invite("author", "civil_society")?;
    let path = format!("/api/v1/invitations/{}", secret(&again));
    let (status, _) = visitor.post(&path, json!({}))?;
    assert_eq!(status, 200);
    assert_eq!(ask(&used)?, 101);
    visitor.request("DELETE", "/api/v1/session", None)?;
    assert_eq!(ask(&used)?, 401, "its session has ended");
    // A WebSocket client can't connect with the session that has ended either.
    assert!(dial(&world.server, &visitor, &document, Dialect::Stock).await.is_err());
    Ok(())
}

/// A session ends at its fixed time even while it is used, and its connections end with it (rule C6).
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_does_not_outlive_its_session() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().to_owned();
    // The server has its own runtime, which can't be started inside another one.
    let server = tokio::task::spawn_blocking(move || ServerInTime::start(&data)).await??;
    let ana = Visitor::sign_in(&server.address, "ana")?;
    let document = ana.create("Expiring")?;
    let client = SyncClient::connect(&server, &ana, &document, 1).await?;
    server.pass(Duration::from_secs(30 * 86_400));
    let passed = Instant::now();
    let closed = client.closed().await?;
    ensure!(closed.code == 4401, "{closed:?}");
    ensure!(passed.elapsed() < Duration::from_secs(3), "after {:?}", passed.elapsed());
    assert_eq!(ana.get("/api/v1/session")?.0, 401);
    tokio::task::spawn_blocking(move || drop(server)).await?;
    Ok(())
}

/// A request whose sender hangs up is carried out completely or not at all, so that the plan always agrees with its
/// ledger.
#[test]
fn an_act_is_done_to_its_end_also_when_whoever_asked_has_gone() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    for round in 0..40 {
        let rename = json!({ "title": format!("Round {round}") }).to_string();
        let request = fay.begin("PATCH", "/api/v1/plans/demo", Some(&rename))?;
        std::thread::sleep(Duration::from_micros(200 * (round % 10)));
        drop(request);
    }
    let rename = json!({ "title": "In the end" });
    let (status, answer) = fay.request("PATCH", "/api/v1/plans/demo", Some(rename))?;
    ensure!(status == 204, "{status} {answer}");
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    // The server can carry out an abandoned request after the last request, and the plan then keeps the title of the
    // abandoned request. In any case, the plan, its ledger and the audit record must agree on the order of the
    // requests.
    let (_, record) = fay.get("/api/v1/plans/demo/audit")?;
    let record = record.as_array().context("a list")?;
    let done = record.iter().filter_map(|entry| entry["what"]["what"]["title"].as_str());
    let done: Vec<&str> = done.collect();
    ensure!(done.contains(&"In the end"), "{record:?}");
    let title = &fay.get("/api/v1/plans/demo")?.1["title"];
    assert_eq!(title.as_str(), done.first().copied(), "{record:?}");
    Ok(())
}
