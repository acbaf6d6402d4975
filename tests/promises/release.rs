//! From a proposal to a page that everybody reads: through the API and stock clients, as the server runs.

use accord_document::release::canonical::digest;
use accord_document::sync::Dialect;
use accord_tests::{Server, ServerInTime, SyncClient, Visitor, accord_binary, node};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// Paths of the API below a document.
pub(crate) fn of(document: &str, rest: &str) -> String {
    format!("/api/v1/documents/{document}/{rest}")
}

pub(crate) fn path(visitor: &Visitor, document: &str) -> Result<Value> {
    let (status, path) = visitor.get(&of(document, "release"))?;
    ensure!(status == 200, "{status} {path}");
    Ok(path)
}

pub(crate) fn propose(visitor: &Visitor, document: &str) -> Result<u64> {
    let digest = path(visitor, document)?["digest"].clone();
    let (status, done) = visitor.post(&of(document, "proposals"), json!({ "digest": digest }))?;
    done["seq"].as_u64().with_context(|| format!("not proposed: {status} {done}"))
}

/// Signs what is proposed, as the signatory reads it.
pub(crate) fn sign(visitor: &Visitor, document: &str, proposal: u64) -> Result<(u16, Value)> {
    let (_, text) = visitor.get(&of(document, &format!("proposals/{proposal}")))?;
    let signature = json!({ "digest": digest(&text).to_string() });
    visitor.request(
        "PUT",
        &of(document, &format!("proposals/{proposal}/signature")),
        Some(signature),
    )
}

/// Proposes and signs for both sides.
pub(crate) fn freeze(fay: &Visitor, ana: &Visitor, ben: &Visitor, document: &str) -> Result<()> {
    let proposal = propose(fay, document)?;
    for visitor in [ana, ben] {
        let (status, answer) = sign(visitor, document, proposal)?;
        ensure!(status == 200, "{status} {answer}");
    }
    Ok(())
}

