//! Every role sends every sync message, before and after a change of permissions while the connection is open.

use super::world::World;
use accord_document::lib0::Write as _;
use accord_document::sync::Dialect;
use accord_document::sync::wire::Message;
use accord_document::ydoc;
use accord_tests::{SOON, SyncClient, Visitor};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, Transact};

/// The extent to which a person is allowed to act in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Write,
    Read,
    /// The person is not allowed in the document. The server closes the connection with this code.
    Leave(u16),
}

/// A change that happens while the connection is open.
#[derive(Debug, Clone, Copy)]
enum Change {
    Nothing,
    Seat(&'static str, &'static str),
    Unseated,
    SignedOut,
    Archived,
    Deleted,
    Closed,
}

const FORBIDDEN: u16 = 4403;

fn after(change: Change, before: May) -> May {
    match change {
        Change::Nothing => before,
        Change::Seat("author" | "facilitator", _) => May::Write,
        Change::Seat(..) | Change::Archived | Change::Closed => May::Read,
        Change::Unseated | Change::Deleted => May::Leave(FORBIDDEN),
        Change::SignedOut => May::Leave(4401),
    }
}

impl World {
    fn carry_out(&self, change: Change, by: &Visitor, person: &str, document: &str) -> Result<()> {
        let status = match change {
            Change::Nothing => 204,
            Change::Seat(seat, sector) => self.fay.seat(person, seat, sector)?,
            Change::Unseated => self.unseat(person)?,
            Change::SignedOut => by.request("DELETE", "/api/v1/session", None)?.0,
            Change::Archived => self.retire(document, true)?,
            Change::Deleted => {
                self.fay.request("DELETE", &format!("/api/v1/documents/{document}"), None)?.0
            }
            Change::Closed => self.close(true)?,
        };
        ensure!(status == 204, "{change:?}: {status}");
        Ok(())
    }

    fn retire(&self, document: &str, archived: bool) -> Result<u16> {
        let path = format!("/api/v1/documents/{document}");
        Ok(self.fay.request("PATCH", &path, Some(json!({ "archived": archived })))?.0)
    }

    fn close(&self, closed: bool) -> Result<u16> {
        let change = json!({ "closed": closed });
        Ok(self.fay.request("PATCH", "/api/v1/plans/demo", Some(change))?.0)
    }
}

fn awareness(client: u64) -> Vec<u8> {
    let mut update = Vec::new();
    update.put_var(1);
    update.put_var(client);
    update.put_var(1);
    update.put_buf(br#"{"user":{"name":"Forged"},"cursor":null}"#);
    update
}

/// Sends one message of a kind, and checks that its effect is what `may` allows.
async fn try_message(
    kind: &str,
    mut client: SyncClient,
    witness: &mut SyncClient,
    may: May,
    word: &str,
) -> Result<()> {
    let novel = client.change("problem", 0, 0, word);
    let vector = client.doc.transact().state_vector().encode_v1();
    let presence = awareness(client.doc.client_id().get());
    let message = match kind {
        "step 1" => Message::Step1(&vector),
        "step 2" => Message::Step2(&novel),
        "update" => Message::Update(&novel),
        "awareness" => Message::Awareness(&presence),
        "query" => Message::QueryAwareness,
        other => bail!("no {other}"),
    };
    if let May::Leave(code) = may {
        // The connection is closed within a second, although the client has sent nothing.
        let asked = Instant::now();
        let closed = client.closed().await?;
        ensure!(closed.code == code && !closed.reason.is_empty(), "{closed:?}");
        ensure!(asked.elapsed() < Duration::from_secs(1), "after {:?}", asked.elapsed());
        return Ok(());
    }
    client.send(message).await?;
    match (kind, may) {
        ("step 2" | "update", May::Write) => {
            witness.until("problem", |text| text.contains(word)).await
        }
        ("step 2" | "update", _) => {
            let closed = client.closed().await?;
            ensure!(closed.code == FORBIDDEN && !closed.reason.is_empty(), "{closed:?}");
            Ok(())
        }
        ("step 1", _) => loop {
            // Other frames can come before the answer and are skipped.
            if client.receive().await?.starts_with(&[0, 1]) {
                break Ok(());
            }
        },
        _ => loop {
            let frame = client.receive().await?;
            if frame[0] == 1 {
                let text = String::from_utf8_lossy(&frame).into_owned();
                ensure!(!text.contains("Forged"), "the server names people: {text}");
                break Ok(());
            }
        },
    }
}

/// A change of role, session, document or plan takes effect on an open connection at once, and each sync message does
/// only what is then allowed (rules C6 and U6).
#[tokio::test(flavor = "multi_thread")]
async fn every_sync_message_gives_every_seat_what_it_may_before_and_after_a_change() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let seats = [
        ("observer", "other", May::Read),
        ("adviser", "adviser", May::Read),
        ("author", "civil_society", May::Write),
        ("facilitator", "government", May::Write),
    ];
    let changes = [
        Change::Nothing,
        Change::Seat("observer", "other"),
        Change::Seat("adviser", "adviser"),
        Change::Seat("author", "civil_society"),
        Change::Seat("facilitator", "government"),
        Change::Unseated,
        Change::SignedOut,
        Change::Archived,
        Change::Deleted,
        Change::Closed,
    ];
    let mut tried = 0;
    for (seat, sector, before) in seats {
        for change in changes {
            let may = after(change, before);
            let document = world.fay.create("Messages")?;
            let watching = world.server.visit("ana")?;
            for kind in ["step 1", "step 2", "update", "awareness", "query"] {
                if matches!(change, Change::Deleted) && kind != "step 1" {
                    continue; // A document can be deleted only once, so only one kind is tried.
                }
                let what = format!("{seat} after {change:?}: {kind}");
                let (visitor, person) = world.newcomer(seat, sector)?;
                let mut witness = connect(&world, &watching, &document, 7_000 + tried).await?;
                let client = connect(&world, &visitor, &document, 100_000 + tried).await?;
                world.carry_out(change, &visitor, &person, &document)?;
                let word = format!("[{tried}]");
                let outcome = try_message(kind, client, &mut witness, may, &word);
                let outcome = timeout(SOON * 2, outcome).await.context("no answer in time");
                outcome.and_then(|outcome| outcome).with_context(|| what.clone())?;
                // An edit that is not allowed must be neither on disk nor visible to others.
                if !matches!(change, Change::Deleted) {
                    let written = world.fay.text(&document, "problem")?.contains(&word);
                    let wanted = may == May::Write && matches!(kind, "step 2" | "update");
                    ensure!(written == wanted, "{what}: on disk: {written}");
                    witness.integrate()?;
                    ensure!(witness.text("problem").contains(&word) == wanted, "{what}: shown");
                }
                match change {
                    Change::Archived => drop(world.retire(&document, false)?),
                    Change::Closed => drop(world.close(false)?),
                    _ => {}
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 4 * 9 * 5 + 4);
    // People without a role get no ticket.
    for name in ["stranger", "administrator"] {
        let visitor = world.visitor(name)?;
        let (status, _) = visitor.post("/api/v1/documents/demo/tickets", json!({}))?;
        assert_eq!(status, 404, "{name}");
    }
    Ok(())
}

async fn connect(
    world: &World,
    visitor: &Visitor,
    document: &str,
    client: u64,
) -> Result<SyncClient> {
    SyncClient::resume(&world.server, visitor, document, Dialect::Stock, ydoc::new(client)).await
}
