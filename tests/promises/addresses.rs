//! An e-mail address counts as verified when its person has used a link that was mailed to it, or when a trusted sign-in
//! provider says so. When somebody gets their user
//! account back with a link, all earlier sessions of that account end.

use accord_server::MailConfig;
use accord_tests::{PASSWORD, SOON, ServerInTime, Visitor, mailbox, secret};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

const NEW_PASSWORD: &str = "orchid gravel pendulum";

fn start(data: &Path) -> Result<(ServerInTime, Receiver<String>)> {
    let (mail_server, mails) = mailbox()?;
    let server = ServerInTime::start_with(data, |config| {
        config.mail = Some(MailConfig {
            url: format!("smtp://{mail_server}"),
            from: "Accord <accord@riverton.example>".into(),
        });
    })?;
    Ok((server, mails))
}

/// Returns the recipient of the next mail, and its text with long lines unfolded (quoted-printable, RFC 2045).
fn next(mails: &Receiver<String>) -> Result<(String, String)> {
    let mail = mails.recv_timeout(SOON).context("no mail came")?.replace("=\n", "");
    let to = mail.split("RCPT TO:<").nth(1).and_then(|rest| rest.split('>').next());
    Ok((to.context("a recipient")?.to_owned(), mail))
}

fn link(mail: &str) -> Result<String> {
    let found = mail.split("/links/").nth(1).and_then(|rest| rest.split_whitespace().next());
    Ok(format!("/api/v1/links/{}", found.context("a link in the mail")?))
}

fn is_verified(visitor: &Visitor) -> Result<bool> {
    let (_, account) = visitor.get("/api/v1/account")?;
    account["email_verified"].as_bool().with_context(|| format!("{account}"))
}

#[test]
fn an_address_is_verified_by_mail_to_it_and_by_nothing_else() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (server, mails) = start(dir.path())?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    let ben = Visitor::join(address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let id = ben.id()?;
    let fay_sees = || -> Result<Value> {
        let (_, people) = fay.get("/api/v1/plans/demo/people")?;
        let all = people["people"].as_array().context("people")?;
        let found = all.iter().find(|one| one["person"]["id"] == id.as_str());
        Ok(found.context("Ben")?["email_verified"].clone())
    };
    ensure!(!is_verified(&ben)?, "that he said so verifies nothing");
    assert_eq!(fay_sees()?, false);

    // A reset link that a facilitator hands over verifies nothing, because it did not come by mail.
    let (_, made) = fay.post(&format!("/api/v1/plans/demo/people/{id}/reset"), json!({}))?;
    let path = format!("/api/v1/links/{}", secret(made["link"].as_str().context("a link")?));
    let ben = Visitor::enter(address, &path, json!({ "password": NEW_PASSWORD }))?;
    ensure!(!is_verified(&ben)?);
    let (to, mail) = next(&mails)?;
    assert_eq!(to, "ben@x.org", "he is told that his password was changed");
    ensure!(mail.contains("Subject: Your password for Accord was changed"), "{mail}");

    // A link that was mailed to the address does verify it.
    let nobody = Visitor::nobody(address);
    nobody.post("/api/v1/links", json!({ "email": "ben@x.org" }))?;
    let path = link(&next(&mails)?.1)?;
    let back = Visitor::enter(address, &path, json!({ "password": PASSWORD }))?;
    ensure!(is_verified(&back)?);
    assert_eq!(fay_sees()?, true);
    assert_eq!(ben.get("/api/v1/session")?.0, 401, "all other sessions have ended");
    next(&mails)?;

    // A change of the address needs the password, and the new address is not verified.
    let ben = back;
    let change = |email: &str, current: &str| -> Result<u16> {
        let wanted = json!({ "email": email, "current": current });
        Ok(ben.request("PUT", "/api/v1/account/email", Some(wanted))?.0)
    };
    server.pass(Duration::from_secs(600));
    nobody.post("/api/v1/links", json!({ "email": "ben@x.org" }))?;
    let stale = link(&next(&mails)?.1)?;
    assert_eq!(change("ben@y.org", "not the password")?, 422);
    assert_eq!(change("no address", PASSWORD)?, 422);
    Visitor::join(address, &fay.invite("author", "civil_society")?, "cleo@x.org")?;
    assert_eq!(change("CLEO@x.org", PASSWORD)?, 409);
    ensure!(is_verified(&ben)?, "nothing has changed so far");
    assert_eq!(change("ben@y.org", PASSWORD)?, 204);
    ensure!(!is_verified(&ben)?);
    assert_eq!(nobody.get(&stale)?.0, 404, "what was mailed to the old address opens nothing");
    assert!(Visitor::sign_in_as(address, "ben@x.org", PASSWORD).is_err());
    Visitor::sign_in_as(address, "ben@y.org", PASSWORD)?;
    let (to, mail) = next(&mails)?;
    assert_eq!(to, "ben@x.org", "the old address is told");
    ensure!(mail.contains("e-mail address of the account was changed"), "{mail}");

    // A confirmation link was mailed to the new address. It works only for the account's own person, signed in, and
    // only once.
    let (to, mail) = next(&mails)?;
    assert_eq!(to, "ben@y.org");
    let path = link(&mail)?;
    assert_eq!(nobody.get(&path)?.1["purpose"], "confirm");
    assert_eq!(nobody.post(&path, json!({ "confirm": true }))?.0, 401);
    assert_eq!(fay.post(&path, json!({ "confirm": true }))?.0, 403);
    assert_eq!(
        nobody.post(&path, json!({ "password": NEW_PASSWORD }))?.0,
        404,
        "it sets no password"
    );
    ensure!(!is_verified(&ben)?);
    assert_eq!(ben.post(&path, json!({ "confirm": true }))?.0, 200);
    ensure!(is_verified(&ben)?);
    assert_eq!(ben.post(&path, json!({ "confirm": true }))?.0, 404, "once");

    // The number of mails that one person can have sent to an address is bounded.
    let asked = (0..10).map(|_| ben.post("/api/v1/account/email/confirmation", json!({})));
    let taken = asked.filter(|asked| asked.as_ref().is_ok_and(|(status, _)| *status == 202));
    assert_eq!(taken.count(), 2, "three mails in ten minutes, and one is used");
    Ok(())
}
