//! The history says who wrote, moved and deleted each passage.

use accord_document::ids::{DocumentId, Seq};
use accord_document::template::FIELDS;
use accord_server::store::{DiskStore, Ledger};
use accord_tests::{Ledgered, Server, SyncClient, Trace, Visitor, attribution_runs, retype};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// Three people write at random, with offline spells, undo, moves, pastes and restores. For any two moments, the
/// history gives the same authors as the test's own record, and so believes claims only where they are true
/// (rule A7).
#[test]
fn history_credits_whoever_wrote_moved_and_deleted_each_character() -> Result<()> {
    let answer = attribution_runs(40, 7)?;
    println!("{answer}");
    Ok(())
}

/// In a text that two people wrote at the same time, the history credits each remaining character to the person who
/// typed it.
#[test]
fn every_surviving_character_of_a_real_trace_is_credited_to_who_typed_it() -> Result<()> {
    let trace = Trace::load("friendsforever")?;
    let mut ledger = Ledgered::new()?;
    let text = retype(&trace, |_, text| text.to_owned(), |who, update| ledger.take(who, update))?;
    ensure!(text == trace.end_content);
    // The same typing is repeated with the typist's number in place of each character. The result names the author of
    // each character.
    let digit = |who: usize, text: &str| text.chars().map(|_| ["0", "1"][who]).collect();
    let typists = retype(&trace, digit, |_, _| Ok(()))?;
    let diff = ledger.history.diff(Seq(0), Seq(u64::MAX));
    let mut credited = String::new();
    let mut read = String::new();
    for piece in &diff.texts[0].pieces {
        let author = &ledger.history.authors()[piece.written.author as usize];
        read.push_str(piece.text());
        credited.extend(piece.text().chars().map(|_| &author.person.as_str()[1..]));
    }
    ensure!(read == trace.end_content);
    ensure!(credited == typists, "somebody is credited with what the other typed");
    ensure!(typists.contains('0') && typists.contains('1'));
    Ok(())
}

/// The page counts changes by section without having the texts, so its list of sections must be that of the template.
#[test]
fn the_pages_sections_are_those_of_the_template() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/generated/fields.ts");
    let listed = std::fs::read_to_string(path)?;
    let listed: Vec<_> = listed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let mut wanted = Vec::new();
    for field in FIELDS {
        let section = serde_json::to_value(field.section)?;
        wanted.push(format!("{}: '{}',", field.key, section.as_str().unwrap_or("title")));
    }
    assert_eq!(listed, wanted);
    Ok(())
}

/// Returns the answer of `GET …/diff` for two moments.
fn diff(visitor: &Visitor, document: &str, from: u64, to: u64) -> Result<Value> {
    let path = format!("/api/v1/documents/{document}/diff?from={from}&to={to}");
    let (status, answer) = visitor.get(&path)?;
    ensure!(status == 200, "{status} {answer}");
    Ok(answer)
}

fn history(visitor: &Visitor, document: &str) -> Result<Value> {
    let (status, answer) = visitor.get(&format!("/api/v1/documents/{document}/history"))?;
    ensure!(status == 200, "{status} {answer}");
    Ok(answer)
}

/// Returns the name of the person at an index of `authors`.
fn person(answer: &Value, author: &Value) -> String {
    let index = author.as_u64().unwrap_or(u64::MAX) as usize;
    answer["authors"][index]["name"].as_str().unwrap_or_default().to_owned()
}

