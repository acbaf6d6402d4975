//! Measures how long it takes to make each file of a draft, and to import a draft from a file. Each measurement is the
//! median time of several whole requests, sent one after the other.

use accord_tests::{Server, Visitor};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

pub(crate) fn all() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let ana = server.visit("ana")?;
    for words in [1_000, 10_000, 50_000] {
        let sentence = "Nobody can read the budget of the city today.";
        let paragraph = format!("{}\n\n", [sentence; 9].join(" "));
        let draft = format!("# Budget\n\n## The problem\n\n{}", paragraph.repeat(words / 81));
        let (document, took) = timed(|| import(&ana, "draft.md", draft.as_bytes()))?;
        println!("files, {words} words: Markdown brought in {took:.0?}");
        let mut word = Vec::new();
        for kind in ["pdf", "docx", "html", "md", "json"] {
            let path = format!("/api/v1/documents/{document}/draft/{kind}");
            let ((bytes, _), took) = timed(|| ana.download(&path))?;
            println!("files, {words} words: {kind} {took:.0?}, {} kB", bytes.len() / 1_000);
            if kind == "docx" {
                word = bytes;
            }
        }
        let (_, took) = timed(|| import(&ana, "draft.docx", &word))?;
        println!("files, {words} words: DOCX brought in {took:.0?}");
    }
    Ok(())
}

fn import(by: &Visitor, name: &str, file: &[u8]) -> Result<String> {
    let (status, made) = by.upload(&format!("/api/v1/plans/demo/imports?name={name}"), file)?;
    ensure!(status == 201, "{status} {made}");
    Ok(made["id"].as_str().context("an id")?.to_owned())
}

/// Calls `ask` [`ROUNDS`] times. Returns its last answer and the median time.
fn timed<T>(mut ask: impl FnMut() -> Result<T>) -> Result<(T, Duration)> {
    let mut times = Vec::new();
    loop {
        let start = Instant::now();
        let answer = ask()?;
        times.push(start.elapsed());
        if times.len() == ROUNDS {
            times.sort();
            return Ok((answer, times[ROUNDS / 2]));
        }
    }
}
