//! A release is sealed once the server has accepted the signature that freezes its text, even if the signer has hung
//! up.

use crate::release::{freeze, of, path, propose, sign};
use accord_document::release::canonical::digest;
use accord_server::store::{DiskStore, Records as _};
use accord_tests::{Server, Visitor};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Signs a proposal, and hangs up after the given time without reading the answer.
fn sign_and_go(signer: &Visitor, document: &str, proposal: u64, after: Duration) -> Result<()> {
    let (_, text) = signer.get(&of(document, &format!("proposals/{proposal}")))?;
    let body = json!({ "digest": digest(&text).to_string() }).to_string();
    let path = of(document, &format!("proposals/{proposal}/signature"));
    let request = signer.begin("PUT", &path, Some(&body))?;
    sleep(after);
    drop(request);
    Ok(())
}

#[test]
fn a_release_is_sealed_although_its_last_signer_hangs_up() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let mut documents = Vec::new();
    // The signers hang up before, while and after the server accepts their signature.
    for after in [0, 1, 2, 4, 8, 16, 32] {
        let document = ana.create("Open contracts")?;
        let proposal = propose(&fay, &document)?;
        ensure!(sign(&ana, &document, proposal)?.0 == 200);
        sign_and_go(&ben, &document, proposal, Duration::from_millis(after))?;
        documents.push(document);
    }
    // The server reads a request when its turn comes, and ignores it if the sender has gone before. At least two of the
    // signatures must have been accepted.
    let end = Instant::now() + Duration::from_secs(60);
    let mut frozen = Vec::new();
    while frozen.len() < 2 {
        ensure!(Instant::now() < end, "{} of the signatures were taken", frozen.len());
        sleep(Duration::from_millis(100));
        frozen.clear();
        for document in &documents {
            if path(&ana, document)?["frozen"] == true {
                frozen.push(document.clone());
            }
        }
    }
    // Releases are sealed one after the other. A signer who does not hang up gets the answer when their release is
    // sealed. So when the last signer has the answer, all earlier releases are sealed.
    let last = ana.create("Open budgets")?;
    freeze(&fay, &ana, &ben, &last)?;
    frozen.push(last);
    ensure!(server.stop()?.success());
    let store = DiskStore::open(data.path(), 0)?;
    for document in frozen {
        // Nobody has requested the release itself, which would seal it as well, so the note was made for the
        // signature.
        let note = store.get("note", &format!("{document}/000001/000"))?;
        note.with_context(|| format!("the release of {document} is not sealed"))?;
    }
    Ok(())
}
