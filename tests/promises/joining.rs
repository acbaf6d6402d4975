//! Getting in: the first administrator, invitations, passwords; and what keeps people out is said.

use accord_tests::{PASSWORD, Server, ServerInTime, ServerOptions, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A server without the demo, and the link that it prints for its first administrator.
fn fresh(dir: &Path) -> Result<(Server, String)> {
    let server =
        Server::start_with(dir, &ServerOptions { demo: Some(false), ..Default::default() })?;
    let log = server.log_from_the_start().join("\n");
    let link = log.split("open ").nth(1).and_then(|rest| rest.split(' ').next());
    let link = link.with_context(|| format!("no link in {log}"))?.to_owned();
    Ok((server, link))
}

fn secret(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

fn account(email: &str) -> Value {
    json!({ "name": "Somebody New", "email": email, "password": PASSWORD })
}

#[test]
fn the_first_start_prints_a_link_that_makes_one_administrator() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, link) = fresh(dir.path())?;
    let nobody = Visitor::nobody(&server.address);
    let path = format!("/api/v1/links/{}", secret(&link));
    assert_eq!(nobody.get(&path)?.1["purpose"], "setup");
    let weak = json!({ "name": "Ida", "email": "ida@x.org", "password": "password12" });
    let (status, answer) = nobody.post(&path, weak)?;
    assert_eq!((status, answer["error"].as_str()), (422, Some("weak_password")), "{answer}");
    let ida = Visitor::enter(&server.address, &path, account("ida@x.org"))?;
    assert_eq!(ida.get("/api/v1/session")?.1["person"]["administrator"], true);
    assert_eq!(nobody.get(&path)?.0, 404, "it works once");
    assert_eq!(nobody.post(&path, account("eve@x.org"))?.0, 404);
    // An empty installation with its administrator prints no other.
    ensure!(server.stop()?.success());
    let options = ServerOptions { demo: Some(false), ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    assert!(!server.log_from_the_start().join("\n").contains("/links/"));
    // Nobody is signed in by a demo that does not run.
    let (status, _) = nobody_at(&server).post("/api/v1/session", json!({ "demo": "ana" }))?;
    assert_eq!(status, 403);
    let ida = Visitor::sign_in_as(&server.address, "IDA@x.org", PASSWORD)?;
    let (status, made) = ida.post("/api/v1/plans", json!({ "title": " Riverton 2027 " }))?;
    assert_eq!(status, 201);
    let plan = format!("/api/v1/plans/{}", made["id"].as_str().unwrap_or_default());
    assert_eq!(ida.get(&plan)?.1["title"], "Riverton 2027");
    let (status, answer) = ida.post("/api/v1/plans", json!({ "title": " " }))?;
    assert_eq!((status, answer["error"].as_str()), (422, Some("invalid")));
    Ok(())
}

fn nobody_at(server: &Server) -> Visitor {
    Visitor::nobody(&server.address)
}

#[test]
fn an_invitation_that_can_t_be_used_says_why_and_leaves_nothing_behind() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    let nobody = Visitor::nobody(address);
    let invite = |days: u32| -> Result<String> {
        let seat = json!({ "seat": "author", "sector": "civil_society", "label": "Ben" });
        let wanted = json!({ "invitations": [seat], "days": days });
        let (_, made) = fay.post("/api/v1/plans/demo/invitations", wanted)?;
        made[0]["link"].as_str().map(str::to_owned).context("a link")
    };
    let take = |link: &str, email: &str| -> Result<(u16, String)> {
        let path = format!("/api/v1/invitations/{}", secret(link));
        let (status, answer) = nobody.post(&path, json!({ "account": account(email) }))?;
        Ok((status, answer["error"].as_str().unwrap_or_default().to_owned()))
    };
    let count = || -> Result<usize> {
        let ida = Visitor::sign_in(address, "ida")?;
        let (_, all) = ida.get("/api/v1/administration")?;
        all["people"].as_array().map(Vec::len).context("people")
    };
    let before = count()?;

    let used = invite(14)?;
    let ben = Visitor::join(address, &used, "ben@x.org")?;
    assert_eq!(ben.get("/api/v1/plans/demo")?.1["seat"], "author");
    assert_eq!(take(&used, "other@x.org")?, (410, "used".into()));
    let revoked = invite(14)?;
    let (_, people) = fay.get("/api/v1/plans/demo/people")?;
    let id = people["invitations"][0]["id"].as_str().context("an open invitation")?;
    let path = format!("/api/v1/plans/demo/invitations/{id}");
    assert_eq!(fay.request("DELETE", &path, None)?.0, 204);
    assert_eq!(take(&revoked, "other@x.org")?, (410, "revoked".into()));
    let short = invite(1)?;
    let taken = invite(30)?;
    server.pass(Duration::from_secs(86_400));
    assert_eq!(take(&short, "other@x.org")?, (410, "expired".into()));
    assert_eq!(take("x/made-up", "other@x.org")?, (404, "no_invitation".into()));
    assert_eq!(take("x/", "other@x.org")?.0, 404);
    assert_eq!(take(&taken, "BEN@x.org")?, (409, "email_taken".into()));
    assert_eq!(take(&taken, "no address")?, (422, "invalid".into()));
    let path = format!("/api/v1/invitations/{}", secret(&taken));
    for (password, expected) in [("short", 422), ("Password123!", 422), ("ben ben ben ben", 422)] {
        let weak = json!({ "name": "Ben", "email": "b@x.org", "password": password });
        assert_eq!(nobody.post(&path, json!({ "account": weak }))?.0, expected, "{password}");
    }
    assert_eq!(ben.post(&path, json!({}))?.1["error"], "already_seated");
    let fay_again = Visitor::sign_in(address, "fay")?;
    fay_again.request("PATCH", "/api/v1/plans/demo", Some(json!({ "closed": true })))?;
    assert_eq!(take(&taken, "other@x.org")?, (409, "closed".into()));
    fay_again.request("PATCH", "/api/v1/plans/demo", Some(json!({ "closed": false })))?;
    assert_eq!(count()?, before + 1, "nothing half done: only Ben has come");
    Visitor::join(address, &taken, "other@x.org").context("and the link still works")?;
    for (days, labels, expected) in [(0, 1, 422), (91, 1, 422), (14, 0, 422), (14, 201, 422)] {
        let seat = json!({ "seat": "author", "sector": "other" });
        let wanted = json!({ "invitations": vec![seat; labels], "days": days });
        let (status, _) = fay_again.post("/api/v1/plans/demo/invitations", wanted)?;
        assert_eq!(status, expected, "{days} days, {labels} invitations");
    }
    let odd =
        json!({ "invitations": [{ "seat": "observer", "sector": "other", "signatory": true }] });
    assert_eq!(fay_again.post("/api/v1/plans/demo/invitations", odd)?.0, 422);
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
    assert!(refused.1["message"].as_str().unwrap_or_default().contains("signs for their side"));
    assert_eq!(error(refused), (409, "signatory".into()));
    assert_eq!(ana.get("/api/v1/session")?.0, 200, "nothing half done");
    // The mark taken away, she can be forgotten; what she wrote stays, and her sector.
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
    // And all of it survives a restart: the chains still verify.
    ensure!(server.stop()?.success());
    let server = Server::start(dir.path())?;
    assert_eq!(server.visit("fay")?.text(&document, "title")?, "By Ana\n");
    Ok(())
}