/// Checks the co-creation record as JSON, as a table and as a page: who wrote the present text, and who did what in
/// which sitting.
fn the_record_agrees(
    server: &Server,
    ben: &Visitor,
    document: &str,
    versions: &Value,
) -> Result<()> {
    let (_, record) = ben.get(&format!("/api/v1/documents/{document}/record"))?;
    assert_eq!(&record["versions"], versions);
    let shares = record["shares"].as_array().context("shares")?;
    let share = |section: &str, name: &str| {
        let found = shares
            .iter()
            .find(|share| share["section"] == section && person(&record, &share["author"]) == name);
        found.and_then(|share| share["characters"].as_u64()).unwrap_or(0)
    };
    assert_eq!(share("why", "Ana Ferreira"), "Nobody can read the budget.".len() as u64);
    assert_eq!(share("why", "Ben Okafor"), "It is a scan. ".len() as u64);
    let base = format!("http://{}/api/v1/documents/{document}/record", server.address);
    let file = |format: &str| {
        ureq::get(format!("{base}?format={format}")).header("cookie", &ben.cookie).call()
    };
    let table = file("csv")?.body_mut().read_to_string()?;
    let line = ",\"Ben Okafor\",\"author\",\"civil_society\",\"problem\",13,6,0";
    assert!(table.lines().any(|row| row.ends_with(line)), "{table}");
    // The page has the same content, and no markup in a title takes effect in it.
    let mut page = file("html")?;
    let policy = page.headers()["content-security-policy"].to_str()?.to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = page.body_mut().read_to_string()?;
    assert!(page.contains("&lt;b&gt;Budgets&lt;/b&gt;") && !page.contains("<b>"), "{page}");
    assert!(page.contains("Ben Okafor") && page.contains(">13</td>"), "{page}");
    for version in versions.as_array().context("versions")? {
        let name = version["name"].as_str().filter(|name| !name.is_empty());
        assert!(page.contains(name.unwrap_or("Before going back to")), "{page}");
    }
    Ok(())
}

/// Checks that all devices of a person know up to which moment the person has seen the history, and that this moment
/// only moves forward.
fn what_was_seen_is_told_to_oneself(
    server: &Server,
    ben: &Visitor,
    document: &str,
    head: u64,
) -> Result<()> {
    let path = format!("/api/v1/documents/{document}/history/seen");
    assert_eq!(history(ben, document)?["seen"], Value::Null);
    for (upto, known) in [(3, 3), (2, 3), (1_000_000, head)] {
        assert_eq!(ben.request("PUT", &path, Some(json!({ "seq": upto })))?.0, 204);
        assert_eq!(history(&server.visit("ben")?, document)?["seen"], known);
    }
    Ok(())
}

/// Two people disagree in a text. The history shows each edit and its author, and a version and a restore change none
/// of that.
#[tokio::test(flavor = "multi_thread")]
async fn a_disagreement_can_be_read_from_the_history_alone() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben, obi) = (server.visit("ana")?, server.visit("ben")?, server.visit("obi")?);
    let document = ana.create("Open <b>Budgets</b>")?;
    let mut first = SyncClient::connect_accord(&server, &ana, &document, 11).await?;
    let mut second = SyncClient::connect_accord(&server, &ben, &document, 12).await?;
    first.edit("problem", 0, 0, "Nobody can read the budget.").await?;
    second.until("problem", |text| text.starts_with("Nobody can read")).await?;
    let before = history(&ana, &document)?["head"]["seq"].as_u64().context("a head")?;
    second.edit("problem", 0, 6, "").await?;
    second.edit("problem", 0, 0, "Few residents").await?;
    first.until("problem", |text| text.starts_with("Few residents")).await?;

    let named = json!({ "name": "Ben’s wording", "description": "To be discussed" });
    let path = format!("/api/v1/documents/{document}/versions");
    assert_eq!(ben.post(&path, named)?.0, 200);
    assert_eq!(ben.post(&path, json!({ "name": " " }))?.0, 422, "a version needs a name");
    let late = json!({ "name": "Never", "moment": 1_000_000 });
    assert_eq!(ben.post(&path, late)?.0, 422, "nor is there a version of what has not come");

    let answer = history(&ana, &document)?;
    let after = answer["versions"][0]["moment"]["seq"].as_u64().context("a moment")?;
    assert_eq!(answer["versions"][0]["name"], "Ben’s wording");
    assert_eq!(person(&answer, &answer["versions"][0]["by"]), "Ben Okafor");
    let seen = diff(&ana, &document, before, after)?;
    let change = &seen["changes"][0];
    assert_eq!(change["what"], "replaced", "{seen}");
    assert_eq!((&change["old"], &change["new"]), (&json!("Nobody"), &json!("Few residents")));
    assert_eq!(person(&seen, &change["by"]["author"]), "Ben Okafor");
    assert_eq!(person(&seen, &change["wrote"][0]), "Ana Ferreira");

    // Ana restores an earlier moment of one field while Ben writes in another field.
    second.edit("causes", 0, 0, "It is a scan. ").await?;
    let back = json!({ "moment": before, "part": "problem" });
    let (status, answer) =
        ana.post(&format!("/api/v1/documents/{document}/restorations"), back.clone())?;
    assert_eq!(status, 200, "{answer}");
    second.until("problem", |text| text == "Nobody can read the budget.\n").await?;
    first.until("causes", |text| text == "It is a scan. \n").await?;
    let answer = history(&ben, &document)?;
    assert_eq!(person(&answer, &answer["restorations"][0]["by"]), "Ana Ferreira");
    assert_eq!(answer["versions"][1]["before_restoring"]["seq"], before);
    // Restoring the present text changes nothing and adds no entry.
    let (_, again) = ana.post(&format!("/api/v1/documents/{document}/restorations"), back)?;
    assert_eq!(again["seq"], answer["head"]["seq"]);
    // The restored word is credited to Ana, who first wrote it.
    let seen = diff(&ben, &document, after, answer["head"]["seq"].as_u64().context("a head")?)?;
    let texts = seen["texts"].as_array().context("texts")?;
    let problem = texts.iter().find(|text| text["target"] == "problem").context("a text")?;
    let pieces = problem["pieces"].as_array().context("pieces")?;
    let inserted = pieces.iter().find(|piece| piece["fate"] == "inserted").context("a piece")?;
    assert_eq!(inserted["insert"], "Nobody");
    assert_eq!(person(&seen, &inserted["written"]["author"]), "Ana Ferreira");

    the_record_agrees(&server, &ben, &document, &answer["versions"])?;
    let head = answer["head"]["seq"].as_u64().context("a head")?;
    what_was_seen_is_told_to_oneself(&server, &ben, &document, head)?;
    assert_eq!(history(&ana, &document)?["seen"], Value::Null);

    // An observer is allowed to read the text, but not its earlier versions.
    assert_eq!(obi.get(&format!("/api/v1/documents/{document}/history"))?.0, 403);
    assert_eq!(obi.get(&format!("/api/v1/documents/{document}/diff?from=1"))?.0, 403);
    // The history is the same after a restart.
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    let again = history(&server.visit("ben")?, &document)?;
    assert_eq!(
        (&again["versions"], &again["sittings"]),
        (&answer["versions"], &answer["sittings"])
    );
    Ok(())
}

