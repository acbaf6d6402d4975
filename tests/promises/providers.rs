//! A sign-in provider that misbehaves delays only the people who sign in with it. The server asks it only a handful
//! of times, however many people or programs want to sign in.

use accord_tests::{Server, ServerInTime, ServerOptions, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The way in which a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Answers as the standard says, with this `Cache-Control`.
    Honest(&'static str),
    /// Accepts connections and never answers.
    Hangs,
    /// Sends a byte every tenth of a second, without end.
    Trickles,
    /// Sends a body without end.
    Endless,
    /// Sends header lines without end.
    EndlessHeaders,
    /// Sends bytes that are not HTTP.
    Garbage,
    /// Redirects every request.
    Redirects,
    /// Sends JSON that is not a discovery document.
    WrongDocument,
    /// Closes the connection without an answer.
    HangsUp,
}

/// A provider on this machine, whose manner can be changed.
struct Provider {
    issuer: String,
    manner: Arc<Mutex<Manner>>,
    /// Number of requests for the discovery document so far.
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let manner = Arc::new(Mutex::new(Manner::Honest("")));
        let asked = Arc::new(AtomicUsize::new(0));
        let one = Self { issuer: issuer.clone(), manner: manner.clone(), asked: asked.clone() };
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (issuer, asked) = (issuer.clone(), asked.clone());
                let manner = *manner.lock().unwrap_or_else(PoisonError::into_inner);
                // The result is ignored, because the server can hang up before the answer ends.
                thread::spawn(move || answer(&socket, manner, &issuer, &asked));
            }
        });
        Ok(one)
    }

    fn now(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(socket: &TcpStream, manner: Manner, issuer: &str, asked: &AtomicUsize) -> Result<()> {
    let mut out = socket;
    let mut lines = BufReader::new(socket).lines();
    let first = lines.next().context("a request")??;
    for line in lines.by_ref() {
        if line?.is_empty() {
            break;
        }
    }
    let is_discovery = first.contains("/.well-known/");
    asked.fetch_add(usize::from(is_discovery), Ordering::SeqCst);
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
    match manner {
        Manner::Honest(cache) => {
            let document = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            });
            let body = if is_discovery { document } else { json!({ "keys": [] }) }.to_string();
            let length = body.len();
            write!(out, "{head}cache-control: {cache}\r\ncontent-length: {length}\r\n\r\n{body}")?;
        }
        Manner::Hangs => thread::sleep(Duration::from_secs(120)),
        Manner::Trickles => {
            write!(out, "{head}content-length: 1000000\r\n\r\n{{")?;
            loop {
                thread::sleep(Duration::from_millis(100));
                write!(out, " ")?;
            }
        }
        Manner::Endless => {
            write!(out, "{head}\r\n{{")?;
            loop {
                out.write_all(&[b' '; 65_536])?;
            }
        }
        Manner::EndlessHeaders => {
            write!(out, "{head}")?;
            loop {
                write!(out, "x-more: {}\r\n", "x".repeat(1_000))?;
            }
        }
        Manner::Garbage => out.write_all(&[0xff; 10_000])?,
        Manner::Redirects => {
            write!(out, "HTTP/1.1 302 Found\r\nlocation: {issuer}/.well-known/again\r\n\r\n")?;
        }
        Manner::WrongDocument => write!(out, "{head}content-length: 9\r\n\r\n{{\"a\": 1}}\n")?,
        Manner::HangsUp => {}
    }
    Ok(())
}

/// Adds a provider, which must answer properly at this moment. Returns the path that starts a sign-in with it.
fn add(provider: &Provider, administrator: &Visitor) -> Result<String> {
    let wanted = json!({
        "name": "City ID", "issuer": provider.issuer, "client_id": "accord", "client_secret": "s"
    });
    let (status, made) = administrator.post("/api/v1/administration/providers", wanted)?;
    let id = made["id"].as_str().with_context(|| format!("{status} {made}"))?;
    Ok(format!("/api/v1/providers/{id}/start"))
}

fn tries(url: &str, from: &str, agent: &ureq::Agent) -> Result<(u16, Option<String>)> {
    let answer = agent.get(url).header("x-forwarded-for", from).call()?;
    let wait = answer.headers().get("retry-after");
    let wait = wait.and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok((answer.status().as_u16(), wait))
}

