//! What was acknowledged is there after the server dies at any moment.

use accord_tests::{Server, SyncClient};
use anyhow::{Context, Result};

/// SIGKILLs in every test run; the benchmarks do hundreds.
const KILLS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_edit_survives_kill_nine() -> Result<()> {
    let seed = rand::random();
    accord_tests::kill_rounds(KILLS, seed).await.with_context(|| format!("seed {seed}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_remembers_more_than_the_ledger_holds_is_told_so() -> Result<()> {
    use accord_document::ids::{Digest, LineageId, Seq};
    use accord_document::sync::wire::{ClientNote, Message, Remembered, ServerNote};
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Remembered")?;
    let hello = |remembered: Remembered| {
        let note = ClientNote::Hello { remembered: Some(remembered) };
        Message::Note(&serde_json::to_string(&note).unwrap()).encode()
    };
    // What the server says of itself.
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 1).await?;
    let here = client.hello.clone().context("the server says hello")?;
    let ServerNote::Hello { position, .. } = here else { anyhow::bail!("another note") };
    client.send_raw(hello(position.clone())).await?;
    client.edit("brief", 0, 0, "x").await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    let ahead = Remembered { seq: Seq(position.seq.0 + 50), ..position.clone() };
    let forked =
        Remembered { head: Digest([9; 32]), seq: Seq(position.seq.0 + 1), ..position.clone() };
    let other = Remembered { lineage: LineageId::new("other"), ..position };
    for (name, remembered) in [("ahead", ahead), ("forked", forked), ("lineage", other)] {
        let mut client = SyncClient::connect_accord(&server, &ana, &document, 2).await?;
        client.send_raw(hello(remembered)).await?;
        assert_eq!(client.closed().await?.code, 4409, "{name}");
    }
    assert_eq!(server.metric("accord_ledgers_betrayed_total")?, 2.0);
    Ok(())
}