#[test]
fn a_lost_password_is_set_anew_by_a_link_that_works_once() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    let ben = Visitor::join(address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let id = ben.id()?;
    let path = format!("/api/v1/plans/demo/people/{id}/reset");
    let (_, first) = fay.post(&path, json!({}))?;
    let (_, second) = fay.post(&path, json!({}))?;
    let link = |made: &Value| format!("/api/v1/links/{}", secret(made["link"].as_str().unwrap()));
    assert_eq!(ben.get(&link(&first))?.0, 404, "a newer link replaces an older one");
    assert_eq!(ben.get(&link(&second))?.1["name"], "ben");
    let new = "orchid gravel pendulum";
    let back = Visitor::enter(address, &link(&second), json!({ "password": new }))?;
    assert_eq!(back.id()?, id);
    assert_eq!(ben.get("/api/v1/session")?.0, 401, "whoever knew the old one is out");
    assert!(Visitor::sign_in_as(address, "ben@x.org", PASSWORD).is_err());
    Visitor::sign_in_as(address, "ben@x.org", new)?;
    assert_eq!(back.post(&link(&second), json!({ "password": PASSWORD }))?.0, 404, "once");
    let (_, third) = fay.post(&path, json!({}))?;
    server.pass(Duration::from_secs(86_400));
    assert_eq!(back.get(&link(&third))?.0, 404, "for a day");
    // One who also sits in a plan that is not hers, a facilitator can't make a link for.
    let ida = Visitor::sign_in(address, "ida")?;
    let (_, other) = ida.post("/api/v1/plans", json!({ "title": "Other" }))?;
    let other = other["id"].as_str().context("a plan")?;
    let seat = json!({ "seat": "author", "sector": "civil_society" });
    let seated = format!("/api/v1/plans/{other}/people/{id}");
    assert_eq!(ida.request("PUT", &seated, Some(seat))?.0, 204);
    assert_eq!(fay.post(&path, json!({}))?.0, 403);
    assert_eq!(ida.post(&path, json!({}))?.0, 200);
    Ok(())
}

