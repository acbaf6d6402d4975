//! A person who can write to the disk can't change the past unnoticed.

use accord_document::ids::DocumentId;
use accord_server::store::{DiskStore, Store as _};
use accord_tests::{Server, SyncClient, Visitor, accord_binary, copy_folder};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Number of edits in the document. It is enough for some entries to be packed, and for a checkpoint when the
/// document closes.
const EDITS: u32 = 2_200;

/// Writes a long document into a folder, and stops the server. Returns the document's id and its text.
async fn written(dir: &Path) -> Result<(String, String)> {
    let server = Server::start(dir)?;
    let ana = server.visit("ana")?;
    let document = ana.create("Long")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 7).await?;
    for n in 0..EDITS {
        let word = format!("w{n} ");
        let update = client.change("problem", 0, 0, &word);
        client.feed_update(&update).await?;
        if n % 200 == 0 {
            client.settled().await?;
        }
    }
    client.settled().await?;
    let text = ana.text(&document, "problem")?;
    drop(client);
    ensure!(server.stop()?.success());
    Ok((document, text))
}

/// Opens the store of a folder. A store that was dropped keeps its lock for a moment, until the threads of sled have ended.
fn open_store(dir: &Path) -> Result<sled::Db> {
    let config = sled::Config::new().path(dir.join("store")).segment_size(256 * 1024);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match config.open() {
            Err(sled::Error::Io(_)) if Instant::now() < until => sleep(Duration::from_millis(20)),
            opened => return Ok(opened?),
        }
    }
}

/// The stored values of one document in one of the store's trees.
pub(crate) struct Stored {
    pub(crate) tree: sled::Tree,
    prefix: Vec<u8>,
    _db: sled::Db,
}

impl Stored {
    pub(crate) fn open(dir: &Path, tree: &str, document: &str) -> Result<Self> {
        let db = open_store(dir)?;
        let tree = db.open_tree(tree)?;
        Ok(Self { tree, prefix: [b"document/", document.as_bytes(), &[0]].concat(), _db: db })
    }

    pub(crate) fn keys(&self) -> Result<Vec<sled::IVec>> {
        Ok(self.tree.scan_prefix(&self.prefix).keys().collect::<Result<_, _>>()?)
    }

    /// Returns the value of a key without the checksum, which is its first four bytes.
    fn get(&self, key: &[u8]) -> Result<Vec<u8>> {
        Ok(self.tree.get(key)?.context("it is there")?[4..].to_vec())
    }

    /// Stores a value with a correct checksum, as a forger who knows the format would.
    fn put(&self, key: &[u8], rest: &[u8]) -> Result<()> {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(key);
        hasher.update(rest);
        let value = [&hasher.finalize().to_be_bytes()[..], rest].concat();
        self.tree.insert(key, value)?;
        Ok(())
    }
}

/// Empties the log of a folder, so that what is changed in sled can't be healed from it.
pub(crate) fn empty_the_log(dir: &Path) -> Result<()> {
    // After an erasure, no copy of anything is left in the log.
    DiskStore::open(dir, 0)?.erase(&DocumentId::new("none").into())?;
    Ok(())
}

fn check(dir: &Path) -> Result<(bool, String)> {
    let done = Command::new(accord_binary()).arg("check").arg("--data").arg(dir).output()?;
    let printed = String::from_utf8(done.stdout)? + &String::from_utf8(done.stderr)?;
    Ok((done.status.success(), printed))
}

/// Checks that a server with this data folder shows nothing of the document's history. If it shows the document's text,
/// the text must be the true one.
fn serve(dir: &Path, document: &str, text: &str, what: &str) -> Result<()> {
    let server = Server::start(dir)?;
    let ana = server.visit("ana")?;
    let ask = |path: &str| ana.get(&format!("/api/v1/documents/{document}/{path}"));
    let (status, answer) = ask("content")?;
    ensure!(status == 500 || read(&ana, document)? == text, "{what}: {status} {answer}");
    for path in ["history", "diff?from=1&to=50"] {
        let (status, answer) = ask(path)?;
        ensure!(status == 500 && answer["error"] == "damaged", "{what}: {status} {answer}");
    }
    Ok(())
}

