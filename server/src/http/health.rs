//! `/healthz`, `/readyz`, `/metrics`: for whoever runs the server.

use super::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

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

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render())
}
