//! Metrics are only for the operator of the server.

use accord_tests::{Server, ServerOptions};
use anyhow::{Result, ensure};
use std::net::TcpListener;

/// Requests a URL, with a header if one is given. Returns the status and the body of the answer.
fn ask(url: &str, header: Option<(&str, &str)>) -> Result<(u16, String)> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let mut answer = request.call()?;
    let status = answer.status().as_u16();
    Ok((status, answer.body_mut().read_to_string()?))
}

#[test]
fn metrics_are_for_this_machine_and_no_proxy_hands_them_on() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let url = server.url("/metrics");
    let (status, answer) = ask(&url, None)?;
    ensure!(status == 200 && answer.contains("# EOF"), "{status} {answer}");
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        for value in ["203.0.113.9", "127.0.0.1", ""] {
            let (status, answer) = ask(&url, Some((name, value)))?;
            ensure!(
                status == 403 && answer.contains("--metrics-listen"),
                "{name}: {status} {answer}"
            );
        }
    }
    for (host, expect) in [
        ("localhost", 200),
        ("127.0.0.1:9", 200),
        ("accord.example.org", 403),
        ("accord.example.org:443", 403),
        ("localhost.example.org", 403),
        ("10.0.0.7", 403),
    ] {
        let (status, answer) = ask(&url, Some(("host", host)))?;
        ensure!(status == expect, "a proxy that adds no header hands on {host}: {status} {answer}");
    }
    server.stop()?;
    let args = vec!["--behind-proxy".to_owned()];
    let server = Server::start_with(data.path(), &ServerOptions { args, ..Default::default() })?;
    let url = server.url("/metrics");
    for (value, expect) in [
        ("127.0.0.1", 200),
        ("203.0.113.9, ::1", 200),
        ("127.0.0.1, 203.0.113.9", 403),
        ("unknown", 403),
        ("203.0.113.9:5432", 403),
    ] {
        let (status, _) = ask(&url, Some(("x-forwarded-for", value)))?;
        ensure!(status == expect, "{value}: {status}");
    }
    Ok(())
}

#[test]
fn an_address_of_their_own_serves_metrics_and_nothing_else() -> Result<()> {
    let data = tempfile::tempdir()?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let env = vec![("ACCORD_METRICS_LISTEN".to_owned(), free.to_string())];
    let server = Server::start_with(data.path(), &ServerOptions { env, ..Default::default() })?;
    for (path, expect) in [
        ("/metrics", 200),
        ("/healthz", 200),
        ("/", 404),
        ("/api/v1/session", 404),
        ("/keys.txt", 404),
    ] {
        let (status, answer) = ask(&format!("http://{free}{path}"), None)?;
        ensure!(status == expect, "{path}: {status} {answer}");
    }
    // An open connection to the address of the metrics does not delay the stop.
    let open = std::net::TcpStream::connect(free)?;
    ensure!(server.stop()?.success());
    drop(open);
    // If the address is already in use, the server says so and does not start.
    let taken = TcpListener::bind(free)?;
    let args = vec!["--metrics-listen".to_owned(), taken.local_addr()?.to_string()];
    ensure!(
        Server::start_with(data.path(), &ServerOptions { args, ..Default::default() }).is_err()
    );
    Ok(())
}