fn read(ana: &Visitor, document: &str) -> Result<String> {
    ana.text(document, "problem")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_tampered_with_is_found_before_it_is_served_and_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (document, text) = written(dir.path()).await?;
    let (whole, printed) = check(dir.path())?;
    ensure!(whole && printed.contains("no damage found"), "{printed}");
    empty_the_log(dir.path())?;
    // Most of the entries are packed in segments, and some are stored one by one.
    let packed = Stored::open(dir.path(), "segments", &document)?.keys()?.len();
    let loose = Stored::open(dir.path(), "ledger", &document)?.keys()?.len();
    ensure!(packed > 2 && loose > 60 && loose < EDITS as usize, "{packed} and {loose}");

    let each = |tree: &str, what: &str, forge: &dyn Fn(&Stored, &[sled::IVec]) -> Result<()>| {
        let copied = tempfile::tempdir()?;
        copy_folder(dir.path(), copied.path())?;
        {
            let stored = Stored::open(copied.path(), tree, &document)?;
            forge(&stored, &stored.keys()?)?;
            stored.tree.flush()?;
        }
        let (whole, printed) = check(copied.path())?;
        ensure!(
            !whole && printed.contains(&format!("DAMAGED document {document}")),
            "{what}: {printed}"
        );
        serve(copied.path(), &document, &text, what)
    };
    each("ledger", "a flipped bit, its checksum as it was", &|stored, keys| {
        let key = &keys[10];
        let mut value = stored.tree.get(key)?.context("it is there")?.to_vec();
        let last = value.len() - 1;
        value[last] ^= 1;
        stored.tree.insert(key, value)?;
        Ok(())
    })?;
    each("ledger", "a flipped bit with a checksum to it", &|stored, keys| {
        let mut value = stored.get(&keys[10])?;
        let last = value.len() - 3;
        value[last] ^= 1;
        stored.put(&keys[10], &value)
    })?;
    each("ledger", "an entry removed", &|stored, keys| {
        stored.tree.remove(&keys[10])?;
        Ok(())
    })?;
    each("ledger", "two entries exchanged", &|stored, keys| {
        let (a, b) = (stored.get(&keys[10])?, stored.get(&keys[11])?);
        stored.put(&keys[10], &b)?;
        stored.put(&keys[11], &a)
    })?;
    each("ledger", "an entry inserted, and those behind it moved on", &|stored, keys| {
        let mut moved = stored.get(&keys[10])?;
        for key in &keys[10..] {
            let next = stored.get(key)?;
            stored.put(key, &moved)?;
            moved = next;
        }
        Ok(())
    })?;
    each("segments", "a flipped bit in packed entries", &|stored, keys| {
        let mut value = stored.get(&keys[0])?;
        let middle = value.len() / 2;
        value[middle] ^= 1;
        stored.put(&keys[0], &value)
    })?;
    each("segments", "packed entries removed", &|stored, keys| {
        for key in keys {
            stored.tree.remove(key)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A ledger whose end was cut off is consistent in itself. The log still has what was written last, and the witness has
/// the length of each ledger.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_ledger_that_was_cut_off_is_healed_or_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (document, text) = written(dir.path()).await?;
    let cut_off = |tree: &str, count: usize| -> Result<()> {
        let stored = Stored::open(dir.path(), tree, &document)?;
        let keys = stored.keys()?;
        for key in &keys[keys.len().saturating_sub(count)..] {
            stored.tree.remove(key)?;
        }
        stored.tree.flush()?;
        Ok(())
    };
    cut_off("ledger", 20)?;
    {
        let server = Server::start(dir.path())?;
        ensure!(read(&server.visit("ana")?, &document)? == text);
        ensure!(server.stop()?.success());
    }
    let (whole, printed) = check(dir.path())?;
    ensure!(whole, "{printed}");
    // Without the log, the damage is named, even if the checkpoint, which also has the entries, is removed.
    empty_the_log(dir.path())?;
    cut_off("ledger", 20)?;
    cut_off("checkpoints", usize::MAX)?;
    let (whole, printed) = check(dir.path())?;
    ensure!(!whole && printed.contains(&format!("DAMAGED document {document}")), "{printed}");
    ensure!(printed.contains("entries, and"), "{printed}");
    Ok(())
}
