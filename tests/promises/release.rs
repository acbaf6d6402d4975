//! Proposals, signatures and releases, tested through the API and stock clients of a running server.

mod deletions;
mod launches;

use accord_document::release::canonical::digest;
use accord_document::sync::Dialect;
use accord_tests::{Server, SyncClient, Visitor, accord_binary, node};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;

/// Returns the path of a route that belongs to a document.
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

/// Signs a proposal with the digest of the text that the signatory reads.
pub(crate) fn sign(visitor: &Visitor, document: &str, proposal: u64) -> Result<(u16, Value)> {
    let (_, text) = visitor.get(&of(document, &format!("proposals/{proposal}")))?;
    let signature = json!({ "digest": digest(&text).to_string() });
    visitor.request(
        "PUT",
        &of(document, &format!("proposals/{proposal}/signature")),
        Some(signature),
    )
}

/// Proposes a text and signs it for both sides.
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

/// Both sides sign one digest, stale and ended proposals can't be signed, and the frozen text changes on no path
/// (rules R1, R2, R3, R4 and U10).
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

    // The text is incomplete, so only a facilitator is allowed to propose it.
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

    // An edit makes the proposal stale, so the other side can't sign it any more.
    stock.edit("problem", 0, 0, "All ").await?;
    stock.settled().await?;
    ensure!(fate(&path(&ben, &document)?) == "stale");
    ensure!(sign(&ben, &document, first)?.1["error"] == "stale");
    let second = propose(&fay, &document)?;
    let other = json!({ "digest": "0".repeat(64) });
    let signature = of(&document, &format!("proposals/{second}/signature"));
    ensure!(ben.request("PUT", &signature, Some(other))?.1["error"] == "other_text");

    // One side declines with a reason, and the next proposal is withdrawn by the person who made it.
    let decline = of(&document, &format!("proposals/{second}/decline"));
    ensure!(ben.post(&decline, json!({ "reason": " " }))?.0 == 422);
    ensure!(ben.post(&decline, json!({ "reason": "No milestones yet." }))?.0 == 200);
    let answer = path(&obi, &document)?;
    ensure!(answer["proposals"][1]["reason"] == "No milestones yet.", "{answer}");
    ensure!(answer["proposals"][1]["ended"]["sector"] == "civil_society");
    let third = propose(&fay, &document)?;
    ensure!(ana.request("DELETE", &of(&document, &format!("proposals/{third}")), None)?.0 == 403);
    ensure!(fay.request("DELETE", &of(&document, &format!("proposals/{third}")), None)?.0 == 200);

    freeze(&fay, &ana, &ben, &document)?;
    let frozen = path(&ana, &document)?;
    ensure!(frozen["frozen"] == true && frozen["releases"][0]["number"] == 1, "{frozen}");

    // Sync, restoring, redaction and deletion can't change the frozen text.
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

    // The co-creation record lists all proposals. It credits text only to Ben, who wrote it.
    let (_, record) = ada.get(&of(&document, "record"))?;
    ensure!(record["proposals"].as_array().map(Vec::len) == Some(4), "{record}");
    let mut tallies = record["sittings"].as_array().into_iter().flatten().flat_map(|sitting| {
        sitting["tallies"].as_array().into_iter().flatten().map(|tally| &tally["author"])
    });
    let name =
        |author: &Value| record["authors"][author.as_u64().unwrap_or(99) as usize]["name"].clone();
    ensure!(tallies.all(|author| name(author) == "Ben Okafor"), "{record}");

    // In the next draft, new edits are accepted, and edits of a client that last saw the earlier draft are refused.
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
    // A passage that a release contains can't be redacted.
    let redaction =
        json!({ "target": "problem", "from": 6, "text": "All Contracts", "reason": "a test" });
    ensure!(fay.post(&of(&document, "redactions"), redaction)?.1["error"] == "released");

    // After a restart, the file of the release is unchanged.
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

/// Any Yjs client that has the text can compute the digest that is signed.
#[test]
fn a_stock_client_computes_the_digest_that_both_sides_sign() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    node("digest.mjs", &[&server.address]).map(drop)
}

/// Runs `accord verify`. Returns its exit status, and its output on both streams.
fn verify(file: &std::path::Path, more: &[&str]) -> Result<(i32, String)> {
    let out = Command::new(accord_binary()).arg("verify").arg(file).args(more).output()?;
    let printed = [out.stdout, out.stderr].concat();
    Ok((out.status.code().unwrap_or(-1), String::from_utf8(printed)?))
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
    // A new key signs from now on, and the old key is still published.
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
    let (code, printed) = verify(&saved, &["--key", &key])?;
    ensure!(
        code == 0
            && printed.contains("VERIFIED")
            && printed.contains("Signed for civil society by Ben"),
        "{code} {printed}"
    );
    let (code, printed) = verify(&saved, &[])?;
    ensure!(code == 2 && printed.contains("Whose key that is"), "{code} {printed}");
    let (code, printed) = verify(&saved, &["--key", keys[1]])?;
    ensure!(code == 1 && printed.contains("signed by somebody else"), "{code} {printed}");
    let (code, printed) = verify(&saved, &["--key", &key, "--number", "2"])?;
    ensure!(
        code == 1 && printed.contains("You asked for release 2, but this is release 1"),
        "{code} {printed}"
    );
    std::fs::write(&saved, file.replacen("Open contracts", "Open contrasts", 1))?;
    let (code, printed) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && printed.contains("The text was changed"), "{code} {printed}");
    std::fs::write(&saved, file.replacen("Ben", "Bob", 1))?;
    let (code, printed) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && printed.contains("The signed statement was changed"), "{code} {printed}");
    std::fs::write(&saved, file.replacen("\"number\": 1", "\"number\": 2", 1))?;
    let (code, printed) = verify(&saved, &["--key", &key])?;
    ensure!(code == 1 && printed.contains("do not belong together"), "{code} {printed}");
    Ok(())
}
