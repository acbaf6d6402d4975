//! Acknowledged edits are still there after the server dies, at whatever moment.

use accord_document::sync::Dialect;
use accord_tests::{
    Death, Fault, Server, ServerOptions, SyncClient, damage_rounds, fault_rounds, kill_rounds,
};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Number of times that a test kills the server. The benchmarks kill it hundreds of times.
const KILLS: usize = 5;
/// Number of times that a test damages a data folder. The benchmarks damage thousands.
const DAMAGES: usize = 15;
/// Number of times that a test lets a call to the disk fail. The benchmarks let a thousand fail.
const FAULTS: usize = 14;

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_edit_survives_kill_nine() -> Result<()> {
    let seed = rand::random();
    kill_rounds(KILLS, Death::Kill, seed).await.with_context(|| format!("seed {seed}")).map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_edit_survives_the_loss_of_everything_not_synced() -> Result<()> {
    let seed = rand::random();
    kill_rounds(KILLS, Death::PowerLoss, seed)
        .await
        .with_context(|| format!("seed {seed}"))
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_data_folder_loses_nothing_without_naming_it() -> Result<()> {
    let seed = rand::random();
    let damages = damage_rounds(DAMAGES, seed).await.with_context(|| format!("seed {seed}"))?;
    ensure!(damages.refused > 0 && damages.whole > 0, "{damages:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_whichever_call_to_the_disk_fails() -> Result<()> {
    let seed = rand::random();
    let tally =
        fault_rounds(&Fault::ALL, FAULTS, seed).await.with_context(|| format!("seed {seed}"))?;
    ensure!(tally.went_on + tally.ended > FAULTS / 2, "{tally:?}");
    Ok(())
}

/// A small file system in memory, which can become full.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .status()?;
        ensure!(mount.success(), "this test needs the right to mount a tmpfs");
        Ok(Self(dir))
    }

    fn resize(&self, size: &str) -> Result<()> {
        let options = format!("remount,size={size}");
        let mount = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status()?;
        ensure!(mount.success(), "the disk can't be resized");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// On a full disk nothing more is acknowledged, the writer receives a `trouble` note before the connection closes
/// (rule A4), and everything is saved once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_acknowledging_tells_the_writers_and_recovers() -> Result<()> {
    let disk = Disk::new("28m")?;
    let options =
        ServerOptions { args: vec!["--reserve-mib".into(), "20".into()], ..Default::default() };
    let mut server = Server::start_with(disk.0.path(), &options)?;
    let ana = server.visit("ana")?;
    let document = ana.create("Full")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 77).await?;
    let mut words = 0;
    let reason = loop {
        let word = format!("[{words}]{}", "x".repeat(200_000));
        if client.edit("problem", 0, 0, &word).await.is_err() {
            break None;
        }
        words += 1;
        ensure!(words < 200, "the disk does not fill");
        while client.saved < client.sent && client.trouble.is_none() {
            if client.fetch().await.is_err() {
                break;
            }
        }
        if client.trouble.is_some() {
            break client.trouble.clone();
        }
    };
    let reason = reason.context("the writer is told before the connection closes")?;
    ensure!(reason.contains("disk is full"), "{reason}");
    let doc = client.doc.clone();
    ensure!(client.closed().await?.code == 1013, "it may come back");
    ensure!(server.is_alive(), "the server goes on");
    // Acknowledged text can be read, and text that was not acknowledged is still with its writer.
    let stored = ana.text(&document, "problem")?;
    ensure!(stored.contains(&format!("[{}]", words - 2)), "acknowledged text is there");
    ensure!(!stored.contains(&format!("[{}]", words - 1)), "refused text is not");
    ensure!(
        ana.post("/api/v1/plans/demo/documents", serde_json::json!({"title": "More"}))?.0 == 507
    );

    disk.resize("200m")?;
    let mut client = SyncClient::resume(&server, &ana, &document, Dialect::Accord, doc).await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    ensure!(
        ana.text(&document, "problem")?.contains(&format!("[{}]", words - 1)),
        "all is saved now"
    );
    Ok(())
}

/// Another program takes all of the disk, the reserve included. People can go on reading, also documents that nobody has
/// open, and the server needs no restart once there is space.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_a_free_byte_stops_no_reader_and_needs_no_restart() -> Result<()> {
    let disk = Disk::new("64m")?;
    let (data, filler) = (disk.0.path().join("data"), disk.0.path().join("filler"));
    let options =
        ServerOptions { args: vec!["--reserve-mib".into(), "0".into()], ..Default::default() };
    let mut server = Server::start_with(&data, &options)?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let (document, closed) = (ana.create("Full")?, ana.create("Closed")?);
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 77).await?;
    let word = |number: usize| format!("[{number}]{}", "x".repeat(200_000));
    for number in 0..6 {
        client.edit("problem", 0, 0, &word(number)).await?;
        client.settled().await?;
    }
    // No settlement may be under way when the disk fills. If sled itself runs out of space, it can be opened again only
    // when there is some, and reading waits for that.
    let mut before = Vec::new();
    for round in 0.. {
        let now = changes_below(&data)?;
        if now == before {
            break;
        }
        ensure!(round < 20, "the files of the store change without end");
        before = now;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    }
    let mut file = std::fs::File::create(&filler)?;
    while std::io::Write::write(&mut file, &[1; 512]).is_ok_and(|written| written > 0) {}
    client.edit("problem", 0, 0, &word(6)).await?;
    while client.trouble.is_none() {
        client.fetch().await.context("no note comes before the connection closes")?;
    }
    let doc = client.doc.clone();
    ensure!(client.closed().await?.code == 1013, "it may come back");
    let text = ben.text(&document, "problem")?;
    ensure!((0..6).all(|number| text.contains(&format!("[{number}]"))), "people can read");
    ben.text(&closed, "problem")?;
    ensure!(server.visit("ida").is_ok(), "people can sign in for a while");
    ensure!(server.is_alive(), "the server still runs");

    drop(file);
    std::fs::remove_file(&filler)?;
    let mut client = SyncClient::resume(&server, &ana, &document, Dialect::Accord, doc).await?;
    while client.saved < client.sent {
        client.fetch().await.context("nothing is saved although there is space")?;
    }
    let text = ana.text(&document, "problem")?;
    ensure!((0..7).all(|number| text.contains(&format!("[{number}]"))), "all is saved now");
    ensure!(server.stop()?.success());
    let server = Server::start_with(&data, &options)?;
    ensure!(server.visit("ana")?.text(&document, "problem")? == text);
    Ok(())
}

