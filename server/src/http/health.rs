//! `/healthz`, `/readyz`, `/metrics`: for the operator of the server.

use super::App;
use super::identity::Caller;
use super::problem::Problem;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// New work is welcome: the store takes commits and the server is not stopping.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if app.committer.is_healthy() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the last commit failed\n")
    }
}

/// Headers in which a proxy names the client of a request.
const FORWARDING: [&str; 5] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// The metrics, on the address that everybody reaches: they tell how many write, sign in and fail, so callers on this
/// machine alone get them, under a name that only this machine has for itself.
pub(super) async fn metrics_for_this_machine(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A proxy on this machine calls from this machine, too. It is believed only where it was announced, and then the
    // address that it names counts, and none in its place.
    let is_proxied = FORWARDING.iter().any(|name| headers.contains_key(*name));
    let named = || app.site.address(IpAddr::from([0, 0, 0, 0]), &headers);
    let is_here = if is_proxied {
        app.site.is_behind_proxy() && named().is_loopback()
    } else {
        caller.address.is_loopback()
    };
    // A proxy that adds no header calls from this machine as well, but asks for the name that its caller asked for.
    if is_here && names_this_machine(&headers) {
        return Ok(metrics(State(app)).await.into_response());
    }
    Err(Problem::forbidden(
        "Metrics are for callers on the server’s own machine, or at the address that --metrics-listen names.",
    ))
}

/// Whether a request is for `localhost` or a loopback address, whatever the port. A request with no name, or with
/// several, is not.
fn names_this_machine(headers: &HeaderMap) -> bool {
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
            assert_eq!(names_this_machine(&headers), expect, "{hosts:?}");
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
