//! Wrong attempts to sign in keep strangers out, but never a person at a device on which they have signed in before.

use accord_tests::{PASSWORD, Server, ServerOptions, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Number of guesses that wait for an answer at the same time.
const FLOOD: usize = 200;

fn behind_proxy(data: &Path) -> Result<Server> {
    let args = vec!["--behind-proxy".to_owned()];
    Server::start_with(data, &ServerOptions { args, ..Default::default() })
}

/// Tries once to sign in from an address, with the cookies of a browser. Returns the status of the answer, and the
/// cookies that it sets.
fn sign_in(
    server: &Server,
    from: &str,
    cookies: &str,
    password: &str,
) -> Result<(u16, Vec<String>)> {
    let mut answer = ureq::post(server.url("/api/v1/session"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("x-forwarded-for", from)
        .header("cookie", cookies)
        .send_json(json!({ "email": "ben@x.org", "password": password }))?;
    let status = answer.status().as_u16();
    let set = answer.headers().get_all("set-cookie").iter();
    let set = set.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
    let body: Value = answer.body_mut().read_json()?;
    ensure!([200, 401, 429, 503].contains(&status), "{status} {body}");
    Ok((status, set))
}

fn device(cookies: &[String]) -> Result<String> {
    let found = cookies.iter().find(|cookie| cookie.starts_with("accord_devices="));
    let found = found.context("a device cookie")?;
    ensure!(found.contains("; HttpOnly; SameSite=Lax; Max-Age=15724800"), "{found}");
    Ok(found.split(';').next().unwrap_or_default().to_owned())
}

#[test]
fn wrong_tries_from_a_shared_address_keep_no_known_device_waiting_also_after_a_restart()
-> Result<()> {
    const OFFICE: &str = "203.0.113.7";
    let dir = tempfile::tempdir()?;
    let server = behind_proxy(dir.path())?;
    let fay = server.visit("fay")?;
    Visitor::join(&server.address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let (status, cookies) = sign_in(&server, OFFICE, "", PASSWORD)?;
    assert_eq!(status, 200);
    let known = device(&cookies)?;
    let nobody = ureq::get(server.url("/api/v1/session"));
    let nobody = nobody.config().http_status_as_error(false).build().header("cookie", &known);
    assert_eq!(nobody.call()?.status().as_u16(), 401, "the cookie alone signs nobody in");

    let lock = |server: &Server| -> Result<()> {
        while sign_in(server, OFFICE, "", "not the password")?.0 != 429 {}
        assert_eq!(sign_in(server, OFFICE, "", PASSWORD)?.0, 429, "a stranger's device waits");
        Ok(())
    };
    lock(&server)?;
    assert_eq!(sign_in(&server, OFFICE, &known, PASSWORD)?.0, 200, "a known one does not");
    ensure!(server.stop()?.success());
    let server = behind_proxy(dir.path())?;
    lock(&server)?;
    let (status, cookies) = sign_in(&server, OFFICE, &known, PASSWORD)?;
    assert_eq!((status, device(&cookies)?), (200, known.clone()), "nor after a restart");

    // A known device has a limit of its own. Beyond that limit, the device has to wait, as strangers do.
    let elsewhere = "198.51.100.1";
    let wrong = |_| sign_in(&server, elsewhere, &known, "not the password");
    let hashed = (0..40).map(wrong).filter(|tried| matches!(tried, Ok((401, _)))).count();
    ensure!(
        (18..=22).contains(&hashed),
        "{hashed} of 40 wrong tries at a known device were hashed"
    );

    // When a person is signed out everywhere, their devices are forgotten.
    let path = format!("/api/v1/administration/people/{}/sessions", fay_sees(&server, "ben")?);
    assert_eq!(server.visit("ida")?.request("DELETE", &path, None)?.0, 204);
    assert_eq!(sign_in(&server, OFFICE, &known, PASSWORD)?.0, 429);
    Ok(())
}

fn fay_sees(server: &Server, name: &str) -> Result<String> {
    let (_, answer) = server.visit("fay")?.get("/api/v1/plans/demo/people")?;
    let people = answer["people"].as_array().context("people")?;
    let found = people.iter().find(|one| one["person"]["name"] == name);
    Ok(found.and_then(|one| one["person"]["id"].as_str()).context("somebody")?.to_owned())
}

#[test]
fn guesses_from_all_of_an_ipv6_network_are_counted_together() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = behind_proxy(dir.path())?;
    let mut statuses = BTreeSet::new();
    let mut hashed = 0;
    for n in 0..60 {
        let from = format!("2001:db8:1:2:{n:x}::{n:x}");
        let (status, _) = sign_in(&server, &from, "", "not the password")?;
        hashed += usize::from(status == 401);
        statuses.insert(status);
    }
    assert_eq!(hashed, 10, "of 60 guesses from one /64");
    assert_eq!(statuses, BTreeSet::from([401, 429]));
    assert_eq!(sign_in(&server, "::ffff:203.0.113.9", "", "wrong")?.0, 401);
    for _ in 0..9 {
        sign_in(&server, "203.0.113.9", "", "wrong")?;
    }
    assert_eq!(
        sign_in(&server, "203.0.113.9", "", "wrong")?.0,
        429,
        "mapped addresses count as IPv4"
    );
    Ok(())
}

#[test]
fn a_flood_of_guesses_from_many_addresses_keeps_no_known_device_waiting() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = behind_proxy(dir.path())?;
    let fay = server.visit("fay")?;
    Visitor::join(&server.address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let home = "203.0.113.7";
    let known = device(&sign_in(&server, home, "", PASSWORD)?.1)?;
    // At any time, 200 guesses wait for an answer, each for another user account and from another network address. Each
    // answer is followed by the next guess.
    let (answered, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let url = server.url("/api/v1/session");
    let flood: Vec<_> = (0..FLOOD)
        .map(|n| {
            let (url, answered, is_over) = (url.clone(), answered.clone(), is_over.clone());
            thread::spawn(move || -> Result<()> {
                for round in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let guess =
                        json!({ "email": format!("{n}.{round}@x.org"), "password": "not the password" });
                    let config = ureq::post(&url).config().http_status_as_error(false).build();
                    let from = format!("10.{}.{}.{n}", round % 250, round / 250);
                    config.header("x-forwarded-for", from).send_json(guess)?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    // Once 200 guesses have been answered, all threads are sending.
    while answered.load(Ordering::Relaxed) < FLOOD {
        thread::sleep(Duration::from_millis(10));
    }
    let before = answered.load(Ordering::Relaxed);
    let status = sign_in(&server, home, &known, PASSWORD)?.0;
    let meanwhile = answered.load(Ordering::Relaxed) - before;
    is_over.store(true, Ordering::Relaxed);
    assert_eq!(status, 200);
    for one in flood {
        one.join().map_err(|_| anyhow::anyhow!("a guess was not made"))??;
    }
    // If the known device had to queue with the guesses, about 200 of them would be answered first.
    ensure!(meanwhile < FLOOD / 2, "{meanwhile} guesses were answered before the known device");
    Ok(())
}
