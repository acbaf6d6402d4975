//! Deletions of commitments that somebody signs at the same time.

use super::{of, propose, sign};
use accord_document::release::canonical::digest;
use accord_tests::{Server, Visitor};
use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const ROUNDS: u32 = 60;
/// Step by which the delay between the two requests grows from round to round.
const SHIFT: Duration = Duration::from_micros(100);

fn delete(visitor: &Visitor, document: &str) -> Result<u16> {
    Ok(visitor.request("DELETE", &format!("/api/v1/documents/{document}"), None)?.0)
}

/// Sends a signature and a deletion from two threads. The delay between the two depends on the round. Returns the status
/// of the signature, then that of the deletion.
fn at_the_same_time(
    round: u32,
    sign: impl FnOnce() -> Result<(u16, Value)> + Send,
    delete: impl FnOnce() -> Result<u16>,
) -> Result<(u16, u16)> {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let signing = scope.spawn(|| {
            start.wait();
            thread::sleep(SHIFT * (round % 20));
            sign()
        });
        start.wait();
        thread::sleep(SHIFT * 10);
        let deleted = delete();
        let signed = signing.join().map_err(|_| anyhow!("the signatory panicked"))?;
        Ok((signed?.0, deleted?))
    })
}

/// The last signature freezes a commitment while the facilitator deletes it. Only one of them takes effect, so nothing that
/// both sides have signed is deleted.
#[test]
fn a_commitment_is_frozen_or_deleted_but_never_both() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    for round in 0..ROUNDS {
        let document = ana.create(&format!("Commitment {round}"))?;
        let proposal = propose(&fay, &document)?;
        ensure!(sign(&ana, &document, proposal)?.0 == 200, "the first signature");
        let (_, text) = ben.get(&of(&document, &format!("proposals/{proposal}")))?;
        let signature = json!({ "digest": digest(&text).to_string() });
        let path = of(&document, &format!("proposals/{proposal}/signature"));
        let sign = || ben.request("PUT", &path, Some(signature));
        let (signed, deleted) = match round {
            0 => (sign()?.0, delete(&fay, &document)?),
            1 => {
                let deleted = delete(&fay, &document)?;
                (sign()?.0, deleted)
            }
            _ => at_the_same_time(round, sign, || delete(&fay, &document))?,
        };
        let is_frozen = (signed, deleted) == (200, 409);
        let is_deleted = deleted == 204 && [404, 409].contains(&signed);
        ensure!(is_frozen || is_deleted, "round {round}: {signed} and {deleted}");
        ensure!(round != 0 || is_frozen, "what is frozen is not deleted");
        ensure!(round != 1 || is_deleted, "what is deleted is not frozen");
    }
    Ok(())
}
