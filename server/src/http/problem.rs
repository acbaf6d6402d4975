//! The one place that maps errors to HTTP statuses.

use crate::rooms::OpenError;
use crate::store::StoreError;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, for programs (`error`) and for people (`message`).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// A stable name.
    error: &'static str,
    /// A sentence that says what happened and what to do.
    message: String,
}

impl Problem {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into() }
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "signed_out",
            "You are not signed in. Sign in and try again.",
        )
    }

    pub(crate) fn bad_ticket() -> Self {
        let message = "This ticket is for another document, has expired, or its session has ended. Get a new one.";
        Self::new(StatusCode::UNAUTHORIZED, "bad_ticket", message)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn missing(what: &str) -> Self {
        let message = format!("There is no such {what}, or it is not shared with you.");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => {
                let message = "The server's disk is full. Nothing is lost; try again later.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", message)
            }
            StoreError::Damaged(_) => {
                let message = "What is stored here is damaged and is not shown. The administrator must restore it.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", message)
            }
            StoreError::Conflict => {
                let message = "Somebody else changed this at the same moment. Try again.";
                Self::new(StatusCode::CONFLICT, "conflict", message)
            }
            _ => {
                tracing::error!(%error, "the store failed a request");
                let message = "The server can't reach its store. Try again later.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing => Self::missing("document"),
            OpenError::Store(error) => error.into(),
            OpenError::Ledger(error) => StoreError::Damaged(error.to_string()).into(),
            OpenError::Stopping => {
                let message = "The server is restarting. Try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "restarting", message)
            }
        }
    }
}

pub(crate) async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", "The API has no such address.")
}

/// Runs something that blocks on the store.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| StoreError::Failed(error.to_string()))??)
}