fn fate(path: &Value) -> String {
    let last = path["proposals"].as_array().and_then(|all| all.last());
    last.map(|proposal| proposal["fate"].as_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// Rules R1, R2, R3, R4 and U10.
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_sign_one_digest_and_frozen_means_frozen_on_every_path() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let (ada, obi) = (server.visit("ada")?, server.visit("obi")?);
    let document = ana.create("Open contracts")?;
    let mut stock = SyncClient::connect(&server, &ben, &document, 11).await?;
    stock.edit("problem", 0, 0, "Contracts are secret.").await?;
    stock.settled().await?;

    // What is proposed has gaps: only a facilitator may.
    let read = path(&ana, &document)?;
    ensure!(read["digest"] == digest(&read["draft"]).to_string(), "the digest is not the text’s");
    let wanted = json!({ "digest": read["digest"] });
    ensure!(ana.post(&of(&document, "proposals"), wanted.clone())?.0 == 403);
    for visitor in [&ada, &obi] {
        ensure!(visitor.post(&of(&document, "proposals"), wanted.clone())?.0 == 403);
    }
    let first = propose(&fay, &document)?;
    ensure!(fay.post(&of(&document, "proposals"), wanted)?.0 == 409, "one is open");
    ensure!(sign(&fay, &document, first)?.0 == 403, "a facilitator who is no signatory");
    ensure!(sign(&ana, &document, first)?.0 == 200);
    ensure!(sign(&ana, &document, first)?.1["error"] == "signed");

    // An edit makes it stale for the other side.
    stock.edit("problem", 0, 0, "All ").await?;
    stock.settled().await?;
    ensure!(fate(&path(&ben, &document)?) == "stale");
    ensure!(sign(&ben, &document, first)?.1["error"] == "stale");
    let second = propose(&fay, &document)?;
    let other = json!({ "digest": "0".repeat(64) });
    let signature = of(&document, &format!("proposals/{second}/signature"));
    ensure!(ben.request("PUT", &signature, Some(other))?.1["error"] == "other_text");

    // Declined with a reason, then withdrawn by who may.
    let decline = of(&document, &format!("proposals/{second}/decline"));
    ensure!(ben.post(&decline, json!({ "reason": " " }))?.0 == 422);
    ensure!(ben.post(&decline, json!({ "reason": "No milestones yet." }))?.0 == 200);
    let told = path(&obi, &document)?;
    ensure!(told["proposals"][1]["reason"] == "No milestones yet.", "{told}");
    ensure!(told["proposals"][1]["ended"]["sector"] == "civil_society");
    let third = propose(&fay, &document)?;
    ensure!(ana.request("DELETE", &of(&document, &format!("proposals/{third}")), None)?.0 == 403);
    ensure!(fay.request("DELETE", &of(&document, &format!("proposals/{third}")), None)?.0 == 200);

    freeze(&fay, &ana, &ben, &document)?;
    let frozen = path(&ana, &document)?;
    ensure!(frozen["frozen"] == true && frozen["releases"][0]["number"] == 1, "{frozen}");

    // Sync, restore, redaction and deletion leave it as it is.
    let mut late = SyncClient::connect(&server, &ana, &document, 12).await?;
    late.edit("problem", 0, 0, "Not ").await?;
    ensure!(late.closed().await?.code == 4423);
    let back = json!({ "moment": 1 });
    ensure!(ana.post(&of(&document, "restorations"), back)?.1["error"] == "frozen");
    let redaction = json!({ "target": "problem", "from": 0, "text": "All ", "reason": "a test" });
    let (status, refused) = fay.post(&of(&document, "redactions"), redaction)?;
    ensure!(status == 409, "{status} {refused}");
    let delete = format!("/api/v1/documents/{document}");
    ensure!(fay.request("DELETE", &delete, None)?.1["error"] == "released");
    ensure!(ana.text(&document, "problem")? == "All Contracts are secret.\n");

    // The record tells the way there; whoever only proposed has written nothing.
    let (_, record) = ada.get(&of(&document, "record"))?;
    ensure!(record["proposals"].as_array().map(Vec::len) == Some(4), "{record}");
    let mut tallies = record["sittings"].as_array().into_iter().flatten().flat_map(|sitting| {
        sitting["tallies"].as_array().into_iter().flatten().map(|tally| &tally["author"])
    });
    let name =
        |author: &Value| record["authors"][author.as_u64().unwrap_or(99) as usize]["name"].clone();
    ensure!(tallies.all(|author| name(author) == "Ben Okafor"), "{record}");

    // The next draft: who was there goes on; what was written before comes in on no way.
    let offline = SyncClient::connect(&server, &ben, &document, 13).await?;
    let doc = offline.doc.clone();
    drop(offline);
    ensure!(ana.post(&of(&document, "reopening"), json!({}))?.0 == 403);
    ensure!(fay.post(&of(&document, "reopening"), json!({}))?.0 == 200);
    let mut again = SyncClient::connect(&server, &ana, &document, 14).await?;
    again.edit("problem", 0, 0, "Today ").await?;
    again.settled().await?;
    let resumed = SyncClient::open(&server, &ben, &document, Dialect::Stock, doc).await?;
    let written = resumed.change("problem", 0, 0, "OLD ");
    let mut resumed = resumed;
    resumed.feed_update(&written).await?;
    resumed.flush().await?;
    ensure!(resumed.closed().await?.code == 4423);
    ensure!(ana.text(&document, "problem")? == "Today All Contracts are secret.\n");
    // What a release says is in no history to be taken out of.
    let redaction =
        json!({ "target": "problem", "from": 6, "text": "All Contracts", "reason": "a test" });
    ensure!(fay.post(&of(&document, "redactions"), redaction)?.1["error"] == "released");

    // All of it stands after a restart, and the release says what it said.
    let (status, file) = ben.get(&of(&document, "releases/1"))?;
    ensure!(
        status == 200
            && file["release"]["texts"]["problem"][0]["insert"] == "All Contracts are secret.\n"
    );
    server.stop()?;
    let server = Server::start(data.path())?;
    let ben = server.visit("ben")?;
    ensure!(ben.get(&of(&document, "releases/1"))?.1 == file, "a release never changes");
    ensure!(ben.get(&of(&document, "releases/2"))?.0 == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_sees_is_named_and_can_not_be_frozen() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana) = (server.visit("fay")?, server.visit("ana")?);
    let document = ana.create("Open contracts")?;
    let mut stock = SyncClient::connect(&server, &ana, &document, 11).await?;
    stock.edit("appendix", 0, 0, "The budget is secret.").await?;
    stock.settled().await?;
    let read = path(&fay, &document)?;
    ensure!(
        read["strange"] == json!([{ "place": "appendix", "kind": "part", "said": "appendix" }]),
        "{read}"
    );
    let (status, refused) =
        fay.post(&of(&document, "proposals"), json!({ "digest": read["digest"] }))?;
    ensure!((status, &refused["error"]) == (409, &json!("strange")), "{status} {refused}");
    stock.edit("appendix", 0, 21, "").await?;
    stock.settled().await?;
    propose(&fay, &document)?;
    Ok(())
}

/// Whoever has the text can compute what is signed, with any Yjs client.
#[test]
fn a_stock_client_computes_the_digest_that_both_sides_sign() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    node("digest.mjs", &[&server.address]).map(drop)
}

