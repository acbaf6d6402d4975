//! Damages copies of data folders at random places, and opens them: what was acknowledged must be there, or the damage must
//! be named.

use crate::{Server, SyncClient};
use accord_document::ids::{LedgerId, Seq};
use accord_server::store::{DiskStore, Ledger as _, Record, Records as _, StoreError};
use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Number of edits in a folder: enough for the store to settle several times.
const EDITS: usize = 2_000;
/// How long a round waits, after the last edit, until the settler has noted the last batch of the log. The settler does so
/// about once a second.
const WAIT_FOR_NOTE: Duration = Duration::from_millis(1_500);

/// The number of damaged folders with each outcome.
#[derive(Debug, Default, Clone, Copy)]
pub struct Damages {
    /// The store did not open, and said why.
    pub refused: usize,
    /// The store opened, and named a damaged ledger.
    pub named: usize,
    /// Everything was there: the damage was healed, or had hit nothing that counts.
    pub whole: usize,
}

/// Everything that a store contains.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    ledgers: BTreeMap<LedgerId, Vec<Vec<u8>>>,
    records: Vec<(String, String, Record)>,
}

/// Damages data folders `count` times: those of a server that was killed, of one that was stopped, and of one that was
/// stopped right after its first start.
///
/// # Errors
/// Returns an error if anything that was acknowledged is missing or changed, and nothing says so.
pub async fn damage_rounds(count: usize, seed: u64) -> Result<Damages> {
    let mut random = StdRng::seed_from_u64(seed);
    let (killed, stopped, fresh) =
        (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let server = written(killed.path()).await?;
    std::thread::sleep(WAIT_FOR_NOTE);
    server.kill();
    ensure!(written(stopped.path()).await?.stop()?.success());
    ensure!(Server::start(fresh.path())?.stop()?.success());
    let mut folders = Vec::new();
    for folder in [killed.path(), stopped.path(), fresh.path()] {
        let copy = tempfile::tempdir()?;
        copy_folder(folder, copy.path())?;
        folders.push((folder, contents(&DiskStore::open(copy.path(), 0)?)?));
    }
    let mut damages = Damages::default();
    for round in 0..count {
        let (folder, whole) = &folders[round % folders.len()];
        let copy = tempfile::tempdir()?;
        copy_folder(folder, copy.path())?;
        let what = damage(copy.path(), &mut random)?;
        let outcome = outcome(copy.path(), whole);
        *outcome.with_context(|| format!("round {round}: {what}"))?(&mut damages) += 1;
        if round > 0 && round % 1_000 == 0 {
            eprintln!("{round} of {count}: {damages:?}");
        }
    }
    Ok(damages)
}

/// Starts a server, and writes a document into its folder.
async fn written(data: &Path) -> Result<Server> {
    let server = Server::start(data)?;
    let ana = server.visit("ana")?;
    let document = ana.create("Damage")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 7).await?;
    for number in 0..EDITS {
        let update = client.change("problem", 0, 0, &format!("word {number} "));
        client.feed_update(&update).await?;
        if number % 50 == 0 {
            client.settled().await?;
        }
    }
    client.settled().await?;
    Ok(server)
}

fn contents(store: &DiskStore) -> Result<Contents, StoreError> {
    let documents = store.documents()?.into_iter().map(LedgerId::from);
    let plans = store.plans()?.into_iter().map(LedgerId::from);
    let mut ledgers = BTreeMap::new();
    for ledger in documents.chain(plans).chain([LedgerId::Audit]) {
        let entries = store.read(&ledger, Seq(0))?;
        ledgers.insert(ledger, entries);
    }
    Ok(Contents { ledgers, records: store.all()? })
}

/// Returns which number the outcome of opening a damaged folder belongs to.
fn outcome(data: &Path, whole: &Contents) -> Result<fn(&mut Damages) -> &mut usize> {
    let Ok(store) = DiskStore::open(data, 0) else { return Ok(|damages| &mut damages.refused) };
    let mut is_named = false;
    for (ledger, entries) in &whole.ledgers {
        match store.read(ledger, Seq(0)) {
            Ok(read) => ensure!(read == *entries, "the ledger of {ledger} is not what was written"),
            Err(_) => is_named = true,
        }
    }
    ensure!(store.all()? == whole.records, "the records are not those that were written");
    if is_named { Ok(|damages| &mut damages.named) } else { Ok(|damages| &mut damages.whole) }
}

/// Flips a bit, zeroes a sector, cuts a file or removes it. Returns what was done.
fn damage(data: &Path, random: &mut StdRng) -> Result<String> {
    let mut files = Vec::new();
    list(data, &mut files)?;
    files.sort();
    let file = &files[random.random_range(0..files.len())];
    let mut bytes = fs::read(file)?;
    let name = file.strip_prefix(data)?.display().to_string();
    let at = if bytes.is_empty() { 0 } else { random.random_range(0..bytes.len()) };
    // Most of a file can be empty, so half of the faults hit the next byte that is not zero.
    let next = bytes[at..].iter().position(|byte| *byte != 0).map_or(at, |skipped| at + skipped);
    let at = if random.random_bool(0.5) { next } else { at };
    let what = match random.random_range(0..20) {
        _ if bytes.is_empty() => "removed",
        0..12 => {
            bytes[at] ^= 1 << random.random_range(0..8);
            "a flipped bit"
        }
        12..15 => {
            let sector = at / 512 * 512;
            let end = bytes.len().min(sector + 512);
            bytes[sector..end].fill(0);
            "a sector of zeroes"
        }
        15..19 => {
            bytes.truncate(at);
            "a cut"
        }
        _ => "removed",
    };
    if what == "removed" {
        fs::remove_file(file)?;
    } else {
        fs::write(file, bytes)?;
    }
    Ok(format!("{name}: {what} at byte {at}"))
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.starts_with(dir) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// Copies a folder with its files and folders.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