/// A secret in the present text is in the history until it is redacted, and in no comparison after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_passage_is_gone_from_the_history() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let document = ana.create("With a secret")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 11).await?;
    client.edit("problem", 0, 0, "The key is hunter2.").await?;
    client.settled().await?;
    let answer = history(&ana, &document)?;
    let head = answer["head"]["seq"].as_u64().context("a head")?;
    assert!(diff(&ana, &document, 1, head)?.to_string().contains("hunter2"));
    let redaction =
        json!({ "target": "problem", "from": 11, "text": "hunter2", "reason": "A password" });
    assert_eq!(fay.post(&format!("/api/v1/documents/{document}/redactions"), redaction)?.0, 204);
    for (from, to) in [(1, head), (1, head + 2), (head, head + 2)] {
        let answer = diff(&ana, &document, from, to)?.to_string();
        assert!(!answer.contains("hunter2"), "from {from} to {to}: {answer}");
    }
    Ok(())
}

/// A secret that was deleted earlier is redacted from a comparison that shows it. It is then gone from every
/// comparison and from the store, and the text around it is unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn a_passage_of_the_past_is_redacted_from_a_comparison_that_shows_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let document = ana.create("With a secret")?;
    let mut client = SyncClient::connect_accord(&server, &ana, &document, 11).await?;
    client.edit("problem", 0, 0, "Before. The key is hunter2, he said.").await?;
    client.edit("problem", 7, 29, "").await?;
    client.edit("problem", 7, 0, " After.").await?;
    client.settled().await?;
    let answer = diff(&ana, &document, 2, 4)?;
    assert!(answer.to_string().contains("hunter2"), "{answer}");
    // The redaction names the position of the secret among the pieces of that comparison.
    let texts = answer["texts"].as_array().context("texts")?;
    let problem = texts.iter().find(|text| text["target"] == "problem").context("the problem")?;
    let pieces = problem["pieces"].as_array().context("pieces")?;
    let text: String = pieces.iter().filter_map(|piece| piece["insert"].as_str()).collect();
    let at = text.find("hunter2").context("it is told")?;
    let path = format!("/api/v1/documents/{document}/redactions");
    let redaction = |at: usize, compared: Value| json!({ "target": "problem", "from": at, "text": "hunter2", "reason": "A password", "compared": compared });
    let compared = json!({ "from": 2, "to": 4 });
    assert_eq!(ana.post(&path, redaction(at, compared.clone()))?.0, 403, "authors redact nothing");
    assert_eq!(fay.post(&path, redaction(at + 1, compared.clone()))?.0, 409, "it stands elsewhere");
    assert_eq!(fay.post(&path, redaction(at, json!({ "from": 3, "to": 4 })))?.0, 409, "nor there");
    assert_eq!(fay.post(&path, redaction(at, Value::Null))?.0, 409, "nor in the text as it is");
    let (status, answer) = fay.post(&path, redaction(at, compared))?;
    assert_eq!(status, 204, "{answer} {problem}");
    let head = history(&ana, &document)?["head"]["seq"].as_u64().context("a head")?;
    for from in 1..=head {
        for to in from..=head {
            let answer = diff(&ana, &document, from, to)?.to_string();
            assert!(!answer.contains("hunter2"), "from {from} to {to}: {answer}");
        }
    }
    let answer = diff(&ana, &document, 2, 4)?.to_string();
    assert!(
        answer.contains("The key is ") && answer.contains(", he said."),
        "the rest stays: {answer}"
    );
    assert_eq!(ana.text(&document, "problem")?.trim_end(), "Before. After.");
    // No stored entry contains the secret, and the document still opens after a restart.
    ensure!(server.stop()?.success());
    let store = DiskStore::open(dir.path(), 0)?;
    for entry in store.read(&DocumentId::new(document.as_str()).into(), Seq(0))? {
        assert!(!String::from_utf8_lossy(&entry).contains("hunter2"));
    }
    drop(store);
    let server = Server::start(dir.path())?;
    assert_eq!(server.visit("ana")?.text(&document, "problem")?.trim_end(), "Before. After.");
    Ok(())
}

