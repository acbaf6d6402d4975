//! `/healthz`, `/readyz`, `/metrics`: the routes for the operator of the server.

use super::App;
use super::identity::Caller;
use super::problem::Problem;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Answers that the process is alive.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Answers whether the server accepts new work: it does if the last commit succeeded and the server is not stopping.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if app.committer.is_healthy() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the last commit failed\n")
    }
}

/// The headers that show that a request came through a proxy.
const FORWARDING: [&str; 5] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Serves the metrics at the address that everybody can reach, but only to callers on this machine that use a host name
/// for this machine, such as `localhost`. Others must not see the metrics, because they reveal how many people write,
/// and how many sign in or fail to.
pub(super) async fn metrics_for_this_machine(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A proxy on this machine also calls from a loopback address. Its headers are trusted only if the server was
    // started with `--behind-proxy`. The address that the headers name must then be a loopback address.
    let is_proxied = FORWARDING.iter().any(|name| headers.contains_key(*name));
    let named = || app.site.address(IpAddr::from([0, 0, 0, 0]), &headers);
    let is_here = if is_proxied {
        app.site.is_behind_proxy() && named().is_loopback()
    } else {
        caller.address.is_loopback()
    };
    // A proxy that adds no headers looks like a caller on this machine, but it passes on the host name that its caller
    // used.
    if is_here && has_loopback_host(&headers) {
        return Ok(metrics(State(app)).await.into_response());
    }
    Err(Problem::forbidden(
        "Metrics are available only on the server’s own machine, or at the address that --metrics-listen sets.",
    ))
}

/// Returns whether the only `Host` header of a request is `localhost` or a loopback address, with any port.
fn has_loopback_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback)
}

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_this_machine_has_for_itself_names_it() {
        let check = |hosts: &[&str], expect: bool| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().unwrap());
            }
            assert_eq!(has_loopback_host(&headers), expect, "{hosts:?}");
        };
        for host in [
            "localhost",
            "LOCALHOST:9000",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
        ] {
            check(&[host], true);
        }
        for host in [
            "accord.example",
            "localhost.example",
            "localhost.",
            "10.0.0.7:80",
            "[2001:db8::1]",
            "a@b:1",
            "",
        ] {
            check(&[host], false);
        }
        check(&[], false);
        check(&["localhost", "accord.example"], false);
    }
}
