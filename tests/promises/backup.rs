//! A backup that is taken while people write is complete. A server restored from it accepts new edits, and does not
//! mix its ledgers with what clients remember of the ledgers that were lost.

use crate::release::freeze;
use accord_document::sync::Dialect;
use accord_document::sync::wire::{ClientNote, Message, ServerNote};
use accord_tests::{Server, SyncClient, Visitor, accord_binary};
use anyhow::{Result, ensure};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a command of the `accord` program on a data folder and a backup file. Returns whether the command succeeded,
/// and its output.
fn accord(command: &[&str], data: &Path, file: &Path) -> Result<(bool, String)> {
    let out =
        Command::new(accord_binary()).args(command).arg("--data").arg(data).arg(file).output()?;
    Ok((out.status.success(), String::from_utf8([out.stdout, out.stderr].concat())?))
}

/// Signs the demo commitment for both sides and launches it. Returns its signed file.
pub(crate) fn release(server: &Server) -> Result<String> {
    let fay = server.visit("fay")?;
    freeze(&fay, &server.visit("ana")?, &server.visit("ben")?, "demo")?;
    let launch = json!({ "documents": ["demo"], "zone": "Asia/Tbilisi" });
    ensure!(fay.post("/api/v1/plans/demo/launches", launch)?.0 == 200);
    public(server)
}

pub(crate) fn public(server: &Server) -> Result<String> {
    let (status, file, _) =
        Visitor::nobody(&server.address).page("/r/demo/1/release.json", "content-type")?;
    ensure!(status == 200, "{file}");
    Ok(file)
}

/// Types one character after the other until `stop` is set. Returns the number of characters, all of them
/// acknowledged.
async fn type_until(stop: Arc<AtomicBool>, mut typist: SyncClient) -> Result<u32> {
    let mut count = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        typist.edit("problem", 0, 0, "x").await?;
        count += 1;
        if count.is_multiple_of(50) {
            typist.settled().await?;
        }
    }
    typist.settled().await.map(|()| count)
}

/// Checks that `accord verify` accepts a release's file with the keys that the server publishes.
fn verifies(server: &Server, file: &Path) -> Result<()> {
    let (_, keys, _) = Visitor::nobody(&server.address).page("/keys.txt", "content-type")?;
    let mut verify = Command::new(accord_binary());
    let status = verify.arg("verify").arg(file).args(["--key", keys.trim()]).status()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_to_a_server_whose_ledgers_and_releases_verify() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let (data, file, copy) =
        (dir.path().join("data"), dir.path().join("all.backup"), dir.path().join("copy"));
    let server = Server::start(&data)?;
    let signed = release(&server)?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Written in while it is copied")?;
    let quiet = ana.create("Written in afterwards")?;

    // Three connections type before, during and after the backup.
    let stop = Arc::new(AtomicBool::new(false));
    let mut typists = Vec::new();
    for client in 1..=3 {
        let typist = SyncClient::connect(&server, &ana, &document, client).await?;
        typists.push(tokio::spawn(type_until(stop.clone(), typist)));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let (made, printed) = accord(&["backup"], &data, &file)?;
    ensure!(made && printed.contains("was read back and is complete"), "{printed}");
    stop.store(true, Ordering::Relaxed);
    let mut typed = 0;
    for typist in typists {
        typed += typist.await??;
    }
    let (again, printed) = accord(&["backup"], &data, &file)?;
    ensure!(!again && printed.contains("nothing was overwritten"), "{printed}");

    // The backup does not contain what is written after it.
    let mut late = SyncClient::connect_accord(&server, &ben, &quiet, 9).await?;
    let Some(ServerNote::Hello { position, .. }) = late.hello.clone() else {
        anyhow::bail!("no hello")
    };
    late.edit("causes", 0, 0, "LATER ").await?;
    late.settled().await?;
    let doc = late.doc.clone();
    drop(late);
    server.kill();

    let (restored, printed) = accord(&["restore"], &copy, &file)?;
    ensure!(restored && printed.contains("no damage found"), "{printed}");
    let (again, printed) = accord(&["restore"], &copy, &file)?;
    ensure!(!again && printed.contains("nothing was overwritten"), "{printed}");
    let server = Server::start(&copy)?;
    ensure!(public(&server)? == signed, "the release is another");
    let saved = dir.path().join("release.json");
    std::fs::write(&saved, &signed)?;
    verifies(&server, &saved)?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let there = ana.text(&document, "problem")?.trim().len() as u32;
    ensure!(there > 0 && there <= typed, "{there} of {typed}");

    // After the restore, Accord's client is refused because the ledger has a new lineage (4409), and a stock client
    // because the text that it brings belongs to no current draft (4423).
    let mut accords = SyncClient::open(&server, &ben, &quiet, Dialect::Accord, doc.clone()).await?;
    let remembered = Some(position);
    let hello = serde_json::to_string(&ClientNote::Hello { remembered })?;
    accords.send(Message::Note(&hello)).await?;
    ensure!(accords.closed().await?.code == 4409);
    let stock = SyncClient::resume(&server, &ben, &quiet, Dialect::Stock, doc).await?;
    ensure!(stock.closed().await?.code == 4423);
    ensure!(!ben.text(&quiet, "causes")?.contains("LATER"));
    // A client that brings no text from before the restore can write.
    let mut fresh = SyncClient::connect(&server, &ben, &quiet, 10).await?;
    fresh.edit("causes", 0, 0, "On we go. ").await?;
    fresh.settled().await?;
    ensure!(ben.text(&quiet, "causes")?.starts_with("On we go. "));
    Ok(())
}

/// Returns the content of a gzip stream.
fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut content).map(|_| content)
}

#[test]
fn a_damaged_backup_restores_nothing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (data, file) = (dir.path().join("data"), dir.path().join("all.backup"));
    let server = Server::start(&data)?;
    release(&server)?;
    server.stop()?;
    // An interrupted backup can leave a partial file. Here, other users of the machine can read it. The complete
    // backup must not take over these permissions.
    let partial = dir.path().join("all.backup.partial");
    std::fs::write(&partial, "interrupted")?;
    std::fs::set_permissions(&partial, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    // A backup can also be taken while no server runs.
    let (made, printed) = accord(&["backup"], &data, &file)?;
    ensure!(made, "{printed}");
    let whole = std::fs::read(&file)?;
    let content = unpacked(&whole)?;
    let broken = dir.path().join("broken.backup");
    let end = (whole.len() - 8..whole.len()).step_by(3);
    for at in (20..whole.len()).step_by(whole.len() / 12).chain(end) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        // The last byte of a deflate stream can have unused bits. A change of these bits alone is no damage.
        if unpacked(&bytes).is_ok_and(|found| found == content) {
            continue;
        }
        std::fs::write(&broken, &bytes)?;
        let copy = dir.path().join("copy");
        let (restored, printed) = accord(&["restore"], &copy, &broken)?;
        ensure!(!restored && !copy.exists(), "byte {at}: {printed}");
    }
    std::fs::write(&broken, &whole[..whole.len() / 2])?;
    let copy = dir.path().join("copy");
    let (restored, printed) = accord(&["restore"], &copy, &broken)?;
    ensure!(!restored && !copy.exists() && printed.contains("incomplete"), "{printed}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file)?.permissions());
    ensure!(mode & 0o777 == 0o600, "others can read it");
    Ok(())
}
