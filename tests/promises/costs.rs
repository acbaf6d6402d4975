//! Files and imports stay within their limits of time and memory, whatever they contain. Child processes with limits
//! make and read them, and other people go on writing meanwhile.

mod children;
mod imports;
mod readers;

use accord_tests::{SOON, Server, SyncClient, Visitor, Watch};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Most memory, in MiB, that the server and its children are allowed to take for everything that one person can start,
/// in addition to what the idle server takes: 300 MB.
const MAX_PEAK_MIB: u64 = 286;
/// Longest time that saving a colleague's keystroke is allowed to take. It is generous, because other tests run on
/// the same machine.
const MAX_KEYSTROKE: Duration = Duration::from_secs(3);

/// Ben, who types in the demo's commitment until [`Colleague::longest_wait`] is called. In the tests, other people ask
/// for the expensive files: a person who has used up their own share of the server's time waits, as intended.
struct Colleague {
    is_over: Arc<AtomicBool>,
    typing: thread::JoinHandle<Result<Duration>>,
}

impl Colleague {
    fn begin(server: &Server) -> Result<Self> {
        let (address, visitor) = (server.address.clone(), server.visit("ben")?);
        let is_over = Arc::<AtomicBool>::default();
        let over = is_over.clone();
        let typing = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(type_on(&Address(address), &visitor, &over))
        });
        Ok(Self { is_over, typing })
    }

    /// Stops the typing. Returns the longest time from a keystroke until it was saved.
    fn longest_wait(self) -> Result<Duration> {
        self.is_over.store(true, Ordering::Relaxed);
        self.typing.join().map_err(|_| anyhow::anyhow!("the colleague could not type on"))?
    }
}

struct Address(String);

impl accord_tests::Listens for Address {
    fn address(&self) -> &str {
        &self.0
    }
}

async fn type_on(
    server: &impl accord_tests::Listens,
    visitor: &Visitor,
    is_over: &AtomicBool,
) -> Result<Duration> {
    let mut client = SyncClient::connect_accord(server, visitor, "demo", 77).await?;
    client.fetch().await?;
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        client.edit("problem", 0, 0, "x").await?;
        client.settled().await?;
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    Ok(longest)
}

fn import(by: &Visitor, name: &str, file: &[u8]) -> Result<(u16, Value)> {
    by.upload(&format!("/api/v1/plans/demo/imports?name={name}&language=en"), file)
}

/// Imports a commitment with `text` in its field `problem`, and returns the id of the commitment.
fn draft(by: &Visitor, text: &str) -> Result<String> {
    let (status, made) = import(by, "d.md", format!("# T\n\n## Problem\n\n{text}\n").as_bytes())?;
    ensure!(status == 201, "{status} {made}");
    Ok(made["id"].as_str().context("an id")?.to_owned())
}

fn pdf(document: &str) -> String {
    format!("/api/v1/documents/{document}/draft/pdf")
}

/// A sentence in the script whose characters cost the most to typeset.
const SENTENCE: &str = "우리는 예산의 절반을 주민이 정하도록 한다. ";

/// Returns an ordinary text of 280,000 characters in short paragraphs. Its PDF takes seconds, and most of the memory that a
/// child process is allowed.
fn large_text() -> String {
    format!("{}\n\n", SENTENCE.repeat(5)).repeat(2_300)
}

/// Returns a text of 200,000 characters in one paragraph. Breaking it into lines takes several times as long as
/// breaking [`large_text`].
fn slow_text() -> String {
    SENTENCE.repeat(8_300)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + SOON;
    while !holds() {
        ensure!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
fn runs_of_marks_and_endless_words_are_set_within_a_childs_means() -> Result<()> {
    let texts = [
        ("marks", format!("a{}", "\u{301}".repeat(20_000))),
        ("two marks", format!("a{}", "\u{301}\u{323}".repeat(10_000))),
        ("enclosing marks", format!("a{}", "\u{489}\u{20dd}\u{308}".repeat(7_000))),
        ("formatted marks", format!("a{}", "**\u{301}\u{301}**\u{301}".repeat(5_000))),
        ("a word", "a".repeat(390_000)),
        ("a word of digits", "1".repeat(390_000)),
        ("joiners", "a\u{200d}".repeat(190_000)),
        ("soft hyphens", "a\u{ad}".repeat(190_000)),
        ("direction marks", "a\u{202e}b\u{202c}".repeat(50_000)),
        ("isolates", "ab\u{2067}cd\u{2069} ".repeat(50_000)),
        ("tags", format!("a{}", "\u{e0061}".repeat(50_000))),
    ];
    let mut lines = Vec::new();
    for (name, text) in texts {
        // Each text has a server of its own, so that nobody waits because of what they have asked for before.
        let data = tempfile::tempdir()?;
        let server = Server::start(data.path())?;
        let ana = server.visit("ana")?;
        let document = draft(&ana, &text).context(name)?;
        let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
        let begun = Instant::now();
        let (status, body, _) = ana.page(&pdf(&document), "content-type")?;
        let waited = colleague.longest_wait()?;
        let peak = watch.peak_mib();
        lines.push(format!(
            "{name}: {status}, {peak} MiB, {:?}, others {waited:?}",
            begun.elapsed()
        ));
        ensure!(
            status == 200 || ((status == 409 || status == 422) && body.contains("message")),
            "{name}: {status} {body:.200}"
        );
        let is_set = ["marks", "two marks", "a word", "a word of digits"].contains(&name);
        ensure!(status == 200 || !is_set, "{name}: {status} {body:.200}");
        ensure!(peak <= MAX_PEAK_MIB && waited < MAX_KEYSTROKE, "{}", lines.join("\n"));
    }
    Ok(())
}

#[test]
fn other_files_of_hostile_texts_are_made_in_a_moment() -> Result<()> {
    for text in [
        "1".repeat(390_000),
        format!("a{}", "\u{301}".repeat(390_000)),
        "a\u{202e}b\u{ad}".repeat(90_000),
        "&<*_`".repeat(70_000),
        "- a\n".repeat(14_000),
        "**a** b ".repeat(9_000),
        (0..14_000).map(|n| format!("[a](https://example.org/{n})\n\n")).collect(),
    ] {
        // Each text has a server and each file a reader of its own, so that nobody waits because of what they have asked
        // for before.
        let data = tempfile::tempdir()?;
        let server = Server::start(data.path())?;
        let document = draft(&server.visit("ana")?, &text)?;
        for (kind, reader) in [("html", "ben"), ("md", "ada"), ("docx", "obi"), ("json", "fay")] {
            let (watch, reader) = (Watch::begin(&server), server.visit(reader)?);
            let begun = Instant::now();
            reader.download(&format!("/api/v1/documents/{document}/draft/{kind}"))?;
            let (took, peak) = (begun.elapsed(), watch.peak_mib());
            ensure!(took < SOON && peak <= MAX_PEAK_MIB, "{kind} of {text:.20}: {took:?}, {peak}");
        }
    }
    Ok(())
}
