//! A document that was worked on for years has a history too long for memory. Its text can still be written, cleaned,
//! signed, released and redacted like any other. Only its history is not shown.

use crate::release::of;
use accord_document::release::canonical::digest;
use accord_tests::{Server, SyncClient, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Amount of text that is written and deleted again, in MiB. A history counts two bytes for each character and is
/// allowed 64 MiB, so this is too much.
const WRITTEN_MIB: usize = 33;

/// Writes and deletes enough text to make the document's history too long.
async fn work_for_years(server: &Server, by: &Visitor, document: &str) -> Result<()> {
    let mut client = SyncClient::connect(server, by, document, 21).await?;
    let text = "a".repeat(1 << 20);
    for _ in 0..WRITTEN_MIB {
        client.edit("problem", 0, 0, &text).await?;
        client.edit("problem", 0, u32::try_from(text.len())?, "").await?;
        client.settled().await?;
    }
    client.edit("problem", 0, 0, "Ana Lopez says that con\u{200b}tracts are secret.").await?;
    client.settled().await
}

fn release_of(by: &Visitor, document: &str) -> Result<Value> {
    let (status, path) = by.get(&of(document, "release"))?;
    ensure!(status == 200, "{status} {path}");
    Ok(path)
}

fn propose(by: &Visitor, document: &str) -> Result<(u64, Value)> {
    let wanted = release_of(by, document)?["digest"].clone();
    let (status, made) = by.post(&of(document, "proposals"), json!({ "digest": wanted }))?;
    ensure!(status == 200, "{status} {made}");
    Ok((made["seq"].as_u64().context("a number")?, wanted))
}

/// Reads the text of a proposal, and checks that it has the wanted digest.
fn read_proposed(by: &Visitor, document: &str, proposal: u64, wanted: &Value) -> Result<()> {
    let (status, text) = by.get(&of(document, &format!("proposals/{proposal}")))?;
    ensure!(status == 200, "{status} {text}");
    ensure!(digest(&text).to_string() == *wanted, "another text: {text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_whose_history_is_too_long_to_be_shown_is_cleaned_signed_and_released()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Open contracts")?;
    work_for_years(&server, &ben, &document).await?;
    let (status, refused) = ana.get(&of(&document, "history"))?;
    ensure!(status == 422 && refused["error"] == "history_too_long", "{status} {refused}");

    // The content that blocks a proposal is removed by a cleaning, and a name by a redaction.
    ensure!(release_of(&fay, &document)?["strange"] != json!([]), "there is nothing to clean");
    let (status, cleaned) = fay.post(&of(&document, "cleaning"), json!({}))?;
    ensure!(status == 200, "{status} {cleaned}");
    ensure!(release_of(&fay, &document)?["strange"] == json!([]));
    ensure!(ana.text(&document, "problem")? == "Ana Lopez says that contracts are secret.\n");
    let redaction =
        json!({ "target": "problem", "from": 0, "text": "Ana Lopez", "reason": "a name" });
    let (status, refused) = fay.post(&of(&document, "redactions"), redaction)?;
    ensure!(status == 204, "{status} {refused}");

    // A moment can be named, and the moment up to which a person has seen the history can be recorded.
    let (status, named) =
        ana.post(&of(&document, "versions"), json!({ "name": "Before signing" }))?;
    ensure!(status == 200, "{status} {named}");
    let seen = json!({ "seq": named["seq"] });
    ensure!(ana.request("PUT", &of(&document, "history/seen"), Some(seen))?.0 == 204);

    // The text of each proposal can be read: before the signatures, after a decline, and after the freeze.
    let (first, declined) = propose(&fay, &document)?;
    read_proposed(&ana, &document, first, &declined)?;
    let decline = of(&document, &format!("proposals/{first}/decline"));
    ensure!(ben.post(&decline, json!({ "reason": "Say which contracts." }))?.0 == 200);
    let mut client = SyncClient::connect(&server, &ben, &document, 22).await?;
    client.edit("problem", 0, 0, "All: ").await?;
    client.settled().await?;
    let (second, signed) = propose(&fay, &document)?;
    ensure!(signed != declined);
    read_proposed(&ana, &document, second, &signed)?;
    let signature = of(&document, &format!("proposals/{second}/signature"));
    for visitor in [&ana, &ben] {
        let wanted = Some(json!({ "digest": signed }));
        let (status, answer) = visitor.request("PUT", &signature, wanted)?;
        ensure!(status == 200, "{status} {answer}");
    }
    ensure!(release_of(&fay, &document)?["frozen"] == true);
    read_proposed(&ana, &document, first, &declined)?;
    read_proposed(&ana, &document, second, &signed)?;
    let (status, release) = ana.get(&of(&document, "releases/1"))?;
    ensure!(status == 200, "{status} {release}");
    ensure!(ana.download(&of(&document, "releases/1/md"))?.0.len() > 100);
    Ok(())
}
