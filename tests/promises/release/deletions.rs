//! Deletions of commitments that somebody signs at the same time.

use super::{of, propose, sign};
use accord_document::release::canonical::digest;
use accord_tests::{Server, Visitor};
use anyhow::{Result, ensure};
use serde_json::json;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const ROUNDS: u32 = 60;
/// Step by which the two requests of a round are shifted against each other.
const SHIFT: Duration = Duration::from_micros(100);

fn delete(visitor: &Visitor, document: &str) -> Result<u16> {
    Ok(visitor.request("DELETE", &format!("/api/v1/documents/{document}"), None)?.0)
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
        let start = Barrier::new(2);
        let (signed, deleted) = thread::scope(|scope| {
            let signing = scope.spawn(|| {
                start.wait();
                thread::sleep(SHIFT * (round % 20));
                ben.request("PUT", &path, Some(signature))
            });
            start.wait();
            thread::sleep(SHIFT * 10);
            let deleted = delete(&fay, &document);
            (signing.join(), deleted)
        });
        let (signed, problem) = signed.map_err(|_| anyhow::anyhow!("the signatory panicked"))??;
        let done = (signed, deleted?);
        ensure!(
            done == (200, 409) || done == (404, 204),
            "round {round}: the signature {signed} {problem}, and both: {done:?}"
        );
    }
    Ok(())
}