/// Runs `accord verify`, and gives how it ended and what it said.
fn verify(file: &std::path::Path, more: &[&str]) -> Result<(i32, String)> {
    let out = Command::new(accord_binary()).arg("verify").arg(file).args(more).output()?;
    let said = [out.stdout, out.stderr].concat();
    Ok((out.status.code().unwrap_or(-1), String::from_utf8(said)?))
}

#[test]
fn a_downloaded_release_is_verified_without_the_server_and_every_forgery_named() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Open contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let (_, file, _) = ana.page(&of(&document, "releases/1"), "content-type")?;
    let (_, keys, _) = Visitor::nobody(&server.address).page("/keys.txt", "content-type")?;
    let key = keys.trim().to_owned();
    server.stop()?;
    // The old key is published still, and a new one signs from now on.
    let rotated =
        Command::new(accord_binary()).args(["rotate-key", "--data"]).arg(data.path()).status()?;
    ensure!(rotated.success());
    let server = Server::start(data.path())?;
    let nobody = Visitor::nobody(&server.address);
    let (_, keys, _) = nobody.page("/keys.txt", "content-type")?;
    let keys: Vec<_> = keys.lines().collect();
    ensure!(keys.len() == 2 && keys[0] == key, "{keys:?}");
    ensure!(server.visit("ana")?.page(&of(&document, "releases/1"), "content-type")?.1 == file);

    let saved = data.path().join("release.json");
    std::fs::write(&saved, &file)?;
    let (code, said) = verify(&saved, &["--key", &key])?;
    ensure!(
        code == 0 && said.contains("VERIFIED") && said.contains("Signed for civil society by Ben"),
        "{code} {said}"
    );
    let (code, said) = verify(&saved, &[])?;
    ensure!(code == 2 && said.contains("Whose key that is"), "{code} {said}");
    let (code, said) = verify(&saved, &["--key", keys[1]])?;
    ensure!(code == 1 && said.contains("signed by somebody else"), "{code} {said}");
    let (code, said) = verify(&saved, &["--key", &key, "--number", "2"])?;
    ensure!(
        code == 1 && said.contains("You asked for release 2, and this is release 1"),
        "{code} {said}"
    );
    std::fs::write(&saved, file.replacen("Open contracts", "Open contrasts", 1))?;
    let (code, said) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && said.contains("The text was changed"), "{code} {said}");
    std::fs::write(&saved, file.replacen("Ben", "Bob", 1))?;
    let (code, said) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && said.contains("The signed statement was changed"), "{code} {said}");
    std::fs::write(&saved, file.replacen("\"number\": 1", "\"number\": 2", 1))?;
    let (code, said) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && said.contains("passed off as another"), "{code} {said}");
    Ok(())
}

/// What must tell nobody of a release before its time. The document's number stands for `{}`.
const PUBLIC: [&str; 12] = [
    "/p/demo",
    "/r/{}",
    "/r/{}/1",
    "/r/{}/1/release.json",
    "/r/{}/1/release.md",
    "/r/{}/1/release.html",
    "/r/{}/1/release.pdf",
    "/r/{}/1/release.docx",
    "/r/{}/compare/1/1",
    "/api/v1/documents/{}/releases/1",
    "/api/v1/documents/{}/releases/1/pdf",
    "/api/v1/plans/demo",
];

