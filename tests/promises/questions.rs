//! HTTP requests of one person about a document cost only that person's turns, and nobody else's.

use accord_document::lib0::Write as _;
use accord_document::sync::wire::Message;
use accord_server::HeldLimits;
use accord_tests::{Server, ServerInTime, SyncClient, Visitor};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Encodes an update of letters in a field, each typed in front of the letter before it, so that no two can be
/// merged.
fn letters(field: &str, client: u64, count: u32) -> Vec<u8> {
    let mut out = vec![1];
    out.put_var(count.into());
    out.put_var(client);
    out.put_var(0);
    for clock in 0..count {
        match clock.checked_sub(1) {
            None => {
                out.extend([4, 1]);
                out.put_buf(field.as_bytes());
            }
            Some(last) => {
                out.push(0x44);
                out.put_var(client);
                out.put_var(last.into());
            }
        }
        out.put_buf(b"a");
    }
    out.push(0);
    out
}

/// The people who write a long document, and the field of each.
const AUTHORS: [(&str, &str); 4] =
    [("ada", "problem"), ("obi", "brief"), ("fay", "solution"), ("ben", "results")];

/// Makes a document with `items` items by each of four people. The returned server has just started, so that nobody
/// has used any of their budget.
async fn long_document(data: &Path, items: u32) -> Result<(Server, String)> {
    let server = Server::start(data)?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let document = ana.create("Long")?;
    for (client, (name, field)) in (1_000..).zip(AUTHORS) {
        let author = server.visit(name)?;
        if matches!(name, "ada" | "obi") {
            ensure!(fay.seat(&author.id()?, "author", "civil_society")? == 204, "{name}");
        }
        let mut author = SyncClient::connect(&server, &author, &document, client).await?;
        author.send(Message::Update(&letters(field, client, items))).await?;
        author.settled().await?;
    }
    ensure!(server.stop()?.success(), "stopped");
    Ok((Server::start(data)?, document))
}

