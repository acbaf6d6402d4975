//! How long a single writer waits until Accord has an edit on disk, while nobody else uses the server.

use crate::process::{Latencies, on_load_core};
use crate::servers::Running;
use accord_tests::{Listens, SyncClient, Visitor};
use anyhow::Result;
use std::time::{Duration, Instant};

const EDITS: u32 = 100;
/// Shortest and longest pause between two edits, in milliseconds. Pauses vary, so that edits do not fall into step with a
/// timer of the server.
pub(super) const PAUSE_MS: std::ops::Range<u64> = 20..80;

struct Address(String);

impl Listens for Address {
    fn address(&self) -> &str {
        &self.0
    }
}

/// Returns the times from the edits of a single writer to the server's note that they are on disk.
pub(super) async fn acknowledgements() -> Result<Latencies> {
    let dir = tempfile::tempdir()?;
    let server = Running::accord(dir.path(), &[]).await?;
    let address = Address(server.address.to_string());
    on_load_core(move || async move { write(&address).await }).await
}

async fn write(address: &Address) -> Result<Latencies> {
    let ana = Visitor::sign_in(&address.0, "ana")?;
    let document = ana.create("Quiet")?;
    let mut writer = SyncClient::connect_accord(address, &ana, &document, 1).await?;
    let mut taken = Vec::new();
    for edit in 0..EDITS {
        let pause = rand::random_range(PAUSE_MS);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let began = Instant::now();
        writer.edit("problem", edit, 0, "x").await?;
        while writer.saved < writer.sent {
            writer.fetch().await?;
        }
        taken.push(began.elapsed().as_micros() as u32);
    }
    Ok(Latencies::of(taken))
}
