//! Who may do what: every seat × every route of the API, and every seat × every sync message, before
//! and after a change while the connection is open.

use accord_document::lib0::Write as _;
use accord_document::sync::Dialect;
use accord_document::sync::wire::Message;
use accord_document::ydoc;
use accord_tests::{SOON, Server, ServerInTime, SyncClient, Visitor, dial, secret};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use yrs::updates::encoder::Encode;
use yrs::{ReadTxn, Transact};

/// Who asks, in the order of the columns below.
const VISITORS: [&str; 7] =
    ["nobody", "stranger", "observer", "adviser", "author", "facilitator", "administrator"];

/// What each gets: the method, the route, a body, and a status for each visitor.
type Row = (&'static str, &'static str, Option<Value>, [u16; 7]);

fn table() -> Vec<Row> {
    let signed_in = |ok| [401, ok, ok, ok, ok, ok, ok];
    let everybody = |ok| [ok; 7];
    let reading = |ok| [401, 404, ok, ok, ok, ok, 404];
    let seeing = |ok| [401, 404, ok, ok, ok, ok, ok];
    let managing = |ok| [401, 404, 403, 403, 403, ok, ok];
    let retiring = |ok| [401, 404, 403, 403, 403, ok, 404];
    let going_back = [401, 404, 403, 403, 200, 200, 404];
    let running = |ok| [401, 403, 403, 403, 403, 403, ok];
    let author = json!({ "seat": "author", "sector": "government" });
    let account = json!({ "password": "orchid gravel pendulum" });
    vec![
        ("get", "/demo", None, everybody(200)),
        ("get", "/session", None, signed_in(200)),
        ("post", "/session", Some(json!({ "demo": "ana" })), everybody(200)),
        ("delete", "/session", None, signed_in(204)),
        ("get", "/providers", None, everybody(200)),
        ("get", "/providers/{provider}/start", None, everybody(404)),
        // A browser that nobody sent there.
        ("get", "/providers/callback", None, everybody(303)),
        ("post", "/links", Some(json!({ "email": "x@x.org" })), everybody(409)),
        ("get", "/links/{secret}", None, everybody(200)),
        ("post", "/links/{secret}", Some(account), everybody(200)),
        ("get", "/invitations/{secret}", None, everybody(200)),
        ("post", "/invitations/{secret}", Some(json!({})), [401, 200, 409, 409, 409, 409, 200]),
        ("get", "/account", None, signed_in(200)),
        ("patch", "/account", Some(json!({ "name": "Somebody" })), signed_in(200)),
        (
            "put",
            "/account/password",
            Some(json!({ "current": "wrong", "new": "orchid gravel pendulum" })),
            // Demo people have no password so far.
            [401, 422, 204, 204, 204, 204, 204],
        ),
        ("put", "/account/email", Some(json!({ "email": "no address" })), signed_in(422)),
        // This server sends no mail.
        ("post", "/account/email/confirmation", None, signed_in(409)),
        ("delete", "/account/sessions", None, signed_in(204)),
        ("delete", "/account/sessions/{session}", None, signed_in(404)),
        ("delete", "/account/providers/{provider}", None, signed_in(404)),
        ("get", "/plans", None, signed_in(200)),
        ("post", "/plans", Some(json!({ "title": "Another" })), running(201)),
        ("get", "/plans/{plan}", None, seeing(200)),
        ("patch", "/plans/{plan}", Some(json!({ "title": "Named anew" })), managing(204)),
        (
            "post",
            "/plans/{plan}/documents",
            Some(json!({ "title": "New" })),
            [401, 404, 403, 403, 201, 201, 403],
        ),
        // Of a file that is no draft.
        ("post", "/plans/{plan}/imports", Some(json!({})), [401, 404, 403, 403, 422, 422, 403]),
        ("get", "/plans/{plan}/people", None, seeing(200)),
        ("put", "/plans/{plan}/people/{person}", Some(author), managing(204)),
        ("delete", "/plans/{plan}/people/{person}", None, managing(204)),
        ("post", "/plans/{plan}/people/{person}/reset", None, managing(200)),
        (
            "post",
            "/plans/{plan}/invitations",
            Some(json!({ "invitations": [{ "seat": "observer", "sector": "other" }] })),
            managing(201),
        ),
        ("delete", "/plans/{plan}/invitations/{invitation}", None, managing(204)),
        ("get", "/plans/{plan}/audit", None, managing(200)),
        ("get", "/documents/{document}", None, reading(200)),
        ("patch", "/documents/{document}", Some(json!({ "archived": true })), retiring(204)),
        ("delete", "/documents/{document}", None, retiring(204)),
        ("get", "/documents/{document}/content", None, reading(200)),
        ("post", "/documents/{document}/tickets", None, reading(200)),
        (
            "post",
            "/documents/{document}/redactions",
            Some(json!({ "target": "title", "from": 0, "text": "To be", "reason": "A test" })),
            retiring(204),
        ),
        ("get", "/documents/{document}/history", None, [401, 404, 403, 200, 200, 200, 404]),
        (
            "put",
            "/documents/{document}/history/seen",
            Some(json!({ "seq": 1 })),
            [401, 404, 403, 204, 204, 204, 404],
        ),
        ("get", "/documents/{document}/diff", None, [401, 404, 403, 200, 200, 200, 404]),
        ("get", "/documents/{document}/record", None, [401, 404, 403, 200, 200, 200, 404]),
        ("post", "/documents/{document}/versions", Some(json!({ "name": "First" })), going_back),
        ("post", "/documents/{document}/restorations", Some(json!({ "moment": 1 })), going_back),
        ("post", "/documents/{document}/cleaning", None, going_back),
        ("get", "/documents/{document}/release", None, reading(200)),
        ("get", "/documents/{document}/proposals/{proposal}", None, reading(200)),
        ("get", "/documents/{document}/releases/{number}", None, reading(200)),
        ("get", "/documents/{document}/releases/{number}/{kind}", None, reading(200)),
        ("get", "/documents/{document}/draft/{kind}", None, reading(200)),
        // Of a text that nobody reads. Who may not propose or sign at all is told that instead.
        ("post", "/documents/{document}/proposals", digest(), [401, 404, 403, 403, 409, 409, 404]),
        (
            "put",
            "/documents/{document}/proposals/{proposal}/signature",
            digest(),
            [401, 404, 403, 403, 409, 403, 404],
        ),
        (
            "post",
            "/documents/{document}/proposals/{proposal}/decline",
            Some(json!({ "reason": "A test" })),
            [401, 404, 403, 403, 200, 403, 404],
        ),
        // It is the facilitator's.
        ("delete", "/documents/{document}/proposals/{proposal}", None, retiring(200)),
        ("post", "/documents/{document}/reopening", Some(json!({})), retiring(200)),
        (
            "post",
            "/plans/{plan}/launches",
            Some(json!({ "documents": [], "zone": "UTC" })),
            [401, 404, 403, 403, 403, 422, 403],
        ),
        ("delete", "/plans/{plan}/launches/{launch}", None, [401, 404, 403, 403, 403, 204, 403]),
        ("get", "/administration", None, running(200)),
        (
            "post",
            "/administration/providers",
            Some(json!({
                "name": "N", "issuer": "http://127.0.0.1:9", "client_id": "c", "client_secret": "s"
            })),
            // Nothing answers there.
            running(422),
        ),
        ("delete", "/administration/providers/{provider}", None, running(404)),
        ("get", "/administration/audit", None, running(200)),
        (
            "patch",
            "/administration/people/{person}",
            Some(json!({ "administrator": true })),
            running(204),
        ),
        ("delete", "/administration/people/{person}", None, running(204)),
        ("post", "/administration/people/{person}/reset", None, running(200)),
        ("delete", "/administration/people/{person}/sessions", None, running(204)),
    ]
}