#[test]
fn nothing_leaks_before_its_time_and_then_it_opens_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = ServerInTime::start(data.path())?;
    let visit = |demo| Visitor::sign_in(&server.address, demo);
    let (fay, ana, ben) = (visit("fay")?, visit("ana")?, visit("ben")?);
    let secret = "Zebra crossings for Mathare";
    let document = ana.create(secret)?;
    freeze(&fay, &ana, &ben, &document)?;
    let nobody = Visitor::nobody(&server.address);
    let at = |path: &str| path.replace("{}", &document);
    let hidden = |when: &str| -> Result<()> {
        for path in PUBLIC {
            let (status, said, cached) = nobody.page(&at(path), "cache-control")?;
            let expect = if path.starts_with("/api") { 401 } else { 404 };
            ensure!(
                status == expect && !said.contains("Zebra"),
                "{when}: {path} gives {status}: {said}"
            );
            ensure!(cached == "no-store", "{when}: {path} may be kept: {cached}");
        }
        // What is not there at all looks the same.
        let (_, missing, _) = nobody.page("/r/nothing/1", "cache-control")?;
        ensure!(
            missing == nobody.page(&at("/r/{}/1"), "cache-control")?.1,
            "{when}: it shows that it exists"
        );
        let (_, metrics, _) = nobody.page("/metrics", "cache-control")?;
        ensure!(!metrics.contains(&document) && !metrics.contains("Zebra"), "{when}");
        Ok(())
    };
    hidden("before a launch")?;
    let now = fay.get("/api/v1/plans/demo")?.1["now"].as_u64().context("the server’s time")?;
    let launches = "/api/v1/plans/demo/launches";
    let wanted =
        |opens: u64| json!({ "documents": [document], "opens": opens, "zone": "Africa/Nairobi" });
    ensure!(ana.post(launches, wanted(now + 3_600_000))?.0 == 403);
    let bad = json!({ "documents": [document], "zone": "Mars/Phobos" });
    ensure!(fay.post(launches, bad)?.0 == 422);
    let unsigned = json!({ "documents": ["demo"], "zone": "Africa/Nairobi" });
    ensure!(fay.post(launches, unsigned)?.1["error"] == "unsigned");
    let (status, first) = fay.post(launches, wanted(now + 3_600_000))?;
    ensure!(status == 200, "{status} {first}");
    hidden("under embargo")?;
    ensure!(fay.post(launches, wanted(now))?.1["error"] == "launched");
    ensure!(fay.request("DELETE", &format!("{launches}/{}", first["seq"]), None)?.0 == 204);
    server.pass(Duration::from_secs(4_000));
    hidden("called off")?;
    ensure!(fay.post(launches, wanted(now + 7_200_000))?.0 == 200);
    server.pass(Duration::from_secs(3_199));
    hidden("a second before")?;
    server.pass(Duration::from_secs(2));
    let opened = Instant::now();
    while nobody.page(&at("/r/{}"), "etag")?.0 != 200 {
        ensure!(opened.elapsed() < Duration::from_secs(20), "it does not open by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    for path in PUBLIC {
        let (status, said, cached) = nobody.page(&at(path), "cache-control")?;
        if path.starts_with("/api") {
            ensure!(status == 401, "{path}: what only members reach stays closed");
            continue;
        }
        ensure!(status == 200 && cached.starts_with("public"), "{path} gives {status}, {cached}");
        let is_packed = path.ends_with(".pdf") || path.ends_with(".docx");
        ensure!(is_packed || said.contains("Zebra"), "{path}: {said}");
        ensure!(is_packed || said.len() < 50 * 1024, "{path} has {} bytes", said.len());
    }
    let (_, page, tag) = nobody.page(&at("/r/{}/1"), "etag")?;
    ensure!(page.contains("Africa/Nairobi") && !tag.is_empty(), "{page}");
    ensure!(fay.request("DELETE", &format!("/api/v1/documents/{document}"), None)?.0 == 409);
    Ok(())
}

/// Makes a plan, and gives it with somebody for each of some standings: seat, sector, and whether they sign.
fn plan(
    server: &Server,
    ida: &Visitor,
    title: &str,
    people: &[(&str, &str, &str, bool)],
) -> Result<(String, Vec<Visitor>)> {
    let (_, made) = ida.post("/api/v1/plans", json!({ "title": title }))?;
    let plan = made["id"].as_str().context("a plan")?.to_owned();
    let mut all = Vec::new();
    for (name, seat, sector, signatory) in people {
        let wanted =
            json!({ "invitations": [{ "seat": seat, "sector": sector, "signatory": signatory }] });
        let (_, made) = ida.post(&format!("/api/v1/plans/{plan}/invitations"), wanted)?;
        let link = made[0]["link"].as_str().context("a link")?;
        all.push(Visitor::join(&server.address, link, &format!("{name}@x.org"))?);
    }
    Ok((plan, all))
}