/// Returns the time of the last change of each file below a folder.
fn changes_below(folder: &Path) -> Result<Vec<(PathBuf, SystemTime)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(changes_below(&path)?);
        } else if let Ok(file) = path.metadata() {
            all.push((path, file.modified()?));
        }
    }
    all.sort();
    Ok(all)
}

#[test]
fn a_damaged_ledger_is_refused_and_the_others_are_served() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Damage this")?;
    ensure!(server.stop()?.success());
    {
        use accord_document::ids::{DocumentId, LedgerId, Seq};
        use accord_server::store::{Append, DiskStore, Ledger, Store as _};
        // Somebody with access to the store appends an entry of their own, with correct checksums.
        let store = DiskStore::open(dir.path(), 0)?;
        let ledger = LedgerId::from(DocumentId::new(document.as_str()));
        let entries = store.read(&ledger, Seq(0))?;
        let forged = entries.last().context("a document has entries")?.clone();
        store.append(&[Append { ledger, seq: Seq(entries.len() as u64), bytes: forged }])?;
    }
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let (status, answer) = ana.get(&format!("/api/v1/documents/{document}/content"))?;
    ensure!(status == 500 && answer["error"] == "damaged", "{status} {answer}");
    ensure!(ana.text("demo", "title")?.contains("contract"), "others are served");
    let (_, plan) = ana.get("/api/v1/plans/demo")?;
    let listed = plan["documents"].as_array().context("a plan lists documents")?;
    ensure!(listed.iter().any(|d| d["id"] == document.as_str() && d["damaged"] == true), "{plan}");
    Ok(())
}

/// The server begins with `hello`, and a client that remembers another lineage or entries that the ledger does not
/// have is closed with 4409 (rules A1 and A2).
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_remembers_more_than_the_ledger_holds_is_told_so() -> Result<()> {
    use accord_document::ids::{Digest, LineageId, Seq};
    use accord_document::ledger::LedgerPosition;
    use accord_document::sync::wire::{ClientNote, Message, ServerNote};
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Remembered")?;
    let hello = |remembered: LedgerPosition| {
        let note = ClientNote::Hello { remembered: Some(remembered) };
        Message::Note(&serde_json::to_string(&note).unwrap()).encode()
    };
    // The server's hello gives its position, which the client then remembers.
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 1).await?;
    let here = client.hello.clone().context("the server says hello")?;
    let ServerNote::Hello { position, .. } = here else { anyhow::bail!("another note") };
    client.send_raw(hello(position.clone())).await?;
    client.edit("brief", 0, 0, "x").await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    let ahead = LedgerPosition { seq: Seq(position.seq.0 + 50), ..position.clone() };
    let forked =
        LedgerPosition { head: Digest([9; 32]), seq: Seq(position.seq.0 + 1), ..position.clone() };
    // This client remembers a different hash for an entry before the head.
    let earlier = LedgerPosition { head: Digest([9; 32]), ..position.clone() };
    let other = LedgerPosition { lineage: LineageId::new("other"), ..position.clone() };
    let strangers =
        [("ahead", ahead), ("forked", forked), ("earlier", earlier), ("lineage", other)];
    for (name, remembered) in strangers {
        let mut client = SyncClient::connect_accord(&server, &ana, &document, 2).await?;
        client.send_raw(hello(remembered)).await?;
        assert_eq!(client.closed().await?.code, 4409, "{name}");
    }
    assert_eq!(server.metric("accord_ledgers_betrayed_total")?, 3.0);
    // A client that remembers an entry of this ledger is accepted and can write.
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 3).await?;
    client.send_raw(hello(position)).await?;
    client.edit("brief", 0, 0, "y").await?;
    client.settled().await?;
    Ok(())
}