/// A digest that no text has.
fn digest() -> Option<Value> {
    Some(json!({ "digest": "0".repeat(64) }))
}

/// A server with the demo's people, and others who join.
struct World {
    server: Server,
    fay: Visitor,
    ida: Visitor,
    joined: u32,
}

impl World {
    fn start(dir: &std::path::Path) -> Result<Self> {
        let server = Server::start(dir)?;
        let (fay, ida) = (server.visit("fay")?, server.visit("ida")?);
        Ok(Self { server, fay, ida, joined: 0 })
    }

    fn visitor(&mut self, name: &str) -> Result<Visitor> {
        match name {
            "nobody" => Ok(Visitor::nobody(&self.server.address)),
            "stranger" => {
                let (stranger, id) = self.newcomer("author", "government")?;
                ensure!(self.unseat(&id)? == 204);
                Ok(stranger)
            }
            "observer" => self.server.visit("obi"),
            "adviser" => self.server.visit("ada"),
            "author" => self.server.visit("ana"),
            "facilitator" => self.server.visit("fay"),
            "administrator" => self.server.visit("ida"),
            other => bail!("no {other}"),
        }
    }

    /// Somebody who has just joined the demo plan, and their id.
    fn newcomer(&mut self, seat: &str, sector: &str) -> Result<(Visitor, String)> {
        self.joined += 1;
        let link = self.fay.invite(seat, sector)?;
        let email = format!("person{}@x.org", self.joined);
        let visitor = Visitor::join(&self.server.address, &link, &email)?;
        let id = visitor.id()?;
        Ok((visitor, id))
    }

