//! Files and imports cost what they may and no more, whatever is in them and whoever asks: they are made by child
//! processes with limits, and others go on writing meanwhile.

use accord_tests::{SOON, Server, SyncClient, Visitor, Watch, children};
use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What server and children may take above rest for all that one identity can start, in MiB.
const MAX_PEAK_MIB: u64 = 300;
/// The longest that a colleague's keystroke may wait here: the machine runs other tests meanwhile.
const MAX_KEYSTROKE: Duration = Duration::from_secs(3);

/// Somebody who types in the demo's commitment until they are asked how it went.
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

    /// The longest that a keystroke waited until it was saved.
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

/// Brings a text in as the problem of a commitment of its own.
fn draft(by: &Visitor, text: &str) -> Result<String> {
    let (status, made) = import(by, "d.md", format!("# T\n\n## Problem\n\n{text}\n").as_bytes())?;
    ensure!(status == 201, "{status} {made}");
    Ok(made["id"].as_str().context("an id")?.to_owned())
}

fn pdf(document: &str) -> String {
    format!("/api/v1/documents/{document}/draft/pdf")
}

/// A text of which the PDF takes seconds and most of the memory that there is: it is honest, but one paragraph.
fn slow_text() -> String {
    "우리는 예산의 절반을 주민이 정하도록 한다. ".repeat(15_500)
}

/// A ZIP archive of deflated entries (APPNOTE 6.3.10).
fn archive(entries: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(content)?;
        let packed = deflate.finish()?;
        let at = u32::try_from(out.len())?;
        let mut header = Vec::new();
        header.extend([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0]);
        header.extend(crc32fast::hash(content).to_le_bytes());
        header.extend(u32::try_from(packed.len())?.to_le_bytes());
        header.extend(u32::try_from(content.len())?.to_le_bytes());
        header.extend(u16::try_from(name.len())?.to_le_bytes());
        header.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&header);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(header);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, size) = (u32::try_from(out.len())?, u32::try_from(directory.len())?);
    let count = u16::try_from(entries.len())?.to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    Ok(out)
}

fn docx(body: &str) -> Result<Vec<u8>> {
    const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let document = format!("<w:document xmlns:w=\"{W}\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", document.as_bytes())])
}

/// Asks for something and hangs up at once, or after a while.
fn ask_and_hang_up(server: &Server, by: &Visitor, path: &str, after: Duration) -> Result<()> {
    let mut stream = TcpStream::connect(&server.address)?;
    let cookie = &by.cookie;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", server.address)?;
    thread::sleep(after);
    Ok(())
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
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
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
    let mut told = Vec::new();
    for (name, text) in texts {
        let document = draft(&ana, &text).context(name)?;
        let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
        let begun = Instant::now();
        let (status, body, _) = ana.page(&pdf(&document), "content-type")?;
        let waited = colleague.longest_wait()?;
        let peak = watch.peak_mib();
        told.push(format!(
            "{name}: {status}, {peak} MiB, {:?}, others {waited:?}",
            begun.elapsed()
        ));
        ensure!(
            status == 200 || ((status == 409 || status == 422) && body.contains("message")),
            "{name}: {status} {body:.200}"
        );
        let is_set = ["marks", "two marks", "a word", "a word of digits"].contains(&name);
        ensure!(status == 200 || !is_set, "{name}: {status} {body:.200}");
        ensure!(peak <= MAX_PEAK_MIB && waited < MAX_KEYSTROKE, "{}", told.join("\n"));
    }
    Ok(())
}

#[test]
fn other_files_of_hostile_texts_are_made_in_a_moment() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    for text in [
        "1".repeat(390_000),
        format!("a{}", "\u{301}".repeat(390_000)),
        "a\u{202e}b\u{ad}".repeat(90_000),
        "&<*_`".repeat(70_000),
        "- a\n".repeat(14_000),
        "**a** b ".repeat(9_000),
        (0..14_000).map(|n| format!("[a](https://example.org/{n})\n\n")).collect(),
    ] {
        let document = draft(&ana, &text)?;
        for kind in ["html", "md", "docx", "json"] {
            let watch = Watch::begin(&server);
            let begun = Instant::now();
            ana.download(&format!("/api/v1/documents/{document}/draft/{kind}"))?;
            let (took, peak) = (begun.elapsed(), watch.peak_mib());
            ensure!(took < SOON && peak <= MAX_PEAK_MIB, "{kind} of {text:.20}: {took:?}, {peak}");
        }
    }
    Ok(())
}