#[test]
fn guessing_is_slowed_down_and_locks_nobody_out() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    Visitor::join(address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let nobody = Visitor::nobody(address);
    let guess = |email: &str| -> Result<u16> {
        let wrong = json!({ "email": email, "password": "not the password" });
        Ok(nobody.post("/api/v1/session", wrong)?.0)
    };
    for _ in 0..10 {
        assert_eq!(guess("ben@x.org")?, 401);
        assert_eq!(guess("nobody@x.org")?, 401, "an unknown account is no different");
    }
    assert_eq!(guess("ben@x.org")?, 429);
    assert_eq!(guess("nobody@x.org")?, 429);
    server.pass(Duration::from_secs(20));
    Visitor::sign_in_as(address, "ben@x.org", PASSWORD)?;
    Ok(())
}

/// Takes mail as an SMTP server does (RFC 5321), as far as a sender needs one, and gives what came.
fn mailbox() -> Result<(std::net::SocketAddr, std::sync::mpsc::Receiver<String>)> {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (told, mails) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> Result<()> {
        for socket in listener.incoming() {
            let mut out = socket?;
            let mut lines = BufReader::new(out.try_clone()?).lines();
            out.write_all(b"220 mail.test\r\n")?;
            let mut mail = String::new();
            while let Some(line) = lines.next().transpose()? {
                let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
                    "DATA" => {
                        out.write_all(b"354 go on\r\n")?;
                        for line in lines.by_ref().map_while(Result::ok).take_while(|l| l != ".") {
                            mail.push_str(&line);
                            mail.push('\n');
                        }
                        b"250 taken\r\n"
                    }
                    "QUIT" => break,
                    _ => {
                        mail.push_str(&format!("{line}\n"));
                        b"250 fine\r\n"
                    }
                };
                out.write_all(answer)?;
                if answer.ends_with(b"taken\r\n") {
                    told.send(std::mem::take(&mut mail))?;
                }
            }
        }
        Ok(())
    });
    Ok((address, mails))
}

