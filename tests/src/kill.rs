//! Kills the server at random moments while two people type, either with SIGKILL alone or with the loss of writes
//! that were not synced.

use crate::power::{begin_record, build_shim, lose_power};
use crate::{Server, ServerOptions, SyncClient};
use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::HashMap;
use std::time::{Duration, Instant};

const FIELD: &str = "problem";

/// Pause between two words of the same person. It is far shorter than a real person's, so that kills hit many unsaved
/// edits.
const BETWEEN_WORDS: Duration = Duration::from_millis(2);

/// The way in which the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// SIGKILL alone. The kernel's page cache survives, so no write is lost.
    Kill,
    /// SIGKILL followed by a loss of power: a random subset of the writes after the last sync is thrown away.
    PowerLoss,
}

/// The result of all rounds.
#[derive(Debug, Default)]
pub struct Toll {
    /// Number of acknowledged edits. All of them were found again after each death.
    pub acknowledged: usize,
    /// Number of unsynced writes that were thrown away, in whole or in part.
    pub lost_writes: usize,
}

/// Ends a server `rounds` times while two people type. Checks after each restart that every acknowledged word is in the
/// text exactly once. This also shows that the ledger verifies, because a server does not open a document whose ledger
/// does not verify.
pub async fn kill_rounds(rounds: usize, death: Death, seed: u64) -> Result<Toll> {
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir()?;
    let (data, record) = (dir.path().join("data"), dir.path().join("record"));
    let mut options = ServerOptions::default();
    if death == Death::PowerLoss {
        let shim = build_shim(dir.path())?.display().to_string();
        options.env.push(("LD_PRELOAD".into(), shim));
        options.env.push(("ACCORD_RECORD".into(), record.display().to_string()));
        options.env.push(("ACCORD_DISK".into(), data.display().to_string()));
    }
    let mut toll = Toll::default();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut document: Option<String> = None;
    for round in 0..rounds {
        if round > 0 && round % 25 == 0 {
            eprintln!("{round} of {rounds}: {} acknowledged edits", acknowledged.len());
        }
        let server = Server::start_with(&data, &options)?;
        let ana = server.visit("ana")?;
        let document = match &document {
            Some(document) => String::clone(document),
            None => document.insert(ana.create("Kill")?).clone(),
        };
        check(&ana.text(&document, FIELD)?, &acknowledged)?;
        let visitors = [ana, server.visit("ben")?];
        let end = Instant::now() + Duration::from_millis(random.random_range(20..400));
        let mut typing = Vec::new();
        for (person, visitor) in visitors.iter().enumerate() {
            let client = random.random_range(1..1u64 << 50);
            let client = SyncClient::connect_accord(&server, visitor, &document, client).await?;
            typing.push(tokio::spawn(type_on(client, format!("r{round}p{person}"))));
        }
        tokio::time::sleep_until(end.into()).await;
        server.kill();
        for task in typing {
            acknowledged.extend(task.await?);
        }
        if death == Death::PowerLoss {
            // The record must always describe whole files, so after the loss it begins again from the rewritten files.
            toll.lost_writes += lose_power(&data, &record, &mut random)?;
            begin_record(&data, &record)?;
        }
    }
    let server = Server::start_with(&data, &options)?;
    if let Some(document) = document {
        check(&server.visit("ana")?.text(&document, FIELD)?, &acknowledged)?;
    }
    ensure!(!acknowledged.is_empty(), "nothing was acknowledged: the load was no load");
    toll.acknowledged = acknowledged.len();
    Ok(toll)
}

fn check(text: &str, acknowledged: &[String]) -> Result<()> {
    let mut found: HashMap<&str, usize> = HashMap::new();
    for word in text.split_inclusive(']') {
        *found.entry(word).or_default() += 1;
    }
    for word in acknowledged {
        let times = found.get(word.as_str()).copied().unwrap_or_default();
        ensure!(times == 1, "the acknowledged word {word:?} is there {times} times");
    }
    Ok(())
}

/// Types until the connection breaks, and applies what the other person types meanwhile. Returns the words whose
/// edits were acknowledged.
async fn type_on(mut client: SyncClient, name: String) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        let word = format!("[{name}n{}]", words.len());
        words.push(word.clone());
        // Words are appended before the final newline, which every text has.
        let end = client.len(FIELD).saturating_sub(1);
        if client.edit(FIELD, end, 0, &word).await.is_err() {
            break;
        }
        if pause(&mut client).await.is_err() {
            break;
        }
    }
    // Acknowledgements that had already arrived when the server died are read as well.
    while client.fetch().await.is_ok() {}
    // The first edit on the connection was part of the handshake, so word n (counted from 0) was sent as edit n + 2.
    let saved = usize::try_from(client.saved.saturating_sub(1)).unwrap_or(0);
    words.truncate(saved);
    words
}

/// Receives frames until the next word is due and at most eight edits wait for an acknowledgement, then applies the
/// updates.
async fn pause(client: &mut SyncClient) -> Result<()> {
    let due = tokio::time::Instant::now() + BETWEEN_WORDS;
    while let Ok(frame) = tokio::time::timeout_at(due, client.fetch()).await {
        frame?;
    }
    while client.sent - client.saved > 8 {
        client.fetch().await?;
    }
    client.integrate()
}