#[test]
fn a_hanging_provider_delays_nobody_else_and_is_asked_a_handful_of_times() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let args = vec!["--behind-proxy".to_owned()];
    let server = Server::start_with(dir.path(), &ServerOptions { args, ..Default::default() })?;
    let provider = Provider::start()?;
    let url = server.url(&add(&provider, &server.visit("ida")?)?);
    let ana = server.visit("ana")?;
    provider.now(Manner::Hangs);
    let before = provider.asked();

    // The crowd sends 700 requests: four of seven from one shared address, the others from other addresses.
    let crowd: Vec<_> = (0..100)
        .map(|n| {
            let url = url.clone();
            thread::spawn(move || -> Result<Vec<(u16, Option<String>)>> {
                let config = ureq::Agent::config_builder().http_status_as_error(false);
                let config = config.max_redirects(0).max_redirects_will_error(false);
                let agent: ureq::Agent = config.build().into();
                let from =
                    |m| if m % 2 == 0 { "192.0.2.1".into() } else { format!("10.1.{m}.{n}") };
                (0..7).map(|m| tries(&url, &from(m), &agent)).collect()
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let mut slowest = Duration::ZERO;
    for _ in 0..30 {
        let began = Instant::now();
        assert_eq!(ana.get("/api/v1/account")?.0, 200);
        slowest = slowest.max(began.elapsed());
        thread::sleep(Duration::from_millis(50));
    }
    let mut statuses = std::collections::BTreeMap::new();
    for one in crowd {
        for (status, wait) in one.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?? {
            *statuses.entry(status).or_insert(0) += 1;
            if status != 303 {
                let seconds: u64 = wait.context("when to come back")?.parse()?;
                ensure!((1..=600).contains(&seconds), "{seconds} seconds");
            }
        }
    }
    let asked = provider.asked() - before;
    println!("a signed-in request took {slowest:?} at most; asked {asked} times; {statuses:?}");
    ensure!(slowest < Duration::from_secs(3), "a signed-in request took {slowest:?}");
    ensure!((1..=5).contains(&asked), "asked {asked} times");
    ensure!(statuses.keys().all(|status| [303, 429, 503].contains(status)), "{statuses:?}");
    ensure!(statuses.get(&429).is_some_and(|n| *n >= 200), "{statuses:?}");
    Ok(())
}

#[test]
fn whatever_a_provider_answers_a_sign_in_ends_soon_and_costs_little() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let provider = Provider::start()?;
    let path = add(&provider, &Visitor::sign_in(&server.address, "ida")?)?;
    let nobody = Visitor::nobody(&server.address);
    for manner in [
        Manner::Trickles,
        Manner::Endless,
        Manner::EndlessHeaders,
        Manner::Garbage,
        Manner::Redirects,
        Manner::WrongDocument,
        Manner::HangsUp,
    ] {
        provider.now(manner);
        let (before, began) = (provider.asked(), Instant::now());
        let (status, _, to) = nobody.page(&path, "location")?;
        assert_eq!((status, to.as_str()), (303, "/?refused=provider_unreachable"), "{manner:?}");
        ensure!(began.elapsed() < Duration::from_secs(30), "{manner:?}: {:?}", began.elapsed());
        // The server remembers the failure for ten seconds, so that it does not ask the provider again.
        for _ in 0..5 {
            assert_eq!(nobody.page(&path, "location")?.2, "/?refused=provider_unreachable");
        }
        assert_eq!(provider.asked() - before, 1, "{manner:?}");
        server.pass(Duration::from_secs(60));
    }
    provider.now(Manner::Honest(""));
    let (status, _, to) = nobody.page(&path, "location")?;
    assert_eq!(status, 303);
    ensure!(to.starts_with(&format!("{}/authorize?", provider.issuer)), "{to}");
    Ok(())
}

#[test]
fn what_a_provider_says_of_itself_is_kept_for_minutes() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerInTime::start(dir.path())?;
    let ida = Visitor::sign_in(&server.address, "ida")?;
    let nobody = Visitor::nobody(&server.address);
    for (cache, kept) in [
        ("", 600),
        ("max-age=300", 300),
        ("no-store", 60),
        ("max-age=0", 60),
        ("max-age=864000", 3_600),
    ] {
        let provider = Provider::start()?;
        provider.now(Manner::Honest(cache));
        let path = add(&provider, &ida)?;
        let start = || -> Result<()> {
            let (status, _, to) = nobody.page(&path, "location")?;
            ensure!(status == 303 && to.starts_with(&provider.issuer), "{status} {to}");
            Ok(())
        };
        let before = provider.asked();
        for _ in 0..10 {
            start()?;
        }
        assert_eq!(provider.asked() - before, 1, "{cache}");
        server.pass(Duration::from_secs(kept - 10));
        start()?;
        assert_eq!(provider.asked() - before, 1, "{cache}: kept for {kept} s");
        server.pass(Duration::from_secs(20));
        start()?;
        assert_eq!(provider.asked() - before, 2, "{cache}: no longer than {kept} s");
    }
    Ok(())
}