/// Two governments, each with its own people: nobody signs for the other plan, a plan that asks for two signatories
/// of a side waits for both, and each launches its own. A commitment in two languages leads from one to the other.
#[test]
fn each_plan_signs_and_launches_its_own_in_its_own_languages() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ida = server.visit("ida")?;
    let (tbilisi, people) = plan(
        &server,
        &ida,
        "თბილისი 2027",
        &[
            ("nino", "facilitator", "government", true),
            ("giorgi", "author", "civil_society", true),
            ("eka", "author", "civil_society", true),
        ],
    )?;
    let [nino, giorgi, eka] = people.as_slice() else { anyhow::bail!("three people") };
    let (seoul, people) = plan(
        &server,
        &ida,
        "서울 2027",
        &[("minji", "facilitator", "government", true), ("jun", "author", "civil_society", true)],
    )?;
    let [minji, jun] = people.as_slice() else { anyhow::bail!("two people") };
    let create = |by: &Visitor, plan: &str, body: Value| -> Result<String> {
        let (status, made) = by.post(&format!("/api/v1/plans/{plan}/documents"), body)?;
        made["id"].as_str().map(str::to_owned).with_context(|| format!("{status} {made}"))
    };
    let georgian = create(nino, &tbilisi, json!({ "title": "ღია კონტრაქტები", "language": "ka" }))?;
    let english = json!({ "title": "Open contracts", "language": "en", "translates": georgian });
    let english = create(nino, &tbilisi, english)?;
    let again = json!({ "title": "Again", "language": "en", "translates": georgian });
    ensure!(nino.post(&format!("/api/v1/plans/{tbilisi}/documents"), again)?.0 == 422);
    let bad = json!({ "title": "Bad", "language": "<b>" });
    ensure!(nino.post(&format!("/api/v1/plans/{tbilisi}/documents"), bad)?.0 == 422);
    let korean = create(minji, &seoul, json!({ "title": "열린 계약", "language": "ko" }))?;

    // Tbilisi asks for two of civil society.
    let quorum = json!({ "quorum": { "government": 1, "civil_society": 2 } });
    ensure!(
        giorgi.request("PATCH", &format!("/api/v1/plans/{tbilisi}"), Some(quorum.clone()))?.0
            == 403
    );
    ensure!(nino.request("PATCH", &format!("/api/v1/plans/{tbilisi}"), Some(quorum))?.0 == 204);
    for document in [&georgian, &english] {
        let proposal = propose(nino, document)?;
        ensure!(sign(minji, document, proposal)?.0 == 404, "another plan’s signatory");
        ensure!(
            sign(nino, document, proposal)?.0 == 200 && sign(giorgi, document, proposal)?.0 == 200
        );
        ensure!(path(nino, document)?["frozen"] == false, "one of two has signed");
        ensure!(sign(eka, document, proposal)?.0 == 200);
        ensure!(path(nino, document)?["frozen"] == true);
    }
    freeze(minji, minji, jun, &korean)?;

    let launch = |by: &Visitor, plan: &str, documents: &[&String], zone: &str| -> Result<()> {
        let wanted = json!({ "documents": documents, "zone": zone });
        let (status, answer) = by.post(&format!("/api/v1/plans/{plan}/launches"), wanted)?;
        ensure!(status == 200, "{status} {answer}");
        Ok(())
    };
    launch(nino, &tbilisi, &[&georgian, &english], "Asia/Tbilisi")?;
    let nobody = Visitor::nobody(&server.address);
    let page = |path: String| nobody.page(&path, "content-type");
    ensure!(page(format!("/p/{seoul}"))?.0 == 404, "the other plan waits for its own launch");
    launch(minji, &seoul, &[&korean], "Asia/Seoul")?;
    let (_, said, _) = page(format!("/r/{georgian}"))?;
    for words in [
        "<html lang=\"ka\">",
        "ხელმოწერილია ორივე მხარის მიერ",
        "ღია კონტრაქტები",
        "(Asia/Tbilisi)",
    ] {
        ensure!(said.contains(words), "{words} is not in {said}");
    }
    ensure!(
        said.contains(&format!("hreflang=\"en\" href=\"{}/r/{english}\"", server.url(""))),
        "{said}"
    );
    ensure!(
        page(format!("/r/{english}"))?
            .1
            .contains(&format!("href=\"/r/{georgian}\" hreflang=\"ka\""))
    );
    let (_, said, _) = page(format!("/r/{korean}"))?;
    ensure!(
        said.contains("양측 서명") && said.contains("열린 계약") && !said.contains("ka"),
        "{said}"
    );
    let (_, said, _) = page(format!("/p/{tbilisi}"))?;
    ensure!(
        said.contains("ღია კონტრაქტები")
            && said.contains("Open contracts")
            && !said.contains("열린"),
        "{said}"
    );
    let (_, said, _) = page(format!("/r/{korean}/1/release.md"))?;
    ensure!(said.starts_with("# 열린 계약\n"), "{said}");
    Ok(())
}