    fn unseat(&self, person: &str) -> Result<u16> {
        let path = format!("/api/v1/plans/demo/people/{person}");
        Ok(self.fay.request("DELETE", &path, None)?.0)
    }

    fn propose(&self, document: &str) -> Result<u64> {
        let (_, path) = self.fay.get(&format!("/api/v1/documents/{document}/release"))?;
        let wanted = json!({ "digest": path["digest"] });
        let (_, made) =
            self.fay.post(&format!("/api/v1/documents/{document}/proposals"), wanted)?;
        made["seq"].as_u64().with_context(|| format!("no proposal: {made}"))
    }

    fn freeze(&self, document: &str) -> Result<()> {
        let proposal = self.propose(document)?;
        let (_, path) = self.fay.get(&format!("/api/v1/documents/{document}/release"))?;
        let signature = json!({ "digest": path["digest"] });
        let path = format!("/api/v1/documents/{document}/proposals/{proposal}/signature");
        for name in ["ana", "ben"] {
            let (status, answer) =
                self.server.visit(name)?.request("PUT", &path, Some(signature.clone()))?;
            ensure!(status == 200, "{status} {answer}");
        }
        Ok(())
    }

    /// A route with something fresh in each of its gaps.
    fn fill(&mut self, route: &str) -> Result<String> {
        let mut path = route.replace("{plan}", "demo").replace("{session}", "none");
        path = path.replace("{kind}", "html");
        path = path.replace("{provider}", "none");
        if path.contains("{document}") {
            let document = self.fay.create("To be tried")?;
            if path.contains("{proposal}") {
                path = path.replace("{proposal}", &self.propose(&document)?.to_string());
            }
            if path.contains("{number}") || path.contains("/reopening") {
                self.freeze(&document)?;
                path = path.replace("{number}", "1");
            }
            path = path.replace("{document}", &document);
        }
        if path.contains("{launch}") {
            let document = self.fay.create("To be launched")?;
            self.freeze(&document)?;
            // In a hundred years.
            let launch =
                json!({ "documents": [document], "opens": 4_900_000_000_000_u64, "zone": "UTC" });
            let (_, made) = self.fay.post("/api/v1/plans/demo/launches", launch)?;
            path = path.replace("{launch}", &made["seq"].to_string());
        }
        if path.contains("{person}") {
            path = path.replace("{person}", &self.newcomer("observer", "other")?.1);
        }
        if path.contains("{invitation}") {
            self.fay.invite("observer", "other")?;
            let (_, people) = self.fay.get("/api/v1/plans/demo/people")?;
            let id = people["invitations"][0]["id"].as_str().context("an open invitation")?;
            path = path.replace("{invitation}", id);
        }
        if path.contains("{secret}") {
            let link = if path.starts_with("/links") {
                let person = self.newcomer("observer", "other")?.1;
                let made = format!("/api/v1/administration/people/{person}/reset");
                self.ida.post(&made, json!({}))?.1["link"].clone()
            } else {
                self.fay.invite("observer", "other")?.into()
            };
            path = path.replace("{secret}", secret(link.as_str().context("a link")?));
        }
        Ok(format!("/api/v1{path}"))
    }
}

