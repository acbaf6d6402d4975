//! Administrators run an installation, and facilitators run a plan. The tests cover people who can't be removed, the
//! audit record, erasure, and the commands of the command line.

use accord_tests::{PASSWORD, Server, ServerOptions, Visitor, secret};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

#[test]
fn at_the_shell_an_administrator_is_made_a_password_reset_and_everybody_listed() -> Result<()> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let dir = tempfile::tempdir()?;
    let shell = |args: &[&str], password: &str| -> Result<(bool, String)> {
        let mut child = Command::new(accord_tests::accord_binary())
            .args(args)
            .env("ACCORD_DATA", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("stdin is piped")?.write_all(password.as_bytes())?;
        let output = child.wait_with_output()?;
        let printed = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&printed).into_owned()))
    };
    let make = ["make-administrator", "--email", "ida@x.org", "--name", "Ida Novak"];
    let (fine, printed) = shell(&make, "short\n")?;
    assert!(!fine && printed.contains("10 to 256"), "{printed}");
    let (fine, printed) = shell(&make, &format!("{PASSWORD}\n"))?;
    assert!(fine && printed.contains("Ida Novak is now an administrator"), "{printed}");
    let (fine, printed) = shell(&["people"], "")?;
    assert!(fine && printed.contains("Ida Novak\tida@x.org\tadministrator"), "{printed}");
    let (fine, printed) = shell(&["reset-password", "--email", "none@x.org"], "")?;
    assert!(!fine && printed.contains("no account with the address none@x.org"), "{printed}");
    let reset = ["reset-password", "--email", "IDA@x.org", "--public-url", "https://a.example"];
    let (fine, printed) = shell(&reset, "")?;
    let link = printed.lines().find(|line| line.starts_with("https://a.example/links/"));
    let link = link.with_context(|| printed.clone())?.to_owned();
    assert!(fine);
    let options = ServerOptions { demo: Some(false), ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    // The commands also work while the server runs, and take effect at once.
    let (fine, printed) = shell(&["people"], "")?;
    assert!(fine && printed.contains("Ida Novak\tida@x.org\tadministrator"), "{printed}");
    let second = ["make-administrator", "--email", "jo@x.org", "--name", "Jo Bauer"];
    let (fine, printed) = shell(&second, &format!("{PASSWORD}\n"))?;
    assert!(fine && printed.contains("Jo Bauer is now an administrator"), "{printed}");
    let jo = Visitor::sign_in_as(&server.address, "jo@x.org", PASSWORD)?;
    assert_eq!(jo.get("/api/v1/administration")?.0, 200);
    let (fine, printed) = shell(&["reset-password", "--email", "jo@x.org"], "")?;
    assert!(fine && printed.contains(&server.url("/links/")), "{printed}");
    let (fine, printed) = shell(&["reset-password", "--email", "none@x.org"], "")?;
    assert!(!fine && printed.contains("no account with the address none@x.org"), "{printed}");
    let socket = std::fs::metadata(dir.path().join("shell.sock"))?;
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&socket) & 0o777, 0o600);
    let ida = Visitor::sign_in_as(&server.address, "ida@x.org", PASSWORD)?;
    let (_, record) = ida.get("/api/v1/administration/audit")?;
    assert_eq!(record[0]["what"]["deed"], "make_reset_link");
    assert_eq!(record[1]["what"]["deed"], "make_administrator");
    assert_eq!(record[1]["whom"], "Jo Bauer");
    assert!(record[1]["from"].is_null());
    assert_eq!(record[3]["whom"], "Ida Novak");
    let path = format!("/api/v1/links/{}", secret(&link));
    Visitor::enter(&server.address, &path, json!({ "password": "orchid gravel pendulum" }))?;
    Ok(())
}

#[test]
fn a_deleted_commitment_is_erased_when_its_time_is_over() -> Result<()> {
    use accord_document::ids::{DocumentId, Seq};
    use accord_server::store::{DiskStore, Ledger};
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    let (kept, deleted) = (fay.create("Kept")?, fay.create("Deleted")?);
    let path = format!("/api/v1/documents/{deleted}");
    assert_eq!(fay.request("DELETE", &path, None)?.0, 204);
    assert_eq!(fay.get(&path)?.0, 404);
    let stored = |document: &str| -> Result<usize> {
        let store = DiskStore::open(dir.path(), 0)?;
        Ok(store.read(&DocumentId::new(document).into(), Seq(0))?.len())
    };
    ensure!(server.stop()?.success());
    ensure!(stored(&deleted)? > 0, "within its time it is there");
    let args = vec!["--keep-deleted-days".to_owned(), "0".to_owned()];
    let server = Server::start_with(dir.path(), &ServerOptions { args, ..Default::default() })?;
    server.next_logged("a deleted document is erased")?;
    ensure!(server.visit("fay")?.text(&kept, "title")? == "Kept\n");
    ensure!(server.stop()?.success());
    ensure!(stored(&deleted)? == 0 && stored(&kept)? > 0);
    Ok(())
}

