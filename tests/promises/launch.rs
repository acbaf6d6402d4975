//! A mistyped time can't spoil a launch: times in the past or far ahead are refused, and the same true date is shown
//! everywhere.

use crate::release::{freeze, of};
use accord_document::body::{Act, LaunchedRelease};
use accord_document::ids::{DocumentId, LedgerId, PersonId, PlanId, Seq, SessionId};
use accord_document::ledger::Entry;
use accord_document::people::{Actor, Seat, Sector};
use accord_document::plan::PlanState;
use accord_server::store::{Append, DiskStore, Ledger, Store as _};
use accord_tests::{Server, ServerInTime, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const LAUNCHES: &str = "/api/v1/plans/demo/launches";
const YEAR_MS: u64 = 365 * 86_400_000;

/// Waits until a release is public, and returns its page.
fn opened(nobody: &Visitor, document: &str) -> Result<String> {
    let start = Instant::now();
    loop {
        let (status, page, _) = nobody.page(&format!("/r/{document}"), "etag")?;
        if status == 200 {
            return Ok(page);
        }
        ensure!(start.elapsed() < Duration::from_secs(20), "it does not open by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Returns the date at which a commitment became or will become public, from each place of the API that gives it, in
/// milliseconds since the Unix epoch.
fn dates(member: &Visitor, document: &str) -> Result<Vec<u64>> {
    let (_, plan) = member.get("/api/v1/plans/demo")?;
    let (_, path) = member.get(&of(document, "release"))?;
    let own = |one: &&Value| one["id"] == document;
    let listed = plan["documents"].as_array().context("documents")?.iter().find(own);
    let launch = plan["launches"].as_array().context("launches")?.last();
    let all = [
        &launch.context("a launch")?["opens"],
        &listed.context("it is listed")?["release"]["opens"],
        &path["releases"][0]["opens"],
    ];
    all.into_iter().map(|date| date.as_u64().context("a date")).collect()
}

#[test]
fn a_time_in_the_past_or_far_away_is_refused_with_the_time_of_now() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = ServerInTime::start(data.path())?;
    let visit = |demo| Visitor::sign_in(&server.address, demo);
    let (fay, ana, ben) = (visit("fay")?, visit("ana")?, visit("ben")?);
    let document = ana.create("Open contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let now = fay.get("/api/v1/plans/demo")?.1["now"].as_u64().context("the server’s time")?;
    let post = |opens: Value, zone: &str| {
        fay.post(LAUNCHES, json!({ "documents": [document], "opens": opens, "zone": zone }))
    };
    // The test's clock is at 1,800,000,000 seconds after the epoch, which is 15 January 2027, 08:00 UTC.
    for (opens, says) in [
        (json!(0), "in the past: it is 15 January 2027, 11:00 now (Africa/Nairobi)"),
        (json!(now - 61_000), "in the past"),
        (json!(now - 7 * YEAR_MS), "Choose a later time, or launch now."),
        (
            json!(now + 101 * YEAR_MS),
            "more than a hundred years ahead: it is 15 January 2027, 11:00",
        ),
        (json!(u64::MAX), "more than a hundred years ahead"),
        (json!(-1), ""),
        (json!(1e300), ""),
        (json!("tomorrow"), ""),
    ] {
        let (status, answer) = post(opens.clone(), "africa/nairobi")?;
        let message = answer["message"].as_str().unwrap_or_default();
        ensure!(status == 422 && message.contains(says), "{opens}: {status} {answer}");
    }
    for zone in
        ["Mars/Phobos", "", "Etc/Unknown", "UTC\n", "EST5EDT,M3.2.0,M11.1.0", "../etc/passwd"]
    {
        ensure!(post(json!(now + 5_000), zone)?.0 == 422, "{zone}");
    }
    let (_, plan) = fay.get("/api/v1/plans/demo")?;
    ensure!(plan["launches"] == json!([]), "{plan}");
    // A time less than a minute in the past counts as now, and the name of the zone is corrected.
    let (status, answer) = post(json!(now - 59_000), "africa/nairobi")?;
    ensure!(status == 200, "{status} {answer}");
    let page = opened(&Visitor::nobody(&server.address), &document)?;
    ensure!(page.contains("11:00 (Africa/Nairobi)"), "{page}");
    ensure!(
        dates(&ana, &document)?.iter().all(|&date| date == now),
        "{:?}",
        dates(&ana, &document)?
    );
    Ok(())
}

#[test]
fn one_date_stands_everywhere_from_a_launch_on() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = ServerInTime::start(data.path())?;
    let visit = |demo| Visitor::sign_in(&server.address, demo);
    let (fay, ana, ben) = (visit("fay")?, visit("ana")?, visit("ben")?);
    let document = ana.create("Open contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let opens = 1_800_000_000_000 + 7_200_000;
    let wanted = json!({ "documents": [document], "opens": opens, "zone": "Asia/Seoul" });
    ensure!(fay.post(LAUNCHES, wanted)?.0 == 200);
    ensure!(dates(&ana, &document)?.iter().all(|&date| date == opens));
    // The server publishes an hour late, as it would after a night without power.
    server.pass(Duration::from_secs(7_200 + 3_600));
    let nobody = Visitor::nobody(&server.address);
    let page = opened(&nobody, &document)?;
    let dates = dates(&ana, &document)?;
    ensure!(dates.iter().all(|&date| date == opens + 3_600_000), "{dates:?}");
    for path in
        [format!("/r/{document}/1"), format!("/r/{document}/1/release.html"), "/p/demo".into()]
    {
        let (_, page_text, _) = nobody.page(&path, "etag")?;
        ensure!(
            page_text.contains("20:00 (Asia/Seoul)") && !page_text.contains("19:00"),
            "{path}: {page_text}"
        );
    }
    ensure!(page.contains("20:00 (Asia/Seoul)"), "{page}");
    Ok(())
}

/// Writes a launch for 1 January 2020 into a plan's ledger, as earlier versions did. Returns the time of its entry.
fn launched_in_2020(data: &Path, document: &str, digest: &str) -> Result<u64> {
    let store = DiskStore::open(data, 0)?;
    let plan = PlanId::new("demo");
    let ledger = LedgerId::Plan(plan);
    let entries = store.read(&ledger, Seq(0))?;
    let (first, rest) = entries.split_first().context("a plan begins")?;
    let mut state = PlanState::begin(&Entry::decode(first)?)?;
    for entry in rest {
        state.apply(&Entry::decode(entry)?)?;
    }
    let facilitator = Actor {
        person: PersonId::new("demo-fay"),
        seat: Seat::Facilitator,
        sector: Sector::Government,
        session: SessionId::new("earlier"),
    };
    let digest = digest.parse().map_err(anyhow::Error::msg)?;
    let releases = vec![LaunchedRelease { document: DocumentId::new(document), number: 1, digest }];
    let act = Act::Launch { releases, opens_at: 1_577_836_800_000, zone: "Africa/Nairobi".into() };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let entry = state.act(&facilitator, u64::try_from(now)?, [7; 16], act)?;
    let time = entry.time;
    store.append(&[Append { ledger, seq: entry.seq, bytes: entry.encode() }])?;
    Ok(time)
}

#[test]
fn an_old_launch_that_was_dated_in_the_past_shows_when_it_was_decided() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Open contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let (_, path) = ana.get(&of(&document, "release"))?;
    let digest = path["releases"][0]["digest"].as_str().context("a digest")?.to_owned();
    ensure!(server.stop()?.success());
    let decided = launched_in_2020(data.path(), &document, &digest)?;
    let server = Server::start(data.path())?;
    let nobody = Visitor::nobody(&server.address);
    let page = opened(&nobody, &document)?;
    let ana = server.visit("ana")?;
    let dates = dates(&ana, &document)?;
    ensure!(dates.iter().all(|&date| date >= decided && date < decided + 60_000), "{dates:?}");
    let (_, html, _) = nobody.page(&format!("/r/{document}/1/release.html"), "etag")?;
    let (_, plan, _) = nobody.page("/p/demo", "etag")?;
    for page_text in [page, html, plan] {
        ensure!(!page_text.contains("2020"), "{page_text}");
    }
    Ok(())
}
