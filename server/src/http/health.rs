//! `/healthz`, `/readyz`, `/metrics`: for whoever runs the server.

use super::App;
use super::identity::Caller;
use super::problem::Problem;
use axum::extract::State;
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

/// Headers with which a proxy says for whom it asks.
const FORWARDING: [&str; 5] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// The metrics, on the address that everybody reaches: they tell how many write, sign in and fail, so callers on this
/// machine alone get them.
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
    if is_here {
        return Ok(metrics(State(app)).await.into_response());
    }
    Err(Problem::forbidden(
        "Metrics are for callers on the server’s own machine, or at the address that --metrics-listen names.",
    ))
}

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render())
}
