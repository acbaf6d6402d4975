//! Readers who request many files, or read them slowly, do not delay others.

use super::{Colleague, MAX_KEYSTROKE, MAX_PEAK_MIB, draft, large_text, pdf, until};
use accord_tests::{OpenRequest, SOON, Server, Visitor, Watch, children};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn one_person_asks_for_a_few_files_at_once_and_keeps_nobody_waiting() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (ana, ada) = (server.visit("ana")?, server.visit("ada")?);
    let large = draft(&ana, &large_text())?;
    let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
    let ask = |_| {
        let (ana, path) = (ana.clone(), pdf(&large));
        thread::spawn(move || ana.page(&path, "retry-after"))
    };
    let asked: Vec<_> = (0..12).map(ask).collect();
    until("no child is started", || !children(server.id()).is_empty())?;
    // Another person's file is made although Ana's requests are waiting.
    let begun = Instant::now();
    ensure!(ada.download(&pdf("demo"))?.0.starts_with(b"%PDF"));
    ensure!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let (mut made, mut sent_away) = (0, 0);
    for one in asked {
        match one.join().map_err(|_| anyhow::anyhow!("no answer"))?? {
            (200, ..) => made += 1,
            (429, body, wait) if !wait.is_empty() && body.contains("busy") => sent_away += 1,
            // The server refused this request because its turn did not come in time.
            (503, _, wait) if !wait.is_empty() => {}
            (status, body, _) => anyhow::bail!("{status} {body:.200}"),
        }
    }
    ensure!(made >= 1 && sent_away >= 8, "{made} made, {sent_away} sent away");
    let (peak, most) = (watch.peak_mib(), watch.most_children());
    let waited = colleague.longest_wait()?;
    ensure!(peak <= MAX_PEAK_MIB, "{peak} MiB");
    ensure!(most <= 2 && waited < MAX_KEYSTROKE, "{most} children, {waited:?}");
    Ok(())
}

#[test]
fn a_public_pdf_costs_no_more_whatever_was_signed() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    // This is the worst text that can be signed: the most marks allowed on each letter, and a very long word.
    let stacks = format!("a{}", "\u{301}\u{323}".repeat(4)).repeat(5_000);
    let document = draft(&ana, &format!("{stacks} {}", "a".repeat(100_000)))?;
    ensure!(release(&fay, &[&ana, &ben], &document)?, "it can be signed");
    let watch = Watch::begin(&server);
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let (nobody, path) =
                (Visitor::nobody(&server.address), format!("/r/{document}/1/release.pdf"));
            thread::spawn(move || nobody.page(&path, "content-type"))
        })
        .collect();
    for reader in readers {
        let (status, body, kind) = reader.join().map_err(|_| anyhow::anyhow!("no answer"))??;
        ensure!(status == 200 && kind == "application/pdf", "{status} {body:.200}");
    }
    ensure!(watch.most_children() <= 1, "they wait for one and the same");
    ensure!(watch.peak_mib() <= MAX_PEAK_MIB, "{} MiB", watch.peak_mib());
    Ok(())
}

/// Proposes, signs and launches a text. Returns `false` if the server refuses the proposal.
fn release(facilitator: &Visitor, signatories: &[&Visitor], document: &str) -> Result<bool> {
    let of = |rest: &str| format!("/api/v1/documents/{document}/{rest}");
    let (_, path) = facilitator.get(&of("release"))?;
    let digest = json!({ "digest": path["digest"] });
    let (status, made) = facilitator.post(&of("proposals"), digest.clone())?;
    if status == 409 {
        return Ok(false);
    }
    ensure!(status < 300, "{status} {made}");
    let signature = of(&format!("proposals/{}/signature", made["seq"]));
    for visitor in signatories {
        let (status, answer) = visitor.request("PUT", &signature, Some(digest.clone()))?;
        ensure!(status == 200, "{status} {answer}");
    }
    let launch = json!({ "documents": [document], "zone": "Europe/Paris" });
    let (status, answer) = facilitator.post("/api/v1/plans/demo/launches", launch)?;
    ensure!(status == 200, "{status} {answer}");
    Ok(true)
}

/// Requests a file and reads only the status of the answer.
fn ask_and_stop(by: &Visitor, path: &str) -> Result<OpenRequest> {
    let mut request = by.begin("GET", path, None)?;
    let status = request.status(SOON)?;
    ensure!(status == 200, "{status}");
    Ok(request)
}

#[test]
fn a_slow_answer_is_read_slowly_by_its_reader_alone() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    // The answer is larger than what the system buffers for a reader who reads nothing.
    let text = "\u{10330}".repeat(390_000);
    let path = format!("/api/v1/documents/{}/draft/md", draft(&ana, &text)?);
    let watch = Watch::begin(&server);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(ask_and_stop(&ana, &path)?);
    }
    // The unread answers take all of Ana's places and nobody else's.
    for _ in 0..5 {
        let (status, refused) = ana.get(&path)?;
        ensure!(status == 429 && refused["error"] == "busy", "{status} {refused}");
        ensure!(ben.download(&path)?.0.len() > text.len(), "an answer is cut");
        thread::sleep(Duration::from_millis(200));
    }
    // An answer that is read to its end is complete, and frees its place.
    let mut slow = open.pop().context("an answer")?;
    ensure!(slow.rest()?.len() > text.len(), "an answer is cut");
    until("a place does not come back", || ana.download(&path).is_ok())?;
    // Abandoned answers free their places as well.
    drop(open);
    until("places do not come back", || {
        let all: Result<Vec<_>> = (0..4).map(|_| ask_and_stop(&ana, &path)).collect();
        all.is_ok()
    })?;
    ensure!(watch.peak_mib() <= MAX_PEAK_MIB, "{} MiB", watch.peak_mib());
    Ok(())
}
