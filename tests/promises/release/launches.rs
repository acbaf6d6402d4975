//! Releases are secret before their launch and public after it. Each plan launches its own releases.

use super::{freeze, path, propose, sign};
use accord_tests::{Server, ServerInTime, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Addresses that must not disclose a release before its launch. `{}` stands for the document's id.
const PUBLIC: [&str; 12] = [
    "/p/demo",
    "/r/{}",
    "/r/{}/1",
    "/r/{}/1/release.json",
    "/r/{}/1/release.md",
    "/r/{}/1/release.html",
    "/r/{}/1/release.pdf",
    "/r/{}/1/release.docx",
    "/r/{}/compare/1/1",
    "/api/v1/documents/{}/releases/1",
    "/api/v1/documents/{}/releases/1/pdf",
    "/api/v1/plans/demo",
];

/// Checks that no public address discloses a release whose text contains “Zebra”.
fn is_hidden(nobody: &Visitor, document: &str, when: &str) -> Result<()> {
    for path in PUBLIC {
        let (status, page_text, cached) =
            nobody.page(&path.replace("{}", document), "cache-control")?;
        let expect = if path.starts_with("/api") { 401 } else { 404 };
        ensure!(
            status == expect && !page_text.contains("Zebra"),
            "{when}: {path} gives {status}: {page_text}"
        );
        ensure!(cached == "no-store", "{when}: {path} may be kept: {cached}");
    }
    // The answer is the same as for a release that does not exist.
    let (_, missing, _) = nobody.page("/r/nothing/1", "cache-control")?;
    let (_, hidden, _) = nobody.page(&format!("/r/{document}/1"), "cache-control")?;
    ensure!(missing == hidden, "{when}: it shows that it exists");
    let (_, metrics, _) = nobody.page("/metrics", "cache-control")?;
    ensure!(!metrics.contains(document) && !metrics.contains("Zebra"), "{when}");
    Ok(())
}

/// Checks that the public can read the release, but nothing that is for members only.
fn is_open(nobody: &Visitor, document: &str) -> Result<()> {
    for path in PUBLIC {
        let (status, page_text, cached) =
            nobody.page(&path.replace("{}", document), "cache-control")?;
        if path.starts_with("/api") {
            ensure!(status == 401, "{path}: what only members reach stays closed");
            continue;
        }
        ensure!(status == 200 && cached.starts_with("public"), "{path} gives {status}, {cached}");
        let is_packed = path.ends_with(".pdf") || path.ends_with(".docx");
        ensure!(is_packed || page_text.contains("Zebra"), "{path}: {page_text}");
        ensure!(is_packed || page_text.len() < 50 * 1024, "{path} has {} bytes", page_text.len());
    }
    Ok(())
}

#[test]
fn nothing_leaks_before_its_time_and_then_it_opens_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = ServerInTime::start(data.path())?;
    let visit = |demo| Visitor::sign_in(&server.address, demo);
    let (fay, ana, ben) = (visit("fay")?, visit("ana")?, visit("ben")?);
    let secret = "Zebra crossings for Mathare";
    let document = ana.create(secret)?;
    freeze(&fay, &ana, &ben, &document)?;
    let nobody = Visitor::nobody(&server.address);
    let hidden = |when: &str| is_hidden(&nobody, &document, when);
    hidden("before a launch")?;
    let now = fay.get("/api/v1/plans/demo")?.1["now"].as_u64().context("the server’s time")?;
    let launches = "/api/v1/plans/demo/launches";
    let wanted =
        |opens: u64| json!({ "documents": [document], "opens": opens, "zone": "Africa/Nairobi" });
    ensure!(ana.post(launches, wanted(now + 3_600_000))?.0 == 403);
    let bad = json!({ "documents": [document], "zone": "Mars/Phobos" });
    ensure!(fay.post(launches, bad)?.0 == 422);
    let unsigned = json!({ "documents": ["demo"], "zone": "Africa/Nairobi" });
    ensure!(fay.post(launches, unsigned)?.1["error"] == "unsigned");
    let (status, first) = fay.post(launches, wanted(now + 3_600_000))?;
    ensure!(status == 200, "{status} {first}");
    hidden("under embargo")?;
    ensure!(fay.post(launches, wanted(now))?.1["error"] == "launched");
    ensure!(fay.request("DELETE", &format!("{launches}/{}", first["seq"]), None)?.0 == 204);
    server.pass(Duration::from_secs(4_000));
    hidden("called off")?;
    ensure!(fay.post(launches, wanted(now + 7_200_000))?.0 == 200);
    server.pass(Duration::from_secs(3_199));
    hidden("a second before")?;
    server.pass(Duration::from_secs(2));
    let opened = Instant::now();
    while nobody.page(&format!("/r/{document}"), "etag")?.0 != 200 {
        ensure!(opened.elapsed() < Duration::from_secs(20), "it does not open by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    is_open(&nobody, &document)?;
    let (_, page, tag) = nobody.page(&format!("/r/{document}/1"), "etag")?;
    ensure!(page.contains("Africa/Nairobi") && !tag.is_empty(), "{page}");
    ensure!(fay.request("DELETE", &format!("/api/v1/documents/{document}"), None)?.0 == 409);
    Ok(())
}

#[test]
fn in_a_closed_plan_a_launch_can_be_called_off_and_the_plan_says_so() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let visit = |demo| Visitor::sign_in(&server.address, demo);
    let (fay, ana, ben) = (visit("fay")?, visit("ana")?, visit("ben")?);
    let document = ana.create("Contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let now = fay.get("/api/v1/plans/demo")?.1["now"].as_u64().context("the server’s time")?;
    let launches = "/api/v1/plans/demo/launches";
    let later = json!({ "documents": [document], "opens": now + 3_600_000, "zone": "UTC" });
    let (_, launch) = fay.post(launches, later.clone())?;
    let call_off = format!("{launches}/{}", launch["seq"]);
    let rights = |who: &Visitor| -> Result<(bool, bool)> {
        let (_, plan) = who.get("/api/v1/plans/demo")?;
        let right = |name: &str| plan[name].as_bool().with_context(|| format!("{name}: {plan}"));
        Ok((right("may_launch")?, right("may_call_off")?))
    };
    ensure!(rights(&fay)? == (true, true) && rights(&ana)? == (false, false));
    let closed = json!({ "closed": true });
    ensure!(fay.request("PATCH", "/api/v1/plans/demo", Some(closed))?.0 == 204);
    ensure!(rights(&fay)? == (false, true) && rights(&ana)? == (false, false));
    ensure!(ana.request("DELETE", &call_off, None)?.0 == 403);
    ensure!(fay.request("DELETE", &call_off, None)?.0 == 204);
    ensure!(fay.post(launches, later)?.0 == 409, "a closed plan launches nothing");
    Ok(())
}

/// Makes a plan with people, each given as name, role, sector, and whether they are a signatory. Returns the plan's
/// id and the people, in the same order.
fn plan(
    server: &Server,
    ida: &Visitor,
    title: &str,
    people: &[(&str, &str, &str, bool)],
) -> Result<(String, Vec<Visitor>)> {
    let (_, made) = ida.post("/api/v1/plans", json!({ "title": title }))?;
    let plan = made["id"].as_str().context("a plan")?.to_owned();
    let mut all = Vec::new();
    for (name, seat, sector, signatory) in people {
        let wanted =
            json!({ "invitations": [{ "seat": seat, "sector": sector, "signatory": signatory }] });
        let (_, made) = ida.post(&format!("/api/v1/plans/{plan}/invitations"), wanted)?;
        let link = made[0]["link"].as_str().context("a link")?;
        all.push(Visitor::join(&server.address, link, &format!("{name}@x.org"))?);
    }
    Ok((plan, all))
}

/// Checks three public pages: a commitment in Georgian and its English translation link to each other, their plan
/// lists both, and a commitment in Korean is shown in Korean.
fn commitments_are_shown_in_their_languages(
    server: &Server,
    plan: &str,
    (georgian, english): (&str, &str),
    korean: &str,
) -> Result<()> {
    let nobody = Visitor::nobody(&server.address);
    let page = |path: String| nobody.page(&path, "content-type");
    let (_, page_text, _) = page(format!("/r/{georgian}"))?;
    for words in [
        "<html lang=\"ka\">",
        "ხელმოწერილია ორივე მხარის მიერ",
        "ღია კონტრაქტები",
        "(Asia/Tbilisi)",
    ] {
        ensure!(page_text.contains(words), "{words} is not in {page_text}");
    }
    ensure!(
        page_text.contains(&format!("hreflang=\"en\" href=\"{}/r/{english}\"", server.url(""))),
        "{page_text}"
    );
    ensure!(
        page(format!("/r/{english}"))?
            .1
            .contains(&format!("href=\"/r/{georgian}\" hreflang=\"ka\""))
    );
    let (_, page_text, _) = page(format!("/r/{korean}"))?;
    ensure!(
        page_text.contains("양측 서명")
            && page_text.contains("열린 계약")
            && !page_text.contains("ka"),
        "{page_text}"
    );
    let (_, page_text, _) = page(format!("/p/{plan}"))?;
    ensure!(
        page_text.contains("ღია კონტრაქტები")
            && page_text.contains("Open contracts")
            && !page_text.contains("열린"),
        "{page_text}"
    );
    let (_, page_text, _) = page(format!("/r/{korean}/1/release.md"))?;
    ensure!(page_text.starts_with("# 열린 계약\n"), "{page_text}");
    Ok(())
}

/// Two governments each have their own people. Nobody signs for the other plan, a plan that requires two signatories
/// of a side waits for both, and each plan launches its own releases. A commitment in two languages links from one to
/// the other.
#[test]
fn each_plan_signs_and_launches_its_own_in_its_own_languages() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ida = server.visit("ida")?;
    let (tbilisi, people) = plan(
        &server,
        &ida,
        "თბილისი 2027",
        &[
            ("nino", "facilitator", "government", true),
            ("giorgi", "author", "civil_society", true),
            ("eka", "author", "civil_society", true),
        ],
    )?;
    let [nino, giorgi, eka] = people.as_slice() else { anyhow::bail!("three people") };
    let (seoul, people) = plan(
        &server,
        &ida,
        "서울 2027",
        &[("minji", "facilitator", "government", true), ("jun", "author", "civil_society", true)],
    )?;
    let [minji, jun] = people.as_slice() else { anyhow::bail!("two people") };
    let create = |by: &Visitor, plan: &str, body: Value| -> Result<String> {
        let (status, made) = by.post(&format!("/api/v1/plans/{plan}/documents"), body)?;
        made["id"].as_str().map(str::to_owned).with_context(|| format!("{status} {made}"))
    };
    let georgian = create(nino, &tbilisi, json!({ "title": "ღია კონტრაქტები", "language": "ka" }))?;
    let english = json!({ "title": "Open contracts", "language": "en", "translates": georgian });
    let english = create(nino, &tbilisi, english)?;
    let again = json!({ "title": "Again", "language": "en", "translates": georgian });
    ensure!(nino.post(&format!("/api/v1/plans/{tbilisi}/documents"), again)?.0 == 422);
    let bad = json!({ "title": "Bad", "language": "<b>" });
    ensure!(nino.post(&format!("/api/v1/plans/{tbilisi}/documents"), bad)?.0 == 422);
    let korean = create(minji, &seoul, json!({ "title": "열린 계약", "language": "ko" }))?;

    // The plan of Tbilisi requires two signatures of civil society.
    let quorum = json!({ "quorum": { "government": 1, "civil_society": 2 } });
    ensure!(
        giorgi.request("PATCH", &format!("/api/v1/plans/{tbilisi}"), Some(quorum.clone()))?.0
            == 403
    );
    ensure!(nino.request("PATCH", &format!("/api/v1/plans/{tbilisi}"), Some(quorum))?.0 == 204);
    for document in [&georgian, &english] {
        let proposal = propose(nino, document)?;
        ensure!(sign(minji, document, proposal)?.0 == 404, "another plan’s signatory");
        ensure!(
            sign(nino, document, proposal)?.0 == 200 && sign(giorgi, document, proposal)?.0 == 200
        );
        ensure!(path(nino, document)?["frozen"] == false, "one of two has signed");
        ensure!(sign(eka, document, proposal)?.0 == 200);
        ensure!(path(nino, document)?["frozen"] == true);
    }
    freeze(minji, minji, jun, &korean)?;

    let launch = |by: &Visitor, plan: &str, documents: &[&String], zone: &str| -> Result<()> {
        let wanted = json!({ "documents": documents, "zone": zone });
        let (status, answer) = by.post(&format!("/api/v1/plans/{plan}/launches"), wanted)?;
        ensure!(status == 200, "{status} {answer}");
        Ok(())
    };
    launch(nino, &tbilisi, &[&georgian, &english], "Asia/Tbilisi")?;
    let page_of_seoul = format!("/p/{seoul}");
    let (status, ..) = Visitor::nobody(&server.address).page(&page_of_seoul, "content-type")?;
    ensure!(status == 404, "the other plan waits for its own launch");
    launch(minji, &seoul, &[&korean], "Asia/Seoul")?;
    commitments_are_shown_in_their_languages(&server, &tbilisi, (&georgian, &english), &korean)
}