/// Returns the time that each of `count` keystrokes takes until it is saved.
async fn keystrokes(
    server: &Server,
    person: &Visitor,
    document: &str,
    count: u64,
) -> Result<Vec<Duration>> {
    let mut author = SyncClient::connect_accord(server, person, document, 1).await?;
    let mut all = Vec::new();
    for number in 1..=count {
        let began = Instant::now();
        author.edit("title", 0, 0, "x").await?;
        while author.saved < number {
            author.fetch().await?;
        }
        all.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(all)
}

/// A load: threads that repeat one request until the `Loop` is dropped, and the number of answers so far.
struct Loop {
    end: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Loop {
    fn start(server: &Server, person: &Visitor, path: &str, threads: usize) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        for _ in 0..threads {
            let (end, answered) = (end.clone(), answered.clone());
            let (url, cookie) = (server.url(path), person.cookie.clone());
            thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    let request = ureq::get(&url).header("cookie", &cookie).call();
                    if request.is_ok_and(|mut answer| answer.body_mut().read_to_vec().is_ok()) {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Self { end, answered }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// One person reads a long document again and again over many connections. Others are answered in turn with that
/// person, however many requests there are, and the median edit of others is saved within 250 ms (rule C7).
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_one_person_has_read_out_without_end_is_there_for_others() -> Result<()> {
    const THREADS: usize = 16;
    let dir = tempfile::tempdir()?;
    let (server, document) = long_document(dir.path(), 31_000).await?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let content = format!("/api/v1/documents/{document}/content");
    let alone = keystrokes(&server, &ana, &document, 20).await?;
    let asking = Loop::start(&server, &ben, &content, THREADS);
    // After eight seconds, the budget of Ben, who reads the document again and again, is used up.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let beside = keystrokes(&server, &ana, &document, 60).await?;
    let before = asking.answered.load(Ordering::Relaxed);
    let began = Instant::now();
    let mut hers = Vec::new();
    while began.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        ensure!(ana.page(&content, "etag")?.0 == 200, "ana is answered");
        hers.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answered = asking.answered.load(Ordering::Relaxed) - before;
    // By Little's law, the time that each of Ben's requests takes is the elapsed time, times his 16 requests under way,
    // divided by the number of answers to him.
    let his = began.elapsed() * THREADS as u32 / u32::try_from(answered)?.max(1);
    let ((typed, rest), hers) = ((median(beside), median(alone)), median(hers));
    println!("a keystroke {typed:?}, alone {rest:?}; her questions {hers:?}, his {his:?}");
    ensure!(typed < Duration::from_millis(250), "a keystroke took {typed:?}");
    ensure!(hers * 2 < his, "her questions took {hers:?}, his {his:?}");
    Ok(())
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// Only a few requests of one person wait. Further requests are refused, with the time after which to try again. The
/// requests that are needed to manage a document are still answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_few_questions_of_one_person_wait_and_the_rest_come_back_later() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, document) = long_document(dir.path(), 31_000).await?;
    let ben = server.visit("ben")?;
    let content = format!("/api/v1/documents/{document}/content");
    let asking = Loop::start(&server, &ben, &content, 40);
    let refused = (0..200).find_map(|_| {
        thread::sleep(Duration::from_millis(100));
        ben.page(&content, "retry-after").ok().filter(|(status, _, _)| *status == 429)
    });
    let (_, _, retry_after) = refused.context("forty questions waited at once")?;
    ensure!(retry_after.parse::<u64>().is_ok(), "{retry_after:?}");
    // The requests for the document's title and state, and for the list of all documents, are essential. So they have
    // places of their own, and are answered within seconds.
    for path in [format!("/api/v1/documents/{document}"), "/api/v1/plans/demo".to_owned()] {
        let began = Instant::now();
        ensure!(ben.get(&path)?.0 == 200, "{path}");
        ensure!(began.elapsed() < Duration::from_secs(20), "{path}: {:?}", began.elapsed());
    }
    drop(asking);
    Ok(())
}

/// A request whose sender has hung up takes no turn. It holds no place of the sender any more, and delays nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn questions_that_nobody_waits_for_take_no_turn() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, document) = long_document(dir.path(), 31_000).await?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let content = format!("/api/v1/documents/{document}/content");
    for _ in 0..300 {
        let (url, cookie) = (server.url(&content), ben.cookie.clone());
        let config = ureq::Agent::config_builder();
        let agent: ureq::Agent =
            config.timeout_global(Some(Duration::from_millis(10))).build().into();
        let _ = agent.get(&url).header("cookie", &cookie).call();
    }
    // None of the 300 requests holds a place any more.
    let (status, _) = ben.get(&format!("/api/v1/documents/{document}"))?;
    ensure!(status == 200, "{status}");
    let typed = keystrokes(&server, &ana, &document, 20).await?;
    let slowest = typed.iter().max().context("keystrokes")?;
    ensure!(*slowest < Duration::from_secs(5), "{slowest:?}");
    Ok(())
}

/// A list of documents is shown although one of them can't answer this person yet. That document appears without its
/// content, and not as damaged.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_shown_although_one_of_its_documents_is_busy() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, document) = long_document(dir.path(), 31_000).await?;
    let ben = server.visit("ben")?;
    let path = format!("/api/v1/documents/{document}");
    // These requests use up Ben's budget. They also take all of his places, those for essential requests included.
    let reading = Loop::start(&server, &ben, &format!("{path}/content"), 40);
    let looking = Loop::start(&server, &ben, &path, 40);
    let mut busy = None;
    for _ in 0..200 {
        let (status, list) = ben.get("/api/v1/plans/demo")?;
        ensure!(status == 200, "{status}: {list}");
        let documents = list["documents"].as_array().context("documents")?;
        ensure!(documents.len() > 1, "{list}");
        let one = documents.iter().find(|one| one["id"] == document).context("the long one")?;
        ensure!(one["damaged"] == false, "{one}");
        if one["busy"] == true {
            ensure!(one["title"] == "" && one["checklist"] == json!([]), "{one}");
            busy = Some(documents.clone());
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let documents = busy.context("the document was never busy")?;
    ensure!(documents.iter().any(|one| one["title"] != ""), "others are told: {documents:?}");
    ensure!(documents.iter().all(|one| (one["busy"] == true) == (one["title"] == "")));
    drop((reading, looking));
    Ok(())
}

/// A facilitator whose requests fill all places can still redact a passage, because essential requests, such as a
/// redaction, have places of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_facilitator_whose_questions_fill_all_places_redacts_all_the_same() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, document) = long_document(dir.path(), 31_000).await?;
    let (fay, ana) = (server.visit("fay")?, server.visit("ana")?);
    let mut author = SyncClient::connect(&server, &ana, &document, 21).await?;
    author.edit("causes", 0, 0, "Ana Lopez says that contracts are secret.").await?;
    author.settled().await?;
    let path = format!("/api/v1/documents/{document}");
    let content = format!("{path}/content");
    let asking = Loop::start(&server, &fay, &content, 40);
    let refused = (0..200).find(|_| {
        thread::sleep(Duration::from_millis(100));
        fay.page(&content, "retry-after").is_ok_and(|(status, _, _)| status == 429)
    });
    refused.context("forty questions waited at once")?;
    let redaction = json!({ "target": "causes", "from": 0, "text": "Ana Lopez", "reason": "A private person." });
    let (status, answer) = fay.post(&format!("{path}/redactions"), redaction)?;
    ensure!(status == 204, "{status} {answer}");
    drop(asking);
    ensure!(ana.text(&document, "causes")? == " says that contracts are secret.\n");
    Ok(())
}

/// Answers that are read slowly stay in memory, and each person is allowed a limited number of bytes of them. Beyond
/// that limit, small answers are still given, and requests that change something are still answered.
#[test]
fn answers_that_nobody_reads_hold_little_memory_and_keep_nobody_from_reading() -> Result<()> {
    let dir = tempfile::tempdir()?;
    // The limit of each person has room for two answers of 1.3 MB each, and not for a third.
    let limits = HeldLimits { each: 3 << 20, all: 100 << 20 };
    let server = ServerInTime::start_with(dir.path(), |config| config.held_answers = limits)?;
    let visit = |name| Visitor::sign_in(&server.address, name);
    let (ana, ben) = (visit("ana")?, visit("ben")?);
    let text = format!(
        "# Long\n\n## Problem\n\n{}\n",
        "\u{10330}\u{10330}\u{10330}\u{10330} ".repeat(78_000)
    );
    let imports = "/api/v1/plans/demo/imports?name=d.md&language=en";
    let (status, made) = ana.upload(imports, text.as_bytes())?;
    let document = made["id"].as_str().with_context(|| format!("{status} {made}"))?;
    let path = format!("/api/v1/documents/{document}");
    let content = format!("{path}/content");
    let mut sent = Vec::new();
    // Each request reads only the status of its answer and keeps its connection open.
    let ask_and_stop = || -> Result<_> {
        let mut request = ana.begin("GET", &content, None)?;
        Ok((request.status(Duration::from_secs(60))?, request))
    };
    for expected in [200, 200, 429] {
        let (status, request) = ask_and_stop()?;
        ensure!(status == expected, "{status} after {}", sent.len());
        sent.push(request);
    }
    ensure!(ana.get(&path)?.0 == 200, "a small answer is refused");
    let version = json!({ "name": "Before lunch" });
    let (status, named) = ana.post(&format!("{path}/versions"), version)?;
    ensure!(status < 300, "a change is refused: {status} {named}");
    ensure!(ben.get(&content)?.0 == 200, "an answer to somebody else is refused");
    // Requests that are given up free their share of memory.
    drop(sent);
    let end = Instant::now() + Duration::from_secs(60);
    while ask_and_stop()?.0 != 200 {
        ensure!(Instant::now() < end, "what was given up is still held");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
