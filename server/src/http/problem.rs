//! The one place that maps errors to HTTP statuses.

use crate::conversion::{FileError, ImporterError};
use crate::fair_queue::{Busy, RETRY_AFTER};
use crate::people::{AccountError, ChangeError, PasswordError};
use crate::plans::ActError;
pub(crate) use crate::problem::Problem;
use crate::rooms::{OpenError, RedactError, RequestError};
use crate::store::{MAX_RECORD_BYTES, StoreError};
use crate::worker::WorkError;
use accord_document::body::{MAX_REDACTION_REASON_CHARS, VersionError};
use accord_document::plan::ActRefusal;
use accord_document::release::StepError;
use accord_document::state::RedactionError;
use accord_document::sync::{Denied, ProposeError};
use accord_document::update::Refusal;
use accord_files::PressError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::any::Any;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => {
                let message = "The server's disk is full, so this was not saved. Everything saved earlier is safe. Try again later.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", message)
            }
            StoreError::Damaged(_) => {
                let message = "The stored data is damaged, so it can't be shown. Ask your administrator to restore it from a backup.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", message)
            }
            StoreError::Conflict => Self::conflict(
                "conflict",
                "Somebody else changed this at the same moment. Try again.",
            ),
            StoreError::TooLong => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too_long",
                format!(
                    "This is too long: it can have at most {MAX_RECORD_BYTES} bytes in all. Shorten it, and try again."
                ),
            ),
            _ => {
                tracing::error!(%error, "the store failed a request");
                let message = "The server can't read or save its data right now. Try again later.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing | OpenError::Denied(Denied::NotShared) => {
                Self::missing("commitment")
            }
            OpenError::Denied(Denied::SignedOut) => Self::signed_out(),
            OpenError::RoleChanged => Self::conflict(
                "role_changed",
                "Nothing was changed: your role, or what can be changed in this commitment, has just changed. Load the page again.",
            ),
            OpenError::Store(error) => error.into(),
            OpenError::Ledger(error) => StoreError::Damaged(error.to_string()).into(),
            OpenError::TooLong => {
                let message = "The history of this commitment is too long to be shown. You can still read and change its text.";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "history_too_long", message)
            }
            OpenError::Busy(busy) => busy.into(),
            OpenError::TooMuchOpen => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_much_open", error.to_string())
            }
            OpenError::Stopping => {
                let message = "The server is restarting. Try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "restarting", message)
            }
        }
    }
}

impl<E: Into<Problem>> From<RequestError<E>> for Problem {
    fn from(error: RequestError<E>) -> Self {
        match error {
            RequestError::Open(error) => error.into(),
            RequestError::Refused(refused) => refused.into(),
        }
    }
}

impl From<RedactError> for Problem {
    fn from(error: RedactError) -> Self {
        match error {
            RedactError::PassageMoved => Self::conflict(
                "elsewhere",
                "Somebody has just changed this passage. Select it again.",
            ),
            RedactError::Refused(RedactionError::Update(refusal @ Refusal::Frozen)) => {
                Self::conflict(
                    refusal.reason(),
                    "This text is frozen: both sides have signed it, so nothing in it can be redacted. Begin the next draft first.",
                )
            }
            RedactError::Released(number) => Self::conflict(
                "released",
                format!(
                    "Release {number} contains this passage. A release never changes, so the passage can’t be redacted."
                ),
            ),
            RedactError::Refused(RedactionError::Update(refusal))
                if refusal != Refusal::ReadOnly =>
            {
                refusal.into()
            }
            RedactError::Refused(_) => Self::forbidden(&format!(
                "Only a facilitator can redact a passage, and must give a reason of at most {MAX_REDACTION_REASON_CHARS} characters."
            )),
            RedactError::TooLong => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "history_too_long",
                "Nothing was redacted: the history of this commitment is so long that searching it takes more memory than the server may use. Ask the operator of the server to allow more (--redaction-memory-mib).",
            ),
            RedactError::Open(error) => error.into(),
        }
    }
}

