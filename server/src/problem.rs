//! The answer to a request that fails. Which error becomes which problem is decided in `http/problem.rs`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// When too many ask at once: how long a caller should wait before trying again, in seconds.
const BUSY_SECONDS: u64 = 5;

/// What went wrong, for programs (`error`) and for people (`message`).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// Seconds to wait before trying again.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// A stable name.
    error: &'static str,
    /// A sentence that says what happened and what to do.
    message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, retry_after: None, error, message: message.into() }
    }

    /// The same, to be tried again after so many seconds.
    pub(crate) fn with_retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "signed_out",
            "You are not signed in. Sign in and try again.",
        )
    }

    pub(crate) fn wrong_credentials() -> Self {
        let message = "This e-mail address and password do not match.";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", message)
    }

    pub(crate) fn bad_ticket() -> Self {
        let message = "This ticket is for another document, it has expired, or its session has ended. Get a new one.";
        Self::new(StatusCode::UNAUTHORIZED, "bad_ticket", message)
    }

    pub(crate) fn bad_link() -> Self {
        let message = "This link has been used, has expired, or never existed. Ask for a new one.";
        Self::new(StatusCode::NOT_FOUND, "bad_link", message)
    }

    pub(crate) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let message = format!("Too many tries. Wait {seconds} seconds, then try again.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message).with_retry_after(seconds)
    }

    pub(crate) fn too_slow() -> Self {
        let message =
            "The request arrived too slowly, and the server stopped reading it. Try again.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
    }

    pub(crate) fn too_many_connections() -> Self {
        let message = "Too many requests from this address at once. Try again in a moment.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message).with_retry_after(5)
    }

    /// Something can't be done now because too many ask for it at once.
    pub(crate) fn busy(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).with_retry_after(BUSY_SECONDS)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// A refusal that the page explains in its own words, by the stable name.
    pub(crate) fn refused(error: &'static str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, error, message)
    }

    /// Its stable name.
    pub(crate) fn name(&self) -> &'static str {
        self.error
    }

    pub(crate) fn missing(what: &str) -> Self {
        let message = format!("There is no such {what}, or it is not shared with you.");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }

    pub(crate) fn large(message: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// Something can't be done now and may be possible later.
    pub(crate) fn unavailable(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error, message)
    }

    /// A body arrived too slowly.
    pub(crate) fn slow(message: &str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow", message)
    }

    pub(crate) fn conflict(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error, message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        later((status, Json(self)).into_response(), retry_after)
    }
}

impl Problem {
    /// The sentence alone, for people who follow a link on a public page.
    pub(crate) fn sentence(self) -> Response {
        later((self.status, format!("{}\n", self.message)).into_response(), self.retry_after)
    }
}

fn later(mut response: Response, retry_after: Option<u64>) -> Response {
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