#[test]
fn what_a_word_or_markdown_file_may_hold_is_counted_before_it_is_read() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    let namespaces: String = (0..3_000).map(|n| format!("<w:p xmlns:n{n}=\"u{n}\">")).collect();
    let runs = "<w:r><w:rPr><w:b/></w:rPr><w:t>a</w:t></w:r><w:r><w:t>a</w:t></w:r>";
    let notes = "<w:p><w:r><w:footnoteReference w:id=\"1\"/></w:r></w:p>";
    let many: Vec<(String, &[u8])> = (0..5_000).map(|n| (format!("p{n}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, part)| (&**name, *part)).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a.docx", docx(&format!("<w:p{attributes}/>"))?, "attributes of one XML element"),
        ("a.docx", docx(&namespaces)?, "XML"),
        ("a.docx", docx(&"<a/>".repeat(15_500_000))?, ""),
        ("a.docx", docx(&"<w:p><w:r><w:t>a</w:t></w:r></w:p>".repeat(300_000))?, ""),
        ("a.docx", docx(&"<w:p><w:r><w:t>a</w:t></w:r></w:p>".repeat(30_000))?, "20000 paragraphs"),
        ("a.docx", docx(&format!("<w:p>{}</w:p>", runs.repeat(60_000)))?, "changes of formatting"),
        ("a.docx", docx(&notes.repeat(20_000))?, ""),
        ("a.docx", archive(&many)?, "4096 parts"),
        ("a.md", "a\\\n".repeat(80_000).into_bytes(), "20000 paragraphs"),
        ("a.md", "a\n\n".repeat(130_000).into_bytes(), "20000 paragraphs"),
        ("a.md", "**a**b".repeat(60_000).into_bytes(), "changes of formatting"),
        ("a.md", "## Milestone\n\na\n\n".repeat(2_000).into_bytes(), "500 milestones"),
        ("a.md", "a".repeat(4_000_000).into_bytes(), "3 MiB of Markdown"),
        ("a.md", ">".repeat(3_000_000).into_bytes(), "could be markup"),
        ("a.md", "[".repeat(3_000_000).into_bytes(), "could be markup"),
        ("a.md", "*a_ ".repeat(700_000).into_bytes(), "could be markup"),
        (
            "a.md",
            format!("[a]: https://{}\n\n{}", "b".repeat(90_000), "[a] *x* ".repeat(40_000))
                .into_bytes(),
            "",
        ),
        ("a.md", format!("|a|b|\n|-|-|\n{}", "|c|d|\n".repeat(9_000)).into_bytes(), "-"),
        ("a.md", "a\\\n".repeat(19_000).into_bytes(), "-"),
        ("a.md", "- a\n".repeat(14_000).into_bytes(), "-"),
        ("a.md", "- a\n".repeat(19_000).into_bytes(), "pieces of text"),
        ("a.md", "**a** b ".repeat(9_000).into_bytes(), "-"),
    ];
    let mut told = Vec::new();
    for (number, (name, file, words)) in cases.iter().enumerate() {
        let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
        let begun = Instant::now();
        let (status, answer) = import(&ana, name, file)?;
        let waited = colleague.longest_wait()?;
        let (peak, took) = (watch.peak_mib(), begun.elapsed());
        let message = answer["message"].as_str().unwrap_or_default();
        told.push(format!(
            "{number} {name} of {}: {status} {message:.70}; {peak} MiB, {took:?}, others {waited:?}",
            file.len()
        ));
        let fits = match *words {
            "" => status == 201 || status == 422,
            "-" => status == 201,
            words => status == 422 && message.contains(words),
        };
        ensure!(fits && peak <= MAX_PEAK_MIB && waited < MAX_KEYSTROKE, "{}", told.join("\n"));
    }
    Ok(())
}

