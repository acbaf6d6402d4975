//! Strangers and foreign pages are kept out of the server, and secrets are kept out of its log.

use accord_tests::{PASSWORD, Server, ServerInTime, ServerOptions, Visitor, secret};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::Duration;

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
    // Signing in is protected as well, so that a foreign page can't sign anybody in as somebody else.
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
    // With a public address set, even the address on which the server listens is a foreign origin.
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
    // Lines are logged in order, so once this request is in the log, all earlier ones are.
    fay.get("/api/v1/plans")?;
    server.next_logged("/api/v1/plans\"")?;
    let log = server.log_from_the_start().join("\n");
    ensure!(log.contains("/api/v1/invitations/{secret}"), "requests are logged by their routes");
    let cookie = |visitor: &Visitor| visitor.cookie.split('=').nth(1).map(str::to_owned);
    let secrets = [secret(&link), secret(&reset), &ticket, PASSWORD].map(str::to_owned);
    for one in secrets.into_iter().chain([&fay, &ben].into_iter().filter_map(cookie)) {
        ensure!(!log.contains(&one), "a secret is in the log: {one}");
    }
    Ok(())
}