/// A redacted secret is in no stored entry, the rest of the text remains, and the chain still verifies. That holds even
/// if the server stops before the entries are blanked.
#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_secret_is_in_nothing_that_is_stored() -> Result<()> {
    use accord_document::ids::{DocumentId, LedgerId, Seq};
    use accord_server::store::{Append, DiskStore, Ledger, Store as _};
    use serde_json::json;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let document = ana.create("Redacted")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 1_000).await?;
    client.edit("problem", 0, 0, "The password is hunter2, don't tell.").await?;
    while client.saved < client.sent {
        client.fetch().await?;
    }
    let path = format!("/api/v1/documents/{document}/redactions");
    let wanted = |text: &str, reason: &str| json!({ "target": "problem", "from": 16, "text": text, "reason": reason });
    for (text, reason, expected) in [
        ("hunter3", "It is a password", "elsewhere"),
        ("hunter2", " ", "forbidden"),
        ("hunter2", &"x".repeat(501), "forbidden"),
    ] {
        let (status, answer) = fay.post(&path, wanted(text, reason))?;
        ensure!(answer["error"] == expected, "{text}, {reason}: {status} {answer}");
    }
    let before = {
        ensure!(ana.text(&document, "problem")?.contains("hunter2"), "nothing half done");
        stored(dir.path(), server, &document)?
    };
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    let (status, answer) = fay.post(&path, wanted("hunter2", "It is a password"))?;
    ensure!(status == 204, "{status} {answer}");
    let wanted_text = "The password is , don't tell.\n";
    ensure!(fay.text(&document, "problem")? == wanted_text);
    let after = stored(dir.path(), server, &document)?;
    let holds = |entries: &[Vec<u8>]| {
        entries.iter().any(|entry| entry.windows(7).any(|bytes| bytes == b"hunter2"))
    };
    ensure!(holds(&before) && !holds(&after));
    ensure!(after.len() == before.len() + 2, "a deletion, and the redaction");

    // The old entries are stored again, as if the server had stopped between the redaction and the blanking.
    {
        let store = DiskStore::open(dir.path(), 0)?;
        let ledger = LedgerId::from(DocumentId::new(document.as_str()));
        let whole: Vec<_> = (0u64..)
            .zip(&before)
            .map(|(seq, bytes)| Append {
                ledger: ledger.clone(),
                seq: Seq(seq),
                bytes: bytes.clone(),
            })
            .collect();
        store.rewrite(&whole)?;
        ensure!(holds(&store.read(&ledger, Seq(0))?));
    }
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    ensure!(fay.text(&document, "problem")? == wanted_text);
    let (_, view) = fay.get(&format!("/api/v1/documents/{document}"))?;
    ensure!(view["redactions"][0]["reason"] == "It is a password", "{view}");
    ensure!(view["redactions"][0]["by"]["name"] == "Fay Duarte");
    let (_, record) = fay.get("/api/v1/plans/demo/audit")?;
    ensure!(record[0]["what"]["deed"] == "redact", "{}", record[0]);
    ensure!(stored(dir.path(), server, &document)? == after, "finished, it is the same");
    Ok(())
}

/// Stops a server, and returns the entries that it has stored of a document.
fn stored(data: &std::path::Path, server: Server, document: &str) -> Result<Vec<Vec<u8>>> {
    use accord_document::ids::{DocumentId, Seq};
    use accord_server::store::{DiskStore, Ledger};
    ensure!(server.stop()?.success());
    let store = DiskStore::open(data, 0)?;
    Ok(store.read(&DocumentId::new(document).into(), Seq(0))?)
}