#[test]
fn a_lost_password_is_set_anew_by_mail_and_nobody_learns_who_has_an_account() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (mail_server, mails) = mailbox()?;
    let args = [
        "--smtp-url".to_owned(),
        format!("smtp://{mail_server}"),
        "--mail-from".into(),
        "Accord <accord@riverton.example>".into(),
    ];
    let options = ServerOptions { args: args.into(), ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    let fay = server.visit("fay")?;
    let ben = Visitor::join(&server.address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let nobody = nobody_at(&server);
    for email in ["nobody@x.org", "ben@x.org"] {
        assert_eq!(nobody.post("/api/v1/links", json!({ "email": email }))?.0, 202);
    }
    let mail = mails.recv_timeout(Duration::from_secs(20))?;
    assert!(mail.contains("RCPT TO:<ben@x.org>"), "{mail}");
    assert!(mail.contains("From: Accord <accord@riverton.example>"), "{mail}");
    // Long lines are folded in mail (quoted-printable, RFC 2045).
    let text = mail.replace("=\n", "");
    let link = text.split("/links/").nth(1).and_then(|rest| rest.split_whitespace().next());
    let path = format!("/api/v1/links/{}", link.context("a link in the mail")?);
    let back =
        Visitor::enter(&server.address, &path, json!({ "password": "orchid gravel pendulum" }))?;
    assert_eq!(back.id()?, {
        let again = Visitor::sign_in_as(&server.address, "ben@x.org", "orchid gravel pendulum")?;
        again.id()?
    });
    assert_eq!(ben.get("/api/v1/session")?.0, 401);
    assert!(mails.try_recv().is_err(), "one mail, to whoever has an account");
    Ok(())
}

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
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    };
    let make = ["make-administrator", "--email", "ida@x.org", "--name", "Ida Novak"];
    let (fine, said) = shell(&make, "short\n")?;
    assert!(!fine && said.contains("between 10 and 256"), "{said}");
    let (fine, said) = shell(&make, &format!("{PASSWORD}\n"))?;
    assert!(fine && said.contains("Ida Novak runs this installation now"), "{said}");
    let (fine, said) = shell(&["people"], "")?;
    assert!(fine && said.contains("Ida Novak\tida@x.org\tadministrator"), "{said}");
    let (fine, said) = shell(&["reset-password", "--email", "none@x.org"], "")?;
    assert!(!fine && said.contains("no account with the address none@x.org"), "{said}");
    let reset = ["reset-password", "--email", "IDA@x.org", "--public-url", "https://a.example"];
    let (fine, said) = shell(&reset, "")?;
    let link = said.lines().find(|line| line.starts_with("https://a.example/links/"));
    let link = link.with_context(|| said.clone())?.to_owned();
    assert!(fine);
    let options = ServerOptions { demo: Some(false), ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    let (fine, said) = shell(&["people"], "")?;
    assert!(!fine && said.contains("another server is already using"), "{said}");
    let ida = Visitor::sign_in_as(&server.address, "ida@x.org", PASSWORD)?;
    let (_, record) = ida.get("/api/v1/administration/audit")?;
    assert_eq!(record[0]["what"]["deed"], "make_reset_link");
    assert_eq!(record[1]["what"]["deed"], "make_administrator");
    assert_eq!(record[1]["whom"], "Ida Novak");
    assert!(record[1]["from"].is_null());
    let path = format!("/api/v1/links/{}", secret(&link));
    Visitor::enter(&server.address, &path, json!({ "password": "orchid gravel pendulum" }))?;
    Ok(())
}

