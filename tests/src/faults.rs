//! Lets calls to the disk fail, one after the other, while a server writes, stops and starts again: whatever it acknowledged must
//! be there afterwards.

use crate::power::{begin_record, build_shim, complete_record, lose_power};
use crate::{SOON, Server, ServerOptions, SyncClient, Visitor, accord_binary, copy_folder};
use anyhow::{Context, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const FIELD: &str = "problem";
/// Text before each word. It is so long that the store settles several times.
const FILLER_BYTES: usize = 120_000;
/// Number of words before and after the redaction.
const WORDS: usize = 8;
/// The text that is redacted.
const SECRET: &str = "hunter2";

/// A call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the call.
    Kill,
    /// The process dies in the middle of a write.
    Torn,
    /// The call, and a few after it, fail with EIO.
    Eio,
    /// As `Eio`, and then the power is lost.
    EioThenPowerLoss,
    /// The call, and a few after it, fail with ENOSPC if they need space.
    Full,
    /// A read, and a few after it, fail with EIO.
    Read,
    /// The sync of a folder, and a few after it, fail with EIO.
    FolderSync,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::Kill,
        Self::Torn,
        Self::Eio,
        Self::EioThenPowerLoss,
        Self::Full,
        Self::Read,
        Self::FolderSync,
    ];

    /// The name that `tests/shim/disk.c` knows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Torn => "torn",
            Self::Eio | Self::EioThenPowerLoss => "eio",
            Self::Full => "full",
            Self::Read => "read",
            Self::FolderSync => "folder",
        }
    }

    /// Returns how many of the calls are of the class that this fault hits.
    fn count(self, calls: &Calls) -> u64 {
        match self {
            Self::Read => calls.reads,
            Self::FolderSync => calls.folder_syncs,
            _ => calls.writes,
        }
    }
}

/// The numbers of calls that `tests/shim/disk.c` counts.
#[derive(Debug)]
struct Calls {
    failed: u64,
    /// Changes and syncs of files.
    writes: u64,
    reads: u64,
    folder_syncs: u64,
}

/// The number of rounds with each outcome.
#[derive(Debug, Default, Clone, Copy)]
pub struct FaultTally {
    /// The server kept running and saved everything.
    pub went_on: usize,
    /// The server ended by itself, or the fault ended it. Its next start had everything.
    pub ended: usize,
    /// No call failed: the server made fewer calls than expected, or only such as need no space.
    pub missed: usize,
}

/// What a server was asked to save.
#[derive(Debug, Default)]
struct Session {
    /// Number of words that were sent.
    sent: usize,
    /// The numbers of the words that were acknowledged.
    saved: Vec<usize>,
    is_redacted: bool,
}

/// The folder, the record and the counter of one round.
struct Round {
    dir: tempfile::TempDir,
    shim: PathBuf,
}

impl Round {
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn calls(&self) -> Result<Calls> {
        let bytes = fs::read(self.dir.path().join("calls"))?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let [failed, writes, reads, folder_syncs] = *numbers else { bail!("four numbers") };
        let [failed, writes, reads, folder_syncs] =
            [failed, writes, reads, folder_syncs].map(u64::from_ne_bytes);
        Ok(Calls { failed, writes, reads, folder_syncs })
    }

    /// Returns the options of a server whose calls are counted and fail as `fault` says.
    fn options(&self, fault: &str) -> ServerOptions {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let variables = [
            ("LD_PRELOAD", self.shim.display().to_string()),
            ("ACCORD_DISK", path("data")),
            ("ACCORD_RECORD", path("record")),
            ("ACCORD_CALLS", path("calls")),
            ("ACCORD_FAULT", fault.to_owned()),
        ];
        let env = variables.map(|(name, value)| (name.to_owned(), value)).into();
        let args = vec!["--reserve-mib".into(), "0".into()];
        ServerOptions { env, args, ..ServerOptions::default() }
    }

