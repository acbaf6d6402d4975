//! People get access as the first administrator, by an invitation, or with a new password after they have lost theirs.
//! A person who is refused learns the reason.

use accord_tests::{PASSWORD, Server, ServerInTime, ServerOptions, Visitor, mailbox, secret};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Starts a server without the demo. Returns it with the link that it prints for its first administrator.
fn fresh(dir: &Path) -> Result<(Server, String)> {
    let server =
        Server::start_with(dir, &ServerOptions { demo: Some(false), ..Default::default() })?;
    let line = server.next_logged("become its administrator")?;
    let link = line.split("open ").nth(1).and_then(|rest| rest.split(' ').next());
    let link = link.with_context(|| format!("no link in {line}"))?.to_owned();
    Ok((server, link))
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
    // Once the installation has an administrator, a start prints no such link.
    ensure!(server.stop()?.success());
    let options = ServerOptions { demo: Some(false), ..Default::default() };
    let server = Server::start_with(dir.path(), &options)?;
    assert!(!server.log_from_the_start().join("\n").contains("/links/"));
    // A server without the demo signs in nobody as a person of the demo.
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
    // A facilitator can't make a link for somebody who also has a role in a plan that the facilitator does not run. An
    // administrator can.
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
    // A mail folds long lines (quoted-printable, RFC 2045).
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
    // After the mail with the link, the only further mail says that the password was changed.
    let mail = mails.recv_timeout(Duration::from_secs(20))?;
    assert!(mail.contains("RCPT TO:<ben@x.org>") && !mail.contains("/links/"), "{mail}");
    assert!(mails.try_recv().is_err(), "no mail to whoever has no account");
    Ok(())
}
