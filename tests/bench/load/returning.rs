//! Many clients that come back to a long document at once, as after a restart of the server or of a network.

use super::client::Client;
use super::typing::Writer;
use super::{FIRST_ID, Load};
use crate::process::{Latencies, on_load_core};
use crate::servers::Running;
use accord_tests::SOON;
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Length of the document's text, in characters.
const TEXT_CHARS: usize = 100_000;
/// What the author writes at once.
const PARAGRAPH: &str =
    "A public promise is worth as much as what is kept of it afterwards, so it is kept whole. ";

/// The first client writes the text, the second waits until the server has it, and the others come back to it.
pub(crate) const RETURNING: Load = Load {
    name: "500 clients come back at once to 100 kB",
    documents: 1,
    clients: 502,
    typing: 1,
    every: Duration::from_millis(1),
};

/// Returns how long each client takes until it has the text, from the moment at which all of them begin to connect.
///
/// # Errors
/// Returns an error if a client can't sync, or does not receive the text.
pub(crate) async fn come_back(server: &Running) -> Result<Latencies> {
    let (address, places) = (server.address, server.places.clone());
    on_load_core(move || async move {
        let (first, others) = places.split_first().context("the load has clients")?;
        let author = Client::join(address, first, FIRST_ID).await?;
        let writer = Writer::new(author.sender.clone(), author.prefix.clone(), FIRST_ID);
        for _ in 0..TEXT_CHARS.div_ceil(PARAGRAPH.len()) {
            writer.write(PARAGRAPH)?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (check, others) = others.split_first().context("the load has several clients")?;
        // A ticket of Accord lets one client in, so the first attempt should succeed.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let end = Instant::now() + SOON;
        while Client::join(address, check, FIRST_ID + 1).await?.received < TEXT_CHARS {
            ensure!(Instant::now() < end, "the text is not at the server in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let began = Instant::now();
        let mut joining = JoinSet::new();
        for (place, id) in others.iter().cloned().zip(FIRST_ID + 2..) {
            joining.spawn_local(async move {
                let client = Client::join(address, &place, id).await?;
                ensure!(client.received >= TEXT_CHARS, "a client is without the text");
                anyhow::Ok((began.elapsed(), client))
            });
        }
        let mut taken = Vec::new();
        // Nobody leaves before everybody is there.
        let mut here = Vec::new();
        while let Some(joined) = joining.join_next().await {
            let (time, client) = joined??;
            taken.push(time.as_micros() as u32);
            here.push(client);
        }
        Ok(Latencies::of(taken))
    })
    .await
}