/// Two people type while a third restores again and again. Every word is in the text, or in a version that was made
/// before a restore, and everybody sees the same text.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_typed_is_lost_by_a_restore() -> Result<()> {
    const WORDS: usize = 150;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben, fay) = (server.visit("ana")?, server.visit("ben")?, server.visit("fay")?);
    let document = ana.create("Restless")?;
    let mut clients = [
        SyncClient::connect_accord(&server, &ana, &document, 11).await?,
        SyncClient::connect_accord(&server, &ben, &document, 12).await?,
    ];
    let start = history(&fay, &document)?["head"]["seq"].as_u64().context("a head")?;
    let restoring = {
        let (fay, document) = (fay.clone(), document.clone());
        tokio::task::spawn_blocking(move || {
            for _ in 0..8 {
                std::thread::sleep(Duration::from_millis(60));
                let path = format!("/api/v1/documents/{document}/restorations");
                let (status, answer) = fay.post(&path, json!({ "moment": start }))?;
                ensure!(status == 200, "{status} {answer}");
            }
            Ok(())
        })
    };
    for n in 0..WORDS {
        for (who, client) in clients.iter_mut().enumerate() {
            client.integrate()?;
            client.edit("causes", 0, 0, &format!("{who}-{n} ")).await?;
            if n % 5 == who {
                client.settled().await?;
            }
        }
    }
    restoring.await??;
    for client in &mut clients {
        client.edit("causes", 0, 0, "last ").await?;
        client.settled().await?;
        client.integrate()?;
    }
    let text = fay.text(&document, "causes")?;
    for client in &mut clients {
        client.until("causes", |seen| seen == text).await?;
    }
    ensure!(text.matches("last ").count() == 2, "what came after is there: {text}");
    let answer = history(&fay, &document)?;
    let mut kept = vec![text];
    for version in answer["versions"].as_array().context("versions")? {
        let moment = version["moment"]["seq"].as_u64().context("a moment")?;
        let seen = diff(&fay, &document, 1, moment)?;
        let texts = seen["texts"].as_array().context("texts")?;
        let causes = texts.iter().find(|text| text["target"] == "causes").context("a text")?;
        let there = causes["pieces"].as_array().context("pieces")?.iter();
        let there = there.filter(|piece| piece["fate"] != "deleted");
        kept.push(there.filter_map(|piece| piece["insert"].as_str()).collect());
    }
    ensure!(kept.len() > 2, "somebody went back in between: {}", answer["versions"]);
    for word in (0..2).flat_map(|who| (0..WORDS).map(move |n| format!("{who}-{n} "))) {
        ensure!(kept.iter().any(|text| text.contains(&word)), "{word} is nowhere");
    }
    Ok(())
}
