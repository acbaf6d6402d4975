//! How long a single writer waits until Accord has an edit on disk, while nobody else uses the server.

use crate::load::Load;
use crate::process::{LOAD_CORE, Latencies, on_core};
use crate::servers::{Kind, Running};
use accord_tests::{Listens, SyncClient, Visitor};
use anyhow::Result;
use std::time::{Duration, Instant};

const EDITS: u32 = 100;
/// Shortest and longest pause between two edits, in milliseconds. Pauses vary, so that edits do not fall into step with a
/// timer of the server.
pub(super) const PAUSE_MS: std::ops::Range<u64> = 20..80;

/// No documents and no clients, because the writer creates its own document.
const NOBODY: Load =
    Load { name: "a single writer", documents: 0, clients: 0, typing: 0, every: Duration::ZERO };

struct Address(String);

impl Listens for Address {
    fn address(&self) -> &str {
        &self.0
    }
}

/// Returns the times from the edits of a single writer to the server's note that they are on disk.
pub(super) async fn acknowledgements() -> Result<Latencies> {
    let dir = tempfile::tempdir()?;
    let server = Running::start(Kind::Accord, dir.path(), &NOBODY).await?;
    let address = Address(server.address.to_string());
    on_core(LOAD_CORE, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(write(&address))
    })
    .await
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