impl From<VersionError> for Problem {
    fn from(error: VersionError) -> Self {
        match error {
            VersionError::Seat => Self::forbidden(&error.to_string()),
            VersionError::Name | VersionError::Description | VersionError::Future => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<StepError> for Problem {
    fn from(error: StepError) -> Self {
        let message = error.to_string();
        match error {
            StepError::Seat | StepError::Side | StepError::NotYours | StepError::Gaps => {
                Self::forbidden(&message)
            }
            StepError::NoProposal => Self::new(StatusCode::NOT_FOUND, "no_proposal", message),
            StepError::Over => Self::conflict("over", message),
            StepError::Stale => Self::conflict("stale", message),
            StepError::OtherText => Self::conflict("other_text", message),
            StepError::Signed => Self::conflict("signed", message),
            StepError::Proposed => Self::conflict("proposed", message),
            StepError::Frozen => Self::conflict("frozen", message),
            StepError::Drafting => Self::conflict("drafting", message),
            StepError::Unreleasable => Self::conflict("strange", message),
            StepError::Reason | StepError::Message | StepError::Quorum | StepError::Future => {
                Self::invalid(message)
            }
        }
    }
}

impl From<ProposeError> for Problem {
    fn from(error: ProposeError) -> Self {
        match error {
            ProposeError::Step(error) => error.into(),
            ProposeError::Unreleasable(_) => Self::conflict("strange", error.to_string()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::conflict(refusal.reason(), format!("This can't be done: {refusal}."))
    }
}

impl From<ActRefusal> for Problem {
    fn from(refused: ActRefusal) -> Self {
        let message = refused.to_string();
        match refused {
            ActRefusal::Seat => Self::forbidden(&message),
            ActRefusal::Closed => Self::conflict("closed", message),
            ActRefusal::LastFacilitator => Self::conflict("last_facilitator", message),
            ActRefusal::Standing(_)
            | ActRefusal::Title
            | ActRefusal::Quorum
            | ActRefusal::Launch
            | ActRefusal::Language => Self::invalid(message),
            ActRefusal::Launched => Self::conflict("launched", message),
            ActRefusal::Released => Self::conflict("released", message),
            ActRefusal::NoLaunch => Self::new(StatusCode::NOT_FOUND, "no_launch", message),
            ActRefusal::Early => Self::conflict("early", message),
            ActRefusal::NotSeated | ActRefusal::NoDocument => {
                Self::new(StatusCode::NOT_FOUND, "not_found", message)
            }
            ActRefusal::AlreadySeated => Self::conflict("already_seated", message),
            ActRefusal::NoInvitation => Self::new(StatusCode::NOT_FOUND, "no_invitation", message),
            ActRefusal::Used => Self::new(StatusCode::GONE, "used", message),
            ActRefusal::Revoked => Self::new(StatusCode::GONE, "revoked", message),
            ActRefusal::Expired => Self::new(StatusCode::GONE, "expired", message),
            ActRefusal::Unchanged => Self::conflict("unchanged", message),
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Missing => Self::missing("plan"),
            ActError::Refused(refused) => refused.into(),
            ActError::Text(refusal) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                refusal.reason(),
                format!("This is more than a commitment can hold: {refusal}. Nothing was created."),
            ),
            ActError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::Name
            | AccountError::Unreadable
            | AccountError::MixedScripts
            | AccountError::Email => Self::invalid(message),
            AccountError::EmailTaken => Self::conflict("email_taken", message),
            AccountError::IdentityTaken => Self::conflict("identity_taken", message),
            AccountError::LastWayIn => Self::conflict("last_way_in", message),
            AccountError::LastAdministrator => Self::conflict("last_administrator", message),
            AccountError::Missing => Self::new(StatusCode::NOT_FOUND, "not_found", message),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Account(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        let status = match busy {
            Busy::Requester => StatusCode::TOO_MANY_REQUESTS,
            Busy::Server => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, "busy", busy.to_string()).with_retry_after(RETRY_AFTER.as_secs())
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Press(PressError::Fonts) => {
                Self::conflict("fonts", format!("This text can't be made into a PDF: {error}."))
            }
            FileError::Press(PressError::Long | PressError::Failed(_)) => {
                let hint = "You can still download it as Word, HTML or Markdown.";
                Self::invalid(format!("This text can't be made into a PDF: {error}. {hint}"))
            }
            FileError::Work(error) => Self::of_work(error, "This file can't be made"),
            FileError::Busy(busy) => busy.into(),
        }
    }
}

impl From<ImporterError> for Problem {
    fn from(error: ImporterError) -> Self {
        match error {
            ImporterError::File(error) => Self::invalid(error.to_string()),
            ImporterError::Work(error) => Self::of_work(error, "This file can't be read"),
            ImporterError::Busy(busy) => busy.into(),
        }
    }
}

impl Problem {
    /// Creates a problem for work that a child process could not do. `what` is the start of its sentence.
    fn of_work(error: WorkError, what: &str) -> Self {
        match error {
            WorkError::Memory | WorkError::Time | WorkError::Large => {
                Self::invalid(format!("{what}: {error}. Shorten the text, and try again."))
            }
            WorkError::Ended(_) | WorkError::NotStarted => {
                Self::unavailable("failed", format!("{what}: {error}. Try again in a moment."))
            }
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        let message = error.to_string();
        match error {
            PasswordError::Length | PasswordError::Weak => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", message)
            }
            PasswordError::Busy | PasswordError::Failed(_) => Self::busy(&message),
        }
    }
}

pub(crate) async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", "The API has no such address.")
}

/// Returns the answer to a request whose handler panicked, which is a fault of this program. The panic itself is in the log.
pub(super) fn after_panic(_: Box<dyn Any + Send>) -> Response {
    let message =
        "The server failed because of a fault in it. Try again, or tell your administrator.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", message).into_response()
}

pub(crate) async fn wrong_method() -> Problem {
    let message =
        "This address does not take this method. `Allow` lists the methods that it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
}

/// Runs `work`, which blocks on the store, on a thread for blocking work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    run(work).await
}

/// Runs `work`, which changes records and blocks on the store, on a thread for blocking work.
pub(crate) async fn changing<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChangeError> + Send + 'static,
) -> Result<T, Problem> {
    run(work).await
}

async fn run<T: Send + 'static, E: Into<Problem> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Problem::from(StoreError::Failed(error.to_string())))?;
    done.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    #[tokio::test]
    async fn a_panic_is_answered_like_every_other_failure() {
        let broken = || async {
            if true {
                panic!("broken")
            }
        };
        let router =
            Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(after_panic));
        let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["error"], "fault");
        assert!(problem["message"].as_str().unwrap().ends_with('.'));
    }
}