#[test]
fn what_facilitators_and_administrators_do_is_on_record() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (fay, ida, ana) = (server.visit("fay")?, server.visit("ida")?, server.visit("ana")?);
    let new = json!({ "title": "Open meetings", "language": "en" });
    assert_eq!(fay.post("/api/v1/plans/demo/documents", new)?.0, 201);
    let (_, first) = fay.get("/api/v1/plans/demo/audit")?;
    assert_eq!(first[0]["what"]["what"]["act"], "add_document");
    assert_eq!(first[0]["from"], "127.0.0.1");
    fay.seat(&ana.id()?, "observer", "government")?;
    ida.post("/api/v1/plans", json!({ "title": "Other" }))?;
    let (_, record) = fay.get("/api/v1/plans/demo/audit")?;
    let newest = &record[0];
    assert_eq!(newest["name"], "Fay Duarte");
    assert_eq!(newest["whom"], "Ana Ferreira");
    assert_eq!(newest["what"]["what"]["act"], "seat");
    assert_eq!(newest["from"], "127.0.0.1");
    let all = record.as_array().context("a list")?;
    let others = |entry: &Value| entry["what"]["plan"] != "demo";
    assert!(!all.iter().any(others), "of her plan only");
    let (_, whole) = ida.get("/api/v1/administration/audit")?;
    assert_eq!(whole[0]["what"]["deed"], "create_plan");
    assert!(whole.as_array().context("a list")?.len() > all.len());
    // The export can be verified entry by entry.
    use accord_document::ledger::Entry;
    let mut response = ureq::get(server.url("/api/v1/administration/audit?format=chain"))
        .header("cookie", &ida.cookie)
        .call()?;
    let lines = response.body_mut().read_to_string()?;
    let mut previous = "0".repeat(64);
    let mut count = 0;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let bytes = line["entry"].as_str().context("an entry")?;
        let bytes = data_encoding::BASE64.decode(bytes.as_bytes())?;
        let entry = Entry::decode(&bytes)?;
        assert_eq!(entry.previous.to_string(), previous);
        previous = entry.hash().to_string();
        assert_eq!(line["hash"], previous.as_str());
        count += 1;
    }
    assert!(count > 5, "{count} entries");
    let (_, whole) = ida.get("/api/v1/administration/audit")?;
    assert_eq!(whole[0]["what"]["deed"], "export", "and that is on record, too");
    Ok(())
}
#[test]
fn the_last_facilitator_the_last_administrator_and_a_signatory_stay() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (fay, ida, ana) = (server.visit("fay")?, server.visit("ida")?, server.visit("ana")?);
    let fays = format!("/api/v1/plans/demo/people/{}", fay.id()?);
    let error = |answer: (u16, Value)| {
        (answer.0, answer.1["error"].as_str().unwrap_or_default().to_owned())
    };
    for by in [&fay, &ida] {
        let last = (409, "last_facilitator".to_owned());
        assert_eq!(error(by.request("DELETE", &fays, None)?), last);
        let author = json!({ "seat": "author", "sector": "government" });
        assert_eq!(error(by.request("PUT", &fays, Some(author))?), last);
    }
    let idas = format!("/api/v1/administration/people/{}", ida.id()?);
    let last = (409, "last_administrator".to_owned());
    let end = json!({ "administrator": false });
    assert_eq!(error(ida.request("PATCH", &idas, Some(end))?), last);
    assert_eq!(error(ida.request("DELETE", &idas, None)?), last);
    let signs = json!({ "seat": "author", "sector": "government", "signatory": true });
    let anas = format!("/api/v1/plans/demo/people/{}", ana.id()?);
    assert_eq!(fay.request("PUT", &anas, Some(signs))?.0, 204);
    let forget = format!("/api/v1/administration/people/{}", ana.id()?);
    let refused = ida.request("DELETE", &forget, None)?;
    assert!(refused.1["message"].as_str().unwrap_or_default().contains("is a signatory in"));
    assert_eq!(error(refused), (409, "signatory".into()));
    assert_eq!(ana.get("/api/v1/session")?.0, 200, "nothing half done");
    // Once Ana is no signatory any more, she can be forgotten. Her text and her sector remain.
    let document = ana.create("By Ana")?;
    assert_eq!(fay.seat(&ana.id()?, "author", "government")?, 204);
    assert_eq!(ida.request("DELETE", &forget, None)?.0, 204);
    assert_eq!(ana.get("/api/v1/session")?.0, 401, "signed out at once");
    let (_, plan) = fay.get("/api/v1/plans/demo")?;
    let listed = plan["documents"].as_array().context("documents")?;
    let hers = listed.iter().find(|d| d["id"] == document.as_str()).context("hers is listed")?;
    assert_eq!(hers["changed_by"]["name"], "");
    assert_eq!(hers["changed_by"]["sector"], "government");
    assert_eq!(fay.text(&document, "title")?, "By Ana\n");
    // The text survives a restart, and the chains still verify.
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    assert_eq!(server.visit("fay")?.text(&document, "title")?, "By Ana\n");
    Ok(())
}
