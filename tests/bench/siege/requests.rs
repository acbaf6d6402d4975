//! Attacks by HTTP requests.

use super::Target;
use super::sockets::{most, most_formatted, write};
use crate::updates::long;
use accord_tests::{Raw, SyncClient};
use anyhow::{Context, Result};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

const CLIENT: u64 = 2_000_000;
/// Number of copies of each request that are under way at the same time.
const AT_ONCE: usize = 6;
/// Longest wait for an answer. A request that has no complete answer by then counts as failed.
const ANSWER: Duration = Duration::from_secs(60);

/// A request that an attack sends again and again.
#[derive(Debug, Clone)]
struct RepeatedRequest {
    method: &'static str,
    path: String,
    body: Arc<[u8]>,
    is_signed_in: bool,
}

fn get(path: String) -> RepeatedRequest {
    RepeatedRequest { method: "GET", path, body: Arc::default(), is_signed_in: true }
}

fn post(path: String, body: impl Into<Vec<u8>>) -> RepeatedRequest {
    RepeatedRequest { method: "POST", path, body: body.into().into(), is_signed_in: true }
}

fn nobody(request: RepeatedRequest) -> RepeatedRequest {
    RepeatedRequest { is_signed_in: false, ..request }
}

impl RepeatedRequest {
    async fn once(&self, target: &Target) -> Result<()> {
        let Self { method, path, body, is_signed_in } = self;
        let mut raw = Raw::connect("127.0.0.3", &target.address).await?;
        let cookie = if *is_signed_in { &*target.author.cookie } else { "" };
        let kind =
            if path.contains("imports") { "application/octet-stream" } else { "application/json" };
        raw.say(&format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            target.address,
            body.len()
        ))
        .await?;
        tokio::io::AsyncWriteExt::write_all(&mut raw.0, body).await?;
        let mut piece = vec![0; 64 * 1024];
        let mut is_busy = None;
        let read = async {
            while let Ok(count @ 1..) = raw.0.read(&mut piece).await {
                let status = || String::from_utf8_lossy(&piece[9..count.min(12)]).into_owned();
                is_busy.get_or_insert_with(|| ["429", "503"].contains(&&*status()));
            }
        };
        tokio::time::timeout(ANSWER, read).await?;
        // An attacker that gets 429 or 503 waits a little before the next request. The benchmark measures how long
        // others wait, not how fast this machine opens sockets.
        if is_busy == Some(true) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// Sends each of the requests again and again, [`AT_ONCE`] copies of each at the same time.
async fn ask_on(target: Arc<Target>, all: Vec<RepeatedRequest>) -> Result<()> {
    let mut under_way = JoinSet::new();
    for request in all {
        for _ in 0..AT_ONCE {
            let (target, request) = (target.clone(), request.clone());
            under_way.spawn(async move {
                loop {
                    if request.once(&target).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            });
        }
    }
    while under_way.join_next().await.is_some() {}
    Ok(())
}

fn reads(document: &str) -> Vec<RepeatedRequest> {
    let of = |rest: &str| get(format!("/api/v1/documents/{document}/{rest}"));
    let mut all: Vec<_> = ["content", "release", "history", "diff", "record"].map(of).into();
    all.push(get(format!("/api/v1/documents/{document}")));
    all.push(get("/api/v1/plans/demo".into()));
    all
}

pub(super) async fn read_items(target: Arc<Target>) -> Result<()> {
    let (_, updates) = most(CLIENT, "a");
    write(&target, &target.shared, &updates).await?;
    target.start().await;
    ask_on(target.clone(), reads(&target.shared)).await
}

pub(super) async fn read_formatting(target: Arc<Target>) -> Result<()> {
    let document = target.author.create("Formatted")?;
    write(&target, &document, &[most_formatted(CLIENT)]).await?;
    target.start().await;
    ask_on(target.clone(), reads(&document)).await
}

/// Requests long answers over ever more connections, and reads only the status of each.
pub(super) async fn unread(target: Arc<Target>) -> Result<()> {
    let document = target.author.create("Long")?;
    write(&target, &document, &[long(CLIENT, &"a".repeat(7 << 20))]).await?;
    target.start().await;
    let (host, cookie) = (&target.address, &target.author.cookie);
    let path = format!("/api/v1/documents/{document}/content");
    let mut held = Vec::new();
    loop {
        let Ok(mut raw) = Raw::connect("127.0.0.3", host).await else { continue };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\r\n");
        let mut first = [0; 12];
        let status = async {
            raw.say(&request).await?;
            raw.0.read_exact(&mut first).await.map_err(anyhow::Error::from)
        };
        let read = tokio::time::timeout(ANSWER, status).await;
        if matches!(read, Ok(Ok(_))) && first.ends_with(b"200") {
            held.push(raw);
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Returns a text of a single paragraph, in which nothing is malicious. To make its PDF takes seconds, and most of the
/// memory that a child process is allowed.
fn long_paragraph() -> String {
    "우리는 예산의 절반을 주민이 정하도록 한다. ".repeat(15_500)
}

async fn import(target: &Arc<Target>, text: &str) -> Result<String> {
    let (by, file) = (target.author.clone(), format!("# T\n\n## Problem\n\n{text}\n"));
    let path = "/api/v1/plans/demo/imports?name=d.md&language=en";
    let imported = tokio::task::spawn_blocking(move || by.upload(path, file.as_bytes())).await??;
    let (status, made) = imported;
    Ok(made["id"].as_str().with_context(|| format!("not imported: {status} {made}"))?.to_owned())
}

pub(super) async fn files(target: Arc<Target>) -> Result<()> {
    let document = import(&target, &long_paragraph()).await?;
    target.start().await;
    let of = |kind: &str| get(format!("/api/v1/documents/{document}/draft/{kind}"));
    ask_on(target.clone(), ["pdf", "docx", "md", "html", "json"].map(of).into()).await
}

/// Returns a Markdown file with almost as much text and links as an import may contain.
fn largest_markdown() -> Vec<u8> {
    let links: String = (0..9_000)
        .map(|n| format!("[a](https://example.org/{n}/{})\n\n", "x".repeat(200)))
        .collect();
    format!("# T\n\n## Problem\n\n{links}").into_bytes()
}

pub(super) async fn imports(target: Arc<Target>) -> Result<()> {
    let at = |name: &str| format!("/api/v1/plans/demo/imports?name={name}&language=en");
    let all = vec![
        post(at("a.md"), largest_markdown()),
        post(at("b.md"), "a\n\n".repeat(19_000)),
        post(at("c.md"), vec![b'a'; 16 * 1024 * 1024 - 1]),
    ];
    target.start().await;
    ask_on(target, all).await
}

pub(super) async fn sign_in(target: Arc<Target>) -> Result<()> {
    let all = vec![
        nobody(post(
            "/api/v1/session".into(),
            json!({ "email": "ana@example.org", "password": "not the password" }).to_string(),
        )),
        nobody(post("/api/v1/links".into(), json!({ "email": "ana@example.org" }).to_string())),
        nobody(post(
            "/api/v1/invitations/nonsense".into(),
            json!({ "account": { "name": "x", "email": "x@x.org", "password": "cobalt umbrella 17" } })
                .to_string(),
        )),
        post(format!("/api/v1/documents/{}/tickets", target.shared), "{}"),
        get("/api/v1/session".into()),
    ];
    target.start().await;
    ask_on(target, all).await
}

/// Cleans, compares and proposes a document that is full of hidden characters.
pub(super) async fn cleaning(target: Arc<Target>) -> Result<()> {
    let document = target.author.create("Hidden")?;
    let hidden = "ab\u{200b}c\u{ad}d ".repeat(40_000);
    write(&target, &document, &[long(CLIENT, &hidden)]).await?;
    let of = |rest: &str| format!("/api/v1/documents/{document}/{rest}");
    let all = vec![
        post(of("cleaning"), "{}"),
        get(of("release")),
        get(of("diff?from=1&to=3")),
        post(of("proposals"), json!({ "digest": "0".repeat(64) }).to_string()),
        post(of("versions"), json!({ "name": "x", "seq": 2 }).to_string()),
        post(of("restorations"), json!({ "to": 1 }).to_string()),
    ];
    target.start().await;
    ask_on(target, all).await
}

/// Begins requests without an account and never ends them.
pub(super) async fn half_sent(target: Arc<Target>) -> Result<()> {
    target.start().await;
    let mut held = Vec::new();
    loop {
        if let Ok(mut raw) = Raw::connect("127.0.0.3", &target.address).await {
            let _ = raw.say("GET / HTTP/1.1\r\nhost: here\r\nx-half:").await;
            held.push(raw);
        }
        if held.len() > 1_500 {
            held.drain(..500);
        }
    }
}

/// Requests a long release, its page, its comparison and its files without an account.
pub(super) async fn public(target: Arc<Target>) -> Result<()> {
    let document = release(&target).await?;
    target.start().await;
    let at = |path: &str| nobody(get(format!("/r/{document}/{path}")));
    let mut all: Vec<_> =
        ["1", "1/release.pdf", "1/release.json", "1/release.docx", "compare/1/1"].map(at).into();
    all.push(nobody(get("/p/demo".into())));
    all.push(nobody(get("/keys.txt".into())));
    all.push(nobody(get("/".into())));
    ask_on(target, all).await
}

async fn release(target: &Arc<Target>) -> Result<String> {
    let document = import(target, &"A sentence of the plan. ".repeat(15_000)).await?;
    // The document is opened before it is proposed, so that its room exists already.
    drop(SyncClient::connect(&**target, &target.author, &document, CLIENT).await?);
    let (visitors, id) = (target.clone(), document.clone());
    let signed = tokio::task::spawn_blocking(move || {
        let of = |rest: &str| format!("/api/v1/documents/{id}/{rest}");
        let (_, path) = visitors.facilitator.get(&of("release"))?;
        let digest = json!({ "digest": path["digest"] });
        let (status, made) = visitors.facilitator.post(&of("proposals"), digest.clone())?;
        let seq = made["seq"].as_u64().with_context(|| format!("not proposed: {status} {made}"))?;
        let signature = of(&format!("proposals/{seq}/signature"));
        for visitor in [&visitors.colleague, &visitors.author] {
            visitor.request("PUT", &signature, Some(digest.clone()))?;
        }
        let launch = json!({ "documents": [id], "zone": "Europe/Paris" });
        visitors.facilitator.post("/api/v1/plans/demo/launches", launch)?;
        anyhow::Ok(())
    });
    signed.await??;
    Ok(document)
}