#[test]
fn files_that_nobody_waits_for_are_not_made() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Server::start(data.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let slow = draft(&ana, &slow_text())?;
    let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
    for n in 0..40 {
        let by = if n % 2 == 0 { &ana } else { &ben };
        ask_and_hang_up(&server, by, &pdf(&slow), Duration::from_millis(60))?;
    }
    let most = watch.most_children();
    ensure!((1..=2).contains(&most), "{most} at once");
    until("children go on for nobody", || children(server.id()).is_empty())?;
    ensure!(colleague.longest_wait()? < MAX_KEYSTROKE && server.is_alive());
    let (quick, _) = ana.download(&pdf("demo"))?;
    ensure!(quick.starts_with(b"%PDF"));
    Ok(())
}

#[test]
fn an_import_that_nobody_waits_for_ends() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    // The file is announced whole and comes half: the child is not started, and the place comes back.
    for _ in 0..8 {
        let mut stream = TcpStream::connect(&server.address)?;
        write!(
            stream,
            "POST /api/v1/plans/demo/imports?name=a.md HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\
             Content-Length: 1000000\r\n\r\n# Half",
            server.address, ana.cookie
        )?;
    }
    until("places do not come back", || {
        import(&ana, "a.md", b"# T\n\ntext").is_ok_and(|(status, _)| status == 201)
    })?;
    ensure!(children(server.id()).is_empty());
    Ok(())
}

#[test]
fn a_file_that_is_too_large_keeps_no_upload_from_anybody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let mut stream = TcpStream::connect(&server.address)?;
    write!(
        stream,
        "POST /api/v1/plans/demo/imports?name=a.md HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\
         Content-Length: 60000000\r\n\r\n",
        server.address, ana.cookie
    )?;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..18 {
        stream.write_all(&piece)?;
    }
    // The rest would be waited for half a minute. Each person has one upload at a time, and this is none any more.
    let began = Instant::now();
    let (status, made) = import(&ana, "a.md", b"# T\n\ntext")?;
    ensure!(status == 201 && began.elapsed() < Duration::from_secs(15), "{status} {made}");
    stream.write_all(&piece)?;
    Ok(())
}

#[test]
fn a_child_that_is_killed_fails_its_file_alone_and_children_end_with_the_server() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let slow = draft(&ana, &slow_text())?;
    let (asking, path) = (ana.clone(), pdf(&slow));
    let asked = thread::spawn(move || asking.get(&path));
    until("no child is started", || !children(server.id()).is_empty())?;
    for child in children(server.id()) {
        is_confined(child)?;
        let child = rustix::process::Pid::from_raw(i32::try_from(child)?).context("an id")?;
        rustix::process::kill_process(child, rustix::process::Signal::KILL)?;
    }
    let (status, answer) = asked.join().map_err(|_| anyhow::anyhow!("no answer"))??;
    ensure!(status == 503 && answer["error"] == "failed", "{status} {answer}");
    ensure!(server.is_alive() && ana.download(&pdf("demo"))?.0.starts_with(b"%PDF"));

    let (asking, path) = (ana.clone(), pdf(&slow));
    let asked = thread::spawn(move || asking.get(&path));
    until("no child is started", || !children(server.id()).is_empty())?;
    let orphans = children(server.id());
    server.kill();
    until("a child outlives the server", || {
        orphans.iter().all(|id| !std::path::Path::new(&format!("/proc/{id}")).exists())
    })?;
    ensure!(asked.join().is_ok_and(|answer| answer.is_err()));
    Ok(())
}

