//! Killing the server at random moments under typing load.

use crate::{Server, SyncClient};
use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

const FIELD: &str = "problem";

/// Kills a server `rounds` times while two people type, and checks after each restart that its
/// ledgers verify (a document that does not verify is not opened) and that every acknowledged word
/// is there, once.
pub async fn kill_rounds(rounds: usize, seed: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir()?;
    let mut acknowledged: Vec<String> = Vec::new();
    let mut document = None;
    for round in 0..rounds {
        let server = Server::start(dir.path())?;
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
    }
    let server = Server::start(dir.path())?;
    if let Some(document) = document {
        check(&server.visit("ana")?.text(&document, FIELD)?, &acknowledged)?;
    }
    ensure!(!acknowledged.is_empty(), "nothing was acknowledged: the load was no load");
    Ok(())
}

fn check(text: &str, acknowledged: &[String]) -> Result<()> {
    for word in acknowledged {
        let times = text.matches(word.as_str()).count();
        ensure!(times == 1, "the acknowledged word {word:?} is there {times} times");
    }
    Ok(())
}

/// Types until the connection dies; gives the words whose edits were acknowledged.
async fn type_on(mut client: SyncClient, name: String) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        let word = format!("[{name}n{}]", words.len());
        words.push(word.clone());
        if client.edit(FIELD, 0, 0, &word).await.is_err() {
            break;
        }
        // Up to eight edits are under way at once.
        let mut dead = false;
        while client.sent - client.saved > 8 && !dead {
            dead = client.fetch().await.is_err();
        }
        if dead {
            break;
        }
    }
    // What had already arrived when the server died counts as said.
    while client.fetch().await.is_ok() {}
    // Edit 1 was the handshake's, so word n went out as edit n + 2.
    let saved = usize::try_from(client.saved.saturating_sub(1)).unwrap_or(0);
    words.truncate(saved);
    words
}