    /// Copies a data folder for this round.
    fn begin(template: &Path, shim: &Path) -> Result<Self> {
        let round = Self { dir: tempfile::tempdir()?, shim: shim.to_owned() };
        copy_folder(template, &round.data())?;
        begin_record(&round.data(), &round.dir.path().join("record"))?;
        fs::write(round.dir.path().join("calls"), [0; 32])?;
        Ok(round)
    }
}

/// Lets a call fail in each of `count` rounds, as one of `faults` after the other says, at places that are spread evenly over
/// everything that a server does: it starts, saves words, redacts one, saves more, stops, and starts again.
///
/// # Errors
/// Returns an error if the server hangs, if its next start fails, or if anything that was acknowledged is not there.
pub async fn fault_rounds(faults: &[Fault], count: usize, seed: u64) -> Result<FaultTally> {
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir()?;
    let shim = build_shim(dir.path())?;
    let template = dir.path().join("template");
    let server = Server::start(&template)?;
    let document = server.visit("ana")?.create("Faults")?;
    ensure!(server.stop()?.success());
    let quiet = Round::begin(&template, &shim)?;
    live(&quiet.options(""), &quiet.data(), &document).await?;
    let calls = quiet.calls()?;
    let is_counted = calls.writes > 50 && calls.reads > 5 && calls.folder_syncs > 5;
    ensure!(is_counted, "are the calls counted? {calls:?}");
    let mut tally = FaultTally::default();
    for round in 0..count {
        let fault = faults[round % faults.len()];
        let all = fault.count(&calls);
        let place = 1
            + (round as u64 * all / count as u64 + random.random_range(0..=all / count as u64))
                % all;
        let many = random.random_range(1..4);
        let what = format!("{} {place} {many}", fault.name());
        let context = || format!("round {round}: {fault:?}, {what}, of {all} calls");
        let outcome = one_round(&template, &shim, &document, fault, &what, &mut random).await;
        let (is_hit, has_ended) = outcome.with_context(context)?;
        match (is_hit, has_ended) {
            (false, _) => tally.missed += 1,
            (true, true) => tally.ended += 1,
            (true, false) => tally.went_on += 1,
        }
        if round > 0 && round % 100 == 0 {
            eprintln!("{round} of {count}: {tally:?}");
        }
    }
    Ok(tally)
}

/// Runs one round. Returns whether the fault happened, and whether the server ended because of it.
async fn one_round(
    template: &Path,
    shim: &Path,
    document: &str,
    fault: Fault,
    what: &str,
    random: &mut StdRng,
) -> Result<(bool, bool)> {
    let round = Round::begin(template, shim)?;
    let lived = live(&round.options(what), &round.data(), document).await?;
    if fault == Fault::EioThenPowerLoss {
        lose_power(&round.data(), &round.dir.path().join("record"), random)?;
    }
    let server = Server::start(&round.data()).context("the next start fails")?;
    check(&server.visit("ana")?.text(document, FIELD)?, &lived.session)?;
    ensure!(server.stop()?.success(), "the next server does not stop in order");
    let checked =
        Command::new(accord_binary()).arg("check").arg("--data").arg(round.data()).output()?;
    ensure!(checked.status.success(), "accord check: {}", String::from_utf8_lossy(&checked.stdout));
    Ok((round.calls()?.failed > 0, lived.has_ended))
}

struct Lived {
    session: Session,
    has_ended: bool,
}

