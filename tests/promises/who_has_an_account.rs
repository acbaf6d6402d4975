//! Nobody outside learns whether an e-mail address has a user account, neither from an answer nor from the time that
//! the answer takes. A mail server that does not answer delays nobody.

use accord_server::MailConfig;
use accord_tests::{PASSWORD, ServerInTime, Visitor, mailbox};
use anyhow::{Result, ensure};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

fn with_mail(data: &Path, mail_server: SocketAddr) -> Result<ServerInTime> {
    ServerInTime::start_with(data, |config| {
        config.mail = Some(MailConfig {
            url: format!("smtp://{mail_server}"),
            from: "Accord <accord@riverton.example>".into(),
        });
    })
}

/// Sends a request. Returns the answer without its date, which differs between any two answers, and the time that the
/// request took.
fn seen(address: &str, path: &str, body: &serde_json::Value) -> Result<(String, Duration)> {
    let began = Instant::now();
    let mut answer = ureq::post(format!("http://{address}{path}"))
        .config()
        .http_status_as_error(false)
        .build()
        .send_json(body)?;
    let text = answer.body_mut().read_to_string()?;
    let took = began.elapsed();
    let mut headers: Vec<_> = answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    Ok((format!("{} {headers:?} {text}", answer.status()), took))
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

#[test]
fn an_ask_for_a_password_and_a_wrong_password_are_answered_alike_for_all() -> Result<()> {
    const ROUNDS: usize = 60;
    let dir = tempfile::tempdir()?;
    let (mail_server, _mails) = mailbox()?;
    let server = with_mail(dir.path(), mail_server)?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    Visitor::join(address, &fay.invite("author", "civil_society")?, "ben@x.org")?;
    let who = ["ben@x.org", "someone.else@x.org"];
    for (path, allowed) in [("/api/v1/links", 3.0), ("/api/v1/session", 3.0)] {
        let mut took = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // The pause keeps both addresses within their limits. Each address is tried first in every other round.
            server.pass(Duration::from_secs(600));
            let mut answers = Vec::new();
            for n in [round % 2, 1 - round % 2] {
                let body = match path {
                    "/api/v1/links" => json!({ "email": who[n] }),
                    _ => json!({ "email": who[n], "password": "not the password" }),
                };
                let (answer, time) = seen(address, path, &body)?;
                answers.push(answer);
                took[n].push(time);
            }
            assert_eq!(answers[0], answers[1], "{path}");
        }
        let [known, unknown] = took.map(median);
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        println!("{path}: {known:?} for a known address, {unknown:?} for another: {ratio:.2}");
        ensure!((1.0 / allowed..allowed).contains(&ratio), "{path}: {ratio:.2} times as long");
    }
    // Both addresses are refused in the same way after too many requests.
    server.pass(Duration::from_secs(600));
    let asked = |email| (0..5).map(move |_| (email, json!({ "email": email })));
    let mut last = Vec::new();
    for (email, body) in who.into_iter().flat_map(asked) {
        last.push((email, seen(address, "/api/v1/links", &body)?.0));
    }
    let of = |who| -> Vec<&String> {
        last.iter().filter(|(email, _)| *email == who).map(|(_, answer)| answer).collect()
    };
    assert_eq!(of(who[0]), of(who[1]));
    ensure!(last[4].1.starts_with("429") && last[2].1.starts_with("202"), "{last:?}");
    Ok(())
}

#[test]
fn a_mail_server_that_hangs_holds_up_nobody() -> Result<()> {
    let dir = tempfile::tempdir()?;
    // This mail server accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let server = with_mail(dir.path(), silent.local_addr()?)?;
    let address = &server.address;
    let fay = Visitor::sign_in(address, "fay")?;
    let began = Instant::now();
    for n in 0..20 {
        let email = format!("ben{n}@x.org");
        Visitor::join(address, &fay.invite("author", "civil_society")?, &email)?;
        let (answer, _) = seen(address, "/api/v1/links", &json!({ "email": email }))?;
        ensure!(answer.starts_with("202"), "{answer}");
    }
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(fay.get("/api/v1/account")?.0, 200);
    Visitor::sign_in_as(address, "ben3@x.org", PASSWORD)?;
    ensure!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    // One network can request 30 links. The 20 requests above count, so 10 of the next 60 are accepted.
    let (mut answers, mut held_off) = (0, 0);
    for n in 0..60 {
        let (answer, _) =
            seen(address, "/api/v1/links", &json!({ "email": format!("{n}@x.org") }))?;
        answers += usize::from(answer.starts_with("202"));
        held_off += usize::from(answer.starts_with("429"));
    }
    assert_eq!((answers, held_off), (10, 50), "thirty from one network");
    Ok(())
}