#[test]
fn every_route_gives_every_seat_what_the_table_says() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let (_, api) = world.fay.get("/api/v1/openapi.json")?;
    let described: BTreeSet<_> = api["paths"]
        .as_object()
        .context("the API has paths")?
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, _)| format!("{method} {}", path.trim_start_matches("/api/v1")))
        })
        .collect();
    let tried: BTreeSet<_> =
        table().iter().map(|(method, route, ..)| format!("{method} {route}")).collect();
    assert_eq!(tried, described, "the table is of all routes");

    let mut wrong = Vec::new();
    for (method, route, body, expected) in table() {
        for (name, expected) in VISITORS.into_iter().zip(expected) {
            // What was tried before may have signed them out.
            (world.fay, world.ida) = (world.server.visit("fay")?, world.server.visit("ida")?);
            let path = world.fill(route)?;
            let visitor = world.visitor(name)?;
            let (status, answer) = visitor.request(&method.to_uppercase(), &path, body.clone())?;
            if status != expected {
                wrong.push(format!(
                    "{method} {route} as {name}: {status}, not {expected}: {answer}"
                ));
            }
            // A refusal says why, for programs and for people.
            if status >= 400 && (answer["error"].is_null() || answer["message"].is_null()) {
                wrong.push(format!("{method} {route} as {name}: no reason in {answer}"));
            }
            // What joining changed is taken back.
            for joined in ["stranger", "administrator"] {
                if route == "/invitations/{secret}" && name == joined && status == 200 {
                    world.unseat(&visitor.id()?)?;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What somebody may do in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Write,
    Read,
    /// Not be here: with the close code that says so.
    Leave(u16),
}

/// What changes while the connection is open.
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

/// Sends one message of a kind, and says whether what came of it is what `may` allows.
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
        // It is closed without having said a word, within a second.
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
            // The answer to it, among what else comes.
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

/// Rules C6 and U6.
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
                    continue; // It can be deleted only once.
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
                // Nothing that may not be is on disk, and nobody was shown it.
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
    // Whoever has no seat does not come in at all.
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

/// A client of our own is told, and goes on reading.
/// Rule A5.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_is_told_when_it_may_not_write_any_more_and_when_it_may_again() -> Result<()>
{
    use accord_document::sync::wire::{ServerNote, read_frame};
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let (visitor, person) = world.newcomer("author", "civil_society")?;
    let document = world.fay.create("Told")?;
    let mut client = SyncClient::connect_accord(&world.server, &visitor, &document, 9).await?;
    for (seat, wanted) in [("observer", false), ("author", true)] {
        assert_eq!(world.fay.seat(&person, seat, "civil_society")?, 204);
        let told = async {
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
        assert_eq!(timeout(SOON, told).await.context("it is not told")??, wanted);
    }
    client.edit("problem", 0, 0, "and writes again").await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    Ok(())
}

/// What was decided before the upgrade is decided again on joining: a ticket, once used, is no seat.
/// Rule C2.
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
    // Nor does a connection outlive it.
    assert!(dial(&world.server, &visitor, &document, Dialect::Stock).await.is_err());
    Ok(())
}

/// A session ends at its absolute end, whatever happens on it, and its connections with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_does_not_outlive_its_session() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().to_owned();
    // The server brings a runtime of its own.
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

/// Whoever goes away in the middle of an act does not leave it half done: the next act finds the plan as
/// its ledger has it.
#[test]
fn an_act_is_done_to_its_end_also_when_whoever_asked_has_gone() -> Result<()> {
    use std::io::Write;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    for round in 0..40 {
        let mut socket = std::net::TcpStream::connect(&server.address)?;
        let body = format!("{{\"title\":\"Round {round}\"}}");
        write!(
            socket,
            "PATCH /api/v1/plans/demo HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            server.address,
            fay.cookie,
            body.len()
        )?;
        std::thread::sleep(Duration::from_micros(200 * (round % 10)));
        drop(socket);
    }
    let rename = json!({ "title": "In the end" });
    let (status, answer) = fay.request("PATCH", "/api/v1/plans/demo", Some(rename))?;
    ensure!(status == 204, "{status} {answer}");
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    // A server reads a request when it gets to it: one that was abandoned may be done after the last. The
    // plan, its ledger and the record of what was done must agree on which came when.
    let (_, record) = fay.get("/api/v1/plans/demo/audit")?;
    let record = record.as_array().context("a list")?;
    let done = record.iter().filter_map(|entry| entry["what"]["what"]["title"].as_str());
    let done: Vec<&str> = done.collect();
    ensure!(done.contains(&"In the end"), "{record:?}");
    let title = &fay.get("/api/v1/plans/demo")?.1["title"];
    assert_eq!(title.as_str(), done.first().copied(), "{record:?}");
    Ok(())
}