/// Starts a server, lets it save, stops it, starts it again and kills it. If a server ends by itself, the rest is left out.
async fn live(options: &ServerOptions, data: &Path, document: &str) -> Result<Lived> {
    let mut session = Session::default();
    let Some(mut server) = started(data, options)? else {
        return Ok(Lived { session, has_ended: true });
    };
    // An error means that the server has ended or could not save something.
    let saved = save(&server, document, &mut session).await;
    if !server.is_alive() {
        return Ok(Lived { session, has_ended: true });
    }
    if let Err(error) = saved {
        // The server can be about to end. A server that keeps running must save again.
        let again = tokio::time::timeout(SOON, recovers(&mut server, document, &mut session)).await;
        again.with_context(|| format!("it neither ends nor saves again after: {error:#}"))??;
        if !server.is_alive() {
            return Ok(Lived { session, has_ended: true });
        }
    }
    let status = server.stop().context("it does not stop")?;
    if session.is_redacted {
        ensure!(!is_in_log(data)?, "the redacted text is still in the log");
    }
    complete_record(data, &data.with_file_name("record"))?;
    let again = started(data, options)?;
    let has_ended = !status.success() || again.is_none();
    if let Some(server) = again {
        // The fault can hit this start, too. Then reading may fail, but must not show less than was acknowledged.
        if let Ok(text) = server.visit("ana").and_then(|ana| ana.text(document, FIELD)) {
            check(&text, &session)?;
        }
        server.kill();
    }
    Ok(Lived { session, has_ended })
}

/// Whether the secret is in the log.
fn is_in_log(data: &Path) -> Result<bool> {
    for file in fs::read_dir(data.join("log"))? {
        let bytes = fs::read(file?.path())?;
        if bytes.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Starts a server. Returns `None` if it ends by itself.
fn started(data: &Path, options: &ServerOptions) -> Result<Option<Server>> {
    let since = Instant::now();
    match Server::start_with(data, options) {
        Ok(server) => Ok(Some(server)),
        // sled panics at some errors while it opens. The store turns that into a sentence.
        Err(error)
            if since.elapsed() < SOON && !error.to_string().contains("panicked at server") =>
        {
            Ok(None)
        }
        Err(error) => Err(error.context("it neither starts nor ends, or it panics")),
    }
}

/// Waits until the server ends or saves a word again.
async fn recovers(server: &mut Server, document: &str, session: &mut Session) -> Result<()> {
    while server.is_alive() {
        if let Ok(ana) = server.visit("ana")
            && write(server, &ana, document, session, 1).await.is_ok()
        {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Saves words, redacts the secret, and saves more words.
async fn save(server: &Server, document: &str, session: &mut Session) -> Result<()> {
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    write(server, &ana, document, session, WORDS).await?;
    let text = ana.text(document, FIELD)?;
    let from = text.find(SECRET).context("the secret")?;
    let redaction =
        json!({ "target": FIELD, "from": from, "text": SECRET, "reason": "A password" });
    let (status, _) = fay.post(&format!("/api/v1/documents/{document}/redactions"), redaction)?;
    match status {
        204 => session.is_redacted = true,
        _ => bail!("the redaction is answered with {status}"),
    }
    write(server, &ana, document, session, WORDS).await
}

fn word(number: usize) -> String {
    format!("[{number}]")
}

/// Sends words and waits until they are acknowledged.
async fn write(
    server: &Server,
    ana: &Visitor,
    document: &str,
    session: &mut Session,
    words: usize,
) -> Result<()> {
    let mut client =
        SyncClient::connect_accord(server, ana, document, rand::random_range(1..1 << 50)).await?;
    for _ in 0..words {
        let secret = if session.sent == 0 { SECRET } else { "" };
        let text = format!("{}{secret}{}", word(session.sent), "x".repeat(FILLER_BYTES));
        session.sent += 1;
        let end = client.len(FIELD).saturating_sub(1);
        client.edit(FIELD, end, 0, &text).await?;
        tokio::time::timeout(SOON, client.settled())
            .await
            .context("no acknowledgement comes")??;
        session.saved.push(session.sent - 1);
    }
    Ok(())
}

/// Checks that everything that was acknowledged is there.
fn check(text: &str, session: &Session) -> Result<()> {
    for number in &session.saved {
        let times = text.matches(&word(*number)).count();
        ensure!(times == 1, "word {number} of {} is there {times} times", session.sent);
    }
    ensure!(!(session.is_redacted && text.contains(SECRET)), "the redacted text is back");
    Ok(())
}
