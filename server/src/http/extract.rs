//! Extractors for what the API reads from a request. If it is not valid, the answer is a [`Problem`], as for all other
//! errors. Public pages use the extractors of axum, because people read their errors in a browser.

use super::problem::{Problem, no_such_route};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::error::Error;

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
            Err(error) => {
                let reason = reason(&error);
                let message =
                    format!("A parameter behind the “?” of the address is not valid: {reason}.");
                Err(Problem::invalid(message))
            }
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
            JsonRejection::JsonSyntaxError(error) => {
                let reason = reason(&error);
                Problem::invalid(format!("The body of the request is not JSON: {reason}."))
            }
            JsonRejection::JsonDataError(error) => {
                let reason = reason(&error);
                Problem::invalid(format!("The body of the request is not as expected: {reason}."))
            }
            _ => Problem::invalid(
                "Send the body of the request as JSON, with the header `Content-Type: application/json`.",
            ),
        })?;
        Ok(Self(body))
    }
}

/// Returns the reason for a rejection, without the first words, which are about the types of axum.
fn reason(rejection: &dyn Error) -> String {
    rejection.source().map_or_else(|| rejection.to_string(), ToString::to_string)
}
