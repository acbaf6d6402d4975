//! The answer to a request that fails. The mapping of errors to problems is in `http/problem.rs`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Time that a caller should wait before trying again when the server has too many requests at the same time, in
/// seconds.
const BUSY_SECONDS: u64 = 5;

/// The body of an answer to a request that failed: a stable name for programs and a sentence for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// Number of seconds to wait before trying again, sent as `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// The stable name of the problem, for programs.
    error: &'static str,
    /// A sentence in English that says what happened and what to do.
    message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, retry_after: None, error, message: message.into() }
    }

    /// Sets the number of seconds after which the request can be tried again.
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
        let message = format!("Too many attempts. Wait {seconds} seconds, then try again.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message).with_retry_after(seconds)
    }

    pub(crate) fn too_slow() -> Self {
        let message =
            "The request arrived too slowly, and the server stopped reading it. Try again.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
    }

    pub(crate) fn too_many_connections() -> Self {
        let message =
            "Too many requests from this address at the same time. Try again in a moment.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message).with_retry_after(5)
    }

    /// Creates a problem for a request that can't be served now because there are too many requests at the same time
    /// (503).
    pub(crate) fn busy(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).with_retry_after(BUSY_SECONDS)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// Creates a refusal (403) with a stable name of its own, by which the web application finds the explanation that
    /// it shows.
    pub(crate) fn refused(error: &'static str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, error, message)
    }

    /// Returns the stable name of the problem.
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

    /// Creates a problem for something that can't be done now but may be possible later (503).
    pub(crate) fn unavailable(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error, message)
    }

    /// Creates a problem for a request whose body arrived too slowly or broke off (408).
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
    /// Returns an answer that contains only the problem's sentence, as plain text, for people who follow a link on a
    /// public page.
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