/// Whether a child that works can neither open anything, nor write files, nor grow without end.
fn is_confined(child: u32) -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{child}/{name}"));
    let limit = |name: &str| -> Result<u64> {
        let limits = read("limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).context("a limit")?;
        Ok(line.split_whitespace().next().context("a number")?.parse()?)
    };
    let is_ready = || limit("Max open files").is_ok_and(|files| files == 3);
    until("it can open files while it works", is_ready)?;
    ensure!(limit("Max data size")? <= 256 << 20 && limit("Max cpu time")? <= 15);
    ensure!(limit("Max core file size")? == 0 && limit("Max file size")? == 0);
    let environment = read("environ")?;
    let names =
        environment.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    ensure!(names.eq(["MALLOC_ARENA_MAX", "RAYON_NUM_THREADS"]), "{environment}");
    ensure!(std::fs::read_link(format!("/proc/{child}/cwd"))?.as_os_str() == "/");
    // Nothing of the server's own: what it was started with itself may be there.
    for open in std::fs::read_dir(format!("/proc/{child}/fd"))? {
        let target = std::fs::read_link(open?.path())?;
        let target = target.to_string_lossy();
        ensure!(!target.starts_with("socket:") && !target.contains("store"), "{target} is open");
    }
    Ok(())
}

#[test]
fn one_person_asks_for_a_few_files_at_once_and_keeps_nobody_waiting() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let slow = draft(&ana, &slow_text())?;
    let (watch, colleague) = (Watch::begin(&server), Colleague::begin(&server)?);
    let ask = |_| {
        let (ana, path) = (ana.clone(), pdf(&slow));
        thread::spawn(move || ana.page(&path, "retry-after"))
    };
    let asked: Vec<_> = (0..12).map(ask).collect();
    until("no child is started", || !children(server.id()).is_empty())?;
    // Somebody else's turn comes all the same.
    let begun = Instant::now();
    ensure!(ben.download(&pdf("demo"))?.0.starts_with(b"%PDF"));
    ensure!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let (mut made, mut sent_away) = (0, 0);
    for one in asked {
        match one.join().map_err(|_| anyhow::anyhow!("no answer"))?? {
            (200, ..) => made += 1,
            (429, body, wait) if !wait.is_empty() && body.contains("busy") => sent_away += 1,
            // It took longer than one waits for a turn.
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
    // The worst that may be signed: as many marks on each letter as there may be, and a word without an end.
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

/// Has a text proposed, signed and launched; not, if it is such that nobody may sign it.
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

/// Asks for a file and reads the status of its answer, and no more.
fn ask_and_stop(server: &Server, by: &Visitor, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(&server.address)?;
    stream.set_read_timeout(Some(SOON))?;
    let (host, cookie) = (&server.address, &by.cookie);
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}");
    write!(stream, "{head}\r\nConnection: close\r\n\r\n")?;
    let mut first = [0; 12];
    stream.read_exact(&mut first)?;
    ensure!(&first == b"HTTP/1.1 200", "{:?}", String::from_utf8_lossy(&first));
    Ok(stream)
}

#[test]
fn a_slow_answer_is_read_slowly_by_its_reader_alone() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    // More than the system keeps between a server and a reader who takes nothing.
    let text = "\u{10330}".repeat(390_000);
    let path = format!("/api/v1/documents/{}/draft/md", draft(&ana, &text)?);
    let watch = Watch::begin(&server);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(ask_and_stop(&server, &ana, &path)?);
    }
    // They hold all of Ana's places for as long as she does not read them, and nobody else's.
    for _ in 0..5 {
        let (status, refused) = ana.get(&path)?;
        ensure!(status == 429 && refused["error"] == "busy", "{status} {refused}");
        ensure!(ben.download(&path)?.0.len() > text.len(), "an answer is cut");
        thread::sleep(Duration::from_millis(200));
    }
    // One that is read to its end is whole, and gives its place back.
    let mut slow = open.pop().context("an answer")?;
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer)?;
    ensure!(answer.len() > text.len(), "an answer is cut");
    until("a place does not come back", || ana.download(&path).is_ok())?;
    // So do those that are given up.
    drop(open);
    until("places do not come back", || {
        let all: Result<Vec<_>> = (0..4).map(|_| ask_and_stop(&server, &ana, &path)).collect();
        all.is_ok()
    })?;
    ensure!(watch.peak_mib() <= MAX_PEAK_MIB, "{} MiB", watch.peak_mib());
    Ok(())
}
