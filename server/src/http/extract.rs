//! Extractors for what the API reads from a request. If it is not valid, the answer is a [`Problem`], as for all other
//! errors. Public pages use the extractors of axum, because people read their errors in a browser.

use super::problem::{Problem, no_such_route};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The variable parts of a path. A path with a part of another form, such as a word in place of a number, leads nowhere.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(no_such_route().await),
        }
    }
}

/// The parameters after the `?` of an address.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::invalid(error.body_text())),
        }
    }
}

/// The JSON body of a request.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await.map_err(|error| match error {
            JsonRejection::BytesRejection(_) => {
                let message = "The request is too large, or it did not arrive completely.";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            }
            other => Problem::invalid(other.body_text()),
        })?;
        Ok(Self(body))
    }
}