#[test]
fn a_request_from_another_page_changes_nothing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    let own = server.url("");
    for (origin, expected) in [("http://evil.example", 403), ("null", 403), (own.as_str(), 204)] {
        let response = ureq::patch(server.url("/api/v1/plans/demo"))
            .config()
            .http_status_as_error(false)
            .build()
            .header("cookie", &fay.cookie)
            .header("origin", origin)
            .send_json(json!({ "title": "From elsewhere" }))?;
        assert_eq!(response.status().as_u16(), expected, "{origin}");
    }
    // The signing-in itself, too: nobody is signed in as somebody else by a foreign page.
    let response = ureq::post(server.url("/api/v1/session"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("origin", "http://evil.example")
        .send_json(json!({ "demo": "ana" }))?;
    assert_eq!(response.status().as_u16(), 403);
    Ok(())
}

#[test]
fn a_deleted_commitment_is_erased_when_its_time_is_over() -> Result<()> {
    use accord_document::ids::{DocumentId, Seq};
    use accord_server::store::{Ledger, SledStore};
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let fay = server.visit("fay")?;
    let (kept, deleted) = (fay.create("Kept")?, fay.create("Deleted")?);
    let path = format!("/api/v1/documents/{deleted}");
    assert_eq!(fay.request("DELETE", &path, None)?.0, 204);
    assert_eq!(fay.get(&path)?.0, 404);
    let stored = |document: &str| -> Result<usize> {
        let store = SledStore::open(dir.path(), 0)?;
        Ok(store.read(&DocumentId::new(document).into(), Seq(0))?.len())
    };
    ensure!(server.stop()?.success());
    ensure!(stored(&deleted)? > 0, "within its time it is there");
    let args = vec!["--keep-deleted-days".to_owned(), "0".to_owned()];
    let server = Server::start_with(dir.path(), &ServerOptions { args, ..Default::default() })?;
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while !server.log_from_the_start().join("").contains("a deleted document is erased") {
        ensure!(std::time::Instant::now() < end, "it is not erased");
        std::thread::sleep(Duration::from_millis(20));
    }
    ensure!(server.visit("fay")?.text(&kept, "title")? == "Kept\n");
    ensure!(server.stop()?.success());
    ensure!(stored(&deleted)? == 0 && stored(&kept)? > 0);
    Ok(())
}

#[test]
fn over_https_cookies_and_headers_are_strict() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let args = vec!["--public-url".to_owned(), "https://accord.example.org".to_owned()];
    let server = Server::start_with(dir.path(), &ServerOptions { args, ..Default::default() })?;
    let sign_in = |origin: &str| {
        ureq::post(server.url("/api/v1/session"))
            .config()
            .http_status_as_error(false)
            .build()
            .header("origin", origin)
            .send_json(json!({ "demo": "ana" }))
    };
    let response = sign_in("https://accord.example.org")?;
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let cookie = header("set-cookie");
    ensure!(cookie.starts_with("__Host-accord_session="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        ensure!(cookie.contains(part), "{part} in {cookie}");
    }
    let policy = header("content-security-policy");
    ensure!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    ensure!(!policy.replace("'wasm-unsafe-eval'", "").contains("unsafe"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-store");
    ensure!(header("strict-transport-security").starts_with("max-age="));
    // The address it is really reached at is somebody else's page here.
    for foreign in ["http://accord.example.org", &server.url("")] {
        assert_eq!(sign_in(foreign)?.status().as_u16(), 403, "{foreign}");
    }
    Ok(())
}

#[test]
fn no_secret_is_ever_logged() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = ServerOptions {
        env: vec![("ACCORD_LOG".into(), "trace,sled=warn".into())],
        ..Default::default()
    };
    let server = Server::start_with(dir.path(), &options)?;
    let fay = server.visit("fay")?;
    let link = fay.invite("author", "civil_society")?;
    let ben = Visitor::join(&server.address, &link, "ben@x.org")?;
    let ticket = ben.ticket("demo")?;
    let reset = format!("/api/v1/plans/demo/people/{}/reset", ben.id()?);
    let (_, made) = fay.post(&reset, json!({}))?;
    let reset = made["link"].as_str().context("a link")?.to_owned();
    let nobody = Visitor::nobody(&server.address);
    nobody.get(&format!("/api/v1/links/{}", secret(&reset)))?;
    nobody.get(&format!("/invitations/{}", secret(&link)))?;
    nobody.get(&format!("/sync/demo?ticket={ticket}"))?;
    Visitor::sign_in_as(&server.address, "ben@x.org", PASSWORD)?;
    std::thread::sleep(Duration::from_millis(300));
    let log = server.log_from_the_start().join("\n");
    ensure!(log.contains("/api/v1/invitations/{secret}"), "requests are logged by their routes");
    let cookie = |visitor: &Visitor| visitor.cookie.split('=').nth(1).map(str::to_owned);
    let secrets = [secret(&link), secret(&reset), &ticket, PASSWORD].map(str::to_owned);
    for one in secrets.into_iter().chain([&fay, &ben].into_iter().filter_map(cookie)) {
        ensure!(!log.contains(&one), "a secret is in the log: {one}");
    }
    Ok(())
}

#[test]
fn what_facilitators_and_administrators_do_is_on_record() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (fay, ida, ana) = (server.visit("fay")?, server.visit("ida")?, server.visit("ana")?);
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
    // The export can be verified, entry by entry.
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
